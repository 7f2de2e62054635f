"""Exercises about somebody's own plan: which make sense for it, what they say, and whether an answer is right."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from seqkit._util.arguments import share_of
from seqkit._util.secrets import as_given
from seqkit.analysis.blast import blast_radius
from seqkit.analysis.montecarlo import simulate
from seqkit.analysis.montecarlo.trial import Trial
from seqkit.analysis.steps import needed_releases
from seqkit.core.draws import Seed, resolve_seed
from seqkit.core.plan import SequencePlan
from seqkit.explore.asking import in_order, may_go, skipped
from seqkit.explore.exercise_questions import Average, BlockedBy, MayStart, Reliable
from seqkit.explore.questions import InOrder, Question, Verdict

__all__ = ["Exercise", "Exercises", "Marked"]

_IN_ORDER = 8  # repos to put in order: more is a chore
_NAMED = 12  # repos in another answer
_RUNS = 100


@dataclass(frozen=True)
class Marked:
    """What is to be said of the answer to one exercise. True where it is right."""

    number: int
    """Which exercise, from 1."""
    verdict: Verdict | None
    """What was said of the answer; None where there is none yet."""

    def __bool__(self) -> bool:
        return bool(self.verdict)

    def __repr__(self) -> str:
        if self.verdict is None:
            return f"Exercise {self.number}: not done yet"
        return f"Exercise {self.number}: {'right' if self.verdict else 'not right'}. {self.verdict.message}"


@dataclass(frozen=True)
class Exercise:
    """One exercise: a question, and how a notebook puts it."""

    title: str
    """Its heading."""
    question: Question
    """What is asked, and what marks the answer."""
    trial: int = 0
    """Which simulated run it is about, where it is about one."""


class Exercises:
    """The exercises that make sense for a plan; any right answer is right.

    They are: put repos in order, tell who may start, whom a failure blocks, how many go out on average, what is best
    made reliable, and what a run's ledger says. One that would have no answer, or only one that needs no thought,
    is left out, and it is said why.

    Parameters
    ----------
    plan : SequencePlan
        What they are about; it must release something.
    failure_rate : float
        The probability with which each repo fails, independently; between 0 and 1.
    rng : int, numpy.random.Generator or None
        The seed of the simulated run.

    Attributes
    ----------
    plan, failure_rate
        As given.
    seed : int
        What the run is drawn from.
    kept : tuple of Exercise
        The exercises: the first is number 1.
    left_out : dict of str to str
        Title → why the plan has no such exercise.
    marks : dict of int to Marked
        What was said last of each exercise that has been checked.

    Raises
    ------
    TypeError, ValueError
        Where `plan` is no plan or releases nothing, `failure_rate` no probability, or `rng` no seed.

    Examples
    --------
    >>> from seqkit import RepoDependencyGraph, build_plan
    >>> graph = RepoDependencyGraph.from_edges([("core", "api"), ("core", "docs"), ("api", "app")])
    >>> exercises = Exercises(build_plan(graph, version="1.0"))
    >>> exercises.check(1, ["core", "docs", "api", "app"])
    Exercise 1: right. A valid order. The sequencer would take api as number 2, before docs.
    >>> exercises.check(2, ...)
    Exercise 2: not done yet
    >>> exercises
    Exercises(6: 1 right, 5 not done yet)
    """

    def __init__(self, plan: SequencePlan, failure_rate: float = 0.1, rng: Seed | None = 0) -> None:
        if not isinstance(plan, SequencePlan):
            raise TypeError(f"plan is {as_given(plan)}, expected a SequencePlan; build_plan(graph) makes one")
        if not plan.released:
            raise ValueError(f"plan is {as_given(plan, 200)}, expected one that releases a repo")
        self.plan = plan
        self.failure_rate = share_of("failure_rate", failure_rate, 0.1, "probability")
        self.seed = resolve_seed(rng)
        kinds: tuple[tuple[str, Callable[[], Question | str]], ...] = (
            ("An order of your own", self._order),
            ("Who may start?", self._may_start),
            ("The reach of a failure", self._reach),
            ("How many go out?", lambda: Average(plan, self.failure_rate)),
            ("What to make reliable first", self._reliable),
            ("Read a ledger", self._ledger),
        )
        self._trial = 0
        made = {title: make() for title, make in kinds}
        self.kept = tuple(
            Exercise(title, question, self._trial) for title, question in made.items() if isinstance(question, Question)
        )
        self.left_out = {title: reason for title, reason in made.items() if isinstance(reason, str)}
        self.marks: dict[int, Marked] = {}

    # ------------------------------------------------------------------ which make sense

    def _order(self) -> Question | str:
        good = [question for question in in_order(self.plan, _IN_ORDER)[0] if isinstance(question, InOrder)]
        if not good:
            return "no repo needs another that goes out shortly before, so every order of a few is right"
        needs = needed_releases(self.plan)

        def n_needs(question: InOrder) -> int:
            among = set(question.solution)
            return sum(len(among.intersection(needs[repo])) for repo in among)

        return max(good, key=n_needs)  # the first of those with most to think of

    def _may_start(self) -> Question | str:
        n = len(self.plan.released)
        counts = {done: count for done, count in enumerate(may_go(self.plan)) if done and count < n - done}
        good = [done for done, count in counts.items() if 2 <= count <= _NAMED] or [
            done for done, count in counts.items() if count <= _NAMED
        ]
        if not good:
            return f"there is no moment in which others wait and at most {_NAMED} may start"
        return MayStart(self.plan, min(good, key=lambda done: (abs(counts[done] - 3), done)))

    def _reach(self) -> Question | str:
        good = skipped(self.plan, "skip_dependents", _NAMED)[0]
        if not good:
            return f"there is no repo whose failure blocks others, and at most {_NAMED}"
        reach = blast_radius(self.plan)["n_dependents"]
        return max(good, key=lambda question: int(reach[question.subject]))

    def _reliable(self) -> Question | str:
        question = Reliable(self.plan, self.failure_rate)
        if len(question.best()) == len(self.plan.released):
            return "every repo is as good an answer as any other"
        return question

    def _ledger(self) -> Question | str:
        runs = simulate(self.plan, self.failure_rate, trials=_RUNS, rng=self.seed)
        best: tuple[int, int, BlockedBy] | None = None
        for number in range(_RUNS):
            question = _blocked_in(self.plan, runs.trial(number))
            if question is not None and (best is None or len(question.solution) > best[0]):
                best = (len(question.solution), number, question)
                if best[0] > 1:
                    break
        if best is None:
            return f"in {_RUNS} simulated runs no failure blocked anybody"
        self._trial = best[1]
        return best[2]

    # ------------------------------------------------------------------ answers

    def check(self, number: int, answer: object) -> Marked:
        """Mark the answer to an exercise. Whatever it is, something is said; None and ``...`` are no answers yet.

        Raises
        ------
        IndexError
            Where there is no exercise of this number.
        """
        if isinstance(number, bool) or number not in range(1, len(self.kept) + 1):
            raise IndexError(f"number is {as_given(number)}, expected one from 1 to {len(self.kept)}")
        self.marks[number] = Marked(number, None if _undone(answer) else self._verdict(number, answer))
        return self.marks[number]

    def _verdict(self, number: int, answer: object) -> Verdict:
        try:
            return self.kept[number - 1].question.check(answer)
        except Exception as error:  # of the answer's own: it may be anything, down to an iterator that fails
            return Verdict(False, f"The answer cannot be read: {as_given(error)}.")

    def __repr__(self) -> str:
        n, right = len(self.kept), sum(map(bool, self.marks.values()))
        undone = n - sum(mark.verdict is not None for mark in self.marks.values())
        counts = {"right": right, "not right": n - undone - right, "not done yet": undone}
        return f"Exercises({n}: {', '.join(f'{count} {word}' for word, count in counts.items() if count)})"


def _undone(answer: object) -> bool:
    parts = answer if isinstance(answer, list | tuple | set) else [answer]
    return any(part is None or part is ... for part in parts)


def _blocked_in(plan: SequencePlan, trial: Trial) -> BlockedBy | None:
    """Ask about the repo that the most failures blocked, but not too many to name."""
    # From each failure up, not from each blocked repo down: of a wide plan far more are blocked than fail.
    graph = plan.graph
    n_above = Counter(repo for failed in trial.outcome.failures for repo in graph.transitive_dependents_of(failed))
    causes = zip(plan.items, trial.outcome.skip_causes, strict=True)
    blocked = [item.repo_id for item, cause in causes if cause == "blocked"]
    few = [repo for repo in blocked if n_above[repo] <= _NAMED]
    return BlockedBy(plan, max(few, key=n_above.__getitem__), trial.outcome) if few else None
