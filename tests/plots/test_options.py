"""The pictures of options and levers: what reaches the artists."""

import matplotlib as mpl

mpl.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.collections import LineCollection, PathCollection
from matplotlib.colors import to_hex

from seqkit.plots import levers, options

pytestmark = pytest.mark.usefixtures("settings_untouched")

RANKED = pd.DataFrame(
    {
        "mean": [70.0, 69.9, 61.0],
        "se_mean": [0.1, 0.1, 0.2],
        "difference": [0.0, -0.1, -9.0],
        "se": [0.0, 0.1, 0.5],
        "low": [0.0, -0.3, -10.0],
        "high": [0.0, 0.1, -8.0],
        "rank": [1, 2, 3],
    },
    index=pd.Index(["try twice", "harden", "as it is"], name="name"),
)
COLUMNS = ["action", "repo_id", "cause", "before", "after", "gain"]
CHANGES = pd.DataFrame(
    [
        ("harden", "core", None, 60.0, 64.0, 4.0),
        ("end cause", None, "ci outage", 60.0, 62.0, 2.0),
        ("retry", "api", None, 60.0, 61.0, 1.0),
        ("halve severity", None, "ci outage", 60.0, 61.0, 1.0),
        ("drop", "old", None, 60.0, 59.5, -0.5),
    ],
    columns=COLUMNS,
)


def names(ax):
    return [label.get_text() for label in ax.get_yticklabels()]


def legend(ax):
    return [text.get_text() for text in ax.get_legend().get_texts()]


def test_a_point_is_a_difference_and_its_line_the_interval():
    ax = options(RANKED)
    first, others = (c for c in ax.collections if isinstance(c, PathCollection))
    assert first.get_offsets().tolist() == [[0, 0]]
    assert others.get_offsets().tolist() == [[-0.1, 1], [-9, 2]]
    (lines,) = [c for c in ax.collections if isinstance(c, LineCollection)]
    assert [segment.tolist() for segment in lines.get_segments()] == [[[-0.3, 1], [0.1, 1]], [[-10, 2], [-8, 2]]]
    open_one, filled = (to_hex(face) for face in others.get_facecolors())
    assert open_one == to_hex(ax.get_facecolor()) != filled
    assert names(ax) == ["try twice", "harden", "as it is"]
    assert [text.get_text() for text in ax.texts] == ["70", "69.9", "61"]
    told = "try twice releases most: 70 repos in a run.\n1 of 2 others are told apart from it."
    assert ax.get_title(loc="left") == told
    assert ax.get_ylim()[0] > ax.get_ylim()[1]


def test_one_option_alone_and_none():
    assert "others" not in options(RANKED.head(1)).get_title(loc="left")
    assert "no options" in options(RANKED.head(0)).texts[0].get_text()


def test_a_bar_is_a_gain_with_the_look_of_its_action():
    ax = levers(CHANGES)
    assert [bar.get_width() for bar in ax.patches] == [4, 2, 1, 1, -0.5]
    assert names(ax) == ["harden core", "end cause 'ci outage'", "retry api", "halve severity 'ci outage'", "drop old"]
    looks = {(to_hex(bar.get_facecolor()), bar.get_hatch()) for bar in ax.patches}
    assert len({hatch for _, hatch in looks}) == len(looks) == 5
    assert sorted(legend(ax)) == sorted(CHANGES["action"])
    assert [text.get_text() for text in ax.texts] == ["+4", "+2", "+1", "+1", "-0.5"]
    assert ax.get_title(loc="left") == "harden core buys most: from 60 to 64."


def test_the_best_are_drawn_whatever_the_order_of_the_frame():
    ax = levers(CHANGES.iloc[::-1], top=2)
    assert names(ax) == ["harden core", "end cause 'ci outage'"]
    assert "The best 2 of 5 changes." in ax.get_title(loc="left")
    assert legend(ax) == ["harden", "end cause"]
    assert "No change buys anything" in levers(CHANGES.tail(1)).get_title(loc="left")
    assert "no change" in levers(CHANGES.head(0)).texts[0].get_text()


@pytest.mark.parametrize(("draw", "frame"), [(options, RANKED), (levers, CHANGES)])
def test_axes_size_theme_and_keywords(draw, frame):
    _, own = plt.subplots()
    assert draw(frame, ax=own) is own
    assert draw(frame, figsize=(5, 3)).figure.get_size_inches().tolist() == [5, 3]
    dark, light = (draw(frame, theme=theme) for theme in ("dark", "light"))
    assert to_hex(dark.get_facecolor()) == to_hex(dark.figure.get_facecolor()) == "#000000"
    assert to_hex(light.get_facecolor()) == "#ffffff"
    assert to_hex(dark.xaxis.label.get_color()) == "#ffffff"
    for ax in (dark, light):
        ax.figure.canvas.draw()
    ax = draw(frame, alpha=0.25)
    artists = ax.patches or [c for c in ax.collections if isinstance(c, PathCollection)][1:]
    assert all(np.all(artist.get_alpha() == 0.25) for artist in artists)
    with pytest.raises(ValueError, match="theme is 'blue', expected one of"):
        draw(frame, theme="blue")


def test_wrong_frames_are_named():
    for draw in (options, levers):
        with pytest.raises(TypeError, match="frame is 3, expected"):
            draw(3)
        with pytest.raises(ValueError, match="frame lacks the columns"):
            draw(pd.DataFrame({"mean": [1.0], "action": ["drop"]}))
    with pytest.raises(ValueError, match="frame has the action 'pray', expected one of"):
        levers(CHANGES.assign(action="pray"))
    with pytest.raises(ValueError, match="top is 0"):
        levers(CHANGES, top=0)
