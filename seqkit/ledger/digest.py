"""The digest of a run's final state: its events and what became of each item, in 64 characters.

It is SHA-256 of the UTF-8 JSON, keys sorted and without spaces, of ``[events, statuses]``: the events
in the order of `seq`, each ``{"kind", "payload", "seq", "timestamp"}`` as in an exported ledger, and
``[repo_id, status]`` of each item in plan order.

What it proves: whoever kept the digest elsewhere can tell that the ledger still says what it said
when the run ended. What it does not prove: the digest stands in the same ledger, so whoever changes an
event there can write a new digest beside it; and it says nothing about whether what was recorded
was true.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from typing import Any

from seqkit.core.model import ContentDigest, RunEvent, utc_text

__all__ = ["StateDigest"]


class StateDigest:
    """Takes the digest while a run goes on, event by event, so that none has to be kept.

    Examples
    --------
    >>> StateDigest().finished([("core", "pending")]) == hashlib.sha256(b'[[],[["core","pending"]]]').hexdigest()
    True
    """

    def __init__(self) -> None:
        self._hash = hashlib.sha256(b"[[")
        self._events = 0

    def add(self, event: RunEvent) -> None:
        """Take in the next event."""
        kind, payload = _canonical(event.kind), _canonical(event.payload)
        rest = f',"seq":{event.seq},"timestamp":"{utc_text(event.timestamp)}"}}'.encode()
        self._hash.update(b'%s{"kind":%s,"payload":%s%s' % (b"," * bool(self._events), kind, payload, rest))
        self._events += 1

    def finished(self, statuses: Iterable[tuple[str, Any]]) -> ContentDigest:
        """Give the digest of the events so far and of each item's status in its JSON form, in plan order."""
        whole = self._hash.copy()
        whole.update(
            b"],[" + b",".join(b"[%s,%s]" % (_canonical(repo), _canonical(status)) for repo, status in statuses)
        )
        whole.update(b"]]")
        return ContentDigest(whole.hexdigest())


_encoded = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode


def _canonical(content: Any) -> bytes:
    # Half a surrogate pair is no UTF-8; a repo id that has one must not keep a run from ending.
    return _encoded(content).encode("utf-8", "surrogatepass")
