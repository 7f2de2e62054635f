import matplotlib as mpl

mpl.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.collections import LineCollection, PathCollection
from matplotlib.colors import to_hex

from seqkit import FailureModel, MemoryRunLedger, RepoDependencyGraph, build_plan, run_plan
from seqkit import calibration as calibrated
from seqkit.fitting.rates import fit_failure_rates
from seqkit.plots import calibration

pytestmark = pytest.mark.usefixtures("settings_untouched")

PLAN = build_plan(RepoDependencyGraph.from_edges([("core", "api")], nodes=["docs"]), version="1")


def found(runs=60, **options):
    ledger = MemoryRunLedger()
    for trial in range(runs):
        run_plan(PLAN, FailureModel({"core": 0.1, "api": 0.5, "docs": 0.3}), ledger, rng=2, trial=trial)
    return calibrated(ledger, start=20, **options)


RESULT = found()


def points(ax):
    return next(c for c in ax.collections if isinstance(c, PathCollection))


def test_points_are_the_groups_with_their_intervals_and_counts():
    ax = calibration(RESULT, bins=5)
    bins = RESULT.bins(5)
    assert points(ax).get_offsets().tolist() == bins[["predicted", "observed"]].to_numpy().tolist()
    lines = next(c for c in ax.collections if isinstance(c, LineCollection))
    ends = [[low[1], high[1]] for low, high in lines.get_segments()]
    assert np.allclose(ends, bins[["low", "high"]])
    assert [text.get_text() for text in ax.texts] == [
        f"{failures} / {n}" for failures, n in zip(bins["failures"], bins["n"], strict=True)
    ]
    off = (bins["predicted"] < bins["low"]) | (bins["predicted"] > bins["high"])
    filled = [to_hex(face) != "#ffffff" for face in points(ax).get_facecolor()]
    assert filled == off.tolist()
    assert f"Groups off the diagonal: {off.sum()} of {len(bins)}." in ax.get_title(loc="left")


def test_the_diagonal_and_the_predictions_are_there():
    ax = calibration(RESULT)
    diagonal, strip = ax.lines
    assert diagonal.get_xdata()[1] == diagonal.get_ydata()[1] == ax.get_xlim()[1] == ax.get_ylim()[1]
    assert set(strip.get_xdata()) <= set(RESULT.predictions["predicted"])
    assert f"{len(RESULT.predictions)} predictions of 40 trains" in ax.get_title(loc="left").replace("\n", " ")


@pytest.mark.parametrize("theme", ["light", "dark", "auto"])
def test_given_axes_themes_and_keywords_are_used(theme):
    figure, axes = plt.subplots()
    assert calibration(RESULT, ax=axes, theme=theme, alpha=0.4) is axes
    assert points(axes).get_alpha() == 0.4
    figure.canvas.draw()
    own = calibration(RESULT, figsize=(4, 4), theme=theme)
    assert own.figure.get_size_inches().tolist() == [4, 4]
    own.figure.canvas.draw()
    plt.close("all")


def test_a_fit_of_rates_is_told_where_to_go():
    ledger = MemoryRunLedger()
    for trial in range(30):
        run_plan(PLAN, {"core": 0.9}, ledger, rng=2, trial=trial)
    with pytest.raises(TypeError, match=r"result is a fit of failure rates, which plots\.rates\(fit\) draws"):
        calibration(fit_failure_rates(ledger))
    with pytest.raises(TypeError, match="result is 5, expected what seqkit"):
        calibration(5)
    with pytest.raises(ValueError, match="theme is 'x'"):
        calibration(RESULT, theme="x")
