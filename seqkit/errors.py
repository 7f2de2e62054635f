"""Everything seqkit raises on purpose.

::

    SeqkitError
    ├── MultiRepoError
    │   ├── DependencyCycle(repos)            edges that would make a cycle
    │   ├── RepoNotFound(repo)                a repo that the graph or plan does not have
    │   ├── SequencingFailed(repo, reason)    a release that failed
    │   ├── DuplicateRelease(repo)            two releases of one repo in one plan
    │   └── StorageError                      a ledger could not do what was asked
    │       ├── RunNotFound(run_id)
    │       ├── InvalidRunState(run_id, actual, expected)
    │       ├── InvalidDigest(digest)
    │       ├── IntegrityError                the write would break the record (a seq used twice)
    │       └── Backend                       the store behind the ledger failed (disk, server)
    └── ReadError(path, line, message)        an input file that cannot be read

Wrong arguments raise ``ValueError`` or ``TypeError`` that name the argument, the
value and what was expected. Every error keeps its evidence as attributes and
survives pickling, so that it may cross a process boundary. Attributes hold names
as they are; ``str`` of an error escapes what a terminal would obey, or nobody sees.
"""

from __future__ import annotations

import os
import pickle
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from seqkit._util.files import NoRegularFile
from seqkit._util.near import NearNames, did_you_mean
from seqkit._util.secrets import as_given, shown, shown_id
from seqkit._util.words import plural, printable

if TYPE_CHECKING:
    from seqkit.core.model import RunEvent
    from seqkit.core.outcome import SequenceOutcome

__all__ = [
    "Backend",
    "DependencyCycle",
    "DuplicateRelease",
    "IntegrityError",
    "InvalidDigest",
    "InvalidRunState",
    "MultiRepoError",
    "ReadError",
    "RepoNotFound",
    "RunNotFound",
    "SeqkitError",
    "SequencingFailed",
    "StorageError",
]

_WAY_OUT_OF_CYCLES = 'remove an edge of each, or pass cycles="merge" to release each as one unit, or "keep" to see them'
_RUST_ESCAPES = {"\t": "\\t", "\r": "\\r", "\n": "\\n", "\0": "\\0", '"': '\\"', "\\": "\\\\"}


def _quoted(text: str) -> str:
    """Quote `text` as the original prints a string inside a list (Rust's ``{:?}``)."""

    def escape(char: str) -> str:
        if char in _RUST_ESCAPES:
            return _RUST_ESCAPES[char]
        if char.isprintable() and unicodedata.category(char) not in ("Mn", "Me"):
            return char
        return f"\\u{{{ord(char):x}}}"

    if text.isascii() and text.isprintable() and not set('"\\') & set(text):
        return f'"{text}"'
    return '"' + "".join(map(escape, text)) + '"'


_SHOWN_WHOLE = 100  # repos of a list; of a longer one the first and the last few
_FIRST, _LAST = 8, 2


def _listed(repos: Sequence[str]) -> str:
    """List repos as the original prints them; of very many the first and the last, so that an error stays short."""
    if len(repos) <= _SHOWN_WHOLE:
        return f"[{', '.join(map(_quoted, repos))}]"
    first, last = (", ".join(map(_quoted, part)) for part in (repos[:_FIRST], repos[-_LAST:]))
    return f"[{first}, … {len(repos) - _FIRST - _LAST:,} more, {last}]"


class SeqkitError(Exception):
    """Base of everything seqkit raises on purpose."""

    def __str__(self) -> str:
        return printable(self._told())

    def _told(self) -> str:
        """Give the message with names as they are."""
        return super().__str__()


def as_recorded(error: BaseException) -> str:
    r"""Give the text of an exception as a ledger keeps it: its message with nothing escaped, else its class's name.

    Examples
    --------
    >>> error = SequencingFailed("core", "two\nlines")
    >>> as_recorded(error).splitlines(), str(error).splitlines()
    (['release sequencing failed for repo core: two', 'lines'],
     ['release sequencing failed for repo core: two\\nlines'])
    """
    if isinstance(error, SeqkitError) and type(error).__str__ is SeqkitError.__str__:
        return error._told() or type(error).__name__
    return str(error) or type(error).__name__


class MultiRepoError(SeqkitError):
    """Base of errors about graphs, plans, runs and ledgers."""


class DependencyCycle(MultiRepoError):
    """Edges that form a cycle. The message of one of more than a hundred repos names the first and the last of them.

    Attributes
    ----------
    repos : list of str
        One concrete cycle in the direction "is needed by"; the first repo stands again at the end.
    components : int or None
        How many cyclic components the edges have, where all were looked at.
    way_out : str
        What can be done about it by whoever called, where all were looked at.
    also : str
        What else can be done, in the kind of file that they came from.

    Examples
    --------
    >>> str(DependencyCycle(["A", "B", "A"]))
    'dependency cycle detected involving repos: ["A", "B", "A"]'
    """

    def __init__(
        self, repos: Sequence[str], components: int | None = None, way_out: str | None = None, also: str = ""
    ) -> None:
        super().__init__(repos, components, way_out, also)
        self.repos = list(repos)
        self.components = components
        self.way_out = way_out or _WAY_OUT_OF_CYCLES
        self.also = also

    def _told(self) -> str:
        return self.told(self.way_out)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({_listed(self.repos)})"

    def told(self, way_out: str) -> str:
        """Give the message with another way out, for callers who have no such argument."""
        text = f"dependency cycle detected involving repos: {_listed(self.repos)}"
        if self.components is None:
            return text
        parts = plural(self.components, "cyclic component")
        return f"{text}; the edges have {parts} in all: {way_out}{'. ' * bool(self.also)}{self.also}"


class RepoNotFound(MultiRepoError):
    """A repo that the graph or plan does not have.

    A traceback shows a note below the message where there are suggestions: ``did you mean 'core'?``

    Attributes
    ----------
    repo : str
        Its id.
    suggestions : list of str
        At most three repos of that graph or plan that are called much the same, the nearest first. They are
        looked for when somebody asks.

    Examples
    --------
    >>> error = RepoNotFound("coer", among=["api", "core", "docs"])
    >>> str(error), error.suggestions, error.__notes__
    ('repo not found in graph: coer', ['core'], ["did you mean 'core'?"])
    """

    def __init__(self, repo: str, among: Iterable[str] = ()) -> None:
        super().__init__(shown_id(repo))
        self.repo = repo
        self._among = among

    @cached_property
    def suggestions(self) -> list[str]:  # noqa: D102  # documented in the class
        return NearNames(self._among).near(self.repo) if isinstance(self.repo, str) else []

    # What add_note writes to, made when it is first looked at: a loop that catches a thousand of these does not pay
    # for suggestions that nobody reads.
    @cached_property
    def __notes__(self) -> list[str]:  # type: ignore[override]
        return [did_you_mean(self.suggestions)] if self.suggestions else []

    def __reduce__(self) -> tuple[Any, ...]:
        kept = {"suggestions": self.suggestions, "__notes__": self.__notes__, **self.__dict__, "_among": ()}
        return type(self), self.args, kept

    def _told(self) -> str:
        return f"repo not found in graph: {shown_id(self.repo)}"


class SequencingFailed(MultiRepoError):
    """A release that failed; `repo` and `reason` say which and why."""

    def __init__(self, repo: str, reason: str) -> None:
        super().__init__(repo, reason)
        self.repo = repo
        self.reason = reason

    def _told(self) -> str:
        return f"release sequencing failed for repo {self.repo}: {self.reason}"

    @classmethod
    def reason_in(cls, repo: str, message: str) -> str:
        """Give the reason alone where `message` is that of such an error about the repo, as ledgers keep it.

        Examples
        --------
        >>> SequencingFailed.reason_in("core", str(SequencingFailed("core", "no tests")))
        'no tests'
        """
        return message.removeprefix(cls(repo, "")._told())


class DuplicateRelease(MultiRepoError):
    """Two releases of one repo in one plan; `repo` is its id."""

    def __init__(self, repo: str) -> None:
        super().__init__(repo)
        self.repo = repo

    def _told(self) -> str:
        return f"repo released twice in one plan: {self.repo}; keep one of its releases"


class StorageError(MultiRepoError):
    """A ledger could not do what was asked.

    Attributes
    ----------
    events : list of RunEvent
        Where a run broke off because of this error: the events that could not be written.
    outcome : SequenceOutcome or None
        Where a run broke off because of this error: what had happened by then. Its ledger crosses a process boundary
        too, or a note says why it could not and the outcome has none there.
    """

    events: list[RunEvent]
    outcome: SequenceOutcome | None

    def __init__(self, *args: object) -> None:
        super().__init__(*args)
        self.events = []
        self.outcome = None

    def __reduce__(self) -> tuple[Any, ...]:
        kept = dict(self.__dict__)
        if self.outcome is not None:
            try:
                pickle.dumps(self.outcome.ledger)
            except Exception as error:  # a ledger of somebody's own may raise anything; the rest is not lost for it
                kept["outcome"] = replace(self.outcome, ledger=None)
                note = f"the outcome's ledger was left behind, as it cannot be pickled: {error}"
                kept["__notes__"] = [*getattr(self, "__notes__", ()), note]
        return type(self), self.args, kept


class RunNotFound(StorageError):
    """The ledger has no run of this `run_id`."""

    def __init__(self, run_id: str) -> None:
        super().__init__(shown_id(run_id))
        self.run_id = run_id

    def _told(self) -> str:
        return f"run not found: {shown_id(self.run_id)}"


class InvalidRunState(StorageError):
    """A run that is not in the state the call needs: a finished run is never changed.

    Attributes
    ----------
    run_id, actual, expected : str
        The run, the state it is in and the state it should be in, as in ``Completed``.
    """

    def __init__(self, run_id: str, actual: str, expected: str = "Running") -> None:
        super().__init__(run_id, actual, expected)
        self.run_id = run_id
        self.actual = actual
        self.expected = expected

    def _told(self) -> str:
        return f"run {self.run_id} is {self.actual}, expected {self.expected}"


class InvalidDigest(StorageError, ValueError):
    """Text that is not a digest of 64 lowercase hexadecimal characters."""

    def __init__(self, digest: str) -> None:
        super().__init__(shown_id(digest))
        self.digest = digest

    def _told(self) -> str:
        return f"invalid digest: {as_given(self.digest, 200)}, expected 64 lowercase hexadecimal characters (SHA-256)"


class IntegrityError(StorageError):
    """A write that would break the record, such as a `seq` used twice in one run."""


class Backend(StorageError):
    """The store behind a ledger failed: a full disk, a read-only file, a lost server."""


class ReadError(SeqkitError):
    """An input file that cannot be read.

    Attributes
    ----------
    path : str
        The file.
    line : int or None
        The line, counted from 1, where the trouble has one.
    message : str
        What is wrong and what was expected.

    Examples
    --------
    >>> str(ReadError("edges.csv", 3, "expected 2 columns, found 1"))
    'edges.csv, line 3: expected 2 columns, found 1'
    """

    def __init__(self, path: str | os.PathLike[str], line: int | None, message: str) -> None:
        self.path = shown(os.fspath(path))  # a database's URL, in place of a file's name, may hold a password
        super().__init__(self.path, line, message)
        self.line = line
        self.message = message

    @classmethod
    def opening(cls, path: str | os.PathLike[str], error: OSError | ValueError) -> ReadError:
        """Make the error for a file that the system does not open.

        Examples
        --------
        >>> str(ReadError.opening("edges.csv", FileNotFoundError()))
        'edges.csv: there is no such file'
        """
        if isinstance(error, FileNotFoundError):
            return cls(path, None, "there is no such file")
        if isinstance(error, IsADirectoryError):
            return cls(path, None, "is a directory, expected a file")
        if isinstance(error, NoRegularFile):
            return cls(path, None, "is no regular file: what may have no end is not read")
        if isinstance(error, OSError):
            return cls(path, None, f"cannot be read: {error.strerror or error}")
        return cls(path, None, f"is no name of a file: {error}")  # such as one with a NUL

    def _told(self) -> str:
        where = self.path if self.line is None else f"{self.path}, line {self.line}"
        return f"{where}: {self.message}"


def __dir__() -> list[str]:
    return sorted(__all__)
