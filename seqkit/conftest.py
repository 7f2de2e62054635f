"""Doctests of public names are collected where they are written, whatever package they say they come from."""

from __future__ import annotations

import doctest
import inspect
import re
from types import FunctionType, ModuleType

_from_module = doctest.DocTestFinder._from_module


def _is_written_here(finder: doctest.DocTestFinder, module: ModuleType | None, thing: object) -> bool:
    """Go by where it is written, where doctest goes by ``__module__``, which is where people import it from."""
    if module is not None and str(getattr(thing, "__module__", "")).startswith("seqkit"):
        if isinstance(thing, FunctionType):
            return thing.__globals__ is vars(module)
        if isinstance(thing, type):
            return re.search(rf"^class {thing.__name__}\b", inspect.getsource(module), re.MULTILINE) is not None
    return _from_module(finder, module, thing)


doctest.DocTestFinder._from_module = _is_written_here
