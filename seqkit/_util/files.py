"""Files that are written whole, or not at all."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

from seqkit._util.secrets import shown

__all__ = ["replacing"]


@contextlib.contextmanager
def replacing(target: str | os.PathLike[str]) -> Iterator[Path]:
    """Give an empty draft to fill, which takes the place of `target` where all went well and is gone otherwise.

    Nobody sees half a file, and a failure leaves what was there. The draft lies beside the target (of a link,
    beside what it points to: the link stays) in a folder of its own, which only we may enter: drafts never meet,
    and what else a writer leaves there, such as a database's log, goes with it. The file keeps the permissions that it
    had; a new one gets those of any new file. What is no regular file, such as a pipe, is given itself.

    Raises
    ------
    OSError
        Naming `target`, where that or the draft cannot be written.

    Examples
    --------
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with replacing(Path(folder, "a.txt")) as draft:
    ...         _ = draft.write_text("all of it")
    ...     [(path.name, path.read_text()) for path in Path(folder).iterdir()]
    [('a.txt', 'all of it')]
    """
    name = os.fspath(target)
    try:
        final = _final(name)
        if final.exists() and not final.is_file():
            yield final
            return
        folder = Path(tempfile.mkdtemp(prefix=".seqkit-", dir=final.parent))
        try:
            draft = folder / "draft"
            draft.touch()
            yield draft
            with draft.open("rb") as file:
                os.fsync(file.fileno())
            with contextlib.suppress(FileNotFoundError):  # a new file, or one that somebody has just removed
                draft.chmod(stat.S_IMODE(final.stat().st_mode))
            os.replace(draft, final)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
    except OSError as error:
        # Not "from error": that names the place as it was given, or made absolute.
        raise OSError(error.errno or errno.EIO, error.strerror or str(error), shown(name)) from None


def _final(name: str) -> Path:
    try:
        final = Path(os.path.realpath(name))
    except ValueError as error:  # a name that no file system can hold, such as one with a NUL
        raise OSError(errno.EINVAL, f"is no name of a file: {error}") from error
    if final.is_symlink():
        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP))
    if not name or final.is_dir():
        raise OSError(errno.EISDIR, os.strerror(errno.EISDIR))
    return final
