"""Break small projects of every format at random and read them: a graph or an error of ours, and nothing else.

By hand: ``python -m tests.tools.fuzz_readers --minutes 10``. Inputs that break something, or take over ten seconds,
are kept in ``--keep``. A format without a project of its own is tried with those of all others.
"""

from __future__ import annotations

import contextlib
import copy
import json
import random
import re
import shutil
import sys
import tempfile
import time
import traceback
import warnings
from collections import Counter
from pathlib import Path
from typing import Any

from seqkit import build_plan, plan_changes, read_graph
from seqkit.errors import DependencyCycle, ReadError
from seqkit.readers.formats import FORMATS
from tests.tools.fuzz_ledger import asked_for, bounded, broken_bytes, is_new, places
from tests.tools.small_projects import PROJECTS, names_of, write_project

ODD: list[Any] = [
    *(None, True, False, 0, -1, 3, 2**63, 10**30, 10**400, 1.5, 1e308, float("inf"), [], {}, [[]], [{}], {"": ""}),
    *(
        "",
        "\0",
        "\ud800",
        "x" * 5000,
        "..",
        ".",
        "/",
        "../..",
        "*",
        "**",
        "{a,b}" * 30,
        "!",
        "${a}",
        "<![CDATA[",
        "&a;",
    ),
    *(
        "core",
        "app",
        "b",
        "@s/c",
        "workspace:*",
        "catalog:",
        "link:../..",
        "file:",
        "npm:",
        "npm:@",
        "^",
        "a[b",
        "1.0(",
        "#",
    ),
    *(
        "a; python_version < '3' or (",
        "a @ file:///etc/passwd",
        "-r pyproject.toml",
        "core[x]; extra == 'x'",
        "١.٢",
        "1" * 5000,
    ),
]
WORDS = [
    *(
        "[",
        "]",
        "{",
        "}",
        "(",
        ")",
        '"',
        "'",
        '"""',
        "=",
        "==",
        ":",
        ",",
        "\n",
        "\n\n",
        "\t",
        " ",
        "#",
        "//",
        "&a ",
        "*a",
        "<<: *a",
    ),
    *(
        "!!python/object/apply:os.system [touch was-run]",
        "- ",
        "? ",
        "| ",
        "---\n",
        "...\n",
        "%YAML 9.9\n",
        "null",
        "~",
        "true",
    ),
    *(
        "[[a]]",
        "[a.b]\n",
        "a.b.c = 1\n",
        "1979-05-27",
        "0x_1",
        "1e9999",
        "9" * 5000,
        "inf",
        "nan",
        "<a>",
        "</a>",
        "<!--",
        "&x;",
    ),
    *(
        "<!DOCTYPE a [<!ENTITY x SYSTEM 'file:///etc/passwd'>]>",
        "<?xml version='1.0' encoding='utf-7'?>",
        "${revision}",
    ),
    *(
        "${a}${b}",
        "..",
        "../..",
        "*",
        "**",
        "/",
        "\\",
        "\0",
        "\ufeff",
        "\u2028",
        "\u0130",
        "\U0001f680",
        "́",
        "require (",
        "use .",
    ),
    *("replace a => ../..", "[" * 2000, "{a: " * 2000, "<a>" * 2000, "a." * 2000, "core", "app", "v2", "@s/c"),
]
"""What is put into files that are no JSON."""

_TOKEN = re.compile(r"\w+|\s+|.", re.DOTALL)


def broken_json(text: str, rng: random.Random) -> str:
    """Change what a document says, not that it is JSON."""
    document = json.loads(text)
    for _ in range(rng.choice((1, 1, 1, 2, 4))):
        found = places(document)
        if not found:
            break
        holder, key = rng.choice(found)
        match rng.randrange(5):
            case 0:
                del holder[key]
            case 1 if isinstance(holder, dict):
                holder[str(rng.choice(("name", "version", "", "\ud800", "x", ".", "..")))] = holder.pop(key)
            case 2:
                other, there = rng.choice(found)
                if there in other if isinstance(other, dict) else there < len(other):
                    holder[key] = json.loads(json.dumps(other[there]))  # a copy: it may hold this place
            case _:
                holder[key] = copy.deepcopy(rng.choice(ODD))
    return json.dumps(document, ensure_ascii=rng.random() < 0.5)


def broken_words(text: str, rng: random.Random) -> str:
    """Change words and lines of a text."""
    for _ in range(rng.choice((1, 1, 1, 2, 4))):
        words = text.splitlines(keepends=True) if rng.random() < 0.4 else _TOKEN.findall(text)
        if not words:
            return rng.choice(WORDS)
        here, there = rng.randrange(len(words)), rng.randrange(len(words))
        match rng.randrange(6):
            case 0:
                del words[here]
            case 1:
                words.insert(here, words[there])
            case 2:
                words[here], words[there] = words[there], words[here]
            case 3:
                words.insert(here, rng.choice(WORDS))
            case 4:
                words[here] = str(rng.choice(ODD))
            case _:
                words[here] = rng.choice(WORDS)
        text = "".join(words)
    return text


def broken(text: str, rng: random.Random) -> bytes:
    """Change a file in one way or another."""
    way = rng.random()
    if way < 0.15:
        return broken_bytes(text.encode("utf-8", "surrogatepass"), rng)
    if way < 0.18:
        return text.encode(rng.choice(("utf-16", "utf-8-sig", "utf-32", "cp037")), "replace")
    if way < 0.22:
        return text[: rng.randrange(len(text) + 1)].encode("utf-8", "replace")
    is_json = text.startswith("{")
    changed = broken_json(text, rng) if is_json and way < 0.8 else broken_words(text, rng)
    return changed.encode("utf-8", "surrogatepass")


def check(path: Path, format: str | None, options: dict[str, Any]) -> str:
    """Read and plan; give a word for how it went. Whatever it raises is a bug."""
    try:
        graph = read_graph(path, format, **options)
    except (ReadError, DependencyCycle) as error:
        if len(str(error)) > 20_000 or not getattr(error, "path", "cycle"):
            raise
        return "refused" if isinstance(error, ReadError) else "cycle"
    except ValueError as error:
        if "cannot be guessed from the ending" in str(error) or "is unknown to format" in str(error):
            return "not named so"
        raise
    for shown in (repr(graph), graph._repr_html_(), repr(graph.report), str(graph.report)):
        assert isinstance(shown, str)
    assert graph.report is not None
    assert graph.report.path
    list(graph.report.lines())
    graph.report.to_frame()
    graph.to_frame("repos")
    graph.cycles()
    if not graph.has_cycles and len(graph):
        build_plan(graph, version="1.0")
        with contextlib.suppress(ValueError):  # a version that nobody can count on from
            plan_changes(graph, [next(iter(graph))])
    return "read"


def one(rng: random.Random, folder: Path) -> tuple[str, Path, str | None, dict[str, Any]]:
    """Write a broken project; give its format, what is read, as what, and how."""
    row = rng.choice(FORMATS)
    base = PROJECTS.get(row.name) or rng.choice(list(PROJECTS.values()))
    files = dict(base)
    for _ in range(rng.choice((1, 1, 2))):
        if len(files) > 1 and rng.random() < 0.1:
            files.pop(rng.choice(list(files)[1:]), None)
    entry = write_project(files, folder)
    for place in rng.sample(list(files), min(len(files), rng.choice((1, 1, 2)))):
        (folder / place).write_bytes(broken(files[place], rng))
    if row.name not in PROJECTS:
        entry = entry.rename(folder / rng.choice(names_of(row)))
    options: dict[str, Any] = {
        "cycles": rng.choice(("error", "merge", "keep")),
        "kinds": rng.choice((None, "all", "dev", ("normal", "build"))),
    }
    if row.files and rng.random() < 0.25:
        if rng.random() < 0.5:
            options["unit"] = rng.choice(("package", "repo"))
        return f"{row.name} folder", folder, None, options
    return row.name, entry, row.name if rng.random() < 0.7 else None, options


def main() -> int:
    """Run until the time is over; 1 where something broke."""
    chosen = asked_for(__doc__, "seqkit-fuzz-readers")
    warnings.simplefilter("ignore")
    rng = random.Random(chosen.seed)
    counts: Counter[str] = Counter()
    bugs: Counter[str] = Counter()
    slowest = 0.0
    until = time.monotonic() + 60 * chosen.minutes
    while time.monotonic() < until:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name, "top")
            folder.mkdir()
            label, path, format, options = one(rng, folder)
            start = time.monotonic()
            try:
                with bounded():
                    counts[f"{label}: {check(path, format, options)}"] += 1
                assert not any(Path(name).rglob("was-run")), "something was run"
            except Exception as error:
                counts[f"{label}: BUG"] += 1
                if is_new(error, bugs):
                    shutil.copytree(folder, chosen.keep / f"{len(bugs)}-{label.replace(' ', '-')}", dirs_exist_ok=True)
                    print(label, format, options)
                    traceback.print_exc()
            slowest = max(slowest, time.monotonic() - start)
    print(f"{counts.total()} inputs, seed {chosen.seed}, the slowest took {slowest:.2f} s")
    for label, count in sorted(counts.items()):
        print(f"  {label}: {count}")
    for label, count in bugs.most_common():
        print(f"  BUG {label}: {count}")
    return 1 if bugs else 0


if __name__ == "__main__":
    sys.exit(main())
