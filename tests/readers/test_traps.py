"""Files made to harm whoever reads them: bounded, nothing run, nothing outside read, and an error of ours at worst.

All formats and ecosystems of the tables are tried, whatever they are.
"""

from __future__ import annotations

import gzip
import json
import os
import random
import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any

import pytest

from seqkit._util import gzipped
from seqkit.core.graph import RepoDependencyGraph
from seqkit.errors import DependencyCycle, ReadError
from seqkit.readers import ReadWarning, read_graph
from seqkit.readers import _files as files
from seqkit.readers.formats import ECOSYSTEMS, FORMATS, Format
from tests.tools.fuzz_ledger import bounded
from tests.tools.fuzz_readers import check, one
from tests.tools.small_projects import PROJECTS, names_of, write_project
from tests.tools.traps import FILES, FOLDERS, SECRET

pytestmark = pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs pipes and alarms, which Windows has not")

each_format = pytest.mark.parametrize("row", [pytest.param(row, id=row.name) for row in FORMATS])


def attempt(path: Path, format: str | None, **options: Any) -> RepoDependencyGraph | ReadError | None:
    """Give the graph or the error, which names a file below; whatever else is raised fails the test."""
    with bounded(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return read_graph(path, format, **options)
        except ReadError as error:
            assert Path(error.path).is_relative_to(path if path.is_dir() else path.parent)  # noqa: PT017
            assert len(str(error)) < 3000 + len(error.path)  # noqa: PT017
            return error
        except DependencyCycle:
            return None


def around(folder: Path) -> Path:
    """Make a folder to read, and beside it one that must not be read."""
    (folder / SECRET).mkdir()
    for name in {name for row in FORMATS for name in names_of(row)} | {"file"}:
        (folder / SECRET / name).write_text(SECRET)
    top = folder / "top"
    top.mkdir()
    return top


# ---------------------------------------------------------------------- files


@each_format
def test_files_that_were_made_to_harm(tmp_path: Path, row: Format[RepoDependencyGraph]) -> None:
    name = names_of(row)[0]
    for trap, content in FILES.items():
        folder = tmp_path / trap.replace("/", "_")
        folder.mkdir()
        path = folder / name
        path.write_bytes(content)
        for format in (row.name, None):
            answer = attempt(path, format, cycles="keep")
            assert not isinstance(answer, RepoDependencyGraph) or len(answer) < 200, trap
    assert not any(tmp_path.rglob("was-run"))


@each_format
def test_what_stands_in_the_place_of_a_file(tmp_path: Path, row: Format[RepoDependencyGraph]) -> None:
    top = around(tmp_path)
    for number, (what, make) in enumerate(FOLDERS.items()):
        for name in names_of(row):
            folder = top / f"{number}-{name}"
            folder.mkdir()
            make(folder, name)
            answer = attempt(folder / name, row.name)
            # A link that somebody names is followed as everywhere; what it leads to is no file of the format.
            assert isinstance(answer, ReadError | None) or what == "a directory", what


@each_format
def test_a_file_of_more_than_is_read(
    tmp_path: Path, row: Format[RepoDependencyGraph], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "LARGEST", 2**20)
    path = tmp_path / names_of(row)[0]
    path.write_bytes(b" " * (2**20 + 1))
    answer = attempt(path, row.name)
    assert isinstance(answer, ReadError)
    assert "has more than 1 MB" in answer.message


@pytest.mark.slow
@each_format
def test_a_file_of_257_mb(tmp_path: Path, row: Format[RepoDependencyGraph]) -> None:
    path = tmp_path / names_of(row)[0]
    with path.open("wb") as file:
        file.truncate(257 * 2**20)  # a hole
    answer = attempt(path, row.name)
    assert isinstance(answer, ReadError)
    assert "has more than 256 MB" in answer.message


# ---------------------------------------------------------------------- folders


@pytest.mark.parametrize("ecosystem", ECOSYSTEMS, ids=lambda ecosystem: ecosystem.name)
def test_folders_that_were_made_to_harm(tmp_path: Path, ecosystem: Any) -> None:
    top = around(tmp_path)
    (top / "loop").symlink_to(top)
    (top / "out").symlink_to(tmp_path / SECRET)
    (top / "circle").symlink_to(top / "elsewhere")
    (top / "elsewhere").symlink_to(top / "circle")
    for number, name in enumerate(ecosystem.files):
        for what, make in FOLDERS.items():
            folder = top / f"{number}-{what.replace(' ', '-')}"
            folder.mkdir()
            make(folder, name)
            attempt(folder, None)
    answer = attempt(top, None)
    assert SECRET not in str(answer if isinstance(answer, ReadError | None) else answer.report)
    for number, (trap, content) in enumerate(FILES.items()):
        folder = top / f"trap-{number}"
        for name in ecosystem.files:
            (folder / "below").mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(content)
            (folder / "below" / name).write_bytes(content)
        answer = attempt(folder, None, cycles="keep")
        assert not isinstance(answer, RepoDependencyGraph) or len(answer) < 200, trap
    attempt(top, None, cycles="keep")


OUT = ["..", "../*", "../../**", f"../{SECRET}", "/", "/etc", "~", "*/../..", ".", "./.", "**", "out", "out/*", "loop"]
LINKS = f'{{"name": "me", "dependencies": {{"a": "link:../{SECRET}", "b": "file:loop"}}, "bundle": %s}}'


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("package.json", '{"name": "me", "version": "1.0.0", "workspaces": %s, "dependencies": {"me": "file:."}}'),
        ("package.json", LINKS),
        ("pnpm-workspace.yaml", "packages: %s"),
        ("lerna.json", '{"packages": %s}'),
        ("pyproject.toml", '[project]\nname = "me"\ndependencies = ["me"]\n[tool.uv.workspace]\nmembers = %s\n'),
        ("pyproject.toml", '[project]\nname = "me"\ndynamic = ["dependencies"]\n[tool.setuptools.dynamic]\n'
         "dependencies = {file = %s}\n"),
        ("Cargo.toml", '[workspace]\nmembers = %s\n[package]\nname = "me"\n[dependencies]\nme = {path = "."}\n'),
        ("Cargo.toml", '[package]\nname = "me"\nworkspace = "."\n[dependencies]\na = {path = "../x"}\n'
         "[package.metadata]\na = %s"),
    ],
    ids=lambda text: text if "." in text[:20] else "",
)  # fmt: skip
def test_patterns_that_lead_out_or_to_themselves(tmp_path: Path, name: str, text: str) -> None:
    top = around(tmp_path)
    (top / "out").symlink_to(tmp_path / SECRET)
    (top / "loop").symlink_to(top)
    if name.startswith(("pnpm", "lerna")):
        (top / "package.json").write_text('{"name": "me"}')
    for patterns in (*([pattern] for pattern in OUT), OUT):
        (top / name).write_text(text % json.dumps(patterns))
        answer = attempt(top, None, cycles="keep")
        # What lies outside is no manifest: it would be refused, were it read.
        assert isinstance(answer, RepoDependencyGraph), (patterns, answer)
        assert list(answer) == ["me"], patterns


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("go.work", "use (\n.\n./.\n..\n../never\n/etc\nout\nloop\n)\n"),
        ("go.mod", "module me\nrequire me v1.0.0\nreplace me => .\nreplace x => ../..\nreplace y => ./out\n"),
        ("pom.xml", "<project><parent><groupId>g</groupId><artifactId>me</artifactId><version>1</version>"
         "<relativePath>pom.xml</relativePath></parent><artifactId>me</artifactId><packaging>pom</packaging>"
         "<modules><module>.</module><module>..</module><module>/etc</module><module>out</module>"
         "<module>loop</module><module>loop/loop/pom.xml</module></modules></project>"),
        ("pom.xml", "<project><groupId>${groupId}</groupId><artifactId>me</artifactId><version>${a}</version>"
         "<properties><a>${b}${b}</a><b>${a}${a}</b></properties></project>"),
        ("pom.xml", "<project><groupId>g</groupId><artifactId>me</artifactId><version>${a0}</version><properties>"
         + "".join(f"<a{n}>{f'${{a{n + 1}}}' * 10}</a{n}>" for n in range(60)) + "</properties></project>"),
    ],
    ids=["go.work", "go.mod", "pom.xml", "properties", "many properties"],
)  # fmt: skip
def test_members_that_are_their_own_parents(tmp_path: Path, name: str, text: str) -> None:
    top = around(tmp_path)
    (top / "out").symlink_to(tmp_path / SECRET)
    (top / "loop").symlink_to(top)
    (top / "go.mod").write_text("module me\n")
    (top / name).write_text(text)
    answer = attempt(top, None, cycles="keep")
    assert isinstance(answer, RepoDependencyGraph | ReadError)
    assert SECRET not in (str(answer) if isinstance(answer, ReadError) else str(answer.edges))


# ---------------------------------------------------------------------- one among many


def test_one_repository_that_is_broken_among_others(tmp_path: Path) -> None:
    for name in ("core", "app", "broken"):
        (tmp_path / name).mkdir()
        manifest = {"name": name, "version": "1.0.0", "dependencies": {"core": "*"} if name == "app" else {}}
        (tmp_path / name / "package.json").write_text(json.dumps(manifest) if name != "broken" else '{\n"name": ')
    (tmp_path / "package.json").write_text('{"devDependencies": {"prettier": "3"}}')
    with pytest.warns(ReadWarning, match=r"cannot be read .*broken.package\.json, line 2: is not JSON"):
        graph = read_graph(tmp_path)
    assert graph.edges == [("core", "app")]
    assert list(graph) == ["app", "core"]
    assert graph.report is not None
    assert any(about == "look at" and "mend them" in one.what and one.count == 1 for about, one in graph.report)
    assert any("beside the repositories" in one.what for _, one in graph.report)
    with pytest.warns(ReadWarning):
        assert list(read_graph(tmp_path, unit="repo")) == ["app", "core"]
    for name in ("core", "app"):
        (tmp_path / name / "package.json").write_text("{")
    (tmp_path / "package.json").unlink()
    with pytest.raises(ReadError, match="is not JSON") as caught:
        read_graph(tmp_path)
    assert caught.value.path == str(tmp_path / "app" / "package.json")


def test_of_two_of_one_name_the_one_whose_folder_is_called_so_is_meant(tmp_path: Path) -> None:
    for folder, name in (("a-copy", "@x/core"), ("core", "@x/core"), ("app", "app")):
        (tmp_path / folder).mkdir()
        manifest = {"name": name, "version": "1.0.0", "dependencies": {"@x/core": "^1.0.0"} if name == "app" else {}}
        (tmp_path / folder / "package.json").write_text(json.dumps(manifest))
    graph = read_graph(tmp_path)
    assert graph.edges == [("@x/core", "app")]
    assert graph.attributes("@x/core")["path"] == "core"
    assert graph.attributes("@x/core (a-copy)")["path"] == "a-copy"


# ---------------------------------------------------------------------- nothing is run

_CHILD = """
import os, resource, sys, warnings
warnings.simplefilter("ignore")
import seqkit
from seqkit.errors import DependencyCycle, ReadError
top, secret = map(os.path.realpath, sys.argv[1:3])
seen, armed = [], False
NEVER = ("subprocess.", "os.system", "os.exec", "os.posix_spawn", "os.fork", "os.startfile", "socket.", "urllib.",
         "ctypes.dlopen", "shutil.", "os.remove", "os.rename", "os.mkdir", "os.chmod", "os.link", "os.symlink", "pty.")

def hook(event, arguments):
    if not armed:
        return
    if event.startswith(NEVER):
        seen.append(f"{event} {arguments!r:.200}")
    elif event == "open" and isinstance(arguments[0], str):
        path, mode, flags = arguments
        real = os.path.realpath(path)
        if flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT) and not real.endswith(".pyc") and "__pycache__" not in real:
            seen.append(f"written {path}")
        if real.startswith(secret):
            seen.append(f"outside {path}")
    elif event in ("exec", "compile", "import"):
        name = getattr(arguments[0], "co_filename", arguments[1] if len(arguments) > 1 else "")
        if isinstance(name, str) and os.path.exists(name) and os.path.realpath(name).startswith(top):
            seen.append(f"{event} {name}")

sys.addaudithook(hook)
resource.setrlimit(resource.RLIMIT_AS, (4 * 2**30,) * 2)
armed, count = True, 0
for path in sys.stdin.read().splitlines():
    format, _, path = path.partition(" ")
    try:
        seqkit.read_graph(path, format if format != "-" else None, cycles="keep", kinds="all")
        count += 1
    except (ReadError, DependencyCycle, ValueError):
        pass
armed = False
print(count, *seen, sep="\\n")
"""


def test_nothing_is_run_written_or_read_outside(tmp_path: Path) -> None:
    top = around(tmp_path)
    asked: list[str] = []
    for name, project in PROJECTS.items():
        entry = write_project(project, top / "good" / name)
        (entry.parent / "out").symlink_to(tmp_path / SECRET)
        asked += [f"{name} {entry}", f"- {entry.parent}"]
    good = len(PROJECTS)
    for row in FORMATS:
        for number, content in enumerate(FILES.values()):
            if SECRET.encode() not in content and b"was-run" not in content:
                continue
            path = top / row.name / str(number) / names_of(row)[0]
            path.parent.mkdir(parents=True)
            path.write_bytes(content)
            asked.append(f"{row.name} {path}")
    command = [sys.executable, "-P", "-c", _CHILD, str(top), str(tmp_path / SECRET)]
    child = subprocess.run(
        command, input="\n".join(asked), capture_output=True, text=True, timeout=120, check=False, cwd=top
    )
    assert child.returncode == 0, child.stderr[-3000:]
    count, *seen = child.stdout.splitlines()
    assert not seen, seen[:5]
    assert int(count) >= good
    assert not any(tmp_path.rglob("was-run"))


# ---------------------------------------------------------------------- damage


@pytest.mark.parametrize("count", [100, pytest.param(20_000, marks=pytest.mark.slow)])
def test_any_damage_gives_a_graph_or_an_error_of_ours(tmp_path: Path, count: int) -> None:
    rng = random.Random(count)
    words = set()
    for number in range(count):
        folder = tmp_path / str(number)
        folder.mkdir()
        _, path, format, options = one(rng, folder)
        with bounded(), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            words.add(check(path, format, options))
    assert {"read", "refused"} <= words
    assert not any(tmp_path.rglob("was-run"))


# ---------------------------------------------------------------------- gzipped files


def test_a_gzipped_file_is_read_by_what_is_in_it(tmp_path: Path) -> None:
    content = b"dependency,dependent\ncore,api\n"
    for name, written in (
        ("edges.csv.gz", gzip.compress(content)),
        ("EDGES.CSV.GZ", gzip.compress(content[:9]) + gzip.compress(content[9:])),
        ("edges.csv", gzip.compress(content)),
        ("plain.csv.gz", content),
    ):
        path = tmp_path / name
        path.write_bytes(written)
        assert read_graph(path).edges == [("core", "api")], name


def test_a_gzipped_file_that_is_cut_or_swollen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "edges.csv.gz"
    path.write_bytes(gzip.compress(b"dependency,dependent\ncore,api\n")[:-9])
    with pytest.raises(ReadError, match="the gzip file is cut or damaged here"):
        read_graph(path)
    path.write_bytes(gzip.compress(b" " * (3 * 2**20)))
    monkeypatch.setattr(files, "LARGEST", 2**20)
    with pytest.raises(ReadError, match="has more than 1 MB"):
        read_graph(path)
    monkeypatch.setattr(gzipped, "RATIO_FROM", 2**20 - 1)
    with pytest.raises(ReadError, match="unpacks to more than 2 GB or 200 times its size"):
        read_graph(path)
