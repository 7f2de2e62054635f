"""Modules keep to each other's public names."""

from __future__ import annotations

import pytest

from tests.tools import private_access

MOST = 0.5  # reaches per 1,000 lines


def test_the_modules_hardly_reach_into_each_other() -> None:
    found, lines = private_access.count()
    assert lines > 10_000  # it looked at the package
    assert 1000 * len(found) / lines < MOST, "\n".join(map(str, found))


@pytest.mark.parametrize(
    "line",
    [
        "plan._position",
        "plan._position = {}",
        "build()._position",
        "plans[0]._position",
        "self.plan._position",
        "self.plan._own",  # what self.plan holds is another object
        "getattr(plan, '_position', None)",
        "setattr(self.plan, '_own', 1)",
        "from seqkit.core.plan import _planned",
        "from seqkit._show.html import _cell",
    ],
)
def test_a_reach_is_found(line: str) -> None:
    source = f"class A:\n    def f(self, plan, plans):\n        self._own = 1\n        {line}\n"
    (reach,) = private_access.reaches(source, "a.py", {"seqkit.core.plan", "seqkit._show.html"})
    assert (reach.file, reach.line) == ("a.py", 4)


@pytest.mark.parametrize(
    "line",
    [
        "self._position",
        "cls._position",
        "super()._position",
        "plan._own",
        "plan.__class__",
        "plan._replace(a=1)",
        "import sys; sys._getframe()",
        "from seqkit import _show",
        "from other import _name",
        "for _ in plan: plan.position",
        "getattr(plan, 'position')",
    ],
)
def test_what_is_ones_own_is_no_reach(line: str) -> None:
    source = f"class A:\n    def f(self, cls, plan):\n        self._own = 1\n        {line}\n"
    assert private_access.reaches(source, "a.py", {"seqkit._show"}) == []
