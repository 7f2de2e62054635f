"""Questions about the order of a release, one after the other, with a score: the state of a quiz."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from seqkit._util.secrets import as_given
from seqkit.core.draws import Seed, resolve_seed
from seqkit.core.plan import SequencePlan
from seqkit.core.terms import Policy, Terms
from seqkit.explore.asking import in_order, next_up, skipped
from seqkit.explore.questions import Question, Skipped, Verdict

__all__ = ["Quiz"]

_MOST_SKIPPED = 8  # more is a chore to answer
_WINDOW = 5


class Quiz:
    """Questions about a plan, in turn: what may go next, whom a failure skips, which order is valid.

    No question comes twice, also where the policy changes in between; a small plan has few, and then no more come.
    Where nothing is picked there is no answer: nothing is marked or counted. That it is nobody has to be said.

    Parameters
    ----------
    plan : SequencePlan
        What is asked about; it must release something.
    policy : str
        What a failure means for the rest.
    rng : int, numpy.random.Generator or None
        The seed. Question n of a seed is always the same, whatever the answers; None asks something else every time.

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
    nobody : bool
        Whether the answer so far is that it is nobody.
    verdict : Verdict or None
        What was said of the answer; None again where the picks have changed since.
    right, corrected, answered : int
        How many questions were answered right at once, how many right after another answer, and how many at all.

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
    >>> quiz.next_question()
    True
    >>> quiz.question.text
    'core fails, all others are well. Which repos are skipped? (Policy: whatever depends on a failure is skipped.)'
    >>> quiz.check(["api", "docs"])
    Not right. Missing: app (core → api → app).
    >>> quiz.check(["api", "docs", "app"])
    Right. It skips api: core → api; docs: core → docs; app: core → api → app.
    >>> quiz.score
    '0 of 2 right, 1 corrected'
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
        self.policy: Policy = Terms(policy).policy
        self.seed = resolve_seed(rng)
        self.right = self.corrected = self.answered = 0
        self._asked: set[str] = set()
        self._to_ask = [self._shuffled(*each) for each in (next_up(plan), self._failures(), in_order(plan, _WINDOW))]
        self.number = 0
        self.question: Question
        self.next_question()

    # ------------------------------------------------------------------ asking

    def next_question(self) -> bool:
        """Go on to the next question, answered or not; returns whether there was one.

        The kinds take turns. Of each, those with something to them come first.
        """
        for turn in range(self.number, self.number + len(self._to_ask)):
            line = self._to_ask[turn % len(self._to_ask)]
            while line:
                question = line.pop(0)
                if question.text not in self._asked:
                    self._ask(question)
                    self.number += 1
                    return True
        return False

    @property
    def at_end(self) -> bool:
        """Whether there is no other question to come."""
        return not any(question.text not in self._asked for line in self._to_ask for question in line)

    def change_policy(self, policy: Policy) -> None:
        """Let a failure mean something else in the questions to come, and in this one where it is not answered yet.

        Raises
        ------
        ValueError
            Where `policy` is none of the policies.
        """
        self.policy = Terms(policy).policy
        self._to_ask[1] = self._shuffled(*self._failures())
        if isinstance(self.question, Skipped) and not self._counted:
            self._asked.discard(self.question.text)
            self._ask(replace(self.question, policy=self.policy))

    def _ask(self, question: Question) -> None:
        self.question = question
        self._asked.add(question.text)
        self.picked: list[str] = []
        self.nobody = False
        self.verdict: Verdict | None = None
        self._counted = self._settled = False

    def _failures(self) -> tuple[list[Question], list[Question]]:
        return skipped(self.plan, self.policy, _MOST_SKIPPED)

    def _shuffled(self, good: list[Question], others: list[Question]) -> list[Question]:
        kind = type((good or others)[0]).__name__
        rng = np.random.default_rng([self.seed, *kind.encode()])
        return [part[place] for part in (good, others) for place in rng.permutation(len(part))]

    # ------------------------------------------------------------------ answering

    def press(self, repo_id: str) -> None:
        """Pick a repo for the answer, or take it back; where one repo is wanted, it replaces the one before.

        Raises
        ------
        RepoNotFound
            Where it is not in the plan.
        """
        self.plan.position(repo_id)
        self.verdict, self.nobody = None, False
        if repo_id in self.picked:
            self.picked.remove(repo_id)
        else:
            self.picked = [repo_id] if self.question.picks == "one" else [*self.picked, repo_id]

    def say_nobody(self) -> None:
        """Answer that it is nobody; all picks are taken back."""
        self.clear()
        self.nobody = True

    def clear(self) -> None:
        """Take all picks back."""
        self.picked, self.nobody, self.verdict = [], False, None

    def check(self, answer: object = None) -> Verdict:
        """Mark an answer, or what is picked where none is given. Whatever the answer is, there is a verdict.

        Nothing picked is no answer, and does not count; an empty `answer` says that it is nobody.
        """
        if answer is None:
            if not self.picked and not self.nobody:
                ask = " or say that it is nobody" if self.question.picks == "some" else ""
                self.verdict = Verdict(False, f"Nothing is picked yet: pick a repo{ask}.", no_answer=True)
                return self.verdict
            answer = self.picked
        return self._count(self.question.check(answer))

    def give_up(self) -> Verdict:
        """Have the sequencer's own answer told; a question not answered before counts as not right."""
        self.picked = self.question.solution
        self.nobody = not self.picked
        return self._count(Verdict(False, self.question.given, given_up=True))

    def _count(self, verdict: Verdict) -> Verdict:
        if not self._counted:
            self._counted = True
            self.answered += 1
            self.right += verdict.right
        elif verdict and not self._settled:
            self.corrected += 1
        self._settled = self._settled or verdict.right or verdict.given_up
        self.verdict = verdict
        return verdict

    @property
    def score(self) -> str:
        """The score in words."""
        corrected = f", {self.corrected} corrected" if self.corrected else ""
        return f"{self.right} of {self.answered} right{corrected}"

    def __repr__(self) -> str:
        return f"Quiz(question {self.number}: {self.question.text}; {self.score})"
