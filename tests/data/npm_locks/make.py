"""Make the locks of this folder: small projects of our own making, locked by npm itself.

Run it with ``python make.py [project …]`` where npm is installed. It serves the packages of `PACKAGES` on
localhost, so that nothing comes from elsewhere, lets npm lock every project of `PROJECTS`, and
keeps two files of each:

``<project>/<lock>``
    What npm wrote; only where the packages came from (`resolved`, but for links) is left out.
``<project>/ls.json``
    What ``npm ls --all --json --long --package-lock-only`` tells of that lock (without the last option
    of ``node_modules/.package-lock.json``, which npm takes for the tree itself), reduced:

    ``root``
        What the root is called.
    ``edges``
        Pairs (needed, needing): a package stands in the tree below another whose ``_dependencies``,
        ``devDependencies`` or ``peerDependencies`` name it, and is not marked as missing. Packages
        are called ``name@version`` by the `name` and `version` of their items, without ``@version``
        where npm tells none. npm shows what a package needs at one place of the tree only, so all
        places count together. A package that needs itself is left out.
    ``below_the_root``
        What stands below the root although the root does not name it: workspaces and extraneous packages.
    ``missing``
        Pairs (name, needing) of what npm says is needed and not in the lock.
"""

from __future__ import annotations

import base64
import hashlib
import http.server
import io
import json
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import threading
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
OTHER_PLATFORM = {"os": ["aix"], "cpu": ["s390x"]}
LOCK_ONLY = "install --package-lock-only"

# What is in the registry: name, version, what its package.json says beside. "_files" are files of the tarball.
PACKAGES: list[tuple[str, str, dict[str, Any]]] = [
    ("ink", "1.0.0", {}),
    ("ink", "2.0.0", {}),
    ("pen", "1.0.0", {"dependencies": {"ink": "^1.0.0"}}),
    ("pen", "2.0.0", {"dependencies": {"ink": "^2.0.0"}}),
    ("desk", "1.0.0", {"dependencies": {"pen": "^1.0.0", "ink": "^2.0.0"}}),
    ("room", "1.0.0", {"dependencies": {"desk": "^1.0.0", "pen": "^2.0.0"}}),
    ("@acme/brush", "1.0.0", {"dependencies": {"@acme/hair": "1", "ink": "1"}}),
    ("@acme/hair", "1.0.0", {}),
    ("egg", "1.0.0", {"dependencies": {"hen": "^1.0.0"}}),
    ("hen", "1.0.0", {"dependencies": {"egg": "^1.0.0"}}),
    ("easel", "1.0.0", {"peerDependencies": {"canvas": "^1.0.0"}}),
    ("canvas", "1.0.0", {"dependencies": {"ink": "1"}}),
    ("canvas", "2.0.0", {}),
    (
        "frame",
        "1.0.0",
        {"peerDependencies": {"canvas": "*", "gilt": "*"}, "peerDependenciesMeta": {"gilt": {"optional": True}}},
    ),
    ("gilt", "1.0.0", {}),
    ("lamp", "1.0.0", {"optionalDependencies": {"lamp-here": "1", "lamp-there": "1"}}),
    ("lamp-here", "1.0.0", {}),
    ("lamp-there", "1.0.0", {"dependencies": {"ink": "1"}, **OTHER_PLATFORM}),
    ("paint", "4.1.0", {"optionalDependencies": {"paint-here": "4.1.0", "paint-wasm": "4.1.0"}}),
    ("paint-here", "4.1.0", {}),
    (
        "paint-wasm",
        "4.1.0",
        {
            "dependencies": {"ink": "^1.0.0", "pen": "^1.0.0"},
            "bundleDependencies": ["ink", "pen"],
            "_files": {
                "node_modules/ink/package.json": {"name": "ink", "version": "1.0.0"},
                "node_modules/pen/package.json": {
                    "name": "pen",
                    "version": "1.0.0",
                    "dependencies": {"ink": "^1.0.0"},
                },
            },
            **OTHER_PLATFORM,
        },
    ),
    (
        "box",
        "1.0.0",
        {
            "dependencies": {"ink": "^1.0.0", "pen": "^1.0.0", "@acme/hair": "1"},
            "bundleDependencies": ["ink", "pen"],
            "_files": {
                "node_modules/ink/package.json": {"name": "ink", "version": "1.0.7"},
                "node_modules/pen/package.json": {
                    "name": "pen",
                    "version": "1.0.9",
                    "dependencies": {"ink": "^1.0.0", "nib": "1"},
                },
                "node_modules/nib/package.json": {"name": "nib", "version": "1.0.5"},
            },
        },
    ),
    # It says that it bundles ink, and its tarball holds none.
    ("hollow", "1.0.0", {"dependencies": {"ink": "^1.0.0"}, "bundleDependencies": ["ink"]}),
    # What is bundled needs what is not.
    (
        "half",
        "1.0.0",
        {
            "dependencies": {"pen": "^1.0.0"},
            "bundleDependencies": ["pen"],
            "_files": {
                "node_modules/pen/package.json": {"name": "pen", "version": "1.0.0", "dependencies": {"ink": "^1.0.0"}}
            },
        },
    ),
    ("nib", "1.0.0", {}),
    (
        "sealed",
        "1.0.0",
        {
            "dependencies": {"pen": "^1.0.0"},
            "_hasShrinkwrap": True,
            "_files": {
                "npm-shrinkwrap.json": {
                    "name": "sealed",
                    "version": "1.0.0",
                    "lockfileVersion": 3,
                    "packages": {
                        "": {"name": "sealed", "version": "1.0.0", "dependencies": {"pen": "^1.0.0"}},
                        "node_modules/pen": {"version": "1.0.0", "dependencies": {"ink": "^1.0.0"}},
                        "node_modules/ink": {"version": "1.0.0"},
                    },
                }
            },
        },
    ),
    ("sealed-there", "1.0.0", {"dependencies": {"pen": "^1.0.0"}, "_hasShrinkwrap": True, **OTHER_PLATFORM}),
    ("shop", "1.0.0", {"optionalDependencies": {"sealed-there": "1"}}),
    ("old", "1.0.0", {"engines": {"node": "<1"}, "dependencies": {"ink": "1"}}),
    (
        "both",
        "1.0.0",
        {
            "dependencies": {"ink": "1", "pen": "1"},
            "optionalDependencies": {"pen": "1"},
            "peerDependencies": {"ink": "*"},
        },
    ),
    ("twin", "1.0.0", {"dependencies": {"ink-one": "npm:ink@1", "ink-two": "npm:ink@2"}}),
    ("narcissus", "1.0.0", {"dependencies": {"narcissus": "^1.0.0", "ink": "1"}}),
    ("outer", "1.0.0", {"dependencies": {"lamp-there": "1"}}),
    ("broken", "1.0.0", {"dependencies": {"nowhere-to-be-found": "1"}}),
]


def package(name: str | None = None, version: str | None = "1.0.0", /, **more: Any) -> dict[str, Any]:
    told = {"name": name, "version": version}
    return {key: value for key, value in told.items() if value is not None} | more


def of(
    root: dict[str, Any],
    folders: dict[str, Any] | None = None,
    *steps: str | dict[str, Any],
    lock: str = "package-lock.json",
) -> dict[str, Any]:
    """Describe a project: the package.json of the root and of other folders, what is done, the lock that npm writes.

    A step is a command of npm, or a mapping of files to what becomes of them: a package.json, or None, gone.
    """
    inside = {f"{folder}/package.json": told for folder, told in (folders or {}).items()}
    return {"files": {"package.json": root} | inside, "steps": steps or (LOCK_ONLY,), "lock": lock}


HIDDEN = "node_modules/.package-lock.json"
MONO = package("mono", private=True, workspaces=["packages/*"])
MONO_FOLDERS = {
    "packages/kit": package("@acme/kit", dependencies={"ink": "1"}),
    "packages/web": package("@acme/web", dependencies={"@acme/kit": "*", "ink": "2"}, devDependencies={"pen": "2"}),
    "packages/tool": package("tool", None, dependencies={"@acme/kit": "1.0.0"}),
}
PROJECTS: dict[str, dict[str, Any]] = {
    "chain": of(package("app", dependencies={"pen": "1"})),
    "nested-conflicts": of(package("app", dependencies={"room": "1", "pen": "2", "ink": "1"})),
    "scoped": of(package("app", dependencies={"@acme/brush": "1", "@acme/hair": "1"})),
    "cycle": of(package("app", dependencies={"egg": "1"})),
    "needs-itself": of(package("app", dependencies={"narcissus": "1"})),
    "several-sections": of(
        package(
            "app",
            dependencies={"both": "1", "ink": "1"},
            devDependencies={"pen": "2"},
            optionalDependencies={"ink": "1"},
        )
    ),
    "dev-and-optional": of(
        package(
            "app", dependencies={"ink": "1"}, devDependencies={"lamp": "1"}, optionalDependencies={"lamp-here": "1"}
        )
    ),
    "no-version": of(package("app", None, dependencies={"ink": "1"})),
    "no-name": of(package(None, None, dependencies={"ink": "1"})),
    "engines": of(package("app", dependencies={"old": "1"})),
    "lockfile-2": of(package("app", dependencies={"room": "1", "box": "1"}), None, f"{LOCK_ONLY} --lockfile-version=2"),
    "shrinkwrapped": of(
        package("app", dependencies={"room": "1"}), None, LOCK_ONLY, "shrinkwrap", lock="npm-shrinkwrap.json"
    ),
    "peers": of(package("app", dependencies={"easel": "1", "frame": "1"})),
    "peers-met": of(package("app", dependencies={"easel": "1", "frame": "1", "gilt": "1", "canvas": "1"})),
    "peers-left-out": of(
        package("app", dependencies={"easel": "1", "frame": "1"}), None, f"{LOCK_ONLY} --legacy-peer-deps"
    ),
    "peer-of-the-root": of(package("app", peerDependencies={"canvas": "1"}, dependencies={"easel": "1"})),
    "optional-platform": of(package("app", dependencies={"lamp": "1"})),
    "optional-broken": of(
        package("app", dependencies={"ink": "1"}, optionalDependencies={"broken": "1", "nowhere-to-be-found": "1"})
    ),
    "alias": of(package("app", dependencies={"quill": "npm:pen@1", "pen": "2", "@old/ink": "npm:ink@1", "twin": "1"})),
    "alias-of-a-scope": of(package("app", dependencies={"hair": "npm:@acme/hair@1", "@acme/ink": "npm:ink@2"})),
    "override": of(package("app", dependencies={"room": "1"}, overrides={"ink": "1.0.0"})),
    "override-nested": of(package("app", dependencies={"room": "1", "ink": "1"}, overrides={"pen": {"ink": "$ink"}})),
    "override-by-alias": of(package("app", dependencies={"desk": "1"}, overrides={"ink": "npm:@acme/hair@1"})),
    "override-by-folder": of(
        package("app", dependencies={"desk": "1"}, overrides={"ink": "file:./own ink"}),
        {"own ink": package("ink", "1.5.0")},
    ),
    "bundle": of(package("app", dependencies={"box": "1", "ink": "2"})),
    "bundle-installed": of(package("app", dependencies={"box": "1", "ink": "2"}), None, "install"),
    "bundle-not-listed": of(package("app", dependencies={"paint": "4"}), None, "install"),
    "bundle-not-listed-lock-only": of(package("app", dependencies={"paint": "4"})),
    "bundle-not-listed-beside-copies": of(
        package("app", dependencies={"paint": "4", "ink": "1", "pen": "1"}), None, "install"
    ),
    "bundle-that-is-hollow": of(package("app", dependencies={"hollow": "1"})),
    "bundle-that-is-hollow-installed": of(package("app", dependencies={"hollow": "1"}), None, "install"),
    "bundle-that-is-half": of(package("app", dependencies={"half": "1"})),
    "bundle-of-the-root": of(package("app", dependencies={"pen": "1"}, bundleDependencies=["pen"])),
    "bundle-of-a-workspace": of(
        MONO, {"packages/kit": package("kit", dependencies={"pen": "1"}, bundleDependencies=["pen"])}, "install"
    ),
    "bundle-of-a-folder": of(
        package("app", dependencies={"kit": "file:./kit"}),
        {"kit": package("kit", dependencies={"pen": "1", "nib": "1"}, bundleDependencies=["pen"])},
        "install",
    ),
    "bundle-of-all": of(package("app", dependencies={"pen": "1"}, bundleDependencies=True)),
    "sealed": of(package("app", dependencies={"sealed": "1", "ink": "2"})),
    "sealed-installed": of(package("app", dependencies={"sealed": "1", "ink": "2"}), None, "install"),
    "sealed-for-another-platform": of(package("app", dependencies={"shop": "1"}), None, "install"),
    "sealed-beside-a-copy": of(package("app", dependencies={"shop": "1", "pen": "1"}), None, "install"),
    "workspaces": of(MONO, MONO_FOLDERS),
    "workspaces-installed": of(MONO, MONO_FOLDERS, "install"),
    "workspaces-by-name": of(
        MONO | {"dependencies": {"@acme/kit": "*"}, "devDependencies": {"@acme/web": "1"}}, MONO_FOLDERS
    ),
    "workspaces-in-folders-with-blanks": of(
        package("mono", workspaces=["my packages/*"]),
        {
            "my packages/first one": package("one", dependencies={"@acme/two": "1"}),
            "my packages/zwei & drei": package("@acme/two", dependencies={"ink": "1"}),
        },
    ),
    "workspaces-inside-workspaces": of(
        package("mono", workspaces=["a", "a/inner/b"]),
        {"a": package("a", dependencies={"b": "1", "ink": "2"}), "a/inner/b": package("b", dependencies={"pen": "1"})},
    ),
    "workspace-needs-the-root": of(
        package("mono", workspaces=["a"], dependencies={"ink": "1"}),
        {"a": package("a", dependencies={"mono": "file:.."})},
    ),
    "workspaces-with-peers": of(
        MONO,
        {
            "packages/a": package("a", peerDependencies={"b": "1"}),
            "packages/b": package("b", devDependencies={"a": "1"}, dependencies={"easel": "1"}),
        },
    ),
    "sibling": of(
        package("app", dependencies={"lib": "file:../lib", "ink": "2"}),
        {"../lib": package("lib", dependencies={"ink": "1"}, devDependencies={"pen": "2"})},
    ),
    "sibling-in-a-folder-of-another-name": of(
        package("app", devDependencies={"lib": "file:../the lib"}), {"../the lib": package("lib", "3.0.0")}
    ),
    "siblings-of-siblings": of(
        package("app", dependencies={"lib": "file:../lib", "base": "file:../base"}),
        {
            "../lib": package("lib", dependencies={"base": "file:../base"}),
            "../base": package("base", dependencies={"ink": "1"}),
        },
    ),
    "sibling-of-a-sibling": of(
        package("app", dependencies={"lib": "file:../lib"}),
        {"../lib": package("lib", dependencies={"base": "file:../base"}), "../base": package("base")},
    ),
    "sibling-of-a-workspace": of(
        MONO,
        {
            "packages/kit": package("kit", dependencies={"lib": "file:../../../lib"}),
            "../lib": package("lib", dependencies={"pen": "1"}),
        },
    ),
    "sibling-that-is-installed": of(
        package("app", dependencies={"lib": "file:../lib"}),
        {"../lib": package("lib", dependencies={"pen": "1"})},
        "install --prefix ../lib",
        "install",
    ),
    "sibling-that-is-a-workspace-elsewhere": of(
        package("app", dependencies={"kit": "file:../other/packages/kit"}),
        {
            "../other": package("other", workspaces=["packages/*"]),
            "../other/packages/kit": package("kit", dependencies={"ink": "1"}),
        },
    ),
    "sibling-above": of(
        package("app", dependencies={"whole": "file:.."}), {"..": package("whole", dependencies={"ink": "1"})}
    ),
    "sibling-packed": of(
        package("app", dependencies={"lib": "file:../lib", "ink": "2"}),
        {"../lib": package("lib", dependencies={"ink": "1"})},
        f"{LOCK_ONLY} --install-links",
    ),
    "folders": of(
        package("app", dependencies={"lib": "file:./vendor/lib", "tail": "file:vendor/tail"}),
        {
            "vendor/lib": package(
                "lib", dependencies={"pen": "1", "tail": "file:../tail"}, devDependencies={"ink": "2"}
            ),
            "vendor/tail": package("tail", None),
        },
    ),
    "tarball": of(
        package("app", dependencies={"lib": "file:lib-1.2.0.tgz", "ink": "2"}),
        {"../lib": package("lib", "1.2.0", dependencies={"ink": "1"})},
        "pack ../lib",
        LOCK_ONLY,
    ),
    "git": of(
        package("app", dependencies={"lib": "git+file://HOME/lib", "ink": "2"}),
        {"../lib": package("lib", "1.2.0", dependencies={"ink": "1"})},
        LOCK_ONLY,
    ),
    "hidden": of(
        package("app", dependencies={"room": "1", "box": "1", "paint": "4"}, devDependencies={"nib": "1"}),
        None,
        "install",
        lock=HIDDEN,
    ),
    "hidden-without-dev": of(MONO, MONO_FOLDERS, "install --omit=dev", lock=HIDDEN),
    "hidden-of-one-workspace": of(MONO, MONO_FOLDERS, "install --workspace=packages/kit", lock=HIDDEN),
    "hidden-with-siblings": of(
        package("app", dependencies={"lib": "file:../lib", "own": "file:own"}),
        {"../lib": package("lib", dependencies={"ink": "1"}), "own": package("own", dependencies={"nib": "1"})},
        "install",
        lock=HIDDEN,
    ),
    "hidden-workspace-needs-the-root": of(
        package("mono", workspaces=["a"]), {"a": package("a", dependencies={"mono": "file:.."})}, "install", lock=HIDDEN
    ),
    "hidden-extraneous": of(
        package("app", dependencies={"ink": "1"}), None, "install", "install --no-save desk", lock=HIDDEN
    ),
    "hidden-linked": of(
        package("app", dependencies={"desk": "1"}), None, "install --install-strategy=linked", lock=HIDDEN
    ),
    "hidden-without-optional": of(
        package("app", dependencies={"lamp": "1", "paint": "4"}), None, "install --omit=optional", lock=HIDDEN
    ),
    "hidden-without-peers": of(
        package("app", dependencies={"easel": "1", "frame": "1"}), None, "install --omit=peer", lock=HIDDEN
    ),
    "peers-in-conflict": of(package("app", dependencies={"easel": "1", "canvas": "2"}), None, f"{LOCK_ONLY} --force"),
    "peers-in-conflict-left-alone": of(
        package("app", dependencies={"easel": "1", "canvas": "2"}), None, f"{LOCK_ONLY} --legacy-peer-deps"
    ),
    "optional-that-needs-another-platform": of(
        package("app", optionalDependencies={"outer": "1"}, dependencies={"ink": "2"}), None, "install"
    ),
    "optional-to-develop": of(
        package("app", devDependencies={"outer": "1", "lamp": "1"}, optionalDependencies={"outer": "1"}),
        None,
        f"{LOCK_ONLY} --force",
    ),
    "workspaces-as-an-object": of(package("mono", workspaces={"packages": ["packages/*"]}), MONO_FOLDERS),
    "workspace-that-went": of(MONO, MONO_FOLDERS, LOCK_ONLY, {"packages/web/package.json": None}, LOCK_ONLY),
    "workspace-that-went-installed": of(MONO, MONO_FOLDERS, "install", {"packages/web/package.json": None}, "install"),
    "workspace-that-is-none-any-more": of(
        MONO, MONO_FOLDERS, LOCK_ONLY, {"package.json": package("mono", workspaces=["packages/kit"])}, LOCK_ONLY
    ),
    "sibling-that-is-needed-no-more": of(
        package("app", dependencies={"lib": "file:../lib"}),
        {"../lib": package("lib", dependencies={"ink": "1"})},
        LOCK_ONLY,
        {"package.json": package("app")},
        LOCK_ONLY,
    ),
    "sibling-lockfile-2": of(
        package("app", dependencies={"lib": "file:../lib"}),
        {"../lib": package("@acme/lib", dependencies={"ink": "1"})},
        f"{LOCK_ONLY} --lockfile-version=2",
    ),
    "nested-strategy": of(package("app", dependencies={"room": "1"}), None, "install --install-strategy=nested"),
}


def tarball(told: dict[str, Any]) -> bytes:
    """Pack a package.json and the other files of a package, always to the same bytes."""
    inside = {"package.json": {key: value for key, value in told.items() if not key.startswith("_")}} | told.get(
        "_files", {}
    )
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        for name, content in inside.items():
            text = json.dumps(content).encode()
            entry = tarfile.TarInfo(f"package/{name}")
            entry.size, entry.mode = len(text), 0o644
            archive.addfile(entry, io.BytesIO(text))
    return packed.getvalue()


class Registry(http.server.BaseHTTPRequestHandler):
    """Serve `PACKAGES` as npm asks for them."""

    def log_message(self, format: str, *args: object) -> None:
        pass

    def do_GET(self) -> None:
        wanted = self.path.removeprefix("/").replace("%2f", "/").replace("%2F", "/")
        versions = {version: package(name, version, **more) for name, version, more in PACKAGES if name == wanted}
        if wanted.endswith(".tgz"):
            name, _, version = wanted.removesuffix(".tgz").rpartition("/-/")
            found = {f"{name}@{version}": package(name, version, **more) for name, version, more in PACKAGES}
            self.answer(tarball(found[f"{name}@{version}"]))
        elif versions:
            host = f"http://{self.headers['Host']}"
            for version, told in versions.items():
                packed = tarball(told)
                told.pop("_files", None)
                told["dist"] = {
                    "tarball": f"{host}/{wanted}/-/{version}.tgz",
                    "integrity": "sha512-" + base64.b64encode(hashlib.sha512(packed).digest()).decode(),
                }
            self.answer(
                json.dumps({"name": wanted, "dist-tags": {"latest": max(versions)}, "versions": versions}).encode()
            )
        else:
            self.send_error(404)

    def answer(self, content: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


def npm(folder: Path, command: str, home: Path, registry: str) -> subprocess.CompletedProcess[str]:
    options = (
        f"--registry={registry} --omit-lockfile-registry-resolved --no-audit --no-fund --no-update-notifier "
        f"--ignore-scripts --cache={home}/cache --userconfig={home}/npmrc"
    )
    environment = {"PATH": os.environ["PATH"], "HOME": str(home), "GIT_ALLOW_PROTOCOL": "file"}
    return subprocess.run(
        ["npm", *command.split(), *options.split()],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,  # npm ls says by it that something is missing, make() prints the rest
    )


def named(item: dict[str, Any]) -> str:
    return f"{item['name']}@{item['version']}" if item.get("version") else str(item["name"])


def told_by(tree: dict[str, Any]) -> dict[str, Any]:
    """Reduce the tree of ``npm ls``; the head of this file says how."""
    edges, missing, beside = set(), set(), set()
    todo = [tree]
    for item in todo:
        sections = [item.get(key, {}) for key in ("_dependencies", "devDependencies", "peerDependencies")]
        for name, child in item.get("dependencies", {}).items():
            if "path" not in child:
                missing.add((name, named(item)))
                continue
            todo.append(child)
            if not any(name in section for section in sections):
                assert named(item) == named(tree)
                beside.add(named(child))
            elif named(child) != named(item):
                edges.add((named(child), named(item)))
    return {
        "root": named(tree),
        "edges": sorted(map(list, edges)),
        "below_the_root": sorted(beside),
        "missing": sorted(map(list, missing)),
    }


def write(app: Path, files: dict[str, Any]) -> None:
    for to, content in files.items():
        file = Path(os.path.normpath(app / to))
        if content is None:
            shutil.rmtree(file.parent)
        else:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(json.dumps(content).replace("HOME", str(app.parent)), encoding="utf-8")


def make(name: str, told: dict[str, Any], home: Path, registry: str) -> None:
    app = home / name / "app"
    write(app, told["files"])
    if name == "git":
        for command in ("init -q", "add .", "-c user.name=x -c user.email=x@example.org commit -q -m x"):
            subprocess.run(["git", *command.split()], cwd=app.parent / "lib", check=True)
    for step in told["steps"]:
        if isinstance(step, dict):
            write(app, step)
            continue
        done = npm(app, step, home, registry)
        if done.returncode:
            print(name, step, done.stderr, sep="\n")
            return
    lock = json.loads((app / told["lock"]).read_text(encoding="utf-8"))
    if told["lock"] == HIDDEN:  # npm ls reads it as the tree that is there
        listed = npm(app, "ls --all --json --long", home, registry)
    else:
        listed = npm(app, "ls --all --json --long --package-lock-only", home, registry)
    for entry in lock["packages"].values():
        if not entry.get("link"):
            entry.pop("resolved", None)
    folder = HERE / name
    folder.mkdir()
    (folder / Path(told["lock"]).name).write_text(
        json.dumps(lock, indent=1).replace(str(app.parent), "") + "\n", encoding="utf-8"
    )
    (folder / "ls.json").write_text(json.dumps(told_by(json.loads(listed.stdout)), indent=1) + "\n", encoding="utf-8")


def main() -> None:
    for old in HERE.iterdir():
        if old.is_dir() and old.name in (sys.argv[1:] or PROJECTS):
            shutil.rmtree(old)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Registry)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with tempfile.TemporaryDirectory() as home:
        for name, told in PROJECTS.items():
            if sys.argv[1:] and name not in sys.argv[1:]:
                continue
            make(name, told, Path(home), f"http://127.0.0.1:{server.server_address[1]}/")
    server.shutdown()


if __name__ == "__main__":
    main()
