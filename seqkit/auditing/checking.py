"""The audit: every check over every run, and nothing that stands in a ledger may stop it."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Sequence

from seqkit._util.collector import collector_paused
from seqkit._util.secrets import as_given
from seqkit.auditing.anchoring import as_anchor, mismatch
from seqkit.auditing.chains import Chains
from seqkit.auditing.collecting import Collector
from seqkit.auditing.facts import RunFacts
from seqkit.auditing.foreign import system_of
from seqkit.auditing.order import Order, OwnPlan, Plans, order_of_graph, order_of_plan
from seqkit.auditing.report import AuditReport
from seqkit.auditing.whole import LedgerFacts
from seqkit.core.graph import RepoDependencyGraph
from seqkit.core.model import RunEvent, RunRecord
from seqkit.core.plan import SequencePlan
from seqkit.errors import RunNotFound
from seqkit.ledger import LedgerLike, RunLedger, as_ledger
from seqkit.ledger.copies import settled
from seqkit.ledger.found import FoundEvent, FoundLedger, Problem
from seqkit.ledger.links import Links
from seqkit.ledger.naming import run_called
from seqkit.ledger.story import tag_of

__all__ = ["audit"]


def audit(
    ledger_or_path: LedgerLike,
    run_id: str | None = None,
    graph: RepoDependencyGraph | SequencePlan | None = None,
    anchor: str | None = None,
) -> AuditReport:
    """Hold a ledger against itself, its plans and the rules of sequencing, and say what does not fit.

    Parameters
    ----------
    ledger_or_path : RunLedger, path or URL
        What to audit. A path is read as :func:`seqkit.read_ledger` reads it, and what cannot be read
        there is a finding.
    run_id : str, optional
        The one run to audit: its id, the start of it (four characters or more) or ``"last"``; all of them where
        None.
    graph : RepoDependencyGraph or SequencePlan, optional
        What runs are held against that carry no plan in their tags, as the original's never do. A graph
        tells the dependencies; a plan also tells what was to be released, and at which version: of another system's
        runs those of its train alone (the tag ``train``, or the run's id, is its ``originating_run_id``).
    anchor : str, optional
        A line that :func:`seqkit.anchor` gave earlier and that was kept elsewhere, or a text that holds it. Whatever
        was changed, added or taken away in what it covers is an error; what came later is none.

    Returns
    -------
    AuditReport
        `findings`, `checks`, and `ok`: whether there is no error.

    Raises
    ------
    RunNotFound
        Where the ledger has no run `run_id`.
    ReadError
        Where there is no such file, or it is no ledger at all.
    TypeError, ValueError
        Where an argument is something else, or `anchor` holds no anchor.

    Notes
    -----
    Linear in events, items and dependencies, but for lists of blockers. An audit proves that a
    record holds together, not that it is true. Who finds a forgery, where a run is seqkit's own and has ended:

    =========================================================  ========================  ===========
    what was changed                                           found by                  with anchor
    =========================================================  ========================  ===========
    an event, its time, order, reason or release id            ``final_state_digest``    found
    plan, edge, spec digest, promoter, budget, lanes, any tag  ``final_state_digest``    found
    run id, git_sha, agent, start, status, length of the run   ``final_state_digest``    found
    the end alone, by over a minute and a tenth of the run     ``duration``              found
    the end alone, by less                                     nobody: clocks differ     found
    a key twice in a payload, NaN, text that is no UTF-8       ``readable``              found
    the digest taken away                                      a warning                 found
    digest and plan taken away, skips or retries left          a warning                 found
    digest, plan, and all else that only seqkit writes         nobody: as the original   found
    a run marked as another system's, its plan or digest left  ``plan``: as seqkit's     found
    the same, both taken away, and the agent left              ``plan``: as seqkit's     found
    the same, and the agent taken away too                     nobody: as another's      found
    the mark of the digest's version                           ``final_state_digest``    found
    plan, tags, times, status, where the digest is of an       nobody: that it does not  found
    older seqkit (version 1)                                   cover them is said
    a run copied under another id                              ``digests``               found
    two runs that resume each other, or one before the other   ``links``                 found
    what is out released again by a run that goes on           ``twice``                 found
    a tail cut off, where the run had ended                    ``total_events``          found
    a tail cut off, where the run had not ended                nobody: it broke off      found
    a run taken away as a whole                                nobody: it leaves none    found
    everything rewritten, and a new digest                     nobody: it holds          found
    what came after the anchor                                 as without one            as without
    a release recorded and never made                          nobody: it holds          nobody
    =========================================================  ========================  ===========

    Of runs that another system made (:func:`seqkit.ledger_from_frame`) nothing is asked that only seqkit writes:

    ===========================================================  ======================================================
    checks                                                       of another system's run
    ===========================================================  ======================================================
    ``plan``, ``plan_id``, ``spec_digest``, ``turns``,           not checked: it has none
    ``digests``, ``final_state_digest``
    ``seq``, ``total_events``, ``kinds``, ``spelling``,          not checked: seqkit wrote these itself; what does not
    ``payloads``                                                 fit all the same was changed since
    ``status``, ``duration``, ``after_the_end``                  checked, though seqkit took them from the rows
    ``timestamps``                                               attempts that end before they start, or before the one
                                                                 before them ended: warnings; not checked without times
    ``retries``, ``entries``, ``doubts``, ``unfinished``         checked; attempts that are not told, and what was
                                                                 cancelled, are worth knowing, what still went on is a
                                                                 warning
    ``twice``                                                    in a run; in a train where versions are told
    ``order``                                                    with `graph`, by times: started before what it needs
                                                                 had ended; the same moment is in time
    ``blocked``, ``antichain``                                   with `graph`: started, or failed, below a failure; also
                                                                 where the system lets that go on
    ``skips``                                                    with `graph`: named blockers are needed and not out
    ``scope``                                                    with `graph`: repos it does not know, a warning for all
    ``versions``, ``silent``                                     with the plan of that train alone
    ===========================================================  ======================================================

    Examples
    --------
    >>> from seqkit import RepoDependencyGraph, build_plan, run_plan
    >>> plan = build_plan(RepoDependencyGraph.from_edges([("core", "api")]), version="1.0")
    >>> outcome = run_plan(plan, {"core": 1.0}, rng=7)
    >>> audit(outcome.ledger).ok
    True
    """
    given = _given(graph)
    kept_elsewhere = None if anchor is None else as_anchor(anchor)
    ledger = _opened(ledger_or_path)
    if run_id is not None:
        run_id = run_called(ledger, run_id)
    facts = _facts_of_ledger(ledger, run_id)
    name = facts.name or repr(ledger)
    report = Collector()
    n_events = 0
    plans = Plans()
    told = ledger if facts.settled is None else facts.settled.ledger
    again = Counter(event.run_id for event in facts.settled.repeats) if facts.settled is not None else Counter()
    if kept_elsewhere is not None:
        facts.anchored = mismatch(kept_elsewhere, facts.everything, told.get_events)
    chains = Chains(told, facts.links, facts.everything)
    if run_id is not None:
        chains.read_before(run_id)
    with collector_paused():
        for run in facts.records:
            try:
                events = told.get_events(run.run_id)
            except Exception as problem:  # a store that cannot give them
                facts.problems.append(
                    Problem(name, None, f"the events of run {run.run_id!r:.90} cannot be read: {problem}")
                )
                continue
            n_events += len(events)
            tag = run.metadata.tags.get("plan") if isinstance(run.metadata.tags, dict) else None
            run_facts = _facts_of_run(run, events, plans.read(tag), given)
            run_facts.repeats = again.get(run.run_id, 0)
            if run_facts.open or run_facts.doubts.failed:
                run_facts.decided = chains.decided(run_facts)
            run_facts.out_before = chains.out_before(run.run_id)
            report.check_run(run_facts, _places(facts, run.run_id))
            if chains.has(run.run_id):
                chains.take_in(run.run_id, run_facts.releases())
    report.check_ledger(facts)
    report.say_of_all_runs()
    covered = None if kept_elsewhere is None else kept_elsewhere.runs
    return AuditReport(name, len(facts.records), n_events, report.findings(), report.checks(), covered, report.imported)


def _given(graph: object) -> Order | None:
    if graph is None:
        return None
    if isinstance(graph, SequencePlan):
        return order_of_plan(graph)
    if isinstance(graph, RepoDependencyGraph):
        return order_of_graph(graph)
    raise TypeError(f"graph is {as_given(graph)}, expected a RepoDependencyGraph or a SequencePlan")


def _opened(ledger: LedgerLike) -> RunLedger:
    if isinstance(ledger, str | os.PathLike):
        from seqkit.ledger.reading import read_ledger  # noqa: PLC0415

        return read_ledger(ledger, on_bad_lines="skip")
    return as_ledger(ledger)


def _facts_of_ledger(ledger: RunLedger, run_id: str | None) -> LedgerFacts:
    found = ledger if isinstance(ledger, FoundLedger) else None
    problems = list(found.problems) if found is not None else []
    answer = None if found is None else settled(found)
    if answer is not None:
        ledger = answer.ledger
    try:
        records = ledger.list_runs()
    except Exception as problem:
        if run_id is None:
            return LedgerFacts([], frozenset(), found, answer, [*problems, Problem(repr(ledger), None, str(problem))])
        records = [ledger.get_run(run_id)]
    known, links, everything = frozenset(record.run_id for record in records), Links(records), records
    if run_id is not None:
        records = [record for record in records if record.run_id == run_id]
        if not records:
            raise RunNotFound(run_id)
    return LedgerFacts(records, known, found, answer, problems, run_id, links, everything)


def _facts_of_run(run: RunRecord, events: Sequence[RunEvent], own: OwnPlan, given: Order | None) -> RunFacts:
    if isinstance(own.order, Order):
        return RunFacts(run, events, own.order, "", own.settings, own.remarks, own.text)
    why = "the plan in the run's tags cannot be read" if own.order else "the run carries no plan"
    why += "; give a plan or a graph (graph=…, or --graph FILE)"
    if given is not None and given.origin is not None and system_of(run) is not None:
        given = given if given.origin in (run.run_id, tag_of(run, "train")) else given.as_graph
    return RunFacts(run, events, given, why, own.settings, own.remarks)


def _places(ledger: LedgerFacts, run_id: str) -> Callable[[int], str]:
    """Tell where an event stands; nowhere in particular, but in a ledger that was found in files."""
    places: list[FoundEvent] = []

    def place(index: int) -> str:
        if ledger.settled is None:
            return ""
        if not places:
            places.extend(ledger.settled.ledger.found_events(run_id))
        event = places[index]
        return "" if event.line is None else f" ({ledger.place(event.source, event.line)})"

    return place
