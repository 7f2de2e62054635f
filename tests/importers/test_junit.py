"""JUnit's XML: a row a test and attempt, and times as far as suites tell them."""

from __future__ import annotations

import random
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from seqkit import ReadError
from seqkit.importers.junit import is_junit, read_junit
from seqkit.readers._files import Opened
from tests.importers.opening import said, told, written

PLAIN = """<?xml version="1.0" encoding="utf-8"?>
<!-- made by hand -->
<testsuites name="nightly">
  <testsuite name="unit" timestamp="2026-01-05T10:00:00">
    <testcase classname="pkg.core" name="builds" time="1.5"/>
    <testcase classname="pkg.core" name="ships" time="0.5">
      <failure message="red&#10;more" type="E">trace</failure>
    </testcase>
    <testcase name="alone" time="1,000"><error>
      lost
      more</error></testcase>
    <testcase classname="pkg.api" name="builds" time="0"><skipped message="no disk"/></testcase>
  </testsuite>
</testsuites>
"""


def read(tmp_path: Path, **files: str) -> Any:
    return read_junit(written(tmp_path, {f"{name}.xml": text for name, text in files.items()}))


def suite(*cases: str, name: str = "s") -> str:
    return f'<testsuite name="{name}">{"".join(cases)}</testsuite>'


def test_results(tmp_path: Path) -> None:
    found = read(tmp_path, plain=PLAIN)
    assert told(found) == [
        ("pkg.core.builds", 1, "succeeded", [], None),
        ("pkg.core.ships", 1, "failed", [], None),
        ("alone", 1, "failed", [], "error"),
        ("pkg.api.builds", None, "skipped", [], "no disk"),
    ]
    assert {row.run_id for row in found.rows} == {"nightly 2026-01-05T10:00:00"}
    assert [row.reason for row in found.rows] == [None, "red", "lost", None]
    assert [row.started_at and row.started_at.timestamp() % 10_000 for row in found.rows][:3] == [7200, 7201.5, 7202]
    assert found.rows[2].finished_at == datetime(2026, 1, 5, 10, 16, 42, tzinfo=UTC)
    assert "counted up from the start of their suite" in said(found)
    assert "without a zone were taken for UTC" in said(found)


def test_what_is_recognised(tmp_path: Path) -> None:
    texts = {
        "a.xml": PLAIN,
        "b.xml": "\ufeff<testsuite/>",
        "c.xml": "<project/>",
        "d.xml": "<!-- <testsuites> --><x/>",
        "e.xml": "<testsuitesx/>",
        "f.xml.gz": PLAIN,
    }
    assert [is_junit(file) for file in written(tmp_path, texts)] == [True, True, False, False, False, True]


def test_recognising_comes_to_an_end(tmp_path: Path) -> None:
    (file,) = written(tmp_path, {"a.xml": "<!-- a -->" * 2_000})
    assert not is_junit(file)  # a search that tries every split of the comments would not


def test_reruns_are_attempts(tmp_path: Path) -> None:
    flaky = '<testcase name="a"><flakyFailure message="1"/><flakyError message="2"/></testcase>'
    lost = '<testcase name="b"><failure message="1"/><rerunFailure message="2"/><rerunError type="Lost"/></testcase>'
    found = read(tmp_path, r=suite(flaky, lost))
    assert told(found) == [
        ("a", 1, "failed", [], None),
        ("a", 2, "failed", [], "error"),
        ("a", 3, "succeeded", [], None),
        ("b", 1, "failed", [], None),
        ("b", 2, "failed", [], None),
        ("b", 3, "failed", [], "error"),
    ]
    assert [row.reason for row in found.rows] == ["1", "2", None, "1", "2", "Lost"]
    assert "2 tests that were tried again, whose times are not told apart: a, b" in said(found)
    assert "without a timestamp have no times" in said(found)
    assert {row.started_at for row in found.rows} == {None}


def test_a_test_that_stands_there_twice(tmp_path: Path) -> None:
    twice = suite('<testcase name="a"><failure/></testcase>', '<testcase name="a"/>', '<testcase name="b"/>')
    found = read(tmp_path, r=twice)
    assert [row[:3] for row in told(found)] == [("a", 1, "failed"), ("a", 2, "succeeded"), ("b", 1, "succeeded")]
    assert "tests that stand in a suite more than once, each time taken for an attempt: a" in said(found)


def test_suites_that_have_one_test(tmp_path: Path) -> None:
    inner = suite(
        '<testcase name="a"/>', suite('<testcase name="a"/>', '<testcase name="b"/>', name="deep"), name="top"
    )
    found = read(tmp_path, r=f"<testsuites>{inner}</testsuites>")
    assert [row.repo_id for row in found.rows] == ["top/a", "deep/a", "b"]


def test_what_runs_are_called(tmp_path: Path) -> None:
    one = suite('<testcase name="t"/>')
    texts = {
        "a.xml": f'<testsuites id="77" name="n">{suite()}{one}</testsuites>',
        "b.xml": one,
        "one/c.xml.gz": one,
        "two/c.xml": suite('<testcase name="u"/>'),
    }
    found = read_junit(written(tmp_path, texts))
    assert [row.run_id for row in found.rows] == ["77", "b", "one/c", "two/c"]


def test_a_run_that_comes_twice(tmp_path: Path) -> None:
    assert "came twice and count once" in said(read(tmp_path, a=PLAIN, b=PLAIN))
    with pytest.raises(ReadError, match="otherwise than"):
        read(tmp_path, a=PLAIN, b=PLAIN.replace("skipped", "failure"))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("<a/>", "has the root <a>, expected <testsuites>"),
        (suite("<testcase/>"), r"testsuite\.testcase\[0\] has neither classname nor name"),
        (suite('<testcase name="a" time="long"/>'), r"testcase\[0\]\.time is 'long', expected seconds"),
        (suite('<testcase name="a" time="-1"/>'), "is '-1', expected seconds"),
        (suite('<testcase name="a" time="1e999"/>'), "is '1e999', expected seconds"),
        (PLAIN.replace('time="0.5"', 'time="1e17"'), r"testsuites\.testsuite\[0\]\.testcase\[1\]\.time is '1e17'"),
        (PLAIN.replace("10:00:00", "noon"), r"testsuite\[0\]\.timestamp is '2026-01-05Tnoon', expected a time"),
        (PLAIN[:-20], "is no XML"),
        ('<!DOCTYPE x [<!ENTITY a "b">]><testsuite>&a;</testsuite>', "has what is not read"),
        ("<testsuite>" * 300 + "</testsuite>" * 300, "nested more than 200 levels"),
    ],
)
def test_what_is_malformed(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ReadError, match=message):
        read(tmp_path, r=text)


def test_damage(tmp_path: Path) -> None:
    rng = random.Random(0)
    path = tmp_path / "r.xml"
    refused = 0
    for _ in range(300):
        text = PLAIN
        for _ in range(rng.randint(1, 3)):
            start = rng.randrange(len(text))
            piece = rng.choice(["", "<", '"', "&amp;", "time", '<testcase name="x"/>', text[start - 9 : start]])
            text = text[:start] + piece + text[start + rng.randrange(4) :]
        path.write_text(text, "utf-8")
        try:
            read_junit([Opened(path)])
        except ReadError:
            refused += 1
    assert 0 < refused < 300
