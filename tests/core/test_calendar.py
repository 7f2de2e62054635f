"""Freeze windows: what is read, what is refused, and when the next moment is open."""

from __future__ import annotations

import itertools
import json
import pickle
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqkit import Freeze
from seqkit.core.calendar import Window, apart, as_calendar, as_dates, freeze_of, merged, next_open, windows_of

DAY = datetime(2026, 12, 24, tzinfo=UTC)
HOUR = timedelta(hours=1)
DATED = Freeze(DAY, DAY + 3 * HOUR, "Christmas", lead=1800)

spans = st.lists(st.tuples(st.integers(-20, 40), st.integers(1, 15)).map(lambda pair: (pair[0], sum(pair))), max_size=5)


@given(spans, st.integers(0, 70))
def test_the_next_open_moment_is_the_first_that_lies_in_no_window(spans: list[tuple[int, int]], moment: int) -> None:
    windows = apart([Window(begin, begin, end) for begin, end in spans])
    expected = next(t for t in range(moment, 200) if not any(begin <= t < end for begin, end in spans))
    assert next_open(windows, moment) == expected
    assert all(a[1] < b[0] for a, b in itertools.pairwise(windows)), "apart, and ascending"


def test_dates_are_told_in_utc_and_times_as_timedeltas() -> None:
    east = timezone(2 * HOUR)
    assert Freeze(datetime(2026, 12, 24, 2, tzinfo=east), datetime(2026, 12, 24, 5, tzinfo=east)).start == DAY
    assert (Freeze(60, HOUR).start, Freeze(60, HOUR).end, Freeze(60, HOUR).lead) == (
        timedelta(minutes=1),
        HOUR,
        timedelta(0),
    )
    assert repr(Freeze(60, HOUR, "a\u202eb")) == "Freeze(0:01:00 to 1:00:00, 'a\\u202eb')"
    assert pickle.loads(pickle.dumps(DATED)) == DATED
    assert hash(DATED) == hash(freeze_of(json.loads(json.dumps(DATED.to_tag())), "calendar[0]"))


@pytest.mark.parametrize(
    ("arguments", "error", "said"),
    [
        ((60, 60), ValueError, "end is 60, and start is 60: expected an end after the start"),
        ((DAY, DAY - HOUR), ValueError, "expected an end after the start"),
        ((DAY, 60), ValueError, "expected two dates, or two times"),
        ((datetime(2026, 1, 1), DAY), ValueError, "start is .*, expected an aware datetime"),
        (("noon", DAY), TypeError, "start is 'noon', expected seconds from 0 or a timedelta"),
        ((-5, 60), ValueError, "start is -5, expected seconds from 0"),
        ((0, 1e300), ValueError, "end is 1e[+]300, expected fewer seconds"),
        ((0, 60, 5), TypeError, "name is 5, expected a str"),
        ((0, 60, "x", -1), ValueError, "lead is -1, expected seconds from 0"),
        ((datetime(1, 1, 1, tzinfo=UTC), DAY, "", 60), ValueError, "lead is 60, which begins before there are dates"),
    ],
)
def test_what_is_no_window_is_refused(arguments: Any, error: type[Exception], said: str) -> None:
    with pytest.raises(error, match=said):
        Freeze(*arguments)


@pytest.mark.parametrize("wrong", [5, "2026", [DAY], {"start": 1}])
def test_a_calendar_has_freezes(wrong: Any) -> None:
    with pytest.raises(TypeError, match=r"calendar .*expected freezes"):
        as_calendar(wrong)


def test_a_run_goes_by_dates_and_a_schedule_of_dates_has_a_start() -> None:
    with pytest.raises(ValueError, match="expected dates: a run goes by its clock"):
        as_dates(Freeze(1, 2))
    with pytest.raises(ValueError, match="the schedule has no start: give it one"):
        windows_of([DATED], None)
    assert windows_of([DATED, Freeze(0.0001, 1)], DAY - HOUR) == [
        Window(1_800_000, 3_600_000, 14_400_000),
        Window(1, 1, 1_000),
    ]
    later = Freeze(DAY + 2 * HOUR, DAY + 9 * HOUR)
    assert merged([later, DATED]) == ((DAY - HOUR / 2, DAY + 9 * HOUR),)


@pytest.mark.parametrize("tag", [7, {}, {"start": "x", "end": "y"}, DATED.to_tag() | {"lead": "long"}])
def test_what_a_tag_has_of_no_freeze_is_named(tag: Any) -> None:
    with pytest.raises(ValueError, match=r"calendar\[0\] is .*expected a window with start and end"):
        freeze_of(tag, "calendar[0]")
