"""What can be asked about the order of a release, and what makes an answer right.

A question holds a situation and the repos to choose from. It marks an answer with a :class:`Verdict`: right or
not, and why. Whether an order is right is for :func:`seqkit.check_order` to say, and what a
failure skips for :func:`seqkit.what_if`.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from typing import ClassVar, Literal

from seqkit._util.secrets import as_given
from seqkit._util.words import inflected, listed, plural
from seqkit.analysis.steps import check_order, is_queue, needed_releases
from seqkit.analysis.whatif import what_if
from seqkit.core.outcome import SequenceOutcome
from seqkit.core.plan import SequencePlan
from seqkit.core.terms import GOES_ON, Policy, Terms
from seqkit.explore._words import MOST_TOLD, short, told

__all__ = ["InOrder", "NextUp", "Question", "Skipped", "Verdict"]


@dataclass(frozen=True)
class Verdict:
    """What is to be said of an answer. True where it is right."""

    right: bool
    """Whether the answer is right."""
    message: str
    """Why, in words."""
    as_sequencer: bool | None = None
    """Whether the sequencer would choose the same; None where that is not the question."""
    missing: tuple[str, ...] = ()
    """What the answer leaves out, in plan order."""
    too_many: tuple[str, ...] = ()
    """What does not belong into the answer, as answered."""
    given_up: bool = False
    """Whether this tells the answer, rather than marking one."""
    no_answer: bool = False
    """Whether there is no answer yet to be marked."""

    def __bool__(self) -> bool:
        return self.right

    def __repr__(self) -> str:
        return self.message if self.no_answer else f"{'Right' if self.right else 'Not right'}. {self.message}"


@dataclass(frozen=True)
class Question:
    """A situation, what is asked about it, and the repos to answer with."""

    plan: SequencePlan = field(repr=False)
    """The plan it is about."""

    picks: ClassVar[Literal["one", "some", "sequence"]] = "one"
    """What an answer is: one repo, some in any order, or all of them in order."""

    @property
    def text(self) -> str:
        """The question in words."""
        raise NotImplementedError

    @property
    def candidates(self) -> list[str]:
        """The repos to choose from, in an order that tells nothing."""
        raise NotImplementedError

    @property
    def subject(self) -> str:
        """The repo it is about; where it is about no single one, one near by that gives nothing away."""
        raise NotImplementedError

    @property
    def words(self) -> dict[str, str]:
        """How every repo stands in this situation: keys of the palette of statuses."""
        raise NotImplementedError

    @property
    def given(self) -> str:
        """The answer in words, for those who give up."""
        return f"The sequencer's answer: {', '.join(map(short, self.solution)) or 'nobody'}."

    @property
    def solution(self) -> list[str]:
        """An answer that is right: the sequencer's own."""
        raise NotImplementedError

    def check(self, answer: object) -> Verdict:
        """Mark an answer: a repo id or several. Whatever it is, there is a verdict."""
        if isinstance(answer, str):
            answer = [answer]
        if not isinstance(answer, Iterable):
            return Verdict(False, f"The answer is {as_given(answer)}, expected a repo id or several.")
        picked: dict[str, None] = {}
        for repo in answer:
            if not isinstance(repo, str) or repo not in self.plan.arrays.position:
                return Verdict(False, f"{repo!r:.80} is not in the plan.", too_many=(str(repo),))
            picked[repo] = None
        return self._mark(list(picked))

    def _mark(self, picked: list[str]) -> Verdict:
        raise NotImplementedError

    @cached_property
    def _needs(self) -> dict[str, list[str]]:
        return needed_releases(self.plan)

    def _standing(self, behind: Iterable[str]) -> dict[str, str]:
        done, left_out = set(behind), set(self.plan.unreleased)
        return {
            item.repo_id: "unreleased"
            if item.repo_id in left_out
            else "succeeded"
            if item.repo_id in done
            else "pending"
            for item in self.plan.items
        }


@dataclass(frozen=True)
class NextUp(Question):
    """What may go next? Any repo will do whose dependencies are out; the sequencer takes the first in plan order.

    Examples
    --------
    >>> from seqkit import RepoDependencyGraph, build_plan
    >>> graph = RepoDependencyGraph.from_edges([("core", "api"), ("core", "docs"), ("api", "app")])
    >>> question = NextUp(build_plan(graph, version="1.0"), done=1)
    >>> question.check("api")
    Right. The sequencer takes api too: it is first in its queue.
    >>> question.check("docs")
    Right. All that docs needs is released. The sequencer would take api first: both came into its queue when core was
    released, and then names decide.
    >>> question.check("app")
    Not right. app needs api, which has not been released yet.
    """

    done: int
    """How many repos are released, in plan order."""

    @property
    def text(self) -> str:  # noqa: D102  # documented in Question
        behind = self._behind
        last = (
            f"{plural(self.done, 'repo is', 'repos are')} released, {short(behind[-1])} last."
            if behind
            else "Nothing is released yet."
        )
        return f"{last} Name one that may go next."

    @property
    def _behind(self) -> list[str]:
        return self.plan.released[: self.done]

    @property
    def candidates(self) -> list[str]:  # noqa: D102
        return sorted(self.plan.released[self.done :])

    @property
    def subject(self) -> str:  # noqa: D102
        return (self._behind[-1:] or self.candidates)[0]

    @property
    def words(self) -> dict[str, str]:  # noqa: D102
        return self._standing(self._behind)

    @property
    def solution(self) -> list[str]:  # noqa: D102
        return self.plan.released[self.done : self.done + 1]

    @property
    def given(self) -> str:  # noqa: D102
        behind = set(self._behind)
        own = self.solution[0]
        others = [repo for repo in self.plan.released[self.done + 1 :] if behind.issuperset(self._needs[repo])]
        more = f" {told(others)} may go too." if others else ""
        return f"The sequencer takes {short(own)}, {self._first}.{more}"

    def _mark(self, picked: list[str]) -> Verdict:
        if len(picked) != 1:
            return Verdict(False, f"Choose one repo; the answer has {len(picked)}.")
        repo, own, name = picked[0], self.solution[0], short(picked[0])
        if repo not in self._needs:
            return Verdict(False, f"{name} is not part of this release: it is passed over.", too_many=(repo,))
        if repo in self._behind:
            return Verdict(False, f"{name} is released already.", too_many=(repo,))
        rest = [other for other in self.plan.released[self.done :] if other != repo]
        if check_order(self.plan, [*self._behind, repo, *rest]):
            if repo == own:
                return Verdict(True, f"The sequencer takes {name} too: it is {self._first}.", True)
            message = f"All that {name} needs is released. The sequencer would take {short(own)} first: "
            return Verdict(True, f"{message}{self._why_ahead(own, repo)}.", False)
        gone = set(self._behind)
        late = [other for other in self._needs[repo] if other not in gone]
        return Verdict(
            False,
            f"{name} needs {told(late)}, which {inflected(len(late), 'has', 'have')} not been released yet.",
            False,
            too_many=(repo,),
        )

    @property
    def _first(self) -> str:
        """Say how the sequencer comes to its own choice."""
        own = self.plan.arrays.position[self.solution[0]]
        last = self.plan.arrays.position[self._behind[-1]] if self._behind else -1
        passed = [item.repo_id for item in self.plan.items[last + 1 : own]]  # unreleased, or it would be its choice
        once = f" once {told(passed)} {inflected(len(passed), 'is', 'are')} passed over" if passed else ""
        return f"first in its queue{once}" if is_queue(self.plan) else "next in the whole graph's order"

    def _why_ahead(self, own: str, other: str) -> str:
        """Say what puts the sequencer's choice before another repo that may go."""
        if not is_queue(self.plan):
            return f"the plan has it before {short(other)}. It keeps the order of the whole graph"
        # Who comes into a queue comes with the last that it needs, and the earlier in the earlier out.
        entered, later = (
            max(self.plan.arrays.dependencies[self.plan.arrays.position[repo]], default=-1) for repo in (own, other)
        )
        if entered < later:
            return f"it came into its queue before {short(other)}"
        if entered < 0:
            return "both need nothing, and then names decide"
        went = "released" if self.plan.arrays.released[entered] else "passed over"
        freed_by = short(self.plan.items[entered].repo_id)
        return f"both came into its queue when {freed_by} was {went}, and then names decide"


@dataclass(frozen=True)
class Skipped(Question):
    """Whom does this failure skip? Each repo that is missing, or too many, is told with the reason.

    Examples
    --------
    >>> from seqkit import RepoDependencyGraph, build_plan
    >>> graph = RepoDependencyGraph.from_edges([("core", "api"), ("core", "docs"), ("api", "app")])
    >>> question = Skipped(build_plan(graph, version="1.0"), "api")
    >>> question.check(["app"])
    Right. It skips app: api → app.
    >>> question.check(["docs"])
    Not right. Missing: app (api → app). Too many: docs (it does not need api).
    """

    repo_id: str
    """Who fails."""
    policy: Policy = "skip_dependents"
    """What a failure means for the rest."""
    picks = "some"

    @cached_property
    def _outcome(self) -> SequenceOutcome:
        return what_if(self.plan, self.repo_id, self.policy)

    @cached_property
    def _causes(self) -> dict[str, str]:
        """How each repo that the failure skips was skipped, in plan order."""
        causes = zip(self._outcome.items, self._outcome.skip_causes, strict=True)
        return {item.repo_id: cause for item, cause in causes if cause in ("blocked", "stopped")}

    @property
    def text(self) -> str:  # noqa: D102
        terms = Terms(self.policy)
        rule = terms.meaning.rule
        told = f"{short(self.repo_id)} fails, all others are well. Which repos are skipped? (Policy: {rule}.)"
        return f"{told} {self._order}" if terms.stop_at is not None and not is_queue(self.plan) else told

    @property
    def _order(self) -> str:
        """Tell the order from shortly before the failure: nobody can know it who does not see the whole graph."""
        released = self.plan.released
        start = max(0, released.index(self.repo_id) - 2)
        line = ", ".join(short(repo, 30) for repo in released[start:])
        return f"The plan keeps the order of the whole graph: {'…, ' if start else ''}{line}."

    @property
    def candidates(self) -> list[str]:  # noqa: D102
        return sorted(repo for repo in self.plan.released if repo != self.repo_id)

    @property
    def subject(self) -> str:  # noqa: D102
        return self.repo_id

    @property
    def words(self) -> dict[str, str]:  # noqa: D102
        return {**self._standing(()), self.repo_id: "failed"}

    @property
    def solution(self) -> list[str]:  # noqa: D102
        return list(self._causes)

    def _mark(self, picked: list[str]) -> Verdict:
        missing = tuple(repo for repo in self._causes if repo not in picked)
        too_many = tuple(repo for repo in picked if repo not in self._causes)
        if not missing and not too_many:
            return Verdict(True, f"It skips {self._reasons(self._causes)}." if self._causes else "It skips nobody.")
        parts = []
        if missing:
            parts.append(f"Missing: {self._reasons(missing, brackets=True)}.")
        if too_many:
            parts.append(f"Too many: {self._reasons(too_many, brackets=True)}.")
        return Verdict(False, " ".join(parts), missing=missing, too_many=too_many)

    def _reasons(self, repos: Iterable[str], brackets: bool = False) -> str:
        form = "{} ({})" if brackets else "{}: {}"
        return listed(list(repos), MOST_TOLD, lambda repo: form.format(short(repo), self._reason(repo)), apart="; ")

    def _reason(self, repo: str) -> str:
        cause = self._causes.get(repo)
        if cause == "blocked":
            return " → ".join(short(step, 40) for step in _path(self.plan, self.repo_id, repo))
        if cause == "stopped":
            return "its turn comes after the release has stopped"
        if repo == self.repo_id:
            return "it fails, so it was tried and not skipped"
        if repo not in self._needs:
            return "it is not part of this release, whatever happens"
        terms = Terms(self.policy)
        if terms.stop_at is not None:
            return "its turn came before the failure"
        return f"it does not need {short(self.repo_id, 40)}" if terms.blocks else GOES_ON


@dataclass(frozen=True)
class InOrder(Question):
    """In which order may these go? Any valid order is right; the first mistake is told.

    Examples
    --------
    >>> from seqkit import RepoDependencyGraph, build_plan
    >>> graph = RepoDependencyGraph.from_edges([("core", "api"), ("core", "docs"), ("api", "app")])
    >>> question = InOrder(build_plan(graph, version="1.0"), start=1, length=3)
    >>> question.check(["docs", "api", "app"])
    Right. A valid order. The sequencer would take api as number 1, before docs.
    >>> question.check(["app", "api", "docs"])
    Not right. app cannot be number 1: it needs api, which comes later.
    """

    start: int
    """How many repos are released before these, in plan order."""
    length: int
    """How many are to be put in order: those that follow in plan order."""
    picks = "sequence"

    @property
    def text(self) -> str:  # noqa: D102
        before = (
            f"{plural(self.start, 'repo is', 'repos are')} released. " if self.start else "Nothing is released yet. "
        )
        return f"{before}Put these in an order in which they may go: {', '.join(map(short, self.candidates))}."

    @property
    def candidates(self) -> list[str]:  # noqa: D102
        return sorted(self.solution)

    @property
    def subject(self) -> str:  # noqa: D102
        return next(iter(self.candidates), "")

    @property
    def words(self) -> dict[str, str]:  # noqa: D102
        return self._standing(self.plan.released[: self.start])

    @property
    def solution(self) -> list[str]:  # noqa: D102
        return self.plan.released[self.start : self.start + self.length]

    def _mark(self, picked: list[str]) -> Verdict:
        own = self.solution
        too_many = tuple(repo for repo in picked if repo not in own)
        if too_many:
            return Verdict(
                False, f"{told(too_many)} {inflected(len(too_many), 'is', 'are')} not among these.", too_many=too_many
            )
        missing = tuple(repo for repo in own if repo not in picked)
        if missing:
            return Verdict(
                False, f"{told(missing)} {inflected(len(missing), 'is', 'are')} not in the order yet.", missing=missing
            )
        behind, rest = self.plan.released[: self.start], self.plan.released[self.start + self.length :]
        checked = check_order(self.plan, [*behind, *picked, *rest])
        if checked.same_as_plan:
            return Verdict(True, "This is the sequencer's own order.", True)
        number = (checked.position or 0) - self.start
        name = short(picked[number])
        if checked:
            message = f"A valid order. The sequencer would take {short(own[number])} as number {number + 1}"
            return Verdict(True, f"{message}, before {name}.", False)
        late = [other for other in self._needs[picked[number]] if other in picked[number:]]
        comes = inflected(len(late), "comes", "come")
        return Verdict(
            False, f"{name} cannot be number {number + 1}: it needs {told(late)}, which {comes} later.", False
        )


def _path(plan: SequencePlan, start: str, goal: str) -> list[str]:
    """Find a shortest dependency path, through unreleased repos too."""
    first, last = plan.arrays.position[start], plan.arrays.position[goal]
    came_from = {first: first}
    line = deque([first])
    while last not in came_from:
        here = line.popleft()
        for other in plan.arrays.dependents[here]:
            if other not in came_from:
                came_from[other] = here
                line.append(other)
    path = [last]
    while path[-1] != first:
        path.append(came_from[path[-1]])
    return [plan.items[position].repo_id for position in reversed(path)]
