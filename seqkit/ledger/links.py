"""Which runs resume which: the ``resumes`` tags of a ledger, read so that no tag can mislead for long.

Tags may name runs that are not in the ledger, and may even go round in a circle; both end quietly.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence

from seqkit.core.model import RunRecord
from seqkit.ledger.story import Told, tag_of

__all__ = ["Links", "Standing", "released_by_decision", "take_in", "train_names"]


class Links:
    """The resumptions among the runs of a ledger, oldest first."""

    def __init__(self, runs: Sequence[RunRecord]) -> None:
        self.runs = {run.run_id: place for place, run in enumerate(runs)}
        self.resumes: dict[str, str] = {}
        self._resumed_by: dict[str, list[str]] = {}
        for run in runs:
            resumed = tag_of(run, "resumes")
            if isinstance(resumed, str) and resumed != run.run_id:
                self.resumes[run.run_id] = resumed
                self._resumed_by.setdefault(resumed, []).append(run.run_id)

    def before(self, run_id: str) -> list[str]:
        """Give what the run resumes, what that resumes, and so on; missing runs included."""
        found: dict[str, None] = {}
        here = self.resumes.get(run_id)
        while here is not None and here != run_id and here not in found:
            found[here] = None
            here = self.resumes.get(here)
        return list(found)

    def circles(self) -> set[str]:
        """Give the runs that resume themselves in the end. Linear in the runs."""
        found: set[str] = set()
        walked: dict[str, str] = {}  # run → where the walk began that first came to it
        for start in self.resumes:
            here: str | None = start
            while here is not None and here not in walked:
                walked[here] = start
                here = self.resumes.get(here)
            if here is not None and walked[here] == start:
                while here not in found:
                    found.add(here)
                    here = self.resumes[here]
        return found

    def _reached(self, run_id: str, both_ways: bool) -> set[str]:
        seen, queue = {run_id}, deque([run_id])
        while queue:
            here = queue.popleft()
            around: Iterable[str] = self._resumed_by.get(here, ())
            if both_ways and here in self.resumes:
                around = [*around, self.resumes[here]]
            for other in around:
                if other not in seen:
                    seen.add(other)
                    queue.append(other)
        return seen

    def family(self, run_id: str) -> list[str]:
        """Give the runs of the ledger that hang together with this one, itself included, oldest first."""
        if run_id in self.runs and run_id not in self.resumes and run_id not in self._resumed_by:
            return [run_id]
        reached = self._reached(run_id, both_ways=True)
        return sorted((other for other in reached if other in self.runs), key=self.runs.__getitem__)

    def after(self, run_id: str) -> list[str]:
        """Give the runs that took up the same work later, oldest first.

        These are the runs that resume this one, directly or not, and those that resume what this one
        resumes and were made after it.
        """
        before, below = set(self.before(run_id)), self._reached(run_id, both_ways=False)
        found, passed = [], False
        for other in self.family(run_id):
            if other == run_id:
                passed = True
            elif (other in below) != (other in before):
                if other in below:
                    found.append(other)
            elif passed:
                found.append(other)
        return found


def train_names(records: list[RunRecord]) -> list[str]:
    """Say for each run to which train it belongs."""
    links = Links(records)
    own = {record.run_id: tag_of(record, "train") for record in records}
    tags = {run_id: tag for run_id, tag in own.items() if isinstance(tag, str)}
    names: dict[str, str] = {}
    for run_id in links.runs:
        if run_id in names:
            continue
        family = links.family(run_id)
        fallback = next((tags[other] for other in family if other in tags), family[0])
        for member in family:
            path: dict[str, None] = {}
            here: str | None = member
            while here is not None and here not in tags and here not in names and here not in path:
                path[here] = None
                here = links.resumes.get(here)
            name = fallback if here is None or here in path else names.get(here, tags.get(here, fallback))
            names.update(dict.fromkeys([*path, member], tags.get(member, name)))
    return [names[record.run_id] for record in records]


def released_by_decision(record: RunRecord) -> list[str]:
    """Give the repos, failed or in doubt, that somebody decided to be out before this run."""
    tagged = tag_of(record, "taken_as_released")
    return [repo for repo in tagged if isinstance(repo, str)] if isinstance(tagged, list) else []


Standing = dict[str, tuple[str, Told]]
"""How repos stand after some runs of a chain: repo → the run that tells last of it, and what that tells."""


def take_in(standing: Standing, run: RunRecord, told: Iterable[Told]) -> None:
    """Take in what the next run of a chain tells of the repos that `standing` knows.

    What is out stays out, whether a run released it, in time or too late, or says in its tags that it was taken as
    released. A doubt (entered, and no end; or failed, and perhaps out) is ended by a try alone; otherwise the newest
    run that tells of a repo has the last word.
    """
    for repo in released_by_decision(run):
        if repo in standing and not standing[repo][1].is_out:
            standing[repo] = (run.run_id, Told(repo, "succeeded"))
    for own in told:
        if own.repo_id not in standing or (before := standing[own.repo_id][1]).is_out:
            continue
        if not before.in_doubt or own.status in ("succeeded", "failed", "in_progress"):
            standing[own.repo_id] = (run.run_id, own)
