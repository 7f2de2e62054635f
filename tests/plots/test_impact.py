import io
from itertools import pairwise

import matplotlib as mpl

mpl.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
import pytest
from hypothesis import given, settings
from matplotlib.collections import PolyCollection
from matplotlib.colors import Normalize, to_hex

from seqkit._show.palette import STATUS_STYLES, luminance
from seqkit.analysis.blast import blast_radius
from seqkit.analysis.whatif import what_if
from seqkit.core.graph import RepoDependencyGraph
from seqkit.core.plan import build_plan
from seqkit.datasets import load_dataset
from seqkit.plots import impact
from seqkit.plots._text import shown
from tests.tools.data_sets import graphs_and_plans
from tests.tools.strategies import HOSTILE_NAMES, trains

pytestmark = pytest.mark.usefixtures("settings_untouched")


def diamond():
    return RepoDependencyGraph.from_edges(
        [("core", "api"), ("core", "docs"), ("api", "app"), ("docs", "app")], nodes=["lone"]
    )


def matrix(ax):
    (image,) = ax.images
    return np.asarray(image.get_array())


def names(ax):
    rows = [text.get_text() for text in ax.get_yticklabels()]
    assert rows == [text.get_text() for text in ax.get_xticklabels()]
    return rows


def sums(ax):
    """Read the lengths of the bars, the longest being 1."""
    (bars,) = [artist for artist in ax.collections if isinstance(artist, PolyCollection)]
    lengths = np.array([np.ptp(path.vertices[:, 0]) for path in bars.get_paths()])
    return lengths / max(lengths.max(), 1e-9)


def title(ax):
    return ax.get_title(loc="left")


def test_rows_fail_and_columns_are_blocked():
    ax = impact(diamond())
    assert names(ax) == ["core", "api", "docs", "lone", "app"]
    assert matrix(ax).tolist() == [
        [2, 1, 1, 0, 1],
        [0, 2, 0, 0, 1],
        [0, 0, 2, 0, 1],
        [0, 0, 0, 2, 0],
        [0, 0, 0, 0, 2],
    ]
    assert title(ax) == "One failure blocks 1 of 4 others on average, at most 3 (core)"
    assert [text.get_text() for text in ax.texts] == ["3", "1", "1", "0", "0"]
    assert sums(ax) == pytest.approx([1, 1 / 3, 1 / 3, 0, 0])
    assert "fails" in ax.get_ylabel()
    assert "blocks" in ax.get_xlabel()


@settings(max_examples=12)
@given(trains())
def test_every_row_is_what_a_what_if_blocks(train):
    plan = train.plan
    if not plan.released:
        return
    ax = impact(plan)
    named = {shown(repo, 24): repo for repo in plan.released}
    found = matrix(ax)
    plt.close(ax.figure)
    blocked = sorted(
        [what_if(plan, repo).skip_causes.count("blocked") for repo in plan.released],
        reverse=True,
    )
    assert (found == 1).sum(axis=1).tolist() == blocked
    assert (np.diag(found) == 2).all()
    assert not np.tril(found, -1).any()  # a topological order
    if len(named) == len(plan.released):
        order = [named[name] for name in names(ax)]
        for row, repo in zip(found, order, strict=True):
            words = dict(zip([item.repo_id for item in plan.items], what_if(plan, repo).words(), strict=True))
            assert [words[other] == "blocked" for other in order] == (row == 1).tolist()


@graphs_and_plans
def test_margins_are_the_blast_radii_of_real_graphs(name, of):
    graph = of(load_dataset(name).graph)
    radii = blast_radius(graph)["n_dependents"]
    ax = impact(graph)
    expected = radii.sort_values(ascending=False).to_numpy(dtype=float)
    assert (matrix(ax) == 1).sum(axis=1).tolist() == expected.tolist()
    assert sums(ax) == pytest.approx(expected / expected.max())
    assert ax.get_yticklabels()[0].get_text() == radii.idxmax()
    assert ax.figure.get_figwidth() < 10.3


def test_repos_that_block_the_same_stand_together():
    edges = [("a", "x"), ("b", "y"), ("c", "x"), ("d", "y")]
    order = names(impact(RepoDependencyGraph.from_edges(edges)))
    assert {frozenset(order[:2]), frozenset(order[2:4])} == {frozenset("ac"), frozenset("bd")}


def test_unreleased_repos_are_left_out_and_hand_on():
    ax = impact(build_plan(diamond(), [("core", "1"), ("app", "1")]))
    assert names(ax) == ["core", "app"]
    assert matrix(ax).tolist() == [[2, 1], [0, 2]]


def test_legend_and_shades_tell_the_cells_apart_without_colour():
    ax = impact(diamond())
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["goes on", "⊘ is blocked", "✗ fails"]
    (image,) = ax.images
    free, blocked, failed = (image.cmap(image.norm(value)) for value in (0, 1, 2))
    assert free[3] == 0
    assert to_hex(blocked) == STATUS_STYLES["blocked"].colour
    assert to_hex(failed) == STATUS_STYLES["failed"].colour
    assert luminance(to_hex(blocked)) - luminance(to_hex(failed)) > 0.3


def test_given_axes_and_keywords_are_used():
    _, axes = plt.subplots(1, 2, figsize=(12, 4))
    made = plt.get_fignums()
    assert impact(diamond(), ax=axes[1], alpha=0.5, gid="cells") is axes[1]
    assert plt.get_fignums() == made
    assert not axes[0].images
    assert axes[1].images[0].get_alpha() == 0.5
    assert axes[1].images[0].get_gid() == "cells"
    with pytest.raises(TypeError, match="no_such' is no argument of this picture"):
        impact(diamond(), no_such=1)


def test_a_norm_brings_its_own_limits():
    for graph in (diamond(), RepoDependencyGraph.from_edges([("core", f"r{i}") for i in range(301)])):
        assert impact(graph, norm=Normalize(0, 5)).images[0].get_clim() == (0, 5)


def test_words_around_the_matrix_find_room():
    graph = load_dataset("jest29").graph
    _, given = plt.subplots(figsize=(8, 5), layout="constrained")
    for ax in (impact(graph), impact(load_dataset("chain_or_hub").graph), impact(graph, ax=given)):
        ax.figure.canvas.draw()
        assert ax._left_title.get_window_extent().x1 <= ax.figure.bbox.width
        point = ax.figure.dpi / 72
        for upper, lower in pairwise(label.get_window_extent() for label in ax.get_yticklabels()):
            assert lower.y1 - upper.y0 < 1.5 * point  # extents hold room for letters below the line, too


def test_names_are_thinned_and_the_axis_says_so():
    graph = RepoDependencyGraph.from_edges([(f"r{i:03}", f"r{i + 1:03}") for i in range(149)])
    ax = impact(graph)
    labels = [text.get_text() for text in ax.get_xticklabels()]
    every = round(ax.get_xticks()[1])
    assert every > 1
    assert labels == [f"r{i:03}" for i in range(0, 150, every)]
    assert f"one in {every} named" in ax.get_xlabel()
    ax.figure.canvas.draw()
    extents = [text.get_window_extent() for text in ax.get_yticklabels()]
    assert all(upper.y0 > lower.y0 + lower.height * 0.6 for upper, lower in pairwise(extents))


def test_above_300_repos_cells_are_shares_by_wave():
    n = 310
    edges = [("root", f"a{i:03}") for i in range(n)] + [(f"a{i:03}", "end") for i in range(0, n, 2)]
    graph = RepoDependencyGraph.from_edges(edges)
    ax = impact(build_plan(graph, version="1"))
    assert matrix(ax) == pytest.approx(np.array([[0, 1, 1], [0, 0, 0.5], [0, 0, 0]]))
    assert sums(ax) == pytest.approx(np.array([n + 1, 0.5, 0]) / (n + 1))
    assert title(ax) == "One failure blocks 1.5 of 311 others on average, at most 311 (root)"
    assert {"100%", "50%"} <= {text.get_text() for text in ax.texts}
    assert "wave" in ax.get_ylabel()


def test_many_waves_are_taken_together():
    graph = RepoDependencyGraph.from_edges([(f"r{i:04}", f"r{i + 1:04}") for i in range(1_999)])
    ax = impact(graph)
    found = matrix(ax)
    assert found.shape == (40, 40)
    assert np.triu(found, 1).sum() == pytest.approx(40 * 39 / 2)
    assert np.diag(found) == pytest.approx(0.5)
    assert ax.get_yticklabels()[0].get_text() == "0–49"
    assert title(ax) == "One failure blocks 1000 of 1,999 others on average, at most 1,999 (r0000)"


def test_repos_that_need_nothing_make_an_empty_matrix_of_shares():
    ax = impact(RepoDependencyGraph.from_edges([], nodes=[f"r{i}" for i in range(301)]))
    assert matrix(ax).tolist() == [[0]]
    ax.figure.canvas.draw()


def test_pictures_are_the_same_bytes_each_time():
    def saved(graph):
        into = io.BytesIO()
        impact(graph).figure.savefig(into, format="png", metadata={"Software": None})
        return into.getvalue()

    again = RepoDependencyGraph.from_edges(diamond().edges[::-1], nodes=["lone"])
    assert saved(diamond()) == saved(again)


def test_hostile_names_are_drawn_as_text():
    names = [*HOSTILE_NAMES, "$\\frac{", "م\u202e\x00"]
    ax = impact(RepoDependencyGraph.from_edges([(names[0], name) for name in names[1:]]))
    ax.figure.canvas.draw()  # warnings are errors
    texts = [*ax.get_xticklabels(), *ax.get_yticklabels(), ax._left_title]
    assert not any(text.get_parse_math() for text in texts)
    assert all(len(text.get_text()) <= 24 for text in texts[:-1])


def test_one_repo_and_none():
    assert title(impact(RepoDependencyGraph.from_edges([], nodes=["only"]))) == (
        "One failure blocks 0 of 0 others on average, at most 0 (only)"
    )
    ax = impact(RepoDependencyGraph())
    assert not ax.images
    assert "Nothing to draw" in ax.texts[0].get_text()


def test_wrong_arguments_are_named():
    with pytest.raises(TypeError, match="plan_or_graph is a str, expected a SequencePlan"):
        impact("plan")
