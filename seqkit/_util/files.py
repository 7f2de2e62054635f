"""Files that are written whole, or not at all, and such as can be read to an end."""

from __future__ import annotations

import contextlib
import errno
import io
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

from seqkit._util.secrets import shown

__all__ = ["NoRegularFile", "adding", "open_regular", "replacing"]


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


@contextlib.contextmanager
def adding(target: str | os.PathLike[str]) -> Iterator[Path]:
    """Give an empty draft of a folder to fill, whose files take their places in `target` where all went well.

    A folder that was not there comes as a whole. In one that was, each file comes whole in place of the one of its
    name, in the order of their names, and whatever else is there stays. A failure while the draft is filled leaves
    what was there.

    Raises
    ------
    OSError
        Naming `target`, where that or the draft cannot be written.

    Examples
    --------
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with adding(Path(folder, "runs")) as draft:
    ...         _ = Path(draft, "a.txt").write_text("all of it")
    ...     [(path.name, path.read_text()) for path in Path(folder, "runs").iterdir()]
    [('a.txt', 'all of it')]
    """
    name = os.fspath(target)
    try:
        final = _real(name)
        if not name or (final.exists() and not final.is_dir()):
            raise OSError(errno.ENOTDIR, os.strerror(errno.ENOTDIR))
        box = Path(tempfile.mkdtemp(prefix=".seqkit-", dir=final.parent))
        try:
            draft = box / "draft"
            draft.mkdir()
            yield draft
            files = sorted(path for path in draft.rglob("*") if path.is_file())
            for path in files:
                with path.open("rb") as file:
                    os.fsync(file.fileno())
            if final.exists():
                for path in files:
                    place = final / path.relative_to(draft)
                    place.parent.mkdir(parents=True, exist_ok=True)
                    os.replace(path, place)
            else:
                draft.rename(final)
        finally:
            shutil.rmtree(box, ignore_errors=True)
    except OSError as error:
        raise OSError(error.errno or errno.EIO, error.strerror or str(error), shown(name)) from None


class NoRegularFile(OSError):
    """What should be read is a pipe, a device or a socket: it may never begin, or never end."""

    def __init__(self, name: str | os.PathLike[str]) -> None:
        super().__init__(errno.EINVAL, "is no regular file", os.fspath(name))


def open_regular(path: str | os.PathLike[str]) -> io.BufferedReader:
    """Open a file to read its bytes; it has a size, and opening it waits for nobody.

    Raises
    ------
    NoRegularFile
        Where it is something else that is there.
    OSError, ValueError
        Where it cannot be opened.

    Examples
    --------
    >>> open_regular(os.devnull)
    Traceback (most recent call last):
    seqkit._util.files.NoRegularFile: [Errno 22] is no regular file: '/dev/null'
    """
    _refuse_special(path, os.stat(path))
    # A pipe that has come in its place since is not waited for.
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    try:
        _refuse_special(path, os.fstat(descriptor))
        return open(descriptor, "rb")
    except BaseException:
        os.close(descriptor)
        raise


def _refuse_special(path: str | os.PathLike[str], status: os.stat_result) -> None:
    if stat.S_ISDIR(status.st_mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), os.fspath(path))
    if not stat.S_ISREG(status.st_mode):
        raise NoRegularFile(path)


def _real(name: str) -> Path:
    try:
        final = Path(os.path.realpath(name))
    except ValueError as error:  # a name that no file system can hold, such as one with a NUL
        raise OSError(errno.EINVAL, f"is no name of a file: {error}") from error
    if final.is_symlink():
        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP))
    return final


def _final(name: str) -> Path:
    final = _real(name)
    if not name or final.is_dir():
        raise OSError(errno.EISDIR, os.strerror(errno.EISDIR))
    return final
