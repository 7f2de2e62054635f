"""Damage to good files: what a reader makes of them is a graph or an error of ours, whatever was done to them."""

from __future__ import annotations

import copy
import json
import random
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from seqkit import DependencyCycle, ReadError, read_graph

__all__ = ["damaged", "survives", "survives_damage"]

_OTHERS = [
    None,
    True,
    0,
    -1.5,
    "",
    "x",
    "\ud800",
    "a@1",
    [],
    {},
    [[]],
    [None],
    {"a": 1},
    "pkg:npm/%40",
    "NONE",
    1e300,
    "9999-12-31T23:59:59-23:00",
]


def survives_damage(document: Any, path: Path, format: str, examples: int, seed: int = 0) -> None:
    """Hold that a graph's file with one to three random faults is read, or refused with an error of ours."""
    rng = random.Random(seed)

    def read() -> None:
        read_graph(path, format, kinds="all", ids=rng.choice(["name", "name@version"]))

    survives(document, path, read, examples, seed)


def survives(document: Any, path: Path, read: Callable[[], object], examples: int, seed: int = 0) -> None:
    """Hold that a file with one to three random faults is read, or refused with a ReadError or a DependencyCycle."""
    refused: list[int] = []
    for text in damaged(document, examples, seed):
        path.write_text(text, "utf-8")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # ids that look alike
            try:
                read()
            except (ReadError, DependencyCycle) as error:
                refused.append(len(str(error)))
    assert 0 < len(refused) < examples
    assert max(refused) < 2_000


def damaged(document: Any, examples: int, seed: int = 0) -> Iterator[str]:
    """Give JSON with one to three random faults: a key or an item goes, is changed or comes twice; or it is cut."""
    rng = random.Random(seed)
    for _ in range(examples):
        worse = copy.deepcopy(document)
        for _ in range(rng.randint(1, 3)):
            _damage(worse, rng)
        text = json.dumps(worse)
        yield text[: rng.randrange(len(text))] if rng.random() < 0.1 else text


def _damage(document: Any, rng: random.Random) -> None:
    places: list[tuple[Any, Any]] = []
    waiting = [document]
    while waiting:
        here = waiting.pop()
        for key, value in here.items() if isinstance(here, dict) else enumerate(here):
            places.append((here, key))
            if isinstance(value, dict | list):
                waiting.append(value)
    if not places:
        return
    holder, key = rng.choice(places)
    match rng.randrange(3):
        case 0:
            del holder[key]
        case 1:
            holder[key] = copy.deepcopy(rng.choice(_OTHERS))  # or the next fault is one of all to come
        case _:
            other, at = rng.choice(places)
            holder[key] = copy.deepcopy(other[at])
