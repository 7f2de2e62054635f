"""How the notebooks are tested: without bars of progress, which a busy machine shows where a quick one does not."""

from __future__ import annotations

import os
from collections.abc import Generator

import pytest

_QUIET = "TQDM_DISABLE"


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> Generator[None]:
    """Tell the kernel, which starts with a notebook's first cell, by its environment."""
    before = os.environ.get(_QUIET)
    os.environ[_QUIET] = "1"
    try:
        yield
    finally:
        if before is None:
            del os.environ[_QUIET]
        else:
            os.environ[_QUIET] = before
