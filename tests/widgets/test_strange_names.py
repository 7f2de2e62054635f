"""Names that do something where they are shown: in every widget they are text."""

from __future__ import annotations

import warnings
from collections.abc import Iterator

import ipywidgets as ipw
import pytest

from seqkit import FailureModel, MemoryRunLedger, RepoDependencyGraph, ScriptedReleaser, build_plan, run_plan
from seqkit.widgets import DagView, LedgerBrowser, Lesson, RunView, WhatIf
from tests.tools.strange_names import STRANGE_NAMES, Shown, is_seen

pytestmark = pytest.mark.usefixtures("no_model_is_left")


def inside(widget: ipw.Widget) -> Iterator[ipw.Widget]:
    yield widget
    for name in widget.keys:
        value = getattr(widget, name)
        for other in value if isinstance(value, list | tuple) else [value]:
            if isinstance(other, ipw.Widget):
                yield from inside(other)


def texts(value: object) -> Iterator[str]:
    """All text that a widget sends to the page."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, entry in value.items():
            yield str(key)
            yield from texts(entry)
    elif isinstance(value, list | tuple):
        for entry in value:
            yield from texts(entry)


@pytest.mark.parametrize("start", range(0, len(STRANGE_NAMES), 24))
@pytest.mark.parametrize("kind", ["what if", "lesson", "quiz", "browser", "run", "picture"])
def test_what_a_widget_sends_is_seen_and_set_by_nobody(kind: str, start: int) -> None:
    hub, *others = names = STRANGE_NAMES[start : start + 24]
    plan = build_plan(RepoDependencyGraph.from_edges([(hub, name) for name in others]), version=hub)
    ledger = MemoryRunLedger(ids=[hub, others[0]])
    with warnings.catch_warnings(action="ignore"):
        run_plan(plan, ScriptedReleaser(dict.fromkeys(others[::3], hub)), ledger, tags={"train": hub})
        run_plan(plan, ScriptedReleaser({}), ledger, tags={"train": others[1]})
        widget = {
            "what if": lambda: WhatIf(plan, FailureModel(dict.fromkeys(names, 0.1))),
            "lesson": lambda: Lesson(plan, fail=others[0]),
            "quiz": lambda: Lesson(plan, fail=others[0], rng=0),
            "browser": lambda: LedgerBrowser(ledger),
            "run": lambda: RunView(plan),
            "picture": lambda: DagView(plan),
        }[kind]()
    try:
        if kind == "what if":
            widget.show_code.click()
        elif kind == "quiz":
            widget.mode = "quiz"
        elif kind == "browser":
            widget.run_list.value = hub
        elif kind == "run":
            for event in ledger.get_events(hub):
                widget(event)
        still = Shown(widget.still_html())
        assert still.set_as_tex == []
        assert is_seen("".join(still.texts))
        assert {"mathjax_ignore", "tex2jax_ignore"} <= set(widget._dom_classes)
        for part in inside(widget):
            assert type(part) not in (ipw.HTML, ipw.HTMLMath)
            assert not getattr(part, "description_allow_html", False)
            state = {
                key: value for key, value in part.get_state().items() if key not in ("_esm", "_css", "placeholder")
            }
            if isinstance(part, ipw.HTML):
                shown = Shown(f'<div class="{" ".join(part._dom_classes)}">{state.pop("value")}</div>')
                assert shown.set_as_tex == []
                assert not shown.tags & {"a", "u", "script"}
                assert not any(name.startswith("on") or name == "href" for name in shown.attributes)
                assert is_seen("".join(shown.texts).replace("\xa0", " "), lines=True), type(part)
            for text in texts(state):
                assert is_seen(text.replace("\xa0", " "), lines=True), (type(part), ascii(text))
    finally:
        widget.close()
