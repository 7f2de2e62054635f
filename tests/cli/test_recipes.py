"""The recipes: each line runs as it stands, after the lines at the top of the page."""

from __future__ import annotations

import re
from importlib.resources import files
from pathlib import Path

import matplotlib as mpl
import pytest

PAGE = (files("seqkit.cli.site") / "text" / "recipes.md").read_text("utf-8")
ROW = re.compile(r"^\| (?P<have>[^|]+) \| (?P<want>[^|]+) \| `(?P<code>.+)` \|$", re.MULTILINE)


def test_every_row_has_a_line_of_code() -> None:
    rows = [line for line in PAGE.splitlines() if line.startswith("| ") and not line.startswith("| I have")]
    assert len(rows) >= 40
    assert [line for line in rows if not ROW.match(line)] == []


def test_every_line_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("openpyxl")
    plt = pytest.importorskip("matplotlib.pyplot")
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    [before] = re.findall(r"^```python\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    exec(before, names)
    with mpl.rc_context({"backend": "agg"}):
        for row in ROW.finditer(PAGE):
            try:
                exec(compile(row["code"], row["want"], "single"), names)
            except Exception as error:
                error.add_note(row["code"])
                raise
        plt.close("all")
    assert capsys.readouterr().err == ""
    made = {path.name for path in tmp_path.iterdir()}
    assert made >= {"runs.db", "train.db", "runs.jsonl", "runs.xlsx", "items.csv", "order.png"}
