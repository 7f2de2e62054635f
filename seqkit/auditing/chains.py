"""What runs that go on with one another tell of each other."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from seqkit.auditing.facts import RunFacts
from seqkit.auditing.foreign import system_of
from seqkit.core.model import RunRecord
from seqkit.ledger import RunLedger
from seqkit.ledger.links import Links, Standing, take_in
from seqkit.ledger.story import Story, Told, tag_of

__all__ = ["Chains"]


class Chains:
    """What the runs that go on with one another tell of each other; each run is read once more, however many ask.

    These are the runs that resume one another and, as other systems name no run, those of one imported train.

    Parameters
    ----------
    ledger : RunLedger
        The ledger.
    links : Links
        Which runs resume which.
    records : sequence of RunRecord
        All runs, the oldest first.
    """

    def __init__(self, ledger: RunLedger, links: Links, records: Sequence[RunRecord]) -> None:
        self._ledger = ledger
        self._links = links
        self._trains: dict[str, list[str]] = {}  # imported run → the runs of its train, the oldest first
        by_train: dict[str, list[str]] = {}
        for record in records:
            if isinstance(train := tag_of(record, "train"), str) and system_of(record) is not None:
                self._trains[record.run_id] = by_train.setdefault(train, [])
                by_train[train].append(record.run_id)
        self._told: dict[str, tuple[RunRecord, list[Told]]] = {}
        self._out: dict[str, dict[tuple[str, str | None], str]] = {}
        self._chain: dict[str, str] = {}  # run → the oldest run of its chain

    def decided(self, run: RunFacts) -> Callable[[str], str | None]:
        """Tell of a repo that a run left in doubt which run ended it, or took it as released; None where none did."""
        run_id = run.record.run_id
        standing: Standing = {repo: (run_id, Told(repo, "in_progress")) for repo in run.open}
        standing |= {repo: (run_id, Told(repo, "failed", unsure=True)) for repo in run.doubts.failed}
        train = self._trains.get(run_id, [])
        for later in train[train.index(run_id) + 1 :] if train else self._links.after(run_id):
            if not any(own.in_doubt for _, own in standing.values()):
                break
            take_in(standing, *self._read(later))
        return {repo: by for repo, (by, own) in standing.items() if not own.in_doubt}.get

    def out_before(self, run_id: str) -> Mapping[tuple[str, str | None], str]:
        """Tell which run of the same chain, of those taken in so far, released a repo at a version."""
        return self._out.get(self._named(run_id), {})

    def has(self, run_id: str) -> bool:
        """Tell whether a run goes on with another one, or another one with it."""
        return bool(self._named(run_id))

    def take_in(self, run_id: str, released: Iterable[tuple[str, str | None]]) -> None:
        """Keep what a run of a chain released."""
        out = self._out.setdefault(self._named(run_id), {})
        for release in released:
            out.setdefault(release, run_id)

    def read_before(self, run_id: str) -> None:
        """Take in the runs of a chain that are older than one."""
        for other in self._family(run_id):
            if other == run_id:
                return
            released = ((told.repo_id, told.version) for told in self._read(other)[1] if told.is_out)
            self.take_in(other, released)

    def _named(self, run_id: str) -> str:
        """Give the oldest run of a run's chain; nothing where it is alone."""
        if run_id not in self._chain:
            family = self._family(run_id)
            self._chain |= dict.fromkeys(family, family[0] if len(family) > 1 else "")
        return self._chain.get(run_id, "")

    def _family(self, run_id: str) -> Sequence[str]:
        return self._trains.get(run_id) or self._links.family(run_id)

    def _read(self, run_id: str) -> tuple[RunRecord, list[Told]]:
        if run_id not in self._told:
            story = Story()
            for event in self._ledger.get_events(run_id):
                story.tell(event)
            self._told[run_id] = (self._ledger.get_run(run_id), story.items())
        return self._told[run_id]
