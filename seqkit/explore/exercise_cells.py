"""How a notebook puts exercises: text, hints, a place for the answer with the solution in it, and the check."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import singledispatch
from typing import Any, NamedTuple

from seqkit._util.words import plural, printable
from seqkit.explore._words import short
from seqkit.explore.exercise_questions import Average, BlockedBy, MayStart, Reliable
from seqkit.explore.exercises import Exercises
from seqkit.explore.questions import InOrder, Question, Skipped

__all__ = ["cells_of", "code", "literal", "markdown", "name_in_text"]


def markdown(source: str) -> dict[str, Any]:
    """Make a cell of text."""
    return {"cell_type": "markdown", "metadata": {}, "source": source}


def code(source: str, grading: dict[str, Any] | None = None, folded: bool = False) -> dict[str, Any]:
    """Make a cell of code that has not been run."""
    metadata: dict[str, Any] = {} if grading is None else {"nbgrader": grading}
    if folded:
        metadata["jupyter"] = {"source_hidden": True}
    return {"cell_type": "code", "execution_count": None, "metadata": metadata, "outputs": [], "source": source}


def literal(value: object) -> str:
    r"""Write strings, or a list of them, as source in which all is seen.

    Examples
    --------
    >>> print(literal(["api", "a\u200bb", "\u115f"]))
    ['api', 'a\u200bb', '\u115f']
    """
    return printable(repr(value))


def name_in_text(name: str) -> str:
    """Write a name so that Markdown shows it, whatever it is: no markup, no TeX, no link.

    Examples
    --------
    >>> print(name_in_text("<b>"), name_in_text("a`b"), name_in_text(""))
    `<b>` `` a`b `` `(no name)`
    """
    shown = short(name)
    fence = "`" * (1 + max(map(len, re.findall("`+", shown)), default=0))
    room = " " if "`" in shown else ""
    return f"{fence}{room}{shown}{room}{fence}"


def cells_of(exercises: Exercises) -> list[dict[str, Any]]:
    """Give the cells of all exercises, with solutions.

    Examples
    --------
    >>> from seqkit import RepoDependencyGraph, build_plan
    >>> plan = build_plan(RepoDependencyGraph.from_edges([("core", "api"), ("core", "docs")]), version="1.0")
    >>> text, answer, check = cells_of(Exercises(plan))[:3]
    >>> print(answer["source"])
    these = ['api', 'core', 'docs']
    my_order = ...  # your answer: a list of names
    ### BEGIN SOLUTION
    my_order = ['core', 'api', 'docs']
    ### END SOLUTION
    >>> print(check["source"])
    mark = exercises.check(1, my_order)
    print(mark)
    assert mark, mark
    """
    cells = []
    for number, exercise in enumerate(exercises.kept, 1):
        put = _put(exercise.question, exercises, exercise.trial)
        title = exercise.title[0].lower() + exercise.title[1:]
        hints = [f"<details><summary>Hint {n}</summary>\n\n{hint}\n\n</details>" for n, hint in enumerate(put.hints, 1)]
        cells.append(markdown("\n\n".join([f"## Exercise {number}: {title}", put.task, *hints])))
        answer = [
            *put.before,
            f"{put.name} = ...  # your answer: {put.kind}",
            "### BEGIN SOLUTION",
            f"{put.name} = {put.solution}",
            "### END SOLUTION",
        ]
        cells.append(code("\n".join(answer), _grading(f"exercise-{number}", solution=True)))
        check = f"mark = exercises.check({number}, {put.name})\nprint(mark)\nassert mark, mark"
        cells.append(code(check, _grading(f"exercise-{number}-check", solution=False)))
    return cells


class _Put(NamedTuple):
    """How a question is put."""

    task: str
    hints: Sequence[str]
    before: Sequence[str]
    """Source before the answer."""
    name: str
    """Of the answer."""
    kind: str
    """What the answer is."""
    solution: str
    """The source of a right answer."""


_NAMES = "a list of names"


@singledispatch
def _put(question: Question, exercises: Exercises, trial: int) -> _Put:
    raise NotImplementedError


@_put.register
def _(question: InOrder, exercises: Exercises, trial: int) -> _Put:
    out = plural(question.start, "repo of the plan is", "repos of the plan are")
    before = f"The first {out} out. " if question.start else ""
    task = (
        f"{before}Put the repos in `these` in an order in which they may go: none before what it needs. Any order that "
        "keeps to this will do, whether or not it is the plan's own."
    )
    hints = [
        "`plan.graph.dependencies_of(name)` lists what a repo needs. Who needs none of the others may go first.",
        "Take one that may go, cross it out of what the others need, and look again.",
    ]
    return _Put(
        task, hints, [f"these = {literal(question.candidates)}"], "my_order", _NAMES, literal(question.solution)
    )


@_put.register
def _(question: MayStart, exercises: Exercises, trial: int) -> _Put:
    task = "The repos in `released` are out. Which others may start now? Name all of them, in any order."
    hints = [
        "A repo may start if it is not out yet and everything it needs is.",
        "`plan.released` has all repos to release; `plan.graph.dependencies_of(name)` lists what one needs. "
        "A repo in the plan that is not released holds nobody up, but what it needs may.",
    ]
    before = [f"released = plan.released[:{question.done}]", "print(released)"]
    return _Put(task, hints, before, "may_start", _NAMES, literal(question.solution))


@_put.register
def _(question: Skipped, exercises: Exercises, trial: int) -> _Put:
    task = (
        f"Suppose {name_in_text(question.repo_id)} fails and all others are well. Which repos of the release does that "
        "block? Name all of them, in any order."
    )
    hints = [
        "A failure reaches everything that needs the repo, directly or through others.",
        "`plan.graph.dependents_of(failing)` lists who needs it directly. Then look at who needs those.",
    ]
    return _Put(task, hints, [f"failing = {literal(question.repo_id)}"], "blocked", _NAMES, literal(question.solution))


@_put.register
def _(question: Average, exercises: Exercises, trial: int) -> _Put:
    rate, repos = question.failure_rate, plural(len(question.plan.released), "repo")
    task = f"{_independent(rate)} Of {repos}, how many go out on average? One decimal is enough."
    hints = [
        "A repo goes out if it succeeds and so does everything that it needs, near and far.",
        f"Where that is n repos with itself, the probability is (1 - {rate}) to the power of n. Add these up.",
    ]
    return _Put(task, hints, [], "average", "a number", f"seqkit.analyze(plan, {rate!r}).expected.succeeded")


@_put.register
def _(question: Reliable, exercises: Exercises, trial: int) -> _Put:
    task = (
        f"{_independent(question.failure_rate)} You may make one of them so reliable that it never fails. With which "
        "one do the most go out on average?"
    )
    hints = [
        "The one that the most others need is a good guess, and not always right: what it frees can still fail.",
        "`seqkit.FailureModel(rates={name: 0.0}, default=…)` is a model in which one never fails, and "
        "`seqkit.analyze(plan, model).expected.succeeded` the average.",
    ]
    solution = f"seqkit.analyze(plan, {question.failure_rate!r}).importance()['gain_if_perfect'].idxmax()"
    return _Put(task, hints, [], "never_fails", "a name", solution)


@_put.register
def _(question: BlockedBy, exercises: Exercises, trial: int) -> _Put:
    rate, seed = exercises.failure_rate, exercises.seed
    task = (
        f"Below is the ledger of a simulated run, a row a repo. {name_in_text(question.repo_id)} was blocked. "
        "Which failures kept it from starting? Name all of them, in any order."
    )
    hints = [
        '`items[items["status"] == "failed"]` has the repos that failed. It need not wait for all of them.',
        "The column `blocked_by` of `items` says for each blocked repo what it waited for.",
    ]
    before = [
        "ledger = seqkit.MemoryRunLedger()",
        f"seqkit.run_plan(plan, {rate!r}, ledger=ledger, rng={seed!r}, trial={trial})",
        'items = seqkit.items_frame(ledger).set_index("repo_id")',
        'display(items[["wave", "status", "skip_cause"]])',
        f"waiting = {literal(question.repo_id)}",
    ]
    return _Put(task, hints, before, "kept_by", _NAMES, 'items.loc[waiting, "blocked_by"]')


def _independent(rate: float) -> str:
    return f"Let every repo fail with probability {rate}, whatever happens to the others."


def _grading(name: str, *, solution: bool) -> dict[str, Any]:
    """Give what nbgrader knows a cell by: a place for an answer, or a check that counts."""
    grading = {"grade": not solution, "grade_id": name, "locked": not solution, "schema_version": 3}
    return {**grading, "solution": solution, "task": False, **({} if solution else {"points": 1})}
