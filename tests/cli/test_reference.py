"""The API reference: built without a warning, complete, and nothing in it comes from elsewhere."""

from __future__ import annotations

import importlib
import re
import subprocess
import sys
from pathlib import Path

import pytest

import seqkit
from seqkit.cli.reference import pages

MODULES = ("seqkit.plots", "seqkit.widgets", "seqkit.errors")


@pytest.fixture(scope="module")
def html(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    pytest.importorskip("sphinx", reason="needs the extra `docs`")
    folder = tmp_path_factory.mktemp("reference")
    done = subprocess.run(
        [sys.executable, "-m", "seqkit", "reference", str(folder)], capture_output=True, text=True, check=False
    )
    assert done.stderr == ""
    assert done.returncode == 0
    assert "index.html" in done.stdout
    return {path.name: path.read_text(encoding="utf-8") for path in folder.glob("*.html")}


def test_every_public_name_is_explained(html: dict[str, str]) -> None:
    explained = set(re.findall(r'<dt class="sig[^>]* id="([\w.]+)"', "".join(html.values())))
    last = {name.rsplit(".", 1)[-1] for name in explained}
    wanted = set(seqkit.__all__) | {name for each in MODULES for name in importlib.import_module(each).__all__}
    assert wanted - last == set()
    assert {"to_frame", "p_at_least", "transitive_dependents_of"} <= last  # methods too


def test_pages_load_nothing_from_elsewhere(html: dict[str, str]) -> None:
    loaded = re.findall(r'<(?:script|link|img|iframe)[^>]*(?:src|href)="([^"]*)"', "".join(html.values()))
    assert loaded
    assert [address for address in loaded if re.match(r"\w+:|//", address)] == []


def test_each_name_stands_on_one_page() -> None:
    named = re.findall(r"auto(?:class|function|data):: ([\w.]+)", "".join(pages().values()))
    assert len(named) == len(set(named))


def test_without_sphinx_the_extra_is_named(tmp_path: Path) -> None:
    code = "import sys; sys.modules['sphinx'] = None; from seqkit.__main__ import main; sys.exit(main())"
    done = subprocess.run(
        [sys.executable, "-c", code, "reference", str(tmp_path / "out")], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "seqkit-py[docs]" in done.stderr
    assert not (tmp_path / "out").exists()
