"""Where public names say that they come from: the package that people import them from, not a module inside it."""

from __future__ import annotations

import contextlib
import inspect
import sys
from collections.abc import Iterable, Mapping
from types import FunctionType

__all__ = ["presented"]


def presented(package: str, names: Iterable[str], content: Mapping[str, object]) -> None:
    """Let classes and functions of `package` say so in ``__module__``: reprs, help and tracebacks show short names.

    What another public package has presented before keeps its name, and so does what comes from elsewhere.

    Parameters
    ----------
    package : str
        Such as ``"seqkit"``; what a name of it is pickled by.
    names : iterable of str
        Its public names.
    content : mapping
        The package's own; names that are not there yet are passed over.
    """
    for name in names:
        thing = content.get(name)
        if isinstance(thing, type | FunctionType) and thing.__module__.startswith("seqkit."):
            if isinstance(thing, type):
                # typing.get_type_hints reads annotations with the names of `__module__`; what only a type checker
                # imports nobody can read.
                with contextlib.suppress(NameError):
                    home = vars(sys.modules[thing.__module__])
                    thing.__annotations__ = inspect.get_annotations(thing, globals=home, eval_str=True)
            thing.__module__ = package
