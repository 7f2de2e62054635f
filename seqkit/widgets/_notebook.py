"""What the notebook around a widget calls things."""

from __future__ import annotations

from IPython import get_ipython

from seqkit.explore.source import OWN_NAMES

__all__ = ["free_name", "variable_of"]


def variable_of(thing: object) -> str | None:
    """Give the first variable of the notebook that holds this very object; None without a notebook or a variable."""
    return next(iter(_names_of(thing)), None)


def free_name(thing: object) -> str | None:
    """Give such a variable that the source of a scenario does not use itself."""
    return next((name for name in _names_of(thing) if name not in OWN_NAMES), None)


def _names_of(thing: object) -> list[str]:
    shell = get_ipython()
    if shell is None or thing is None:
        return []
    names = (name for name, value in list(shell.user_ns.items()) if value is thing)
    return sorted(name for name in names if not name.startswith("_"))
