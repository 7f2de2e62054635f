"""The order of a release, and what one failure blocks, drawn as a graph in waves."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from textwrap import wrap
from typing import Any

from matplotlib.axes import Axes

from seqkit._util.words import inflected, plural
from seqkit.analysis.whatif import what_if
from seqkit.core.graph import RepoDependencyGraph
from seqkit.core.neighbours import neighbours
from seqkit.core.outcome import SequenceOutcome
from seqkit.core.plan import SequencePlan
from seqkit.plots._axes import TITLE_SIZE, axes, nothing, points, settled, status_legend, themed, title
from seqkit.plots._bars import draw_bars, height_of_bars
from seqkit.plots._boxes import Arrangement, draw_boxes
from seqkit.plots._drawings import first_that_fits, folded_drawings, whole_drawing
from seqkit.plots._folding import FOLDED_ABOVE, Shown
from seqkit.plots._text import PLAIN, shown, width

__all__ = ["blast_radius", "order"]

_MOST_NAMED = 300
_LEAST = 330.0  # a narrower figure has no room for the legend
_CAUTION = 0.85  # of given axes: what is drawn beside them later may take the rest, and text does not shrink
_MOST_LINES = 3  # of the note


def order(
    graph_or_plan_or_outcome: RepoDependencyGraph | SequencePlan | SequenceOutcome,
    ax: Axes | None = None,
    around: str | None = None,
    depth: int = 1,
    implied: bool = False,
    figsize: tuple[float, float] | None = None,
    theme: str = "auto",
    fold: bool = True,
    **kwargs: Any,
) -> Axes:
    """Draw a graph, a plan, or how it ended, from top to bottom: everything stands below what it needs.

    Parameters
    ----------
    graph_or_plan_or_outcome : RepoDependencyGraph, SequencePlan or SequenceOutcome
        A box is a repo: its mark, its position in the plan (from 0, as in ``to_frame``) and its name. Of a graph
        the position is that in its topological order; repos that wait for each other, in a graph that was kept with
        its cycles, are one box.
    ax : matplotlib.axes.Axes, optional
        Where to draw; by default a new figure, at most a page wide and as tall as the graph needs, and above 60
        repos no larger than a slide.
    around : str, optional
        Draw only this repo, what it needs and what needs it: ancestors and descendants, no siblings.
    depth : int
        With `around`, how many steps up and down.
    implied : bool
        Whether to draw dependencies that others imply too: where c needs b and b needs a, that c needs a.
    figsize : tuple of float, optional
        Inches of the new figure, width and height; the drawing is fitted into it.
    theme : {"auto", "light", "dark"}
        The ground: as matplotlib's settings say, or one of the two. No setting tells whether a notebook's page is
        dark; ``matplotlib.pyplot.style.use("dark_background")`` makes all that follows so.
    fold : bool
        Whether, above 60 repos, only some have a box of their own: those that failed and what they block, or in a
        graph without failures those that most others need. The others share a box with their wave. With False all
        are drawn, however tall that is; ``graph.to_dot()`` and ``graph.to_mermaid()`` write all for other programs.
    **kwargs
        For the boxes, one :class:`matplotlib.collections.PolyCollection`; above 300 repos, or
        where names find no room, for the bars that count each wave's repos, another one.

    Returns
    -------
    matplotlib.axes.Axes
        Waves from top to bottom, a wide one folded into several rows. In a plan with unreleased repos
        these are dependency levels: unreleased repos fill a level, but waves do not count them.
        Lines along which failures block others are thicker and red.
        The data unit of a drawing with boxes is a point, 1/72 inch, beside other axes about a point.
        A box with a second one behind it is several repos, of one wave and status; waves none of whose repos has a
        box of its own may be one band.

    Raises
    ------
    RepoNotFound
        Where `around` is not in the plan.
    TypeError, ValueError
        Where `graph_or_plan_or_outcome` is none of these, `depth` is not a whole number from 0, or `theme` none.

    Notes
    -----
    Plots run from top to bottom, since names lie across: so a page has room for a wave of many repos. The small
    pictures of reprs and the drawings of widgets run from left to right: dots are as wide as tall, and a flat picture
    leaves room for the table below it; a widget can be scrolled.

    Examples
    --------
    >>> import matplotlib; matplotlib.use("Agg")
    >>> from seqkit import RepoDependencyGraph, build_plan, what_if
    >>> plan = build_plan(RepoDependencyGraph.from_edges([("core", "api"), ("api", "app")]), version="1.0")
    >>> order(plan).get_title(loc="left")
    '3 repos to release in 3 waves'
    >>> order(plan.graph).get_title(loc="left")
    '3 repos in 3 waves'
    >>> order(what_if(plan, fail="api")).get_title(loc="left")
    '1 succeeded, 1 failed, 1 blocked'
    >>> matplotlib.pyplot.close("all")
    """
    look = _Wanted(figsize, around, depth, implied, fold, kwargs)
    hit = set[str]()
    if isinstance(graph_or_plan_or_outcome, RepoDependencyGraph):
        with themed(theme):
            return _draw(_picture_of_graph(graph_or_plan_or_outcome), ax, look)
    if isinstance(graph_or_plan_or_outcome, SequenceOutcome):
        plan = graph_or_plan_or_outcome.plan
        words = graph_or_plan_or_outcome.words()
        sentence = graph_or_plan_or_outcome.summary()
        hit = _hit(graph_or_plan_or_outcome)
    elif isinstance(graph_or_plan_or_outcome, SequencePlan):
        plan, left_out = graph_or_plan_or_outcome, set(graph_or_plan_or_outcome.unreleased)
        words = ["unreleased" if item.repo_id in left_out else "pending" for item in plan.items]
        repos, waves = len(plan.released), len(plan.waves())
        sentence = f"{plural(repos, 'repo')} to release in {plural(waves, 'wave')}"
        sentence += f", {len(left_out)} unreleased" if left_out else ""
    else:
        raise TypeError(
            f"graph_or_plan_or_outcome is a {type(graph_or_plan_or_outcome).__name__}, expected a RepoDependencyGraph, "
            "SequencePlan or SequenceOutcome"
        )
    ids = [item.repo_id for item in plan.items]
    picture = _Picture(plan.graph, dict(zip(ids, words, strict=True)), sentence, hit)
    with themed(theme):
        return _draw(picture, ax, look)


def blast_radius(
    plan_or_graph: SequencePlan | RepoDependencyGraph,
    repo: str,
    ax: Axes | None = None,
    around: str | None = None,
    depth: int = 1,
    implied: bool = False,
    figsize: tuple[float, float] | None = None,
    theme: str = "auto",
    fold: bool = True,
    **kwargs: Any,
) -> Axes:
    """Draw what happens if one repo fails: itself, what it blocks, and what goes on.

    Parameters
    ----------
    plan_or_graph : SequencePlan or RepoDependencyGraph
        Of a plan, unreleased repos neither fail nor are blocked; of a graph, all repos take part.
    repo : str
        The repo that fails.
    ax, around, depth, implied, figsize, theme, fold, **kwargs
        As in :func:`order`.

    Raises
    ------
    RepoNotFound
        Where `repo` or `around` is not in the plan or graph.
    TypeError, ValueError
        Where `plan_or_graph` is neither, `depth` is not a whole number from 0, or `theme` none.

    Examples
    --------
    >>> import matplotlib; matplotlib.use("Agg")
    >>> from seqkit import RepoDependencyGraph
    >>> graph = RepoDependencyGraph.from_edges([("core", "api"), ("api", "app"), ("core", "docs")])
    >>> blast_radius(graph, "api").get_title(loc="left")
    'If api fails: 1 blocked, 2 go on'
    >>> matplotlib.pyplot.close("all")
    """
    if isinstance(plan_or_graph, SequencePlan):
        graph = plan_or_graph.graph
        graph.require(repo)
        words = what_if(plan_or_graph, fail=repo).words()
        ended = {item.repo_id: word for item, word in zip(plan_or_graph.items, words, strict=True)}
    elif isinstance(plan_or_graph, RepoDependencyGraph):
        graph = plan_or_graph
        ended = dict.fromkeys(graph.topological_order(), "succeeded")
        ended.update(dict.fromkeys(graph.transitive_dependents_of(repo), "blocked"))
        ended[repo] = "failed"
    else:
        raise TypeError(
            f"plan_or_graph is a {type(plan_or_graph).__name__}, expected a SequencePlan or RepoDependencyGraph"
        )
    counts = Counter(ended.values())
    goes_on = f"{counts['succeeded']} {inflected(counts['succeeded'], 'goes', 'go')} on"
    sentence = f"{counts['blocked']} blocked, {goes_on}"
    sentence += f", {counts['unreleased']} unreleased" if counts["unreleased"] else ""
    fails = ended[repo] == "failed"
    sentence = f"If {shown(repo, 40)} fails: {sentence}" if fails else f"{shown(repo, 40)} is not released: {sentence}"
    hit = {repo, *graph.transitive_dependents_of(repo)} if fails else set()
    with themed(theme):
        return _draw(_Picture(graph, ended, sentence, hit), ax, _Wanted(figsize, around, depth, implied, fold, kwargs))


def _picture_of_graph(graph: RepoDependencyGraph) -> _Picture:
    """Give a graph's picture; what waits for itself is merged, as there is no order else."""
    merged = ""
    if graph.has_cycles:
        n_units = len(graph.cycles())
        graph = RepoDependencyGraph.from_networkx(graph.to_networkx(), "dependency_to_dependent", cycles="merge")
        merged = f"; {plural(n_units, 'cycle')} as one box each"
    waves = len(graph.waves())
    sentence = f"{plural(len(graph), 'repo')} in {plural(waves, 'wave')}{merged}"
    return _Picture(graph, dict.fromkeys(graph.topological_order(), "pending"), sentence)


def _hit(outcome: SequenceOutcome) -> set[str]:
    """Name the repos that failed, those they block, and unreleased ones that hand it on."""
    plan, hit = outcome.plan, set(outcome.failures)
    for item, cause, by, needs in zip(
        plan.items, outcome.skip_causes, outcome.blocked_by, plan.arrays.dependencies, strict=True
    ):
        if by or (cause == "unreleased" and any(plan.items[other].repo_id in hit for other in needs)):
            hit.add(item.repo_id)
    return hit


@dataclass(frozen=True)
class _Picture:
    graph: RepoDependencyGraph
    words: Mapping[str, str]  # repo → key of EVERY_STYLE, in the order of execution
    sentence: str
    hit: set[str] = field(default_factory=set)  # by a failure: lines between them are loud


@dataclass(frozen=True)
class _Wanted:
    """What was asked for, beside the picture."""

    figsize: tuple[float, float] | None
    around: str | None
    depth: int
    implied: bool
    fold: bool
    kwargs: Mapping[str, Any]


# ---------------------------------------------------------------------- drawing


def _draw(picture: _Picture, ax: Axes | None, look: _Wanted) -> Axes:
    whole, head = len(picture.words), picture.sentence
    chosen = list(picture.words) if look.around is None else neighbours(picture.graph, look.around, look.depth)
    if not chosen:
        return nothing(ax, "Nothing to draw: there are no repos.")
    if look.around is not None:
        near = f"{len(chosen)} of {whole} repos, {plural(look.depth, 'step')} up and down"
        head += f"\nAround {shown(look.around, 40)}: {near}"
    kept = set(chosen)
    level = {repo: number for number, wave in enumerate(picture.graph.waves()) for repo in wave}
    edges = [edge for edge in picture.graph.edges if kept.issuperset(edge)]
    words = {repo: picture.words[repo] for repo in chosen}
    ax = axes(None, *look.figsize) if ax is None and look.figsize is not None else ax
    if len(chosen) <= _MOST_NAMED:
        position = {repo: number for number, repo in enumerate(picture.words)}
        folded = look.fold and len(words) > FOLDED_ABOVE
        told = Shown(words, position, level, edges, picture.hit)
        drawings = folded_drawings(picture.graph, told) if folded else [whole_drawing(told, look.implied)]
        if ax is not None:
            ax.set_xticks([])
            ax.set_yticks([0], [str(max(level.values()))])
            _say(ax, picture, head, drawings[0].note, Counter(words.values()))  # takes its room before all else
        found = first_that_fits(drawings, None if ax is None else _room(ax))
        if found is not None:
            drawing, boxes = found
            ax = _frame(ax, boxes, head, drawing.bands)
            _say(ax, picture, head, drawing.note, Counter(words.values()))
            draw_boxes(ax, boxes, drawing.nodes, drawing.loud, look.kwargs)
            return ax
    waves = 1 + max(level[repo] for repo in chosen)
    ax = axes(ax, 8.0, height_of_bars(waves) + 1.4)
    note = draw_bars(ax, words, level, edges, look.kwargs)
    why = "no room for names" if len(chosen) <= _MOST_NAMED else f"more than {_MOST_NAMED} repos"
    _say(ax, picture, head, f"{why}; around= draws a part. {note}", Counter(words.values()))
    return ax


def _room(ax: Axes) -> tuple[float, float]:
    """Measure given axes, in points, less what other axes of the figure may still take from them."""
    figure: Any = ax.get_figure()
    wide, high = settled(ax)
    share = _CAUTION if len(figure.axes) > 1 and figure.get_layout_engine() is not None else 1.0
    return share * wide, share * high


def _frame(ax: Axes | None, boxes: Arrangement, head: str, bands: Mapping[int, str] | None) -> Axes:
    """Give axes with a point for a data unit, the drawing in their middle."""
    if ax is None:
        wide = max(boxes.width + 8, _LEAST, *(width(line, TITLE_SIZE) for line in head.split("\n")))
        tall = boxes.height
        ax = axes(None, wide / 72 + 0.6, tall / 72 + 1.2)
    else:
        wide, tall = _room(ax)
    ax.set_xlim((boxes.width - wide) / 2, (boxes.width + wide) / 2)
    ax.set_ylim((boxes.height + tall) / 2, (boxes.height - tall) / 2)
    ax.set_xticks([])
    called = [str(wave) if bands is None else bands[wave] for wave in boxes.bands]
    ax.set_yticks([(top + bottom) / 2 for top, bottom in boxes.bands.values()], called)
    ax.tick_params(axis="y", length=0, labelsize=8)
    for spine in ax.spines.values():
        spine.set_visible(False)
    return ax


def _say(ax: Axes, picture: _Picture, head: str, note: str, counts: Mapping[str, int]) -> None:
    ax.set_ylabel("dependency level" if "unreleased" in picture.words.values() else "wave", fontsize=9)
    title(ax, head)
    lines = wrap(note, max(20, int(points(ax)[0] / 4.2)))
    if len(lines) > _MOST_LINES:
        lines = [note.split(";", maxsplit=1)[0]]
    ticks = 12.0 if len(ax.get_xticks()) else 0.0
    ax.set_xlabel("\n".join(lines), fontsize=8, loc="left", **PLAIN)
    status_legend(ax, counts, below=14.0 + 11.0 * len(lines) + ticks)
