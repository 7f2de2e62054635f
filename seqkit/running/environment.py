"""The environment of a command: what was allowed, and what of it is secret. No error shows a value."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping

__all__ = ["harmless", "names_of", "secret_values", "variables"]

_HARMLESS = ("PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR", "SYSTEMROOT")
"""What a command gets of our environment unasked, where it is set; Windows starts nothing without the last."""


def harmless() -> dict[str, str]:
    """Give what a command gets unasked."""
    return {name: os.environ[name] for name in _HARMLESS if name in os.environ}


def names_of(argument: str, names: Iterable[str]) -> list[str]:
    """Read names of variables; one alone may stand for a list of it."""
    if not isinstance(names, Iterable):
        raise TypeError(f"{argument} is of type {type(names).__name__}, expected names of variables")
    listed = [names] if isinstance(names, str) else list(names)
    for index, name in enumerate(listed):
        if not isinstance(name, str) or not name or "=" in name or "\0" in name:
            raise ValueError(f"{argument} has, at place {index}, no name of a variable; expected such as 'TOKEN'")
    return listed


def _told(index: int, name: str) -> str:
    """Tell which name it is; a secret that was given for its name is not told."""
    return repr(name) if re.fullmatch("[A-Z][A-Z_]{,40}", name) else f"a name at place {index}"


def variables(env: Iterable[str] | Mapping[str, str]) -> dict[str, str]:
    """Read `env`; no error shows a value."""
    if not isinstance(env, Mapping):
        names = names_of("env", env)
        for index, name in enumerate(names):
            if name not in os.environ:
                raise ValueError(
                    f"env has {_told(index, name)}, which is not set in our environment: set it before, or pass a "
                    "mapping from names to values"
                )
        return {name: os.environ[name] for name in names}
    names_of("env", env)
    for name, value in env.items():
        if not isinstance(value, str):
            raise TypeError(f"env[{name!r}] is of type {type(value).__name__}, expected text")
        try:
            holds_nul = b"\0" in os.fsencode(value)
        except UnicodeError:
            holds_nul = True
        if holds_nul:
            raise ValueError(f"env[{name!r}] holds a NUL or half a character, which no environment can")
    return dict(env)


def secret_values(secrets: list[str], env: Mapping[str, str]) -> list[str]:
    """Give the values of secrets, which the environment must have."""
    for index, name in enumerate(secrets):
        if name not in env:
            raise ValueError(
                f"secrets has {_told(index, name)}, which env has not: expected the name of a variable of env, and "
                "not its value"
            )
        if not env[name].strip():
            raise ValueError(f"secrets has {name!r}, whose value is empty: set it, or take it out of secrets")
    return [env[name] for name in secrets]
