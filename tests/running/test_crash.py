"""A run that is killed at any moment leaves a ledger that tells what is left, and nothing that was recorded is lost."""

import json
import multiprocessing
import random
import time
from collections import Counter

import pytest
import sqlalchemy as sa

from seqkit import RunStatus, SqlRunLedger
from seqkit.auditing import audit
from seqkit.history import resume_plan
from tests.tools import crash_child

PROCESSES = multiprocessing.get_context(
    "forkserver" if "forkserver" in multiprocessing.get_all_start_methods() else "spawn"
)
if hasattr(PROCESSES, "set_forkserver_preload"):
    PROCESSES.set_forkserver_preload(["seqkit.ledger.sql", "seqkit.history"])  # imported once, not by each


class Case:
    """One plan, executed and resumed by one process after another until nothing is left."""

    def __init__(self, url, folder, seed, in_doubt, server):
        self.url, self.folder, self.seed, self.in_doubt, self.server = url, folder, seed, in_doubt, server
        self.chance = random.Random(f"kills {seed}")
        self.planned = crash_child.plan_of(seed).released
        self.kills = 0
        self.doubts = Counter()
        folder.mkdir()

    def lines(self, name):
        path = self.folder / name
        return path.read_text(encoding="utf-8").splitlines() if path.exists() else []

    def acknowledged(self, turn):
        noted = [json.loads(line) for line in self.lines("acknowledged")]
        return [(seq, kind, repo) for of, seq, kind, repo in noted if of == turn]

    def execute(self, turn):
        """Start a process and kill it, unless it is done before."""
        arguments = (self.url, self.folder, self.seed, turn, self.in_doubt)
        process = PROCESSES.Process(target=crash_child.execute, args=arguments)
        process.start()
        last = self.chance.randint(-2, 2 * len(self.planned)) if turn < 8 else 10**9
        if last < 0:  # while it opens the ledger, and makes the tables the first time
            while process.is_alive() and str(turn) not in self.lines("turns"):
                time.sleep(0.0002)
            time.sleep(self.chance.random() * 0.05)
        else:
            while process.is_alive() and len(self.acknowledged(turn)) < last:
                time.sleep(0.0005)
            time.sleep(self.chance.random() * 0.006)
        process.kill()
        process.join(60)
        assert process.exitcode in (0, -9)
        self.kills += process.exitcode == -9
        self.wait_for_the_server()

    def wait_for_the_server(self):
        # PostgreSQL finishes a statement whose client is gone: look at the ledger after that.
        if self.server is not None:
            engine = sa.create_engine(self.server.url.replace("://", "+psycopg://"), poolclass=sa.NullPool)
            count = "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'"
            with engine.connect() as connection:
                while connection.exec_driver_sql(count).scalar() > 1:
                    time.sleep(0.001)
                    connection.rollback()  # statistics stand still within a transaction

    def check(self, turn, ledger):
        """Hold the ledger against what was noted, and give what is left of the newest run."""
        runs = ledger.list_runs()
        acknowledged = self.acknowledged(turn)
        newest = runs[-1] if runs and runs[-1].metadata.tags["turn"] == turn else None
        if newest is None:
            assert acknowledged == []
        else:
            events = [(one.seq, one.kind, one.payload["node_id"]) for one in ledger.get_events(newest.run_id)]
            assert events[: len(acknowledged)] == acknowledged, "an event that was acknowledged is lost"
            assert len(events) <= len(acknowledged) + 1
            ends = {"NodeExited", "NodeFailed"}
            open_ = {repo for _, kind, repo in events if kind == "NodeEntered"}
            open_ -= {repo for _, kind, repo in events if kind in ends}
            assert len(open_) <= (newest.status is RunStatus.RUNNING)
            self.doubts.update(open_)
        report = audit(ledger)
        findings = report.findings
        noted = findings[findings["severity"] != "info"]
        running = [run.run_id for run in runs if run.status is RunStatus.RUNNING]
        assert sorted(set(noted["run_id"])) == sorted(running)
        assert set(noted["check"]) <= {"unfinished"}, noted.to_string()
        if not runs:
            return self.planned

        out = {
            event.payload["node_id"]
            for run in runs
            for event in ledger.get_events(run.run_id)
            if event.kind == "NodeExited"
        }
        really = set(self.lines("released"))
        assert out <= really <= out | set(self.doubts), "what was released and what is recorded differ"
        gone = out | set(self.doubts) if self.in_doubt == "done" else out
        plan = resume_plan(ledger, runs[-1].run_id, in_doubt=self.in_doubt)
        assert sorted(plan.released) == sorted(set(self.planned) - gone)
        return plan.released

    def go(self):
        turn, left = 0, self.planned
        while left:
            assert turn < 20, f"seed {self.seed} comes to no end"
            self.execute(turn)
            with SqlRunLedger(self.url) as ledger:
                left = self.check(turn, ledger)
            turn += 1
        times = Counter(self.lines("released"))
        assert set(times) <= set(self.planned)
        for repo in self.planned:
            if not self.doubts[repo]:
                assert times[repo] == 1
            elif self.in_doubt == "retry":
                assert 1 <= times[repo] <= 1 + self.doubts[repo]
            else:
                assert times[repo] <= 1
        return self.kills


def crash(request, tmp_path, backend, in_doubt, kills):
    """Kill so often, in one case after another."""
    server = request.getfixturevalue("postgres") if backend == "postgres" else None
    seed = done = 0
    while done < kills:
        url = server.fresh() if server else f"sqlite:///{tmp_path / f'{seed}.db'}"
        done += Case(url, tmp_path / f"case {seed}", seed, in_doubt, server).go()
        seed += 1
    return done, seed


BOTH = [("sqlite", "retry"), ("sqlite", "done"), ("postgres", "retry"), ("postgres", "done")]


@pytest.mark.parametrize(("backend", "in_doubt"), BOTH)
def test_a_dozen_kills(request, tmp_path, backend, in_doubt):
    crash(request, tmp_path, backend, in_doubt, 6)


@pytest.mark.slow
@pytest.mark.parametrize(("backend", "in_doubt"), BOTH)
def test_many_kills(request, tmp_path, backend, in_doubt):
    kills, cases = crash(request, tmp_path, backend, in_doubt, 120)
    print(f"{backend}, in_doubt={in_doubt}: {kills} kills in {cases} cases")
