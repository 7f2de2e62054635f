"""What a run left to do, as a new plan."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, cast

import pandas as pd
from pydantic import BaseModel, ValidationError

from seqkit._show.html import folded, names, page, rows_of, shortened
from seqkit._show.palette import EVERY_STYLE
from seqkit._show.svg import chip, legend
from seqkit._util import dtypes
from seqkit._util.secrets import as_given
from seqkit._util.words import and_more, plural, quoted
from seqkit.core.blocking import MOST_NAMED, AllAbove
from seqkit.core.graph import GraphSnapshot, RepoDependencyGraph
from seqkit.core.model import RepoReleaseStatus, SequenceItem
from seqkit.core.plan import SequencePlan, picture_of, plan_of, plan_of_items, snapshot_of
from seqkit.history.doubt import Doubts, InDoubt
from seqkit.history.past import REASONS, Left, NotTold, PastRun, read_run
from seqkit.ledger import LedgerLike, RunLedger
from seqkit.ledger.copies import counted, without_repeats
from seqkit.ledger.links import Links, Standing, take_in
from seqkit.ledger.naming import run_called
from seqkit.ledger.reading import lent
from seqkit.ledger.story import Told, story_of, tag_of
from seqkit.running.asking import Check, as_releaser
from seqkit.running.releasers import ReleaserLike

__all__ = ["ResumePlan", "resume_plan"]

_REASONS: dict[str, Left] = {"pending": "not_reached", "in_progress": "in_doubt"}  # other statuses say it themselves
_LOOKS = {"not_reached": "pending"}  # other reasons are words of the palette
_WORDS = {"not_reached": "not reached", "in_doubt": "in doubt"}
_SHOWN = 6  # rows of a repr; the next fifty are folded away
_FOLDED = 50


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a repo is left."""

    reason: Left
    """In one word."""
    blocked_by: tuple[str, ...]
    """The failed repos that it waited for, where it is blocked; of more than a hundred the nearest hundred."""
    error: str | None
    """Why it failed."""
    run_id: str
    """The run that tells."""


class ResumePlan(SequencePlan, key="resumes"):
    """What a run left to do: a plan like any other, that knows which run it resumes and why each repo is left.

    Made by :func:`resume_plan`. A run of it is tagged ``resumes``, with the ``train`` of that run where it has one,
    and with ``taken_as_released``: the repos, failed or in doubt, that were decided to be out. Its JSON keeps all
    of that, and the reasons. It is for one run: see :meth:`check_ledger`.

    Attributes
    ----------
    resumes : str
        The run that it goes on with; also the plan's `originating_run_id`.
    in_doubt : tuple of str
        The repos that were in doubt, however that was decided.
    train : str or None
        The ``train`` tag of that run.
    taken_as_released : tuple of str
        The repos that were decided to be out, in the order of the plan of that run.
    """

    def __init__(
        self,
        items: Iterable[SequenceItem],
        snapshot: GraphSnapshot,
        resumes: str,
        reasons: Mapping[str, Reason],
        in_doubt: Iterable[str] = (),
        train: str | None = None,
        taken_as_released: Iterable[str] = (),
        plan_id: str | None = None,
    ) -> None:
        super().__init__(items, snapshot, resumes, plan_id)
        self.resumes = resumes
        self.in_doubt = tuple(in_doubt)
        self.train = train
        self.taken_as_released = tuple(taken_as_released)
        self._reasons = reasons  # of each repo to release

    @property
    def run_tags(self) -> Mapping[str, Any]:
        """Tags that every run of the plan carries: what it resumes, of which train, and what was decided to be out."""
        tags = {"resumes": self.resumes, "train": self.train, "taken_as_released": list(self.taken_as_released)}
        return {name: value for name, value in tags.items() if value}

    @property
    def reasons(self) -> pd.DataFrame:
        """Why each repo is left.

        Returns
        -------
        DataFrame
            Index `repo_id` (string), the repos to release in plan order:

            - `reason` (ordered categorical): ``failed``; ``in_doubt``: begun, and nothing tells whether it is out;
              ``blocked``: a repo that it needs failed; ``stopped``: the run started nothing new any more;
              ``not_reached``: the run broke off before.
            - `parents` (object: list of repo ids): the repos that are left too and that it needs directly, or through
              unreleased ones alone; of more than a hundred a sequence that looks them up in the plan when it is read.
            - `blocked_by` (object: list of repo ids): the failed repos that it waited for, where it is blocked; of more
              than a hundred the nearest hundred.
            - `error` (string): why it failed.
            - `run_id` (string): the run that tells; a later one where the run has been resumed before.
        """
        reasons = [self._reasons[repo] for repo in self.released]
        frame = dtypes.frame(
            {
                "reason": dtypes.categorical([told.reason for told in reasons], REASONS),
                "parents": dtypes.objects(self._parents().values()),
                "blocked_by": dtypes.objects([list(told.blocked_by) for told in reasons]),
                "error": dtypes.string([told.error for told in reasons]),
                "run_id": dtypes.string([told.run_id for told in reasons]),
            }
        )
        frame.index = dtypes.index(self.released)
        return frame

    def _parents(self) -> dict[str, Sequence[str]]:
        """Give for each repo to release those of them right before it, looking through unreleased items."""
        arrays = self.arrays
        released = frozenset(at for at, yes in enumerate(arrays.released) if yes)
        nearest: list[set[int] | None] = []  # for each item; None where they are more than are listed
        parents: dict[str, Sequence[str]] = {}
        for position, dependencies in enumerate(arrays.dependencies):
            found: set[int] | None = set()
            for other in dependencies:
                more = {other} if other in released else nearest[other]
                found = None if found is None or more is None else found | more
                if found is None or len(found) > MOST_NAMED:
                    found = None
                    break
            nearest.append(found)
            if position in released:
                parents[arrays.ids[position]] = (
                    AllAbove(arrays.ids, arrays.dependencies, released, position, past=False)
                    if found is None
                    else [arrays.ids[other] for other in sorted(found)]
                )
        return parents

    def without(self, repos: str | Iterable[str]) -> ResumePlan:
        """Resume the same run without some repos, as :meth:`SequencePlan.without` does."""
        rest = super().without(repos)
        reasons = {repo: self._reasons[repo] for repo in rest.released}
        return ResumePlan(
            rest.items, snapshot_of(rest), self.resumes, reasons, self.in_doubt, self.train, self.taken_as_released
        )

    def check_ledger(self, ledger: RunLedger) -> None:
        """Refuse a second run: whoever runs a plan twice releases twice.

        Raises
        ------
        ValueError
            Naming the run, where a later run of the same chain in `ledger` has released one of the plan's repos, or
            has left one in doubt; and where the resumed run itself has released one since, too late for it.
        """
        kept = without_repeats(ledger)
        told: Standing = {repo: ("", Told(repo)) for repo in self.released}
        links = Links(kept.list_runs())
        for run_id in [*([self.resumes] if self.resumes in links.runs else []), *links.after(self.resumes)]:
            record = kept.get_run(run_id)
            take_in(told, record, story_of(record, kept.get_events(run_id)).told.values())
        # What the plan itself tells of a doubt was decided when it was made.
        known = {repo for repo in told if told[repo][0] == self._reasons[repo].run_id}
        out = [repo for repo, (_, own) in told.items() if own.is_out]
        doubtful = [repo for repo, (_, own) in told.items() if own.in_doubt and repo not in known]
        for found, word in ((out, "released {} since"), (doubtful, "left {} in doubt")):
            if found:
                by = told[found[0]][0]
                own = [repo for repo in found if told[repo][0] == by]
                who = "which" if by == self.resumes else f"and so did run {by!r:.80}, which"
                raise ValueError(
                    f"plan {self.plan_id} resumes run {self.resumes!r:.80}, {who} has {word.format(quoted(own, 5))}; "
                    f"make a new plan of what is left: resume_plan(ledger, {self.resumes!r:.80})"
                )

    def to_json(self) -> str:
        """Write the plan as :meth:`SequencePlan.to_json` does, and what it resumes.

        Beside the keys of a plan: ``resumes``, ``train``, ``taken_as_released``, ``in_doubt`` and
        ``reasons: {repo: {reason, blocked_by, error, run_id}}``.
        """
        known = {
            "resumes": self.resumes,
            "train": self.train,
            "taken_as_released": self.taken_as_released,
            "in_doubt": self.in_doubt,
            "reasons": {repo: asdict(self._reasons[repo]) for repo in self.released},
        }
        return json.dumps({**json.loads(super().to_json()), **known}, ensure_ascii=False)

    @classmethod
    def _of_json(cls, content: object) -> ResumePlan:
        plan = plan_of(content)
        try:
            read = _ResumeJson.model_validate(content)
        except ValidationError as error:
            first = error.errors()[0]
            raise ValueError(f"not a plan: {'.'.join(map(str, first['loc']))}: {first['msg']}") from None
        if read.resumes != plan.originating_run_id:
            raise ValueError(
                f"not a plan: resumes is {as_given(read.resumes)}, expected the originating_run_id, which is "
                f"{plan.originating_run_id!r:.80}"
            )
        taken = set(read.taken_as_released)
        if both := [repo for repo in plan.released if repo in taken]:
            raise ValueError(f"not a plan: taken_as_released has {quoted(both)}, which the plan releases")
        if missing := [repo for repo in plan.released if repo not in read.reasons]:
            raise ValueError(f"not a plan: reasons lacks {quoted(missing)}, expected one for each repo to release")
        return cls(
            plan.items,
            snapshot_of(plan),
            read.resumes,
            read.reasons,
            read.in_doubt,
            read.train,
            read.taken_as_released,
            plan.plan_id,
        )

    def _counts(self) -> str:
        counts: Counter[str] = Counter(self._reasons[repo].reason for repo in self.released)
        return ", ".join(f"{counts[reason]} {_WORDS.get(reason, reason)}" for reason in REASONS if counts[reason])

    def __repr__(self) -> str:
        n, run = len(self.released), shortened(self.resumes, 40)
        if not n:
            return f"ResumePlan({shortened(self.plan_id, 40)}: nothing is left of run {run})"
        return f"ResumePlan({shortened(self.plan_id, 40)}: {plural(n, 'repo')} left of run {run}: {self._counts()})"

    def _repr_html_(self) -> str:
        shown, parents = self.released[: _SHOWN + _FOLDED], self._parents()
        words = {item.repo_id: "unreleased" for item in self.items}
        for repo in self.released:
            reason = self._reasons[repo].reason
            words[repo] = _LOOKS.get(reason, reason)
        rows = [
            (
                repo,
                self.items[self.position(repo)].version_label,
                chip(EVERY_STYLE[words[repo]], _WORDS.get(self._reasons[repo].reason, self._reasons[repo].reason)),
                names(parents[repo], 5),
            )
            for repo in shown
        ]
        columns = ["repo", "version", "why", "after"]
        parts = [
            legend(Counter(words.values())),
            picture_of(self, words.values(), "How the run left what is to be released"),
            rows_of(columns, rows[:_SHOWN]),
        ]
        if len(rows) > _SHOWN:
            parts.append(folded(f"{len(rows) - _SHOWN} more", rows_of(columns, rows[_SHOWN:])))
        more = len(self.released) - len(rows)
        return page(repr(self), *parts, note=and_more(more, ": .reasons has all", "… "))


class _ResumeJson(BaseModel):
    resumes: str
    train: str | None
    taken_as_released: list[str]
    in_doubt: list[str]
    reasons: dict[str, Reason]


def resume_plan(
    ledger: LedgerLike,
    run_id: str,
    graph: RepoDependencyGraph | SequencePlan | None = None,
    in_doubt: InDoubt = "error",
    taken_as_released: str | Iterable[str] = (),
    check: Check | None = None,
    check_wait: float = 10.0,
    releaser: ReleaserLike | None = None,
) -> ResumePlan:
    """Plan what a run left to do: what failed, was blocked or stopped, was in doubt, or was never reached.

    What was released, in time or too late for the run, is not in the plan, or stands in it as unreleased
    (``skipped``) where it lies between two repos that are left. Versions, digests and promoters are those of the old
    plan. How the run went, such as its policy, lanes or calendar, is not taken over: give it to the run of this plan.

    Parameters
    ----------
    ledger : RunLedger, path or URL
        Where the run is kept.
    run_id : str
        The run to go on with: its id, the start of it (four characters or more) or ``"last"``. A run that is still
        RUNNING may have crashed, or may be going on this very moment, which no ledger can tell: make sure that it is
        dead, or its repos are released twice. The same holds for later runs that resume it.
    graph : RepoDependencyGraph or SequencePlan, optional
        For a run that carries no plan (the original's): what it was made from. Versions are then those of
        the plan or, with a graph, of the events; a repo that no event names takes the graph's `version`
        attribute. Such a run is silent about what it blocked and about what it was not to release at all: with a
        graph, silent repos below a failure count as blocked, and where the run broke off all silent repos count as
        planned; with a plan there is no such guessing.
    in_doubt : {"error", "retry", "done", "check"}
        What to do with repos of which nobody knows whether they are out, as they were entered and have no end in the
        record (a crash, a cancellation, a ledger that failed), or failed and say so (a time-out, a lost answer):
        refuse, plan them again, take them as released, or ask `check`. Look at the releases themselves to decide.
    taken_as_released : str or iterable of str
        Repos that the record calls failed or in doubt, and that are out all the same: the package is in the registry,
        and what came after it failed. They are not released again, what they blocked is, and the run of the plan
        says in its tags that they were taken as released.
    check : callable, optional
        For ``in_doubt="check"``: a function ``check(repo_id, version_label)``, async or not, that looks whether that
        version is out. It answers with an id (it is out: taken as released) or None (it is not: planned again). Where
        it raises, or answers anything else, or a command that is to release it still runs on this machine, the call is
        refused as with ``"error"``. An async one is asked of all at once.
    releaser : RepoReleaser, optional
        For ``in_doubt="check"``: whose method `check` is asked, where no `check` is given.
    check_wait : float or timedelta
        Seconds after which None is believed, where it is still the answer: registries lag. As in a run it is asked
        again after 1/7, 3/7 and all of that; one wait for all, and with 0 none.

    Returns
    -------
    ResumePlan
        A plan whose `originating_run_id` is `run_id`; its `reasons` tell why each repo is left. Without
        items where nothing is left. ``run_plan(plan, …)`` tags its run ``resumes``.

    Raises
    ------
    RunNotFound
        Where the ledger has no such run.
    ValueError, TypeError
        Where repos are in doubt and `in_doubt` is ``"error"``, or `check` does not tell; where `check` is missing, or
        given and not asked; where the run carries no plan and `graph` is None; where the version of a repo that is left
        is not known; where `taken_as_released` names a repo that neither failed nor is in doubt; where two copies of
        the run differ; where an argument is wrong.
    RepoNotFound
        Where the events of a run without a plan name a repo that a graph given does not have; what a plan given lacks
        is passed over.

    Notes
    -----
    A run may have been resumed before. What later runs of the same chain have released is then not
    planned again, at whatever version: these are the runs tagged ``resumes`` with this run, the runs that
    resume those, and runs made later that resume what this one resumes. The last of them that planned a repo
    tells its reason. A repo in doubt stays so until a later run has tried it to a certain end, or says in its
    tags that it was taken as released. Linear in the runs of the ledger, and in the events of the chain.

    Examples
    --------
    >>> from seqkit import MemoryRunLedger, RepoDependencyGraph, ScriptedReleaser, build_plan, run_plan
    >>> graph = RepoDependencyGraph.from_edges([("core", "api"), ("api", "app"), ("core", "docs")])
    >>> ledger = MemoryRunLedger(ids=["monday", "tuesday"])
    >>> run_plan(build_plan(graph, version="1.0"), ScriptedReleaser({"api": "tests are red"}), ledger)
    SequenceOutcome(2 succeeded, 1 failed, 1 blocked)
    >>> plan = resume_plan(ledger, "monday")
    >>> plan
    ResumePlan(seq-df0c7506: 2 repos left of run monday: 1 failed, 1 blocked)
    >>> plan.reasons[["reason", "parents"]].reset_index().values.tolist()
    [['api', 'failed', []], ['app', 'blocked', ['api']]]
    >>> run_plan(plan, ScriptedReleaser(), ledger)
    SequenceOutcome(2 succeeded, 0 failed)
    """
    if releaser is not None and check is None and in_doubt == "check":
        check = as_releaser(releaser).checker
    doubts = Doubts(in_doubt, check, check_wait)
    with lent(ledger, existing=True) as kept:
        source = counted(kept)
        run_id = run_called(source, run_id)
        run = read_run(source, run_id, graph)
        later = [read_run(source, other, run.plan) for other in Links(source.list_runs()).after(run_id)]
    told = _told([run, *later])
    taken = _taken([run, *later], told, taken_as_released)
    doubtful = [repo for repo, (_, own) in told.items() if own.in_doubt and not own.is_out]
    undecided: Standing = {repo: told[repo] for repo in doubtful if repo not in set(taken)}
    versions = {item.repo_id: item.version_label for item in run.plan.items}
    done = {*taken, *doubts.taken(run_id, undecided, versions, run.has_holes)}
    left = {
        repo: Reason(
            reason=_REASONS.get(own.word, cast("Left", own.word)),
            blocked_by=own.blocked_by if own.word == "blocked" else (),
            error=own.reason if own.status == "failed" else None,
            run_id=teller,
        )
        for repo, (teller, own) in told.items()
        if not own.is_out and repo not in done
    }
    unknown = [repo for repo in left if repo in run.versionless]
    if unknown:
        raise NotTold(
            "version",
            f"run {run_id!r} left repos whose version is not known ({len(unknown)}): {quoted(unknown)}",
            "{}; give them a version attribute in graph, or pass the SequencePlan of the run as graph=",
        )
    pending = RepoReleaseStatus.pending()
    wanted = {
        item.repo_id: item if item.status == pending else item.model_copy(update={"status": pending})
        for item in run.plan.items
        if item.repo_id in left
    }
    plan = plan_of_items(run.plan.graph, wanted, run_id, "path", [item.repo_id for item in run.plan.items])
    train = tag_of(run.record, "train")
    train = train if isinstance(train, str) else None
    out_by_decision = [repo for repo in told if repo in done]
    return ResumePlan(plan.items, snapshot_of(plan), run_id, left, doubtful, train, out_by_decision)


def _taken(runs: list[PastRun], told: Standing, repos: str | Iterable[str]) -> list[str]:
    """Read the argument `taken_as_released`, in plan order."""
    if not isinstance(repos, str | Iterable):
        raise TypeError(f"taken_as_released is {as_given(repos)}, expected repo ids")
    wanted = [repos] if isinstance(repos, str) else list(repos)
    # A repo that failed may not have been reached by the run after that one.
    tried = {repo for run in runs for repo, own in run.ends.items() if own.status in ("failed", "in_progress")}
    could = {repo: None for repo, (_, own) in told.items() if repo in tried and not own.is_out}
    for repo in wanted:
        if repo not in could:
            raise NotTold(
                "taken",
                f"{repo!r:.80}, which is {_why_not(told, repo)}; expected repos that failed or are in doubt: "
                f"{quoted(could) or 'there are none'}",
                "taken_as_released has {}",
            )
    chosen = set(wanted)
    return [repo for repo in told if repo in chosen]


def _why_not(told: Standing, repo: object) -> str:
    if not isinstance(repo, str) or repo not in told:
        return "not one that it was to release"
    run_id, own = told[repo]
    word = "released" if own.is_out else "not reached" if own.word == "pending" else own.word
    return f"{word} there (run {run_id!r:.80})"


def _told(runs: list[PastRun]) -> Standing:
    """Say for each repo that the first run planned how it stands after all runs, and which of them tells."""
    first, *later = runs
    told = {repo: (first.record.run_id, own) for repo, own in first.ends.items()}
    for run in later:
        take_in(told, run.record, ({**run.told, **run.ends}).values())
    return told
