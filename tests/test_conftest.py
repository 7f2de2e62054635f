"""What the tests themselves keep to: no example fails because a machine is busy."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from hypothesis import settings

FILES = sorted(Path(__file__).parent.rglob("*.py"))


_OTHERS = ("Retry", "Scenario", "WhatIf")


def deadlines(tree: ast.AST) -> list[int]:
    """The lines where something is given a deadline, and not None; and where a profile is made or loaded.

    The deadline of a Retry, a Scenario or a WhatIf is another thing.
    """
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and not (isinstance(node.func, ast.Name) and node.func.id in _OTHERS):
            given = [keyword.value for keyword in node.keywords if keyword.arg == "deadline"]
            found += [value.lineno for value in given if not (isinstance(value, ast.Constant) and value.value is None)]
        elif isinstance(node, ast.Attribute) and node.attr in ("register_profile", "load_profile"):
            found.append(node.lineno)
    return found


def test_no_example_has_a_deadline() -> None:
    assert settings.default is not None
    assert settings.default.deadline is None
    assert settings.default.print_blob
    assert settings(max_examples=3).deadline is None, "what a test sets besides changes nothing"


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_no_test_sets_its_own(file: Path) -> None:
    found = deadlines(ast.parse(file.read_text(encoding="utf-8")))
    expected = 3 if file.name == "conftest.py" else 0  # two profiles, and one of them loaded
    assert len(found) == expected, f"{file.name} sets a deadline or a profile: {found}"


def test_a_deadline_would_be_found() -> None:
    told = "settings(deadline=200)\nsettings(max_examples=3)\nsettings.load_profile('ci')\nsettings(deadline=None)"
    assert deadlines(ast.parse(told)) == [1, 3]
    assert deadlines(ast.parse("Retry(deadline=200)\nhypothesis.settings(deadline=1)")) == [2]
