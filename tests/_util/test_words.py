"""One place counts, lists and says how many more there are."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import seqkit
from seqkit._show.html import names
from seqkit._util.words import and_more, inflected, listed, plural, quoted, shortened
from seqkit.cli.printing import some

ROOT = Path(seqkit.__file__).parent
SOURCES = {file.relative_to(ROOT).as_posix(): file.read_text("utf-8") for file in sorted(ROOT.rglob("*.py"))}

OWN_WAYS = {
    "a plural by slicing": r"""['"](?:s|ies|y|es)['"]\[""",
    "a plural by a product": r"""['"]s['"] \* |\* ['"]s['"]""",
    "a plural by a condition": r"""\w\{['"](?:s|y|ies|es|)['"] if """,
    "how many more": r"""and \{[^{}]*\} more""",
    "prose rewritten": r"""(?:str\(\w+\)|\bmessage|\bwhy|\breason|\btold|\["message"\])\.(?:replace|removeprefix)\(""",
}


@pytest.mark.parametrize("way", OWN_WAYS)
def test_no_module_has_a_way_of_its_own(way: str) -> None:
    found = [
        f"{file}: {match[0]}"
        for file, text in SOURCES.items()
        if file != "_util/words.py"
        for match in re.finditer(OWN_WAYS[way], text)
        # SequencingFailed takes off what it put there, and the command line what is secret in what was typed.
        if (file, match[0]) not in {("errors.py", "message.removeprefix("), ("__main__.py", "message.replace(")}
    ]
    assert found == []


@pytest.mark.parametrize(
    ("way", "text"),
    [
        ("a plural by slicing", """f"{n} repo{'s'[: n != 1]}\""""),
        ("a plural by a product", """f"stand{'s' * (n == 1)}\""""),
        ("a plural by a condition", """f"dependenc{'y' if n == 1 else 'ies'}\""""),
        ("prose rewritten", """str(error).replace('pass', 'give')"""),
        ("how many more", """f" and {len(names) - 3:,} more\""""),
    ],
)
def test_the_ways_that_are_looked_for_would_be_found(way: str, text: str) -> None:
    assert re.search(OWN_WAYS[way], text)


@pytest.mark.parametrize(("count", "told"), [(0, "0 repos"), (1, "1 repo"), (2, "2 repos"), (1_234, "1,234 repos")])
def test_one_is_the_only_singular(count: int, told: str) -> None:
    assert plural(count, "repo") == told
    assert plural(count, "copy", "copies") == told.replace("repos", "copies").replace("repo", "copy")
    assert inflected(count, "is", "are") == ("is" if count == 1 else "are")


def test_what_is_not_named_is_counted() -> None:
    many = [f"r{i}" for i in range(2_000)]
    assert listed(many, 2) == "r0, r1 and 1,998 more"
    assert listed(many, 2, apart="; ") == "r0; r1; and 1,998 more"
    assert listed(many[:2], 2) == "r0, r1"
    assert listed([], 2) == "" == and_more(0)
    assert quoted(many, 1) == "'r0' and 1,999 more"
    assert some(many, 1) == "r0 and 1,999 more"
    assert names(many, 1) == "<bdi>r0</bdi> and 1,999 more"


def test_a_quoted_id_keeps_its_quotes_however_long_it_is() -> None:
    assert quoted(["x" * 10_000]) == repr(shortened("x" * 10_000, 80))
