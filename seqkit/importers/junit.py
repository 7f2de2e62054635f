"""JUnit's XML, as most test tools write it: every test is a repo."""

from __future__ import annotations

import math
import os
import re
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import PurePath
from typing import NamedTuple
from xml.etree.ElementTree import Element

from seqkit._util.words import cut
from seqkit.core.graph import RepoDependencyGraph
from seqkit.errors import ReadError
from seqkit.importers._copies import RunFile, counted_once
from seqkit.importers._recorded import Recorded, moment
from seqkit.readers._documents import load_xml
from seqkit.readers._files import Opened, described, load_bytes, name_unpacked

__all__ = ["is_junit", "read_junit"]

_ROOTS = ("testsuites", "testsuite")
_ROOT = re.compile(rb"(?:\xef\xbb\xbf)?(?>\s+|<\?.*?\?>|<!--.*?-->|<!DOCTYPE[^>]*>)*+<testsuites?[\s/>]", re.DOTALL)
_FAILURES = ("failure", "error")
_EARLIER = ("flakyFailure", "flakyError")
_LATER = ("rerunFailure", "rerunError")


def is_junit(file: Opened) -> bool:
    """Tell whether an XML file has test suites."""
    return _ROOT.match(load_bytes(file)) is not None


def read_junit(files: Sequence[Opened], graph: RepoDependencyGraph | None = None) -> Recorded:
    """Read results of tests; every test is a repo, ``classname.name``, and every file a run.

    A run is called by the `id` of its ``<testsuites>``, else by name and timestamp, else as its file. Where suites of
    other names have one test, the suite's name stands before it: ``suite/classname.name``.

    Maven's reruns are attempts: those before a flaky test passed, and those after it failed. So are tests that stand
    in a suite more than once, in their order. Nothing is said of who blocked whom: what was skipped is ``skipped``,
    with the message as `detail`.

    JUnit tells when a suite began and how long each test took. A test is taken to begin when those before it in its
    suite have ended, which is wrong where they run side by side; without a timestamp there are no times.

    Parameters
    ----------
    files : sequence of Opened
        XML files.
    graph : RepoDependencyGraph, optional
        Not asked: a test that was skipped waits for nobody.

    Raises
    ------
    ReadError
        Where a file is no XML, has entities, has no suites or tests without a name, or two files tell of one run
        otherwise.
    """
    found = Recorded("JUnit")
    roots = [(file, load_xml(file)) for file in files]
    for file, root in roots:
        if _tag(root) not in _ROOTS:
            raise ReadError(file, None, f"has the root <{cut(_tag(root), 80)}>, expected <testsuites> or <testsuite>")
    names = _run_names(roots)
    told = [RunFile(file, name, _tests(file, root, found)) for (file, root), name in zip(roots, names, strict=True)]
    for run in counted_once(found, told):
        for repo, cases in run.items.items():
            _add(run.run_id, repo, cases, found)
    return found


# ---------------------------------------------------------------------- what a file says


class _TestTry(NamedTuple):
    meaning: str
    reason: str | None = None
    detail: str | None = None


class _TestCase(NamedTuple):
    tries: tuple[_TestTry, ...]
    started: datetime | None
    finished: datetime | None


def _tag(element: Element) -> str:
    """Give the name of an element, without its namespace."""
    return element.tag.rpartition("}")[2]


def _run_names(roots: Sequence[tuple[Opened, Element]]) -> list[str]:
    """Name the runs; files of one name in several folders by the folder too."""
    own = [_own_name(root) for _, root in roots]
    paths = [PurePath(os.path.abspath(name_unpacked(file))) for file, _ in roots]
    folders: dict[str, set[PurePath]] = {}
    for name, path in zip(own, paths, strict=True):
        if not name:
            folders.setdefault(path.stem, set()).add(path.parent)
    return [
        name or (path.stem if len(folders[path.stem]) == 1 else f"{path.parent.name}/{path.stem}")
        for name, path in zip(own, paths, strict=True)
    ]


def _own_name(root: Element) -> str:
    name, run = root.get("name", ""), root.get("id", "") if _tag(root) == "testsuites" else ""
    timestamp = next((suite.get("timestamp", "") for suite in root.iter() if suite.get("timestamp")), "")
    return run or (f"{name} {timestamp}" if name and timestamp else "")


def _tests(file: Opened, root: Element, found: Recorded) -> dict[str, list[_TestCase]]:
    """Give the tests of a file by their ids, with each time that they stand there."""
    suites: dict[str, dict[str, list[_TestCase]]] = {}
    for place, suite in _suites(root):
        for test, case in _cases(file, place, suite, found):
            suites.setdefault(test, {}).setdefault(suite.get("name", ""), []).append(case)
    tests: dict[str, list[_TestCase]] = {}
    for test, by_suite in suites.items():
        for name, cases in by_suite.items():
            tests.setdefault(f"{name}/{test}" if len(by_suite) > 1 and name else test, []).extend(cases)
    return tests


def _suites(root: Element) -> Iterator[tuple[str, Element]]:
    """Give the suites, those within others too, in the order in which they stand."""
    waiting = [(_tag(root), root)]
    while waiting:
        place, element = waiting.pop()
        if _tag(element) == "testsuite":
            yield place, element
        inner = [child for child in element if _tag(child) == "testsuite"]
        waiting += [(f"{place}.testsuite[{index}]", child) for index, child in enumerate(inner)][::-1]


def _cases(file: Opened, place: str, suite: Element, found: Recorded) -> Iterator[tuple[str, _TestCase]]:
    at = moment(file, f"{place}.timestamp", suite.get("timestamp"), found)
    cases = [child for child in suite if _tag(child) == "testcase"]
    if cases:
        found.say_once(
            "tests of suites without a timestamp have no times"
            if at is None
            else "starts of tests were counted up from the start of their suite, in their order"
        )
    for index, case in enumerate(cases):
        where = f"{place}.testcase[{index}]"
        test = ".".join(filter(None, (case.get("classname"), case.get("name"))))
        if not test:
            raise ReadError(file, None, f"{where} has neither classname nor name, expected what the test is called")
        tries = tuple(_tries(case))
        end = _later(file, f"{where}.time", at, case.get("time"))
        if len(tries) > 1:
            found.say("tests that were tried again, whose times are not told apart", test)
            yield test, _TestCase(tries, None, None)
        else:
            yield test, _TestCase(tries, at, end)
        at = end


def _later(file: Opened, where: str, at: datetime | None, text: str | None) -> datetime | None:
    """Give the time so many seconds later."""
    try:
        seconds = float((text or "0").replace(",", ""))  # some tools write 1,234.5
        if not (math.isfinite(seconds) and seconds >= 0):
            raise ValueError
        return None if at is None else at + timedelta(seconds=seconds)
    except (ValueError, OverflowError):
        raise ReadError(file, None, f"{where} is {described(text)}, expected seconds") from None


def _tries(case: Element) -> Iterator[_TestTry]:
    """Give the attempts at a test; a failure comes before its reruns, and what was flaky before the success."""
    failures = [child for child in case if _tag(child) in _FAILURES]
    skipped = next((child for child in case if _tag(child) == "skipped"), None)
    if skipped is not None and not failures:
        yield _TestTry("skipped", None, _told(skipped))
        return
    if failures:
        yield _failed(failures[0])
    for child in case:
        if _tag(child) in (_LATER if failures else _EARLIER):
            yield _failed(child)
    if not failures:
        yield _TestTry("succeeded")


def _failed(element: Element) -> _TestTry:
    return _TestTry("failed", _told(element), "error" if _tag(element).lower().endswith("error") else None)


def _told(element: Element) -> str | None:
    """Give the first line of a message, else of the text, else the type."""
    told = (element.get("message"), element.text, element.get("type"))
    return next((text.strip().splitlines()[0] for text in told if text and text.strip()), None)


# ---------------------------------------------------------------------- what comes of it


def _add(run_id: str, repo: str, cases: Sequence[_TestCase], found: Recorded) -> None:
    if len(cases) > 1:
        found.say("tests that stand in a suite more than once, each time taken for an attempt", repo)
    tried = [(one, case) for case in cases for one in case.tries if one.meaning != "skipped"]
    for attempt, (one, case) in enumerate(tried or [(cases[0].tries[0], cases[0])], 1):
        found.add(
            run_id,
            repo,
            one.meaning,
            attempt=attempt,
            started=case.started,
            finished=case.finished,
            reason=one.reason,
            detail=one.detail,
        )
