"""The documentation site: built once, without a warning, complete, and nothing in it comes from elsewhere."""

from __future__ import annotations

import importlib
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import seqkit
from seqkit.cli.site import api, building, gallery, guide
from seqkit.errors import ReadError

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"
MODULES = ("seqkit.plots", "seqkit.widgets", "seqkit.explore", "seqkit.errors")
SHOWN = ("04_teaching_release_ordering.ipynb", "05_releasing_for_real.ipynb")  # two of them, as all take their time


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    for package in ("sphinx", "pydata_sphinx_theme", "myst_nb"):
        pytest.importorskip(package, reason="needs the extra `docs`")
    folder, books = tmp_path_factory.mktemp("site"), tmp_path_factory.mktemp("books")
    for name in SHOWN:
        shutil.copy(NOTEBOOKS / name, books)
    # Where JupyterLab is installed, to import jsonschema takes seconds: for addresses, of which notebooks have none.
    code = "import sys; sys.modules['rfc3987_syntax'] = None; from seqkit.__main__ import main; sys.exit(main())"
    done = subprocess.run(
        [sys.executable, "-c", code, "reference", str(folder), "--notebooks", str(books)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stderr == ""
    assert done.returncode == 0
    assert "index.html" in done.stdout
    return folder


@pytest.fixture(scope="module")
def html(site: Path) -> dict[str, str]:
    return {str(path.relative_to(site)): path.read_text(encoding="utf-8") for path in site.rglob("*.html")}


def test_every_public_name_is_explained(html: dict[str, str]) -> None:
    explained = set(re.findall(r'<dt class="sig[^>]* id="([\w.]+)"', "".join(html.values())))
    last = {name.rsplit(".", 1)[-1] for name in explained}
    wanted = set(seqkit.__all__) | {name for each in MODULES for name in importlib.import_module(each).__all__}
    assert wanted - last == set()
    assert {"to_frame", "p_at_least", "transitive_dependents_of"} <= last  # methods too
    assert {"seqkit.RunEvent.seq", "seqkit.SequenceOutcome.unsure"} <= explained  # and fields, with what stands below
    assert "Its place in the run, counted from 1." in html["reference/its-records.html"]
    assert "PlainSerializer" not in html["reference/its-records.html"]


def test_pages_load_nothing_from_elsewhere(site: Path, html: dict[str, str]) -> None:
    loaded = re.findall(r'<(?:script|link|img|iframe)[^>]*\s(?:src|href)="([^"]*)"', "".join(html.values()))
    sheets = "".join(path.read_text(encoding="utf-8") for path in site.rglob("*.css"))
    loaded += re.findall(r"""(?:url\(|@import )["']?([^"')]+)""", sheets)
    assert len(loaded) > 100
    elsewhere = [address for address in loaded if re.match(r"\w+:|//", address) and not address.startswith("data:")]
    assert elsewhere == []


def test_each_name_stands_on_one_page() -> None:
    named = re.findall(r"auto(?:class|function|data):: ([\w.]+)", "".join(api.pages().values()))
    assert len(named) == len(set(named))


def test_the_guide_shows_notebooks_as_they_are_kept(html: dict[str, str]) -> None:
    lesson, real = (html[f"guide/{Path(name).stem}.html"] for name in SHOWN)
    assert "SequenceOutcome" in real
    assert 'class="seqkit-still' in real, "of a widget its still picture is left"
    assert "widget-view" not in real + lesson
    assert lesson.count("<math") >= 5, "formulas need no script"
    assert "MathJax" not in lesson


def test_the_gallery_has_every_picture_and_widget_with_its_code(html: dict[str, str], site: Path) -> None:
    page = html["gallery/index.html"]
    for module in ("plots", "widgets"):
        for name in importlib.import_module(f"seqkit.{module}").__all__:
            if module == "widgets" and not hasattr(getattr(seqkit.widgets, name), "still_html"):
                continue  # it is none to look at
            section = page.split(f">{name}<a ", 1)[-1].split("<section", 1)[0]
            assert f"{module}.html#seqkit.{module}.{name}" in section, name
            assert "highlight-python" in section, name
            assert ("<img" if module == "plots" else "seqkit-still") in section, name
            if module == "plots":
                assert any(path.stat().st_size > 5_000 for path in site.rglob(f"{name}*.png")), name


def test_the_examples_of_the_gallery_are_of_public_names() -> None:
    examples = importlib.import_module("seqkit.cli.site.examples")
    assert set(examples.__all__) <= {*seqkit.plots.__all__, *seqkit.widgets.__all__}


def test_first_page_leads_everywhere(html: dict[str, str]) -> None:
    pages = ("guide/index", "recipes", "gallery/index", "reference/index", "reference/columns", "glossary", "elsewhere")
    for page in pages:
        assert f'href="{page}.html"' in html["index.html"], page


# ---------------------------------------------------------------------- what is not there


def test_without_notebooks_the_guide_is_left_out_and_nothing_leads_there(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(gallery, "pages", lambda: ("", {}))
    made = building.sources([])
    assert [path for path in made if path.startswith("guide/")] == []
    assert "guide/" not in str(made["index.md"])
    monkeypatch.setattr(guide, "__file__", str(tmp_path / "site-packages" / "seqkit" / "cli" / "site" / "guide.py"))
    assert guide.notebooks_in(None) == [], "the package is not in a checkout"
    with pytest.raises(ReadError, match="it has no notebooks such as"):
        guide.notebooks_in(str(tmp_path))


@pytest.mark.parametrize("package", ["sphinx", "pydata_sphinx_theme", "myst_nb"])
def test_what_is_missing_is_named(package: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(building.MissingExtra, match=package):
        building.build(str(tmp_path / "out"), [])
    assert not (tmp_path / "out").exists()


def test_without_sphinx_the_extra_is_named(tmp_path: Path) -> None:
    code = "import sys; sys.modules['sphinx'] = None; from seqkit.__main__ import main; sys.exit(main())"
    done = subprocess.run(
        [sys.executable, "-c", code, "reference", str(tmp_path / "out")], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "seqkit-py[docs]" in done.stderr
    assert not (tmp_path / "out").exists()
