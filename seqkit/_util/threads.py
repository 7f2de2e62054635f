"""Starting threads, on hosts too that let none start: a browser's Python, or a limit that is reached."""

from __future__ import annotations

import threading

__all__ = ["no_thread", "starts"]


def no_thread(error: BaseException | None) -> bool:
    """Tell whether an error says that no thread can start here.

    Examples
    --------
    >>> no_thread(RuntimeError("can't start new thread")), no_thread(RuntimeError("tests are red"))
    (True, False)
    """
    return type(error) is RuntimeError and str(error) == "can't start new thread"


def starts(thread: threading.Thread) -> bool:
    """Start a thread; False where no thread can start here, so that the work is to be done in this one.

    Raises
    ------
    RuntimeError
        Where it has been started before.

    Examples
    --------
    >>> starts(threading.Thread(target=int))
    True
    """
    try:
        thread.start()
    except RuntimeError:  # "can't start new thread"
        if thread.ident is not None:
            raise
        return False
    return True
