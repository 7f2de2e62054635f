"""Jobs of GitHub Actions and GitLab: what each needs, and what a stage waits for."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest

from seqkit import DependencyCycle, ReadError, RepoDependencyGraph, SeqkitError, read_graph

GITHUB = """
name: CI
"on": [push]
jobs:
  build:
    name: Build it
    runs-on: ubuntu-latest
    strategy: {matrix: {python: ["3.11", "3.12"]}}
  test:
    needs: build
  lint:
  ship:
    needs: [test, lint, gone]
    uses: ./.github/workflows/ship.yml
"""

GITLAB = """
stages: [build, test, deploy]
include: other.yml
default: {image: python}
variables: {A: b}
.base: &base
  needs: [compile]
.more:
  extends: .base
  stage: deploy
compile: {stage: build, script: make}
docs: {stage: build, script: make docs}
unit: {script: pytest}
quick: {stage: test, script: x, needs: []}
slow:
  <<: *base
  script: x
ship: {extends: [.gone, .more], script: x}
tell: {stage: deploy, script: x}
late:
  stage: .post
  script: x
  needs:
    - job: ship
    - {job: maybe, optional: true}
    - {job: tell, optional: true}
    - {project: a/b, job: c, ref: main}
"""


def read(path: Path, text: str, **options: Any) -> RepoDependencyGraph:
    path.write_text(text, "utf-8")
    return read_graph(path, **options)


def told(graph: RepoDependencyGraph) -> dict[str, list[str]]:
    return {f"{after} needs {before}": list(graph.kinds(before, after)) for before, after in graph.edges}


def remarks(graph: RepoDependencyGraph) -> str:
    assert graph.report is not None
    return "\n".join(graph.report.lines())


def test_a_workflow_of_github(tmp_path: Path) -> None:
    graph = read(tmp_path / "ci.yaml", GITHUB)
    assert list(graph) == ["build", "test", "lint", "ship"]
    assert set(told(graph)) == {"test needs build", "ship needs test", "ship needs lint"}
    assert graph.attributes("build") == {"title": "Build it"}
    assert "1 needs of jobs that are not in the file: ship needs gone" in remarks(graph)


def test_a_pipeline_of_gitlab(tmp_path: Path) -> None:
    graph = read(tmp_path / ".gitlab-ci.yml", GITLAB)
    assert told(graph) == {
        "unit needs compile": ["implicit"],
        "unit needs docs": ["implicit"],
        "slow needs compile": ["normal"],
        "ship needs compile": ["normal"],
        # quick and slow need not wait for the stage before theirs, so the last stage waits for that too.
        "tell needs compile": ["implicit"],
        "tell needs docs": ["implicit"],
        "tell needs unit": ["implicit"],
        "tell needs quick": ["implicit"],
        "tell needs slow": ["implicit"],
        "late needs ship": ["normal"],
        "late needs tell": ["optional"],
    }
    assert graph.attributes("ship") == {"stage": "deploy"}
    text = remarks(graph)
    assert "1 includes, which are not read" in text
    assert "1 optional needs of jobs that are not in the file: late needs maybe" in text
    assert "1 needs of other pipelines" in text


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("a: 1\n", "a workflow of CI (no "),
        ("on: push\njobs: []\n", "jobs is a list, expected an object"),
        ("on: push\njobs: {}\n", "has no jobs"),
        ("on: push\njobs: {a: {needs: {b: c}}}\n", "jobs.a.needs is an object, expected a list"),
        ("stages: {}\na:\n  script: b\n", "stages is an object, expected a list"),
    ],
)
def test_faults_are_named(tmp_path: Path, text: str, fault: str) -> None:
    with pytest.raises(ReadError) as caught:
        read(tmp_path / "a.yml", text)
    assert fault in str(caught.value)


def test_jobs_that_wait_for_each_other(tmp_path: Path) -> None:
    with pytest.raises(DependencyCycle):
        read(tmp_path / "a.yml", "on: push\njobs: {a: {needs: b}, b: {needs: a}}\n")


@pytest.mark.parametrize("count", [150, pytest.param(20_000, marks=pytest.mark.slow)])
def test_damaged_files_give_a_graph_or_an_error_of_ours(tmp_path: Path, count: int) -> None:
    rng = random.Random(5)
    for _ in range(count):
        text = rng.choice((GITHUB, GITLAB))
        start = rng.randrange(len(text))
        end = min(len(text), start + rng.choice((1, 2, 5, 20, 80)))
        piece = rng.choice(("", text[start:end] * 2, "{}", "[]", "*base", "\n", "- ", ": ", "<<: "))
        try:
            read(tmp_path / "a.yml", text[:start] + piece + text[end:], format="workflow", cycles="keep")
        except SeqkitError:
            continue
