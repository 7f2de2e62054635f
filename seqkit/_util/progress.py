"""A progress bar that needs no thread."""

from __future__ import annotations

from tqdm import tqdm

__all__ = ["Bar"]


class Bar(tqdm):  # type: ignore[type-arg]  # not at run time
    """A bar of tqdm without its monitor, a thread that would outlive it, and warns where none can start."""

    monitor_interval = 0
