"""Small pictures: what they draw is what they were given, as strict XML, whatever the names."""

from __future__ import annotations

import re
from collections import Counter
from itertools import combinations, pairwise
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seqkit import load_dataset
from seqkit._show.palette import STATUS_STYLES, ink_on, luminance, shade
from seqkit._show.svg import MOST_DRAWN, bars, chip, dag, legend, stacked, strip, summary
from seqkit._show.svg.counts import mark
from seqkit._show.svg.text import fitted, number, width
from tests.tools.strategies import HOSTILE_NAMES, Edge, dags

SVG = "{http://www.w3.org/2000/svg}"
WORDS = list(STATUS_STYLES)
ALLOWED = {"svg", "title", "g", "path", "rect", "circle", "text"}


def parsed(picture: str) -> ET.Element:
    root = ET.fromstring(picture)
    assert {element.tag.removeprefix(SVG) for element in root.iter()} <= ALLOWED
    attributes = {name for element in root.iter() for name in element.attrib}
    assert not attributes & {"id", "class", "href", "onload"}
    assert root.get("role") == "img"
    assert root.get("aria-label")
    assert "url(" not in picture
    return root


def numbers(element: ET.Element, *names: str) -> list[float]:
    return [float(element.attrib[name]) for name in names]


def nodes(root: ET.Element, ids: list[str]) -> dict[str, tuple[str, tuple[float, float, float, float]]]:
    """Give each repo's status and box: left, right, top, bottom."""
    found = {}
    groups = [group for group in root.iter(f"{SVG}g") if "data-status" in group.attrib]
    for repo, group in zip(ids, groups, strict=True):
        shape = group.find(f"{SVG}rect")
        if shape is None:
            shape = group.find(f"{SVG}circle")
            x, y, r = numbers(shape, "cx", "cy", "r")
            box = (x - r, x + r, y - r, y + r)
        else:
            x, y, w, h = numbers(shape, "x", "y", "width", "height")
            box = (x, x + w, y, y + h)
        assert shape.get("fill") == STATUS_STYLES[group.attrib["data-status"]].colour
        found[repo] = (group.attrib["data-status"], box)
    return found


def pieces(root: ET.Element) -> list[list[tuple[float, float]]]:
    """Give the points through which the lines of the edges lead."""
    path = next(root.iter(f"{SVG}path")).attrib["d"]
    found: list[list[tuple[float, float]]] = []
    for letter, told in re.findall(r"([MHC])([^MHC]*)", path):
        values = [float(value) for value in told.split()]
        if letter == "M":
            found.append([(values[0], values[1])])
        elif letter == "H":
            found[-1].append((values[0], found[-1][-1][1]))
        else:
            found[-1] += zip(values[::2], values[1::2], strict=True)
    return found


def colours(ids: list[str]) -> dict[str, str]:
    return {repo: WORDS[i % len(WORDS)] for i, repo in enumerate(ids)}


def implied(edges: list[Edge]) -> set[Edge]:
    """Give the edges beside which a longer path leads to the same place, naively."""
    after: dict[str, set[str]] = {}
    for a, b in edges:
        after.setdefault(a, set()).add(b)

    def reaches(a: str, b: str) -> bool:
        return any(other == b or reaches(other, b) for other in after.get(a, ()))

    return {(a, b) for a, b in edges if any(other != b and reaches(other, b) for other in after[a])}


# ---------------------------------------------------------------------- graphs


@pytest.mark.parametrize("labels", [True, False])
@settings(max_examples=40)
@given(dags())
def test_a_graph_is_drawn_as_it_is(labels: bool, case: tuple[list[str], list[Edge]]) -> None:
    ids, edges = case
    root = parsed(dag(ids, edges, colours(ids), labels=labels))
    drawn = nodes(root, ids)
    assert {repo: word for repo, (word, _) in drawn.items()} == colours(ids)
    for before, after in edges:
        assert drawn[before][1][1] < drawn[after][1][0], "everything stands right of what it needs"
    for (_, a), (_, b) in combinations(drawn.values(), 2):
        assert a[1] <= b[0] or b[1] <= a[0] or a[3] <= b[2] + 0.2 or b[3] <= a[2] + 0.2, "nothing overlaps"
    wide, high = (float(value) for value in root.attrib["viewBox"].split()[2:])
    for _, (left, right, top, bottom) in drawn.values():
        assert left >= 0
        assert right <= wide
        assert top >= 0
        assert bottom <= high


@pytest.mark.parametrize("labels", [True, False])
@settings(max_examples=40)
@given(dags())
def test_lines_lead_from_each_repo_to_what_needs_it(labels: bool, case: tuple[list[str], list[Edge]]) -> None:
    ids, edges = case
    root = parsed(dag(ids, edges, {}, labels=labels))
    if not ids:
        return
    boxes = {repo: box for repo, (_, box) in nodes(root, ids).items()}
    lines = pieces(root)
    for line in lines:
        assert [x for x, _ in line] == sorted(x for x, _ in line), "lines run to the right"
    starts, ends = {line[0] for line in lines}, {line[-1] for line in lines}
    shown = set(edges) - implied(edges)

    def near(point: tuple[float, float], places: set[tuple[float, float]]) -> bool:
        return any(abs(point[0] - x) + abs(point[1] - y) < 0.25 for x, y in places)

    for before, after in shown:
        assert near((boxes[before][1], sum(boxes[before][2:]) / 2), starts)
        assert near((boxes[after][0], sum(boxes[after][2:]) / 2), ends)
    assert len(lines) >= len({after for _, after in shown})
    told = root.attrib["aria-label"]
    hidden = len(set(edges)) - len(shown)
    assert (f"{hidden} of {len(set(edges))} dependencies are not drawn" in told) == bool(hidden)


def test_boxes_hold_mark_name_and_note() -> None:
    ids = ["core", "a-name-that-is-much-too-long-for-any-box-at-all", "$x$"]
    picture = dag(ids, [("core", ids[1])], {"core": "failed", "$x$": "stopped"}, notes={"core": "p 0.95"}, title="Plan")
    root = parsed(picture)
    groups = [group for group in root.iter(f"{SVG}g") if "data-status" in group.attrib]
    assert groups[0].findtext(f"{SVG}title") == "core: failed, p 0.95"
    assert groups[1].findtext(f"{SVG}title") == f"{ids[1]}: pending"
    texts = [[text.text for text in group.iter(f"{SVG}text")] for group in groups]
    assert texts[0] == ["✗", "core", "p 0.95"]
    assert texts[1][0] == "○"
    assert texts[1][1].startswith("a-name-that")
    assert "…" in texts[1][1]
    assert texts[2] == ["■", "$x$"]
    assert [next(iter(group.iter(f"{SVG}g"))).get("data-status") for group in groups] == [
        "failed",
        "pending",
        "stopped",
    ]
    assert [group.find(f"{SVG}g").get("fill") for group in groups] == ["#ffffff", "#000000", "#ffffff"]
    assert root.attrib["aria-label"] == "Plan: 3 repos in 2 columns: 1 pending, 1 failed, 1 stopped"


def test_text_fits_into_its_box() -> None:
    graph = load_dataset("jest29").graph
    ids = list(graph)
    for asked in (None, 1200.0):
        root = parsed(dag(ids, graph.edges, colours(ids), width=asked, notes=dict.fromkeys(ids, "in 12")))
        boxes = nodes(root, ids)
        groups = [group for group in root.iter(f"{SVG}g") if "data-status" in group.attrib]
        for repo, group in zip(ids, groups, strict=True):
            _, (_, right, _, _) = boxes[repo]
            *lines, note = list(group.iter(f"{SVG}text"))[1:]
            free = right - 4 - width("in 12", 9)
            assert note.get("text-anchor") == "end"
            for line in lines:
                (x,) = numbers(line, "x")
                assert x + width(line.text or "", 11) <= free
            if len(repo) <= 24 and asked is None:
                assert [line.text for line in lines] == [repo]
    assert float(root.attrib["width"]) <= 1200
    assert len({len(list(group.iter(f"{SVG}text"))) for group in groups}) == 2, "some names take two lines"


def test_thumbnails_are_small_and_tell_names_when_pointed_at() -> None:
    for name in ("jest29", "jupyter", "kf5"):
        graph = load_dataset(name).graph
        picture = dag(list(graph), graph.edges, colours(list(graph)), labels=False, title=name)
        root = parsed(picture)
        assert float(root.attrib["width"]) <= 421
        assert float(root.attrib["height"]) <= 145
        assert not list(root.iter(f"{SVG}text"))
        left = "".join(root.itertext())  # where a page removes the picture
        assert left.removesuffix(". ").split(". ") == [
            f"{repo}: {STATUS_STYLES[word].word}" for repo, word in colours(list(graph)).items()
        ]
        assert len(picture) < 35_000
        ink = Counter(word for word, _ in nodes(root, list(graph)).values())
        assert root.attrib["aria-label"].startswith(f"{name}: {len(graph)} repos in {len(graph.waves())} columns: ")
        assert summary(ink) in root.attrib["aria-label"]


def test_a_thumbnail_marks_every_status_but_pending() -> None:
    ids = list(WORDS)
    root = parsed(dag(ids, [], {word: word for word in ids}, labels=False))
    marked = {
        group.attrib["data-status"]: len(list(group)) for group in root.iter(f"{SVG}g") if "data-status" in group.attrib
    }
    assert marked == {word: 2 + (word != "pending") for word in WORDS}  # title, dot and mark
    shapes = {
        group.find(f"{SVG}path").get("d") for group in root.iter(f"{SVG}g") if group.find(f"{SVG}path") is not None
    }
    assert len(shapes) == len(WORDS) - 1


@pytest.mark.parametrize("labels", [True, False])
def test_hostile_names_are_text(labels: bool) -> None:
    ids = [*HOSTILE_NAMES, "\u202eabc", "שלום", "a\0b", "tab\there", "&amp;", "]]>"]
    picture = dag(ids, [(ids[0], other) for other in ids[1:]], {}, labels=labels, notes={"": "<b>"}, title="<i>")
    root = parsed(picture)
    assert len(picture) < 20_000
    told = "".join(root.itertext())
    assert "<i>" in root.attrib["aria-label"]
    if labels:
        assert "<script>alert(1)</script>: pending" in told
        assert "a\\x00b" in told
        assert "<b>" in told


def test_no_repos() -> None:
    root = parsed(dag([], [], {}))
    assert root.attrib["aria-label"] == "0 repos in 0 columns"
    assert "There are no repos." in "".join(root.itertext())


@pytest.mark.parametrize(
    ("ids", "edges", "words", "message"),
    [
        (["a", "a"], [], {}, "ids has a repo twice"),
        (["a"], [("a", "b")], {}, "edges has 'b', which is not in ids"),
        (["a", "b"], [("a", "b"), ("b", "a")], {}, "edges has a cycle"),
        (["a"], [("a", "a")], {}, "edges has a cycle"),
        (["a"], [], {"a": "green"}, "a status is 'green', expected one of"),
    ],
)
def test_what_is_wrong_is_named(ids: list[str], edges: list[Edge], words: dict[str, str], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        dag(ids, edges, words)


def test_the_order_of_repos_and_edges_moves_nothing() -> None:
    graph = load_dataset("jest29").graph
    ids = list(graph)
    one, other = dag(ids, graph.edges, colours(ids)), dag(ids[::-1], graph.edges[::-1], colours(ids))
    assert nodes(parsed(one), ids) == nodes(parsed(other), ids[::-1])
    assert {tuple(line) for line in pieces(parsed(one))} == {tuple(line) for line in pieces(parsed(other))}


# ---------------------------------------------------------------------- large graphs


def test_above_300_repos_there_are_bars(monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_: object) -> None:
        raise AssertionError("a layout of a large graph")

    monkeypatch.setattr("seqkit._show.svg.drawing.rows", never)
    monkeypatch.setattr("seqkit._show.svg.drawing.reduction", never)
    ids = [f"r{i}" for i in range(MOST_DRAWN + 1)]
    edges = [("r0", other) for other in ids[1:]]
    root = parsed(dag(ids, edges, {"r0": "succeeded", "r1": "failed"}))
    rects = {
        (float(r.attrib["x"]), r.attrib["data-status"]): float(r.attrib["height"]) for r in root.iter(f"{SVG}rect")
    }
    assert sorted(word for _, word in rects) == ["failed", "pending", "succeeded"]
    assert rects[31.0, "pending"] == pytest.approx(299 / 300 * 106, abs=0.06)
    assert "a bar a column, the tallest 300 repos" in "".join(root.itertext())


def test_many_lines_across_columns_make_bars_too() -> None:
    chain = [f"c{i}" for i in range(100)]
    lone = [f"s{i}" for i in range(40)]
    edges = [*pairwise(chain), *((repo, "c99") for repo in lone)]
    assert "Too large to draw" in dag([*chain, *lone], edges, {})
    assert "Too large to draw" not in dag([*chain, *lone[:20]], edges[:-20], {})


@given(st.lists(st.dictionaries(st.sampled_from(WORDS), st.integers(0, 50)), max_size=200))
def test_bars_add_up(columns: list[dict[str, int]]) -> None:
    root = parsed(stacked(columns, "Plan"))
    rects = list(root.iter(f"{SVG}rect"))
    assert len({rect.attrib["x"] for rect in rects}) <= 60
    total: Counter[str] = Counter()
    for column in columns:
        total.update(column)
    assert {rect.attrib["data-status"] for rect in rects} == {word for word in WORDS if total[word]}
    assert f"{total.total():,} repo" in root.attrib["aria-label"]
    if len(columns) <= 60 and total:
        tallest = max(sum(column.values()) for column in columns)
        heights: Counter[str] = Counter()
        for rect in rects:
            heights[rect.attrib["data-status"]] += float(rect.attrib["height"])
        for word in WORDS:
            if total[word]:
                assert heights[word] == pytest.approx(total[word] / tallest * 106, abs=0.6 * len(columns))


# ---------------------------------------------------------------------- counts


@given(st.dictionaries(st.sampled_from(WORDS), st.integers(0, 100_000)))
def test_a_strip_is_cut_in_proportion(counts: dict[str, int]) -> None:
    root = parsed(strip(counts, width=400))
    parts = [rect for rect in root.iter(f"{SVG}rect") if "data-status" in rect.attrib]
    assert [rect.attrib["data-status"] for rect in parts] == [word for word in WORDS if counts.get(word)]
    x = 0.5
    for rect in parts:
        left, long = numbers(rect, "x", "width")
        assert left == pytest.approx(x, abs=0.5)
        assert long >= 3.9, "even one among thousands is seen"
        x += long
    if parts:
        assert x == pytest.approx(399.5, abs=0.5)
        total = sum(counts.values())
        for rect in parts:
            share = counts[rect.attrib["data-status"]] / total
            assert float(rect.attrib["width"]) == pytest.approx(max(share * 399, 4), abs=4.0 * len(parts))


@given(st.dictionaries(st.sampled_from(WORDS), st.integers(0, 9_999)))
def test_a_legend_has_what_occurs_in_order_with_mark_and_count(counts: dict[str, int]) -> None:
    root = ET.fromstring(legend(counts) or "<div/>")
    told = [" ".join("".join(span.itertext()).split()) for span in root]
    occur = [(style, counts[word]) for word, style in STATUS_STYLES.items() if counts.get(word)]
    assert told == [f"{style.mark} {style.word} {count:,}" for style, count in occur]


def test_parts_of_strips_and_bars_tell_how_many_when_pointed_at() -> None:
    root = parsed(strip({"failed": 1, "succeeded": 1200}))
    assert [title.text for title in root.iter(f"{SVG}title")] == ["1,200 succeeded. ", "1 failed. "]
    root = parsed(stacked([{"succeeded": 2}] * 59 + [{"failed": 1, "blocked": 3}] * 62))
    told = [title.text for title in root.iter(f"{SVG}title")]
    assert told[0] == "Columns 0 to 2: 6 succeeded. "
    assert told[-2:] == [
        "Column 120: 3 blocked. ",
        "Column 120: 1 failed. ",
    ]


def test_every_status_has_a_mark_of_its_own_on_a_dot() -> None:
    drawn = {
        word: re.sub(r'stroke="#\w+"|fill="#\w+"', "", mark(0, 0, 5, style, ring=True))
        for word, style in STATUS_STYLES.items()
    }
    assert all(drawn.values())
    assert len(set(drawn.values())) == len(STATUS_STYLES)


def test_a_chip_is_colour_mark_and_word() -> None:
    for style in STATUS_STYLES.values():
        root = ET.fromstring(chip(style))
        assert "".join(root.itertext()) == f"{style.mark} {style.word}"
        assert f"background:{style.colour};color:{style.ink}" in root[0].attrib["style"]
    assert "<b>" not in chip(style, "<b>")


def test_unknown_statuses_are_refused() -> None:
    for draw in (strip, legend, summary):
        with pytest.raises(ValueError, match="a status is 'green', expected one of"):
            draw({"green": 1})


# ---------------------------------------------------------------------- histograms


def columns_of(picture: str) -> list[float]:
    return [float(rect.attrib["height"]) for rect in parsed(picture).iter(f"{SVG}rect")]


@given(st.lists(st.floats(0.05, 1), min_size=1, max_size=100))
def test_columns_are_as_high_as_probable(values: list[float]) -> None:
    heights = columns_of(bars(values))
    assert len(heights) == len(values)
    for height, value in zip(heights, values, strict=True):
        assert height / max(heights) == pytest.approx(value / max(values), abs=0.01)


def test_improbable_counts_are_seen_and_impossible_ones_are_not() -> None:
    assert [height > 0 for height in columns_of(bars([1.0, 0.0, 1e-12]))] == [True, True]
    assert columns_of(bars([])) == columns_of(bars([0.0])) == []


def test_more_counts_than_pixels_share_columns() -> None:
    picture = bars([1.0] * 60_001)
    heights = columns_of(picture)
    assert 150 <= len(heights) <= 196
    assert max(heights) == heights[0]
    assert "from 0 to 60,000" in picture


@pytest.mark.parametrize(
    "at", [[59.84, 32, 70, 75], [90.62, 79, 91, 97], [38.1, 2, 34, 75], [0, 0, 0, 0], [99, 99, 99, 99], [50, 1, 2, 99]]
)
def test_marks_stand_where_they_belong_and_labels_are_readable(at: list[float]) -> None:
    values = [0.01] * 100
    names = ["mean", "5 %", "median", "95 %"]
    labels = [f"{name} {x:g}" for name, x in zip(names, at, strict=True)]
    picture = bars(values, marks=at, labels=labels, title="repos released")
    root = parsed(picture)
    assert root.attrib["aria-label"] == (f"repos released: histogram of the counts from 0 to 99; {', '.join(labels)}")
    lines = [path for path in root.iter(f"{SVG}path") if "V" in path.attrib["d"]]
    rects = sorted(numbers(rect, "x", "width") for rect in root.iter(f"{SVG}rect"))
    spots = []
    for x, line in zip(at, lines, strict=True):
        here, top = (float(value) for value in line.attrib["d"][1:].split("V")[0].split())
        left, long = rects[int(x)]
        assert left - 0.2 <= here - (x - int(x)) * 3.92 <= left + long + 1.2
        spots.append((here, top))
    assert ["stroke-dasharray" in line.attrib for line in lines] == [False, True, True, True]
    texts = {text.text: numbers(text, "x", "y") for text in root.iter(f"{SVG}text")}
    spans = [(texts[label][0], texts[label][0] + width(label, 10), texts[label][1]) for label in labels]
    for a, b in combinations(spans, 2):
        assert a[1] < b[0] or b[1] < a[0] or abs(a[2] - b[2]) >= 10, "labels do not overlap"
    if len(set(at)) == 4:
        for (here, top), (left, right, y) in ((spot, span) for spot in spots for span in spans):
            assert not (left < here < right and top < y), "no line runs through a label"


def test_each_mark_has_a_label() -> None:
    with pytest.raises(ValueError, match="labels has 0 for 1 marks, expected one for each"):
        bars([1.0], marks=[0.0])


# ---------------------------------------------------------------------- text


def test_measured_widths_are_on_the_safe_side() -> None:
    font_manager, textpath = (pytest.importorskip(f"matplotlib.{name}") for name in ("font_manager", "textpath"))
    path, font = textpath.TextToPath(), font_manager.FontProperties(family="DejaVu Sans", size=100)
    for char in map(chr, range(33, 127)):
        twice = path.get_text_width_height_descent(char + char, font, False)[0]
        assert 0.97 * twice <= width(char + char, 100) <= 1.6 * twice, char


@given(st.text(max_size=40), st.floats(10, 200), st.integers(2, 30))
def test_fitted_text_is_one_line_that_fits(line: str, room: float, limit: int) -> None:
    told = fitted(line, 10, room, limit)
    assert len(told) <= limit
    assert width(told, 10) <= room or len(told) <= 1
    assert not any(char.isspace() and char != " " for char in told)


@given(st.floats(-1e5, 1e5))
def test_numbers_are_short(value: float) -> None:
    told = number(value)
    assert abs(float(told) - value) <= 0.0501
    assert re.fullmatch(r"-?\d+(\.[1-9])?", told)
    assert told != "-0"


# ---------------------------------------------------------------------- filled by a probability


def test_shades_are_told_apart_in_grey_and_their_ink_is_read():
    greys = [luminance(shade(n / 20)) for n in range(21)]
    assert all(darker < lighter for darker, lighter in pairwise(greys))
    for n in range(101):
        fill = shade(n / 100)
        bright, dark = sorted((luminance(fill), luminance(ink_on(fill))), reverse=True)
        assert (bright + 0.05) / (dark + 0.05) >= 4.5  # WCAG 2, for small text


@pytest.mark.parametrize("labels", [True, False])
def test_a_box_or_dot_is_filled_by_its_shade(labels):
    picture = dag(["a", "b"], [("a", "b")], dict.fromkeys("ab", "succeeded"), labels=labels, shades={"a": 0.3})
    assert picture.count(shade(0.3)) == 1
    assert picture.count(f'fill="{STATUS_STYLES["succeeded"].colour}"') == 1
