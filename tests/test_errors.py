"""The error tree: wording, evidence, and the way across a process boundary."""

from __future__ import annotations

import copy
import pickle

import pytest

import seqkit
from seqkit import (
    Backend,
    DependencyCycle,
    DuplicateRelease,
    IntegrityError,
    InvalidDigest,
    InvalidRunState,
    MultiRepoError,
    ReadError,
    RepoNotFound,
    RunNotFound,
    SeqkitError,
    SequencingFailed,
    StorageError,
    errors,
)

PARENTS = {
    SeqkitError: Exception,
    MultiRepoError: SeqkitError,
    DependencyCycle: MultiRepoError,
    RepoNotFound: MultiRepoError,
    SequencingFailed: MultiRepoError,
    DuplicateRelease: MultiRepoError,
    StorageError: MultiRepoError,
    RunNotFound: StorageError,
    InvalidRunState: StorageError,
    InvalidDigest: StorageError,
    IntegrityError: StorageError,
    Backend: StorageError,
    ReadError: SeqkitError,
}

# error, its text, its evidence; the first five texts are the original's
TOLD = [
    (
        DependencyCycle(["A", "B", "A"]),
        'dependency cycle detected involving repos: ["A", "B", "A"]',
        {"repos": ["A", "B", "A"], "components": None},
    ),
    (RepoNotFound("X"), "repo not found in graph: X", {"repo": "X"}),
    (
        SequencingFailed("X", "why"),
        "release sequencing failed for repo X: why",
        {"repo": "X", "reason": "why"},
    ),
    (RunNotFound("R"), "run not found: R", {"run_id": "R"}),
    (
        InvalidRunState("R", "Completed"),
        "run R is Completed, expected Running",
        {"run_id": "R", "actual": "Completed", "expected": "Running"},
    ),
    (
        DependencyCycle(["A", "A"], components=2),
        'dependency cycle detected involving repos: ["A", "A"]; the edges have 2 cyclic components in all: '
        'remove an edge of each, or pass cycles="merge" to release each as one unit, or "keep" to see them',
        {"repos": ["A", "A"], "components": 2},
    ),
    (DuplicateRelease("X"), "repo released twice in one plan: X; keep one of its releases", {"repo": "X"}),
    (
        InvalidDigest("abc"),
        "invalid digest: 'abc', expected 64 lowercase hexadecimal characters (SHA-256)",
        {"digest": "abc"},
    ),
    (IntegrityError("seq 3 is there already"), "seq 3 is there already", {"events": [], "outcome": None}),
    (Backend("disk is full"), "disk is full", {"events": [], "outcome": None}),
    (ReadError("edges.csv", 3, "what"), "edges.csv, line 3: what", {"path": "edges.csv", "line": 3, "message": "what"}),
    (ReadError("lock.json", None, "what"), "lock.json: what", {"path": "lock.json", "line": None}),
]

each = pytest.mark.parametrize(
    ("error", "text", "evidence"), TOLD, ids=[f"{i}-{type(error).__name__}" for i, (error, *_) in enumerate(TOLD)]
)


@each
def test_wording_and_evidence(error: SeqkitError, text: str, evidence: dict[str, object]) -> None:
    assert str(error) == text
    assert {name: getattr(error, name) for name in evidence} == evidence


@each
@pytest.mark.parametrize("way", ["pickle", "copy"])
def test_errors_cross_a_process_boundary(error: SeqkitError, text: str, evidence: dict[str, object], way: str) -> None:
    if isinstance(error, StorageError):
        error.add_note("a note")
    back = pickle.loads(pickle.dumps(error)) if way == "pickle" else copy.copy(error)  # our own bytes
    assert type(back) is type(error)
    assert str(back) == text
    assert {name: getattr(back, name) for name in evidence} == evidence


def test_a_storage_errors_evidence_crosses_too() -> None:
    error = Backend("disk is full")
    error.events.append("an event")  # type: ignore[arg-type]  # any object will do here
    back = pickle.loads(pickle.dumps(error))  # our own bytes
    assert back.events == ["an event"]
    assert Backend("another").events == [], "not shared between errors"


def test_the_tree() -> None:
    for error, parent in PARENTS.items():
        assert error.__bases__[0] is parent
        assert getattr(seqkit, error.__name__) is error
    assert set(errors.__all__) == {error.__name__ for error in PARENTS}
    assert isinstance(InvalidDigest("x"), ValueError), "a bad digest is also a wrong argument"


def test_the_docstring_draws_the_tree() -> None:
    drawn = [line for line in (errors.__doc__ or "").splitlines() if "──" in line or "SeqkitError" in line]
    assert [line.replace("│", " ").split("── ")[-1].split("(")[0].split()[0] for line in drawn] == [
        error.__name__ for error in PARENTS
    ]


@pytest.mark.parametrize(
    ("repo", "shown"),
    [
        ('a"b', r'"a\"b"'),
        ("a\\b", r'"a\\b"'),
        ("two\nlines", r'"two\nlines"'),
        ("\t\r\0", r'"\t\r\0"'),
        ("\x7f\u200b", r'"\u{7f}\u{200b}"'),
        ("'", '"\'"'),
        ("é🚀", '"é🚀"'),
        ("", '""'),
    ],
)
def test_cycles_quote_as_the_original_does(repo: str, shown: str) -> None:
    assert str(DependencyCycle([repo, repo])) == f"dependency cycle detected involving repos: [{shown}, {shown}]"


@pytest.mark.parametrize("n", [1, 2, 99, 100])
def test_cycles_of_up_to_a_hundred_are_told_whole(n: int) -> None:
    repos = [f"r{number}" for number in range(n)]
    assert str(DependencyCycle(repos)).endswith("[" + ", ".join(f'"{repo}"' for repo in repos) + "]")


def test_of_longer_cycles_the_first_and_the_last_are_told() -> None:
    error = DependencyCycle([f"r{number}" for number in range(200_000)])
    told = '["r0", "r1", "r2", "r3", "r4", "r5", "r6", "r7", … 199,990 more, "r199998", "r199999"]'
    assert str(error) == f"dependency cycle detected involving repos: {told}"
    assert repr(error) == f"DependencyCycle({told})"
    assert pickle.loads(pickle.dumps(error)).repos == error.repos
