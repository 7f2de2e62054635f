"""The ledger's file format, JSON Lines: every event, payload and tag, and an example to write by hand.

A ledger in a file is text in UTF-8 with a JSON object on each line: ``{"run": …}`` is the record of a run as it stands,
``{"event": …}`` something that happened in one. Other keys beside these two, and inside them, are passed over. A name
that ends in ``.jsonl`` is plain, one that ends in ``.jsonl.gz`` gzipped. :func:`seqkit.read_ledger` reads such a file
and keeps what stands there, contradictions included; :func:`seqkit.audit` says what does not fit;
:func:`seqkit.write_ledger` writes one of any ledger, and databases and Parquet files hold the same records.

Lines may come in any order, as events are put in the order of `seq`; empty lines count for nothing. A line that cannot
be read is an error that names it (or is left out: see `on_bad_lines`): one that is no JSON object of this form, has a
key twice, NaN or infinity, nests deeper than 200 levels, or is longer than 32 MB. Times are those of RFC 3339 with a
zone, ``2026-05-04T10:00:00Z`` or with an offset; finer ones are cut to microseconds.

An example
----------

Two runs, written by hand. The first releases core, tries api twice and passes app over; the second goes on with it.
No run here carries a plan, so that an audit holds the record against itself alone::

    {"run": {"run_id": "may-1", "spec_digest": "b1cf5b7f34af4c69f9e80dc38f529723e5919a397b7cc079d7b498fe326c3a19", "metadata": {"agent_name": "by hand", "tags": {"train": "may"}}, "status": "FAILED", "created_at": "2026-05-04T10:00:00Z", "completed_at": "2026-05-04T10:14:00Z", "summary": {"total_events": 6, "duration_ms": 840000, "success": false}}}
    {"event": {"run_id": "may-1", "seq": 1, "timestamp": "2026-05-04T10:00:00Z", "kind": "NodeEntered", "payload": {"node_id": "core", "version": "2.1.0"}}}
    {"event": {"run_id": "may-1", "seq": 2, "timestamp": "2026-05-04T10:05:00Z", "kind": "NodeExited", "payload": {"node_id": "core", "run_id": "core-2.1.0"}}}
    {"event": {"run_id": "may-1", "seq": 3, "timestamp": "2026-05-04T10:05:00Z", "kind": "NodeEntered", "payload": {"node_id": "api", "version": "2.1.0"}}}
    {"event": {"run_id": "may-1", "seq": 4, "timestamp": "2026-05-04T10:09:00Z", "kind": "NodeRetrying", "payload": {"node_id": "api", "attempt": 1, "delay_ms": 60000, "error": "502 from the registry"}}}
    {"event": {"run_id": "may-1", "seq": 5, "timestamp": "2026-05-04T10:14:00Z", "kind": "NodeFailed", "payload": {"node_id": "api", "error": "tests are red"}}}
    {"event": {"run_id": "may-1", "seq": 6, "timestamp": "2026-05-04T10:14:00Z", "kind": "NodeSkipped", "payload": {"node_id": "app", "blocked_by": ["api"]}}}
    {"run": {"run_id": "may-2", "spec_digest": "b1cf5b7f34af4c69f9e80dc38f529723e5919a397b7cc079d7b498fe326c3a19", "metadata": {"agent_name": "by hand", "tags": {"train": "may", "resumes": "may-1"}}, "status": "COMPLETED", "created_at": "2026-05-04T11:00:00Z", "completed_at": "2026-05-04T11:10:00Z", "summary": {"total_events": 4, "duration_ms": 600000, "success": true}}}
    {"event": {"run_id": "may-2", "seq": 1, "timestamp": "2026-05-04T11:00:00Z", "kind": "NodeEntered", "payload": {"node_id": "api", "version": "2.1.0"}}}
    {"event": {"run_id": "may-2", "seq": 2, "timestamp": "2026-05-04T11:06:00Z", "kind": "NodeExited", "payload": {"node_id": "api", "run_id": "api-2.1.0"}}}
    {"event": {"run_id": "may-2", "seq": 3, "timestamp": "2026-05-04T11:06:00Z", "kind": "NodeEntered", "payload": {"node_id": "app", "version": "2.1.0"}}}
    {"event": {"run_id": "may-2", "seq": 4, "timestamp": "2026-05-04T11:10:00Z", "kind": "NodeExited", "payload": {"node_id": "app", "run_id": "app-2.1.0"}}}

A run
-----

`run_id`
    What the run is called, unique in its ledger.
`spec_digest`
    64 hex digits: SHA-256 of ``sequence:`` and what the run was made for (its originating run id). In the example that
    is ``printf 'sequence:may' | sha256sum``.
`metadata`
    `agent_name` (the program that ran, ``release-sequencer`` where it is left out), `git_sha` (or null), `tags` (below)
    and `evaluation` (what a gate of the original knew: `rubricPath`, `isPromotionGate`, `agentPhase`). All may be left
    out.
`status`
    ``RUNNING``, then once ``COMPLETED`` (no repo failed), ``FAILED`` or ``CANCELLED`` (interrupted or closed).
`created_at`, `completed_at`
    When it began and when it ended, the latter null or left out while it is RUNNING.
`summary`
    How it ended, null or left out while it is RUNNING: `total_events`, `duration_ms`, `success`, and
    `final_state_digest` (or null), with which an audit finds changes: nobody writes that by hand.

The tags of a run
-----------------

Tags are free JSON. These mean something:

`train`
    What the runs belong to that went on with one another.
`resumes`
    The run that this one goes on with.
`taken_as_released`
    Repos that failed or were in doubt before, and of which somebody decided that they are out.
`due`
    For people: when the train is due. Nothing reads it.
`seed`
    The seed of what was drawn, where something was.
`plan_id`
    The plan's id: ``seq-`` and 8 hex digits of SHA-256 over the plan's JSON. The original draws it at random.
`plan`
    What the run was to do, so that an audit needs nothing else; the original writes none. `originating_run_id`,
    `items` (in the order of release, each with `repo_id`, `version_label`, `spec_digest`, `promoted_by`, `status`;
    one that is ``"skipped"`` here is not to be released), `edges` (pairs of a dependency and its dependent), `policy`
    (``skip_dependents``, ``stop`` or ``continue``), `failure_budget` (a number or null), `attempts`, `record_skips`
    (whether what is passed over has an event) and `digest` (2: the version of `final_state_digest`). Only where they
    are not at their defaults: `max_parallel` (null: no limit), `priority`, `min_interval`, `timeout`, `grace`,
    `check_wait` (seconds), `retry` (`delay`, `backoff`, `jitter`, `max_delay`) and `calendar` (freezes: `start`,
    `end`, `name`, `lead`).
`imported`
    The run was made by another system: see below.

An event
--------

`run_id`, `seq` (its number in the run, from 1), `kind`, `timestamp` and `payload`, an object in which `node_id` is the
repo. ``node_entered`` is read as ``NodeEntered``. The first three kinds are the original's; the others seqkit's own.

``NodeEntered``
    A repo is to be released, and is about to be. `version`: at which version.
``NodeExited``
    It is out. `run_id`: what the release is called. `confirmed` (``"check"``): somebody looked, as the attempt had
    failed; `error` then says why it had.
``NodeFailed``
    It failed, and is not tried again. `error`: why. `in_doubt` (true): nobody knows whether it is out all the same.
    `still_running` (true): its last attempt goes on, though asked to stop. `given_up` (true): another attempt was
    allowed and not made.
``NodeRetrying``
    An attempt failed, and there is another. `attempt`: which one failed, from 1. `delay_ms`: how long the next waits.
    `error`: why. `still_running` as above.
``NodeSkipped``
    It is passed over. `blocked_by`: the failed repos that it waits for, in plan order; empty where the run stopped.
    `n_blocked_by`: how many they are, where there are more than the hundred that are named.
``NodeLate``
    An attempt ended after its repo had failed. `run_id`: it is out, and what it is called, with `confirmed` as above;
    or `error`: it ended without an id, with `in_doubt` where nobody knows.
``NodeProcess``
    A process works on it. `pid`, `start_time` (clock ticks since the machine started), `boot_id`, `host`.
``RunClosed``
    The run died, and somebody closed it; it has no `node_id`. `reason`: why.

A ``NodeExited`` or ``NodeFailed`` that came when nothing started any more has `after_stop` (true). Flags are written
where they are true. An entry without an end is in doubt once its run has ended. What contradicts an event before it is passed over by
whoever reads the run, and told by an audit.

Records of other systems
------------------------

A run of another system has the tag `imported`: `from` (which system, in words), `times` (false where it tells none: the
record's own are then stand-ins) and `pending` (repos that had no turn, with their versions or null). It carries no
plan; `version`, `run_id` and `error` may be missing in its events, which can say what those of seqkit never do:

`time_unknown`
    True: nobody told when it happened, and the timestamp is a stand-in that keeps the order. Of any kind.
`attempt`
    In ``NodeEntered``: which attempt it is, where it is not the next.
`next_started_at`, `next_attempt`
    In ``NodeRetrying``: when the next attempt began (null: nobody told), where that is not the end of the wait; and
    which one it is.
`cause`
    In ``NodeSkipped``: ``blocked``, ``unreleased``, ``stopped``, or null where nobody told.
`version`
    In ``NodeSkipped`` too: the version that would have gone out.
`detail`
    In whatever ends an attempt and in ``NodeSkipped``: what the system itself calls it.

One of these, of which neither versions nor times are known::

    {"run": {"run_id": "1184", "spec_digest": "b1cf5b7f34af4c69f9e80dc38f529723e5919a397b7cc079d7b498fe326c3a19", "metadata": {"agent_name": "nightly", "tags": {"imported": {"from": "our old scripts", "times": false, "pending": {"site": null}}}}, "status": "FAILED", "created_at": "2026-05-04T00:00:00Z", "completed_at": "2026-05-04T00:00:00Z", "summary": {"total_events": 4, "duration_ms": 0, "success": false}}}
    {"event": {"run_id": "1184", "seq": 1, "timestamp": "2026-05-04T00:00:00Z", "kind": "NodeEntered", "payload": {"node_id": "core", "time_unknown": true}}}
    {"event": {"run_id": "1184", "seq": 2, "timestamp": "2026-05-04T00:00:00Z", "kind": "NodeFailed", "payload": {"node_id": "core", "error": "exit 1", "detail": "ABORTED", "time_unknown": true}}}
    {"event": {"run_id": "1184", "seq": 3, "timestamp": "2026-05-04T00:00:00Z", "kind": "NodeSkipped", "payload": {"node_id": "api", "blocked_by": ["core"], "cause": "blocked", "time_unknown": true}}}
    {"event": {"run_id": "1184", "seq": 4, "timestamp": "2026-05-04T00:00:00Z", "kind": "NodeSkipped", "payload": {"node_id": "docs", "cause": null, "detail": "NOT_BUILT", "time_unknown": true}}}
"""  # noqa: E501  # a line of the format is a line

from __future__ import annotations

__all__: list[str] = []
