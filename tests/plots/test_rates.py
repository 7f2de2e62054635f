import warnings

import matplotlib as mpl

mpl.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.collections import LineCollection, PathCollection
from matplotlib.colors import to_hex

from seqkit import FailureModel, UnsupportedRanking, fit_failure_rates, ranking_note
from seqkit._show.palette import STATUS_STYLES
from seqkit.plots._text import shown
from seqkit.plots.rates import rates
from tests.tools.strategies import HOSTILE_NAMES

pytestmark = pytest.mark.usefixtures("settings_untouched")


def fit_of(counts, **kwargs):
    """Fit failures and attempts by repo."""
    rows = [(repo, i >= failures) for repo, (failures, attempts) in counts.items() for i in range(attempts)]
    with warnings.catch_warnings(action="ignore", category=UnsupportedRanking):
        return fit_failure_rates(pd.DataFrame(rows, columns=["repo_id", "succeeded"]), **kwargs)


CLEAR = {"core": (20, 30), "api": (2, 30), "docs": (0, 40)}
VAGUE = {"core": (2, 10), "api": (1, 10), "docs": (0, 10), "app": (1, 12)}
MANY = {f"r{i:04}": (i % 7, 20 + i % 11) for i in range(400)}


def dots(ax):
    return next(c for c in ax.collections if isinstance(c, PathCollection))


def assumed(ax):
    return [c for c in ax.collections if isinstance(c, PathCollection)][1]


def intervals(ax):
    (lines,) = [c for c in ax.collections if isinstance(c, LineCollection)]
    return [(segment[0][0], segment[1][0], segment[0][1]) for segment in lines.get_segments()]


def rows(ax):
    return {tick: label.get_text() for tick, label in zip(ax.get_yticks(), ax.get_yticklabels(), strict=True)}


def beside(ax):
    return {text.get_position()[1]: text.get_text() for text in ax.texts if " / " in text.get_text()}


def notes(ax):
    return [" ".join(text.get_text().split()) for text in ax.texts if text.get_text().startswith("⚠")]


def legend(ax):
    return [text.get_text() for text in ax.get_legend().get_texts()]


def title(ax):
    return ax.get_title(loc="left")


# ---------------------------------------------------------------------- the fit


def test_rows_are_rates_intervals_and_counts_the_highest_first():
    fit = fit_of(VAGUE)
    ax = rates(fit)
    ranked = fit.sort_values("rate", ascending=False, kind="stable")
    assert rows(ax) == dict(enumerate(ranked.index))
    assert dots(ax).get_offsets()[:, 0].tolist() == ranked["rate"].tolist()
    assert dots(ax).get_offsets()[:, 1].tolist() == [0, 1, 2, 3]
    assert intervals(ax) == list(zip(ranked["low"], ranked["high"], range(4), strict=True))
    assert beside(ax) == {
        at: f"{failures} / {attempts}"
        for at, (failures, attempts) in enumerate(zip(ranked["failures"], ranked["attempts"], strict=True))
    }
    low, high = ax.get_ylim()
    assert low > high  # the first row is at the top
    left, right = ax.get_xlim()
    assert left == 0
    assert right > fit["high"].max()
    assert ax.get_xlabel() == "failures per first attempt (probability)"


def test_line_is_the_rate_of_all_attempts():
    ax = rates(fit_of(CLEAR))
    (line,) = ax.lines
    assert list(line.get_xdata()) == [22 / 100] * 2
    assert "all first attempts together: 0.22" in legend(ax)


def test_counts_are_of_first_attempts_and_may_be_weighed():
    rows = [(f"{day:02}", "core", "failed" if day < 5 else "succeeded", 3 if day < 5 else 1) for day in range(100)]
    frame = pd.DataFrame(rows, columns=["run_id", "repo_id", "status", "attempts"])
    ax = rates(fit_failure_rates(frame))
    assert beside(ax) == {0: "5 / 100"}  # not 15 of 110 tries
    assert title(ax) == "core: 5 failures in 100 attempts."
    assert list(ax.lines[0].get_xdata()) == [0.05] * 2
    assert beside(rates(fit_failure_rates(frame, half_life=100))) == {0: "2.6 / 72.4"}


def test_rates_that_come_of_the_prior_are_open():
    ax = rates(fit_of(CLEAR))
    assert [to_hex(face) for face in dots(ax).get_facecolor()] == [STATUS_STYLES["failed"].colour] * 2 + ["#ffffff"]
    assert legend(ax)[:2] == ["rate of a repo that has failed: 2", "rate of one that has not yet: 1"]


@pytest.mark.parametrize("level", [0.95, 0.5])
def test_legend_tells_the_level_of_the_intervals(level):
    assert f"{100 * level:g} % credible interval" in legend(rates(fit_of(CLEAR, confidence_level=level)))


def test_a_ranking_that_holds_is_told_without_a_warning():
    ax = rates(fit_of(CLEAR))
    assert title(ax) == "core fails most often: 20 failures in 30 attempts."
    assert notes(ax) == []


def test_a_ranking_that_does_not_hold_is_warned_of():
    fit = fit_of(VAGUE)
    ax = rates(fit)
    assert title(ax) == "4 failures in 42 attempts do not support a ranking of 4 repos."
    note = ranking_note(fit)
    assert notes(ax) == [f"⚠ {note[0].upper()}{note[1:]}."]


def test_a_record_without_retries_says_what_it_does_not_tell():
    def told(ax):
        return [text for text in ax.texts if text.get_text().startswith("Nothing was retried")]

    fit = fit_of(VAGUE)
    ax = rates(fit)
    (text,) = told(ax)
    assert " ".join(text.get_text().split()).endswith("look at both ends, hard=0 and hard=1.")
    ax.figure.canvas.draw()
    (warning,) = [other for other in ax.texts if other.get_text().startswith("⚠")]
    assert text.get_window_extent().y1 < warning.get_window_extent().y0
    retried = pd.DataFrame({"repo_id": ["a"] * 9, "status": "succeeded", "attempts": [1] * 8 + [2]})
    assert told(rates(fit_failure_rates(retried))) == []


def test_one_repo_needs_no_ranking():
    assert title(rates(fit_of({"core": (0, 5)}))) == "core: 0 failures in 5 attempts."


# ---------------------------------------------------------------------- held against a model


def test_assumed_rates_are_diamonds_filled_where_the_interval_misses():
    fit = fit_of(CLEAR)
    model = {"core": 0.6, "api": 0.5, "docs": 0.01}
    ax = rates(fit, model=model)
    diamonds = assumed(ax)
    assert diamonds.get_offsets().tolist() == [[0.6, 0], [0.5, 1], [0.01, 2]]
    told = np.array([model[repo] for repo in fit.index])
    inside = ((fit["low"] <= told) & (told <= fit["high"])).to_dict()
    assert inside == {"core": True, "api": False, "docs": True}
    faces = diamonds.get_facecolor()
    assert [face[3] for face in faces] == [0, 1, 0]
    assert title(ax).endswith("\n2 of 3 intervals (66.7 %) hold the assumed rate.")
    assert legend(ax)[-2:] == ["assumed rate, inside: 2", "assumed rate, outside: 1"]


def test_bounds_of_an_interval_belong_to_it():
    fit = fit_of(CLEAR)
    assert "3 of 3" in title(rates(fit, model=fit["low"]))
    assert "3 of 3" in title(rates(fit, model=FailureModel(rates=fit["high"])))


def test_an_assumed_rate_far_out_is_still_seen():
    assert rates(fit_of({"core": (1, 50)}), model=0.9).get_xlim()[1] > 0.9


def test_simulated_runs_are_calibrated():
    rng = np.random.default_rng(5)
    truth = {f"r{i:03}": float(rate) for i, rate in enumerate(rng.beta(2, 10, 200))}
    fit = fit_of({repo: (int(rng.binomial(60, rate)), 60) for repo, rate in truth.items()})
    ax = rates(fit, model=truth)
    told = np.array([truth[repo] for repo in fit.index])
    outside = ((fit["low"] > told) | (fit["high"] < told)).sum()
    assert legend(ax)[-1] == f"assumed rate, outside: {outside}"
    assert 1 <= outside <= 24  # 5 % of 200 is 10


# ---------------------------------------------------------------------- many repos


def test_all_of_three_hundred_have_a_row():
    fit = fit_of(dict(list(MANY.items())[:300]))
    ax = rates(fit, fold=False)
    assert len(dots(ax).get_offsets()) == len(rows(ax)) == 300
    ax.figure.canvas.draw()
    pitch = abs(np.diff(ax.transData.transform([(0, 0), (0, 1)])[:, 1])[0])
    heights = {label.get_window_extent().height for label in ax.get_yticklabels()}
    assert max(heights) < 1.25 * pitch
    assert 6 <= ax.get_yticklabels()[0].get_fontsize() <= 0.8 * pitch * 72 / ax.figure.dpi


def test_of_more_the_extremes_are_shown():
    fit = fit_of(MANY)
    ax = rates(fit, model=0.1, fold=False)
    ranked = fit.sort_values("rate", ascending=False, kind="stable")
    labels = rows(ax)
    assert [labels[at] for at in range(30)] == list(ranked.index[:30])
    assert labels[30] == "… 341 repos between …"
    assert [labels[at] for at in range(31, 60)] == list(ranked.index[-29:])
    assert dots(ax).get_offsets()[:, 0].tolist() == [*ranked["rate"][:30], *ranked["rate"][-29:]]
    assert dots(ax).get_offsets()[:, 1].tolist() == [*range(30), *range(31, 60)]
    assert 30 not in beside(ax)
    inside = ((fit["low"] <= 0.1) & (fit["high"] >= 0.1)).sum()
    assert f"{inside} of 400 intervals" in title(ax)  # all of them, shown or not


def test_small_axes_show_as_many_as_they_have_room_for():
    figure, axes = plt.subplots(1, 2, figsize=(11, 4), layout="constrained")
    fit = fit_of(MANY)
    assert rates(fit, ax=axes[1], alpha=0.5) is axes[1]
    assert dots(axes[1]).get_alpha() == 0.5
    assert not axes[0].collections
    shown_rows = len(rows(axes[1]))
    assert 5 < shown_rows < 40
    figure.canvas.draw()
    pitch = abs(np.diff(axes[1].transData.transform([(0, 0), (0, 1)])[:, 1])[0])
    assert max(label.get_window_extent().height for label in axes[1].get_yticklabels()) < 1.3 * pitch
    assert "do not support a ranking" in " ".join(title(axes[1]).split())
    assert notes(axes[1]) == []  # no room for all of it


# ---------------------------------------------------------------------- edges


def test_title_keeps_off_the_head_of_the_counts():
    _, grid = plt.subplots(2, 2, figsize=(12, 9), layout="constrained")
    fit = fit_of({f"repository-with-a-long-name-{repo}": own for repo, own in VAGUE.items()})
    ax = rates(fit, ax=grid[1, 1], model=0.1)
    ax.figure.canvas.draw()
    (head,) = [text for text in ax.texts if text.get_text() == "failures /\nfirst attempts"]
    assert ax._left_title.get_window_extent().x1 < head.get_window_extent().x0
    assert ax.get_legend().get_window_extent().x1 <= ax.figure.bbox.width


def test_assumed_rates_are_seen_on_a_dark_page():
    with plt.style.context("dark_background"):
        ax = rates(fit_of(CLEAR), model=0.2)
    assert {to_hex(edge) for edge in assumed(ax).get_edgecolors()} == {"#ffffff"}
    assert to_hex(ax.lines[0].get_color()) == "#ffffff"


def test_hostile_names():
    ax = rates(fit_of({repo: (1 + i, 20) for i, repo in enumerate(HOSTILE_NAMES)}), model=0.1)
    ax.figure.canvas.draw()
    assert set(rows(ax).values()) == {shown(repo, 32) for repo in HOSTILE_NAMES}
    assert not any(label.get_parse_math() for label in ax.get_yticklabels())
    assert not any(text.get_parse_math() for text in ax.texts)


def test_nothing_tried():
    ax = rates(fit_of({}), model=0.5)
    assert [text.get_text() for text in ax.texts] == ["Nothing to draw: no repo was tried."]


def test_wrong_arguments_are_named():
    fit = fit_of(CLEAR)
    with pytest.raises(ValueError, match=r"fit lacks the columns .*low"):
        rates(fit.drop(columns="low"))
    with pytest.raises(TypeError, match="expected the DataFrame that fit_failure_rates gives"):
        rates([1])
    with pytest.raises(TypeError, match="model is 'x', expected a probability"):
        rates(fit, model="x")
    assert not plt.get_fignums()


def test_the_same_fit_gives_the_same_svg(tmp_path):
    def svg(name):
        ax = rates(fit_of(VAGUE), model=0.1)
        with mpl.rc_context({"svg.hashsalt": "x"}):
            ax.figure.savefig(tmp_path / name, format="svg", metadata={"Date": None})
        return (tmp_path / name).read_bytes()

    assert svg("a") == svg("b")


def test_above_forty_rows_those_that_never_failed_share_the_last_and_the_axis_is_repeated():
    fit = fit_of({f"r{at:02}": ({7: 2, 30: 1}.get(at, 0), 4) for at in range(60)})
    ax = rates(fit, model=0.02)
    labels = list(rows(ax).values())
    assert labels[:2] == ["r07", "r30"]
    assert labels[-1] == f"{60 - len(labels) + 1} others, none has failed"
    assert len(labels) < 12
    (shared,) = [each for each in ax.collections if each.get_gid() == "shared" and len(each.get_offsets()) > 1]
    assert len(shared.get_offsets()) == 61 - len(labels)
    assert f"0 / {4 * (61 - len(labels))}" in [text.get_text() for text in ax.texts]
    assert ax.xaxis.get_tick_params()["labeltop"]
    assert ax.figure.get_size_inches()[1] < 6
    assert len(rows(rates(fit, fold=False))) == 60
    few = rates(fit.head(40), theme="dark", figsize=(7, 9))
    assert len(rows(few)) == 40
    assert few.figure.get_size_inches().tolist() == [7, 9]
    assert few.figure.get_facecolor() == (0, 0, 0, 1)
