"""``schedule``: when a release will be done, from the command line."""

from __future__ import annotations

from pathlib import Path

import pytest

from seqkit import DurationModel, RepoDependencyGraph, build_plan, schedule
from seqkit.__main__ import main

Out = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("plan.csv").write_text("dependency,dependent\ncore,api\ncore,docs\napi,app\n")


def test_it_says_what_the_library_says(capsys: Out) -> None:
    options = ["--duration", "600", "--own-duration", "api=1200", "--spread", "0.4", "--parallel", "2", "--rng", "7"]
    options += ["--failure-rate", "0.1", "--trials", "500", "--deadline", "3600", "--attempts", "2", "--top", "2"]
    assert main(["schedule", "plan.csv", *options]) == 0
    out = " ".join(capsys.readouterr().out.split())
    plan = build_plan(RepoDependencyGraph.from_edges([("core", "api"), ("core", "docs"), ("api", "app")]), version="1")
    takes = DurationModel({"core": 600, "api": 1200, "docs": 600, "app": 600}, sigma=0.4)
    told = schedule(plan, takes, max_parallel=2, model=0.1, attempts=2, trials=500, rng=7)
    assert f"80% of the trains by {told.quantile(0.8)!r} {told.quantile(0.8, complete=True)!r}" in out
    assert f"Everything is released within 1 h with {told.p_done_by(3600)}." in out
    assert "500 trains, seed 7." in out
    assert "ON WHOM THE END HANGS" in out
    assert "docs" not in out.split("ON WHOM")[1], "the two that matter most"


def test_nothing_released_has_no_end(capsys: Out) -> None:
    assert main(["schedule", "plan.csv", "--duration", "60", "--failure-rate", "1", "--trials", "20"]) == 0
    assert "50% of the trains by" in capsys.readouterr().out


def test_freezes_are_told_with_the_last_safe_start(capsys: Out) -> None:
    options = ["--duration", "600", "--rng", "7", "--trials", "50", "--parallel", "0", "--top", "0"]
    freezes = ["--freeze", "1500/3000", "--freeze", "9000/9900", "--lead", "60"]
    assert main(["schedule", "plan.csv", *options, *freezes]) == 0
    out = " ".join(capsys.readouterr().out.split())
    assert "25 min 50 min 0.0% 100.0% 3.0 5 min sooner" in out
    assert "2 h 30 min 2 h 45 min 100.0% 0.0% 4.0 2 h later" in out
    dates = ["--start", "2026-12-24T09:00+01:00", "--freeze", "2026-12-24T08:15Z/2026-12-25T08:00Z"]
    assert main(["schedule", "plan.csv", *options, *dates]) == 0
    out = " ".join(capsys.readouterr().out.split())
    assert "2026-12-24 08:15 2026-12-25 08:00 0.0% 100.0% 1.0 2026-12-24 07:45" in out


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (
            ["--own-duration", "corr=5"],
            "--own-duration names 'corr', which plan.csv does not have; did you mean 'core'",
        ),
        (["--own-duration", "core"], "--own-duration is 'core', expected REPO=S"),
        (["--duration", "-1"], "--duration is -1.0, expected seconds from 0"),
        (["--spread", "9"], "--spread is 9"),
        (["--parallel", "-1"], "--parallel is -1"),
        (["--priority", "fast"], "--priority is 'fast'"),
        (["--deadline", "-5"], "--deadline is -5.0"),
        (["--trials", "0"], "--trials is 0"),
        (["--start", "noon"], "--start is 'noon', expected a date with its zone, such as 2026-12-24T18:00Z"),
        (["--start", "2026-12-24T09:00"], "--start is '2026-12-24T09:00', expected a date with its zone"),
        (["--freeze", "5"], "--freeze is '5', expected START/END, dates such as"),
        (["--freeze", "9/5"], "--freeze is '9/5': end is 5.0, and start is 9.0: expected an end after the start"),
        (["--freeze", "5/9", "--lead", "-1"], "--lead is -1.0, expected seconds from 0"),
        (["--freeze", "2026-12-24T09:00Z/2026-12-24T10:00Z"], "--freeze has dates, and there is no --start"),
    ],
)
def test_what_is_wrong_is_named_as_it_is_typed(options: list[str], said: str, capsys: Out) -> None:
    assert main(["schedule", "plan.csv", "--duration", "60", *options]) == 2
    assert said in capsys.readouterr().err
