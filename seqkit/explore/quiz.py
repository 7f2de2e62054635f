"""Questions about the order of a release, one after the other, with a score: the state of a quiz."""

from __future__ import annotations

import numpy as np

from seqkit._util.secrets import as_given
from seqkit.analysis.blast import blast_radius
from seqkit.analysis.steps import needed_releases
from seqkit.core.draws import Seed, resolve_seed
from seqkit.core.plan import SequencePlan
from seqkit.core.terms import Policy, Terms
from seqkit.explore.questions import InOrder, NextUp, Question, Skipped, Verdict

__all__ = ["Quiz"]

_MOST_SKIPPED = 8  # more is a chore to answer
_WINDOW = 5


class Quiz:
    """Questions about a plan, in turn: what may go next, whom a failure skips, which order is valid.

    Parameters
    ----------
    plan : SequencePlan
        What is asked about; it must release something.
    policy : str
        What a failure means for the rest.
    rng : int, numpy.random.Generator or None
        The seed. Question n of a seed is always the same; None asks something else every time.

    Attributes
    ----------
    plan, policy
        As given.
    seed : int
        What the questions are drawn from.
    number : int
        Which question this is, from 1.
    question : Question
        The question: its `text`, its `candidates`, the situation in `words`.
    picked : list of str
        The answer so far, in the order of picking.
    verdict : Verdict or None
        What was said of the answer; None again where the picks have changed since.
    right, answered : int
        How many questions were answered right, and how many at all; only the first answer to each counts.

    Raises
    ------
    TypeError, ValueError
        Where `plan` is no plan or releases nothing, `policy` is none of the policies, or `rng` no seed.

    Examples
    --------
    >>> from seqkit import RepoDependencyGraph, build_plan
    >>> graph = RepoDependencyGraph.from_edges([("core", "api"), ("core", "docs"), ("api", "app")])
    >>> quiz = Quiz(build_plan(graph, version="1.0"), rng=7)
    >>> quiz
    Quiz(question 1: 1 repo is released, core last. Name one that may go next.; 0 of 0 right)
    >>> quiz.check("app")
    Not right. app needs api, which has not been released yet.
    >>> quiz.next_question(); quiz.question.text
    'core fails, all others are well. Which repos are skipped? (Policy: whatever depends on a failure is skipped.)'
    >>> quiz.check(["api", "docs"])
    Not right. Missing: app (core → api → app).
    >>> quiz.score
    '0 of 2 right'
    """

    def __init__(
        self,
        plan: SequencePlan,
        policy: Policy = "skip_dependents",
        rng: Seed | None = 0,
    ) -> None:
        if not isinstance(plan, SequencePlan):
            raise TypeError(f"plan is {as_given(plan)}, expected a SequencePlan; build_plan(graph) makes one")
        if not plan.released:
            raise ValueError(
                f"plan is {as_given(plan, 200)}, expected one that releases a repo: else there is nothing to ask"
            )
        self.plan = plan
        self.policy = Terms(policy).policy
        self.seed = resolve_seed(rng)
        self.right = self.answered = 0
        self._needs = needed_releases(plan)
        self._ask(1)

    # ------------------------------------------------------------------ asking

    def next_question(self) -> None:
        """Go on to the next question, answered or not."""
        self._ask(self.number + 1)

    def _ask(self, number: int) -> None:
        self.number = number
        self.picked: list[str] = []
        self.verdict: Verdict | None = None
        self._counted = False
        kinds = (self._next_up, self._skipped, self._in_order)
        self.question: Question = kinds[(number - 1) % len(kinds)]()

    def _one_of(self, good: list[int], any_: range) -> int:
        """Draw one, from those that make a good question where there are such."""
        choices = good or list(any_)
        return choices[int(np.random.default_rng([self.seed, self.number]).integers(len(choices)))]

    def _next_up(self) -> Question:
        """Ask where several may go and others may not."""
        released = self.plan.released
        left = {repo: len(needs) for repo, needs in self._needs.items()}
        frees: dict[str, list[str]] = {repo: [] for repo in released}
        for repo, needs in self._needs.items():
            for other in needs:
                frees[other].append(repo)
        may_go = sum(not count for count in left.values())
        good = []
        for done, repo in enumerate(released):
            if 2 <= may_go < len(released) - done:
                good.append(done)
            may_go -= 1
            for other in frees[repo]:
                left[other] -= 1
                may_go += not left[other]
        return NextUp(self.plan, self._one_of(good, range(len(released))))

    def _skipped(self) -> Question:
        """Ask about a failure that skips some, but not too many."""
        released = self.plan.released
        if Terms(self.policy).stop_at is not None:
            counts = list(range(len(released) - 1, -1, -1))
        else:
            counts = blast_radius(self.plan)["n_dependents"].loc[released].tolist()
        good = [place for place, count in enumerate(counts) if 1 <= count <= _MOST_SKIPPED]
        return Skipped(self.plan, released[self._one_of(good, range(len(released)))], self.policy)

    def _in_order(self) -> Question:
        """Ask about a stretch of the plan in which something needs something else."""
        released = self.plan.released
        length = min(_WINDOW, len(released))
        starts = range(len(released) - length + 1)
        good = []
        for start in starts:
            stretch = released[start : start + length]
            if any(other in stretch for repo in stretch for other in self._needs[repo]):
                good.append(start)
        return InOrder(self.plan, self._one_of(good, starts), length)

    # ------------------------------------------------------------------ answering

    def press(self, repo_id: str) -> None:
        """Pick a repo for the answer, or take it back; where one repo is wanted, it replaces the one before.

        Raises
        ------
        RepoNotFound
            Where it is not in the plan.
        """
        self.plan.position(repo_id)
        self.verdict = None
        if repo_id in self.picked:
            self.picked.remove(repo_id)
        else:
            self.picked = [repo_id] if self.question.picks == "one" else [*self.picked, repo_id]

    def clear(self) -> None:
        """Take all picks back."""
        self.picked, self.verdict = [], None

    def check(self, answer: object = None) -> Verdict:
        """Mark an answer, or what is picked where none is given. Whatever the answer is, there is a verdict."""
        return self._count(self.question.check(self.picked if answer is None else answer))

    def give_up(self) -> Verdict:
        """Have the sequencer's own answer told; a question not answered before counts as not right."""
        self.picked = self.question.solution
        return self._count(Verdict(False, self.question.given, given_up=True))

    def _count(self, verdict: Verdict) -> Verdict:
        if not self._counted:
            self._counted = True
            self.answered += 1
            self.right += verdict.right
        self.verdict = verdict
        return verdict

    @property
    def score(self) -> str:
        """The score in words."""
        return f"{self.right} of {self.answered} right"

    def __repr__(self) -> str:
        return f"Quiz(question {self.number}: {self.question.text}; {self.score})"
