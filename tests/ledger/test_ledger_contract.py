"""One contract, every ledger: memory, SQLite and PostgreSQL."""

import hashlib
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta, timezone
from itertools import count

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from seqkit import (
    GraphRunRecorder,
    IntegrityError,
    InvalidDigest,
    InvalidRunState,
    MemoryRunLedger,
    RunEvent,
    RunLedger,
    RunMetadata,
    RunNotFound,
    RunStatus,
    RunSummary,
    SqlRunLedger,
    StorageError,
)
from tests.tools.strategies import HOSTILE_NAMES

DIGEST = "0" * 64
NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)
SUMMARY = RunSummary(total_events=1, duration_ms=5, success=True)
FINISHES = {"complete_run": RunStatus.COMPLETED, "fail_run": RunStatus.FAILED, "cancel_run": RunStatus.CANCELLED}
STORES = ["memory", "sqlite file", "sqlite in memory", "postgres"]


class Clock:
    """A clock that goes one second further each time it is read."""

    def __init__(self):
        self.now = NOON

    def __call__(self):
        self.now += timedelta(seconds=1)
        return self.now


def event(seq, kind="NodeEntered", **payload):
    return RunEvent(seq=seq, kind=kind, payload=payload or {"node_id": "a", "version": "1"}, timestamp=NOON)


@pytest.fixture(params=STORES)
def store(request, tmp_path):
    """What kind of ledger, and how to make one; all that a test makes are of one database."""
    where = None
    if request.param == "sqlite file":
        where = tmp_path / "runs.db"
    elif request.param == "postgres":
        where = request.getfixturevalue("postgres").fresh()
    made = []

    def make(**options):
        if request.param == "memory":
            made.append(MemoryRunLedger(**options))
        else:
            made.append(SqlRunLedger(where or "sqlite://", **options))
        return made[-1]

    yield request.param, make
    for ledger in made:
        ledger.close()


@pytest.fixture
def ledger(store):
    return store[1](ids=(f"run-{number}" for number in count(1)), clock=Clock())


def test_a_ledger_fits_the_protocol(ledger):
    assert isinstance(ledger, RunLedger)
    assert ledger.blocking is isinstance(ledger, SqlRunLedger)


def test_a_run_starts_running(ledger):
    metadata = RunMetadata(git_sha="abc", tags={"plan_id": "seq-1", "train": "été"})
    run = ledger.get_run(ledger.create_run(DIGEST, metadata))
    assert (run.run_id, run.spec_digest, run.status) == ("run-1", DIGEST, RunStatus.RUNNING)
    assert run.metadata == metadata
    assert (run.created_at, run.completed_at, run.summary) == (NOON + timedelta(seconds=1), None, None)


@pytest.mark.parametrize(
    ("finish", "status"),
    [
        ("complete_run", RunStatus.COMPLETED),
        ("fail_run", RunStatus.FAILED),
        ("cancel_run", RunStatus.CANCELLED),
    ],
)
def test_a_run_ends_once_and_then_never_changes(ledger, finish, status):
    run_id = ledger.create_run(DIGEST, RunMetadata())
    ledger.append_event(run_id, event(1))
    getattr(ledger, finish)(run_id, SUMMARY)
    run = ledger.get_run(run_id)
    assert (run.status, run.summary) == (status, SUMMARY)
    assert run.completed_at > run.created_at
    message = f"run run-1 is {status.value.capitalize()}, expected Running"
    for again in ("complete_run", "fail_run", "cancel_run"):
        with pytest.raises(InvalidRunState, match=message):
            getattr(ledger, again)(run_id, SUMMARY)
    with pytest.raises(InvalidRunState, match=message):
        ledger.append_event(run_id, event(2))
    assert ledger.get_run(run_id) == run
    assert ledger.get_events(run_id) == [event(1)]


def test_events_come_back_whole_and_ordered_by_seq(ledger):
    run_id = ledger.create_run(DIGEST, RunMetadata())
    odd = event(2, kind="Сustom", nested={"list": [1, None, "\n\x00", {"é": 1.5}]}, emoji="😀")
    ledger.append_event(run_id, odd)
    ledger.append_event(run_id, event(1))
    assert ledger.get_events(run_id) == [event(1), odd]


def test_a_seq_is_used_once(ledger):
    run_id = ledger.create_run(DIGEST, RunMetadata())
    ledger.append_event(run_id, event(1))
    with pytest.raises(IntegrityError, match="run run-1 has an event with seq 1 already"):
        ledger.append_event(run_id, event(1, kind="NodeExited"))
    with pytest.raises(IntegrityError, match="seq is 0, expected a whole number from 1"):
        ledger.append_event(run_id, event(0))
    other = ledger.create_run(DIGEST, RunMetadata())
    ledger.append_event(other, event(1))
    assert ledger.get_events(run_id) == [event(1)]


def test_unknown_runs_are_named(ledger):
    for call in (
        lambda: ledger.get_run("nobody"),
        lambda: ledger.get_events("nobody"),
        lambda: ledger.append_event("nobody", event(1)),
        lambda: ledger.complete_run("nobody", SUMMARY),
    ):
        with pytest.raises(RunNotFound, match=r"^run not found: nobody$"):
            call()


def test_digests_are_checked(ledger):
    for bad in ("", "0" * 63, "A" * 64, "0" * 64 + "\n"):
        with pytest.raises(InvalidDigest, match="expected 64 lowercase hexadecimal"):
            ledger.create_run(bad, RunMetadata())
    assert ledger.list_runs() == []


def test_runs_are_listed_oldest_first(ledger):
    ids = [ledger.create_run(digest * 64, RunMetadata()) for digest in "aba"]
    assert [run.run_id for run in ledger.list_runs()] == ids
    assert [run.run_id for run in ledger.list_runs("a" * 64)] == [ids[0], ids[2]]
    assert ledger.list_runs("c" * 64) == []


def test_the_recorder_numbers_events_and_time_never_runs_backwards(ledger):
    times = iter([NOON, NOON + timedelta(seconds=5), NOON, NOON + timedelta(seconds=2)])
    recorder = GraphRunRecorder.start(ledger, DIGEST, RunMetadata(), clock=lambda: next(times))
    first = recorder.record("NodeEntered", {"node_id": "a", "version": "1"})
    second = recorder.record("NodeExited", {"node_id": "a", "run_id": "r"})
    recorder.finish_ok()
    assert [first.seq, second.seq] == [1, 2]
    assert first.timestamp == second.timestamp == NOON + timedelta(seconds=5)
    assert ledger.get_events(recorder.run_id) == [first, second]
    assert ledger.get_run(recorder.run_id).summary == RunSummary(total_events=2, duration_ms=5000, success=True)
    with pytest.raises(InvalidRunState):
        recorder.finish_err(SUMMARY)


def test_a_run_id_is_used_once(store):
    ledger = store[1](ids=["x", "x", "y"])
    ledger.create_run(DIGEST, RunMetadata())
    with pytest.raises(IntegrityError):
        ledger.create_run(DIGEST, RunMetadata())
    assert ledger.create_run(DIGEST, RunMetadata()) == "y"
    assert len(ledger.list_runs()) == 2


def test_no_run_ends_before_it_began(store):
    times = iter([NOON, NOON - timedelta(hours=1)])
    ledger = store[1](clock=lambda: next(times))
    run_id = ledger.create_run(DIGEST, RunMetadata())
    ledger.complete_run(run_id, SUMMARY)
    assert ledger.get_run(run_id).completed_at == NOON


def test_runs_of_one_instant_are_listed_as_they_were_created(store):
    ledger = store[1](ids=["b", "c", "a"], clock=lambda: NOON)
    for _ in range(3):
        ledger.create_run(DIGEST, RunMetadata())
    assert [run.run_id for run in ledger.list_runs()] == ["b", "c", "a"]


def test_times_come_back_to_the_microsecond_in_utc(ledger):
    run_id = ledger.create_run(DIGEST, RunMetadata())
    moments = [
        datetime(2026, 1, 2, 3, 4, 5, 678901, UTC),
        datetime(2026, 7, 2, 3, 4, 5, 1, timezone(timedelta(hours=5, minutes=30))),
        datetime(1, 1, 1, tzinfo=UTC),
        datetime(9999, 12, 31, 23, 59, 59, 999999, UTC),
    ]
    for seq, moment in enumerate(moments, 1):
        ledger.append_event(run_id, RunEvent(seq=seq, kind="k", payload={}, timestamp=moment))
    assert [stored.timestamp for stored in ledger.get_events(run_id)] == moments


@pytest.mark.parametrize("payload", [None, [], "text", 0, 1.5, True, {"": {}}, 10**400])
def test_a_payload_is_any_json(ledger, payload):
    run_id = ledger.create_run(DIGEST, RunMetadata(tags=payload))
    ledger.append_event(run_id, RunEvent(seq=1, kind="k", payload=payload, timestamp=NOON))
    assert [stored.payload for stored in ledger.get_events(run_id)] == [payload]
    assert ledger.get_run(run_id).metadata.tags == payload


# ---------------------------------------------------------------------- text that databases dislike

texts = st.one_of(
    st.text(max_size=6), st.sampled_from([*HOSTILE_NAMES, "\0", "\ud800", "a\udfffb", "\\ud800", "\u2028"])
)
numbers = st.integers() | st.floats(allow_nan=False, allow_infinity=False)
documents = st.recursive(
    st.none() | st.booleans() | numbers | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)


def examples(name, many):
    few = {"postgres": many // 8, "sqlite file": many // 8}
    return settings(max_examples=few.get(name, many), suppress_health_check=[HealthCheck.function_scoped_fixture])


def test_any_json_comes_back_as_it_was(store):
    ledger = store[1]()

    @examples(store[0], 200)
    @given(documents, texts)
    @example({"node_id": "\0\ud800", "\udfff": ["\0"]}, "\0")
    def check(document, name):
        metadata = RunMetadata(git_sha=name, agent_name=name, tags=document)
        run_id = ledger.create_run(DIGEST, metadata)
        stored = RunEvent(seq=1, kind="k", payload=document, timestamp=NOON)
        ledger.append_event(run_id, stored)
        assert ledger.get_events(run_id) == [stored]
        assert ledger.get_run(run_id).metadata == metadata

    check()


@pytest.mark.parametrize("text", ["\0", "a\0b", "\ud800", "\udfff!"])
def test_ids_and_kinds_come_back_or_are_refused(store, text):
    ledger = store[1](ids=["run-1", text])
    run_id = ledger.create_run(DIGEST, RunMetadata())
    for unknown in (ledger.get_run, ledger.get_events, lambda run: ledger.append_event(run, event(1))):
        with pytest.raises(RunNotFound):
            unknown(text)
    assert ledger.list_runs(text) == []
    if store[0] == "memory":
        ledger.append_event(run_id, event(1, kind=text))
        assert (ledger.get_events(run_id)[0].kind, ledger.create_run(DIGEST, RunMetadata())) == (text, text)
        return
    with pytest.raises(StorageError, match=r"event kind is .*which a database cannot hold; expected text without NUL"):
        ledger.append_event(run_id, event(1, kind=text))
    with pytest.raises(StorageError, match=r"run id is .*which a database cannot hold"):
        ledger.create_run(DIGEST, RunMetadata())
    assert (ledger.get_events(run_id), len(ledger.list_runs())) == ([], 1)


def test_what_is_no_json_is_refused(store):
    ledger = store[1]()
    run_id = ledger.create_run(DIGEST, RunMetadata())
    deep = []
    for _ in range(100_000):
        deep = [deep]
    for payload in ({"when": NOON}, {"a": {1, 2}}, {"pair": "\ud83d\ude00"}, {"deep": deep}, {"huge": 10**5000}):
        bad = RunEvent.model_construct(seq=1, kind="k", payload=payload, timestamp=NOON)
        if store[0] != "memory":
            with pytest.raises(StorageError, match=r"an event of run .* cannot be written as JSON"):
                ledger.append_event(run_id, bad)
    assert ledger.get_events(run_id) == []


# ---------------------------------------------------------------------- any sequence of calls


class Model:
    """What a ledger must do, in ten lines."""

    def __init__(self):
        self.status, self.events = {}, {}

    def create(self, run):
        self.status[run], self.events[run] = RunStatus.RUNNING, {}

    def append(self, run, seq):
        if run not in self.status:
            return RunNotFound
        if self.status[run] != RunStatus.RUNNING:
            return InvalidRunState
        if seq < 1 or seq in self.events[run]:
            return IntegrityError
        self.events[run][seq] = None

    def finish(self, run, status):
        if run not in self.status:
            return RunNotFound
        if self.status[run] != RunStatus.RUNNING:
            return InvalidRunState
        self.status[run] = status


calls = st.lists(
    st.one_of(
        st.just(("create",)),
        st.tuples(st.just("append"), st.integers(0, 3), st.integers(-1, 6), documents),
        st.tuples(st.just("finish"), st.integers(0, 3), st.sampled_from(sorted(FINISHES))),
    ),
    max_size=30,
)


def test_any_sequence_of_calls_goes_as_in_the_model(store):
    ledger, cases = store[1](), count()

    @examples(store[0], 160)
    @given(calls)
    def check(sequence):
        digest = hashlib.sha256(str(next(cases)).encode()).hexdigest()  # tells one case's runs from the others'
        model, runs = Model(), []

        def run_of(number):
            return runs[number] if number < len(runs) else "nobody"

        def attempt(call, expected):
            if expected is None:
                call()
            else:
                with pytest.raises(expected):
                    call()

        for name, *arguments in sequence:
            if name == "create":
                runs.append(ledger.create_run(digest, RunMetadata()))
                model.create(runs[-1])
            elif name == "append":
                run, seq, payload = run_of(arguments[0]), *arguments[1:]
                expected = model.append(run, seq)
                new = RunEvent(seq=seq, kind="k", payload=payload, timestamp=NOON)
                attempt(lambda: ledger.append_event(run, new), expected)
                if expected is None:
                    model.events[run][seq] = new
            else:
                run, finish = run_of(arguments[0]), arguments[1]
                attempt(lambda: getattr(ledger, finish)(run, SUMMARY), model.finish(run, FINISHES[finish]))
        assert [run.run_id for run in ledger.list_runs(digest)] == runs
        for run in runs:
            record = ledger.get_run(run)
            assert record.status == model.status[run]
            assert (record.summary is None) == (record.completed_at is None) == (record.status is RunStatus.RUNNING)
            assert ledger.get_events(run) == [model.events[run][seq] for seq in sorted(model.events[run])]

    check()


# ---------------------------------------------------------------------- many threads


def in_threads(*calls):
    """Start all calls at once and give their results."""
    barrier = threading.Barrier(len(calls))

    def at_once(call):
        barrier.wait(60)
        return call()

    with ThreadPoolExecutor(len(calls)) as pool:
        return [future.result(60) for future in [pool.submit(at_once, call) for call in calls]]


def test_threads_write_to_runs_of_their_own(ledger):
    def whole_run(name):
        run_id = ledger.create_run(DIGEST, RunMetadata(git_sha=name))
        for seq in range(1, 21):
            ledger.append_event(run_id, event(seq, node_id=name))
        ledger.complete_run(run_id, SUMMARY)
        return run_id

    names = [f"thread {number}" for number in range(6)]
    runs = in_threads(*[lambda name=name: whole_run(name) for name in names])
    assert sorted(run.run_id for run in ledger.list_runs()) == sorted(runs)
    for name, run_id in zip(names, runs, strict=True):
        assert ledger.get_run(run_id).metadata.git_sha == name
        assert ledger.get_events(run_id) == [event(seq, node_id=name) for seq in range(1, 21)]


def test_of_two_writers_to_one_seq_one_wins(ledger):
    run_id = ledger.create_run(DIGEST, RunMetadata())

    def write(name):
        mine, errors = [], {}
        for seq in range(1, 41):
            try:
                ledger.append_event(run_id, event(seq, node_id=name))
                mine.append(seq)
            except IntegrityError as error:
                errors[seq] = str(error)
        return mine, errors

    (mine, errors), (theirs, more_errors) = in_threads(lambda: write("a"), lambda: write("b"))
    won = {"a": mine, "b": theirs}
    assert sorted(mine + theirs) == list(range(1, 41))
    assert errors | more_errors == {seq: f"run {run_id} has an event with seq {seq} already" for seq in range(1, 41)}
    for stored in ledger.get_events(run_id):
        assert stored.seq in won[stored.payload["node_id"]]


def test_nothing_is_written_to_a_run_that_has_ended(ledger):
    run_id = ledger.create_run(DIGEST, RunMetadata())
    started, ended = threading.Event(), threading.Event()

    def write():
        acknowledged, after_the_end = [], 0
        for seq in range(1, 10_000):
            late = ended.is_set()
            try:
                ledger.append_event(run_id, event(seq))
            except InvalidRunState:
                return acknowledged, after_the_end
            acknowledged.append(seq)
            after_the_end += late
            if seq == 5:
                started.set()
            if started.is_set():
                ended.wait(0.001)  # or SQLite, which has no queue for its lock, might never let the other thread in
        raise AssertionError("the run never ended")

    def end():
        started.wait(60)
        ledger.complete_run(run_id, SUMMARY)
        ended.set()
        return [stored.seq for stored in ledger.get_events(run_id)]

    (acknowledged, after_the_end), at_the_end = in_threads(write, end)
    assert after_the_end == 0
    assert acknowledged == at_the_end == [stored.seq for stored in ledger.get_events(run_id)]


def test_a_run_ends_once_whoever_ends_it(ledger):
    run_id = ledger.create_run(DIGEST, RunMetadata())

    def end(finish):
        try:
            getattr(ledger, finish)(run_id, SUMMARY)
        except InvalidRunState:
            return None
        return FINISHES[finish]

    ends = in_threads(*[lambda finish=finish: end(finish) for finish in FINISHES])
    assert [status for status in ends if status] == [ledger.get_run(run_id).status]
