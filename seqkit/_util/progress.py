"""A progress bar that needs no thread."""

from __future__ import annotations

from typing import Any

from tqdm import tqdm

__all__ = ["Bar"]


class Bar(tqdm):  # type: ignore[type-arg]  # not at run time
    """A bar of tqdm without its monitor, a thread that would outlive it, and warns where none can start.

    ``quiet`` shows none. Where it may be shown, ``TQDM_DISABLE=1`` in the environment still hides it, which a `disable`
    that is given would not let it.
    """

    monitor_interval = 0

    def __init__(self, *args: Any, quiet: bool = False, **options: Any) -> None:
        if quiet:
            options["disable"] = True
        super().__init__(*args, **options)
