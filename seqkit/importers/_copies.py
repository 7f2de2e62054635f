"""Records of one run that come more than once: the same one counts once, of an older and a newer one the newer."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from seqkit._util.secrets import shown
from seqkit._util.words import shortened
from seqkit.errors import ReadError
from seqkit.importers._recorded import Recorded
from seqkit.readers._files import PathLike

__all__ = ["Contradiction", "RunFile", "counted_once"]


class Contradiction(ReadError):
    """Two files that tell of one thing otherwise; nobody knows which is right.

    Attributes
    ----------
    files : tuple of str or path
        Both.
    """

    def __init__(self, path: PathLike, other: PathLike, message: str) -> None:
        super().__init__(path, None, message)
        self.files = (path, other)

    def __reduce__(self) -> tuple[type[Contradiction], tuple[str, str, str]]:
        one, other = self.files
        return Contradiction, (os.fspath(one), os.fspath(other), self.message)


class RunFile(NamedTuple):
    """What a file tells of a run."""

    file: PathLike
    """The file."""
    run_id: str
    """The run."""
    items: Mapping[str, Any]
    """What became of each of its parts, by a name that stays the same while the run goes on."""
    about: Any = None
    """What else is known of it."""


def counted_once(
    found: Recorded, told: Iterable[RunFile], is_open: Callable[[Any], bool] = lambda item: False
) -> list[RunFile]:
    """Give each run once, in the order in which they come first.

    Parameters
    ----------
    found : Recorded
        Is told of what counts once.
    told : iterable of RunFile
        What the files tell.
    is_open : callable
        Whether an item still goes on, so that it may be told otherwise later.

    Raises
    ------
    Contradiction
        Where two files tell of a run, and neither is the other at an earlier time; it names both.

    Examples
    --------
    >>> found = Recorded("demo")
    >>> early, late = RunFile("a.json", "1", {"core": "ok"}), RunFile("b.json", "1", {"core": "ok", "api": "ok"})
    >>> [run.file for run in counted_once(found, [early, late, late])]
    ['b.json']
    >>> [str(told) for told in found.said()]
    ['older records of a run, which a newer one replaced: 1', 'records that came twice and count once: 1']
    """
    kept: dict[str, RunFile] = {}
    for new in told:
        old = kept.get(new.run_id)
        if old is None:
            kept[new.run_id] = new
        elif old.items == new.items:
            found.say("records that came twice and count once", new.run_id)
        elif _goes_on(old.items, new.items, is_open):
            kept[new.run_id] = new
            found.say("older records of a run, which a newer one replaced", new.run_id)
        elif _goes_on(new.items, old.items, is_open):
            found.say("older records of a run, which a newer one replaced", new.run_id)
        else:
            raise Contradiction(
                new.file,
                old.file,
                f"tells of the run {shortened(repr(new.run_id), 80)} otherwise than {shown(os.fspath(old.file))}, "
                "expected one record of a run, or an earlier one beside it; leave one of them out",
            )
    return list(kept.values())


def _goes_on(old: Mapping[str, Any], new: Mapping[str, Any], is_open: Callable[[Any], bool]) -> bool:
    """Tell whether nothing that had ended in `old` is otherwise in `new`."""
    return all(name in new and (item == new[name] or is_open(item)) for name, item in old.items())
