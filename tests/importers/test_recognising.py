"""The table of other systems' formats: each takes its own files and no others'."""

from __future__ import annotations

from pathlib import Path

import pytest

from seqkit._util.formats import named_like
from seqkit.importers.formats import FORMATS
from seqkit.readers._files import name_unpacked
from tests.importers import test_argo, test_dbt, test_junit, test_turbo
from tests.importers.opening import written

FILES = {
    "results.json": ("dbt", test_dbt.results("1", a="success")),
    "manifest.json.gz": ("dbt", test_dbt.manifest()),
    "summary.json": ("turbo", test_turbo.summary(test_turbo.build("core", 1))),
    "dry.json": ("turbo", '> turbo run build\n{"tasks": [{"taskId": "a#b", "dependents": []}]}'),
    "workflow.json": ("argo", test_argo.FAILED),
    "workflow.YAML": ("argo", "kind: Workflow\napiVersion: argoproj.io/v1alpha1\n"),
    "junit.xml": ("junit", test_junit.PLAIN),
}


@pytest.mark.parametrize("name", FILES)
def test_the_first_that_takes_a_file(tmp_path: Path, name: str) -> None:
    wanted, document = FILES[name]
    (file,) = written(tmp_path, {name: document})
    rows = named_like(FORMATS, name_unpacked(file))
    assert next(row.name for row in rows if row.sniff is None or row.sniff(file)) == wanted
