"""Times as people read them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

__all__ = ["moment_text", "time_text"]


def moment_text(moment: datetime) -> str:
    """Write when something was, to the second, in UTC and without saying so.

    Examples
    --------
    >>> moment_text(datetime(2026, 1, 2, 14, 5, 0, 340, tzinfo=UTC))
    '2026-01-02 14:05:00'
    """
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(" ", "seconds")


def time_text(time: timedelta) -> str:
    """Write how long something took, in its two largest units.

    Examples
    --------
    >>> print(*map(time_text, (timedelta(days=7, hours=2, minutes=40), timedelta(seconds=75), timedelta(seconds=1.25))))
    7 d 2 h 1 min 15 s 1.2 s
    >>> time_text(timedelta(microseconds=340)), time_text(timedelta())
    ('0.3 ms', '0 s')
    """
    microseconds = time // timedelta(microseconds=1)
    if microseconds < 0:
        return f"minus {time_text(-time)}"
    if not microseconds:
        return "0 s"
    if microseconds < 1_000_000:
        return f"{microseconds // 1000} ms" if microseconds >= 100_000 else f"{microseconds / 1000:.1f} ms"
    if microseconds < 60_000_000:
        return f"{microseconds / 1e6:.1f} s"
    left = microseconds // 1_000_000
    parts: list[str] = []
    for unit, seconds in (("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1)):
        count, left = divmod(left, seconds)
        if parts or count:
            parts.append(f"{count} {unit}")
    return " ".join(parts[:2])
