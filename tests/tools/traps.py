"""Files and folders that were made to harm whoever reads them, for every format."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

__all__ = ["FILES", "FOLDERS", "SECRET"]

_DEEP = 10_000
SECRET = "never-to-be-read"
"""The name of a folder beside the one that is read."""

_LAUGHS = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 40)
)
_ENTITIES = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 40))

FILES: dict[str, bytes] = {
    "empty": b"",
    "blank": b" \n\t\n",
    "a mark alone": b"\xef\xbb\xbf",
    "Latin-1": 'name: "caf\xe9"\n[a]\nname = "caf\xe9"\n'.encode("latin-1"),
    "UTF-16": '{"name": "a"}'.encode("utf-16"),
    "XML in UTF-16": "<project><artifactId>a</artifactId></project>".encode("utf-16"),
    "XML in what nobody knows": b"<?xml version='1.0' encoding='x-none'?><project><artifactId>a</artifactId></project>",
    "NUL": b'{"name": "a\0b"}\0\0',
    "NUL in words": b"module a\0b\nrequire c\0 v1\n",
    "half a character": b'{"name": "\\ud800", "lockfileVersion": 3, "packages": {"\\udfff": {}}, "install": []}',
    "half a character as bytes": b'{"name": "\xed\xa0\x80"}',
    "a list": b"[]",
    "a number": b"1",
    "a number of 5,000 digits": b'{"version": ' + b"9" * 5000 + b"}",
    "a TOML number of 5,000 digits": b"version = " + b"9" * 5000,
    "deep JSON": b"[" * _DEEP + b"]" * _DEEP,
    "deep JSON of objects": b'{"a":' * _DEEP + b"1" + b"}" * _DEEP,
    "deep and closed late": b'{"packages": ' + b"[" * _DEEP,
    "deep YAML": b"a: " + b"[" * _DEEP + b"]" * _DEEP,
    "deep YAML of keys": b"{a: " * _DEEP,
    "deep YAML of lines": b"\n".join(b" " * n + b"a:" for n in range(1500)),
    "deep TOML": b"a = " + b"[" * _DEEP + b"]" * _DEEP,
    "deep TOML of keys": b"a." * _DEEP + b"a = 1\n",
    "deep TOML of tables": b"[" + b"a." * _DEEP + b"a]\n",
    "deep TOML within": b"a = " + b"{a=" * _DEEP,
    "deep XML": b"<project>" * _DEEP + b"</project>" * _DEEP,
    "deep XML, open": b"<a>" * _DEEP,
    "billion laughs of YAML": _LAUGHS.encode(),
    "billion laughs of YAML by merges": b"a: &a {k: 1}\n" + b"".join(b"b%d: {<<: *a}\n" % n for n in range(20_000)),
    "YAML that holds itself": (
        b"on: push\njobs: &a\n  b: {needs: *a}\n  c: *a\npackages: *a\nimporters: *a\nlockfileVersion: '9.0'\n"
    ),
    "a list in YAML that holds itself": b"packages: &a [*a, *a]\non: *a\njobs: *a\nlockfileVersion: *a\n",
    "YAML with tags": b"!!python/object/apply:os.system ['touch was-run']\n",
    "YAML with a tag in a table": b"on: push\njobs: {a: !!python/object/apply:os.system ['touch was-run']}\n",
    "YAML of odd keys": b"? [a, b]\n: c\n? {a: b}\n: c\n",
    "billion laughs of XML": f"<!DOCTYPE p [<!ENTITY e0 'ha'>{_ENTITIES}]><project>&e39;</project>".encode(),
    "an outside entity of XML": (
        f"<!DOCTYPE p [<!ENTITY x SYSTEM '../{SECRET}/file'>]>"
        "<project><groupId>g</groupId><artifactId>&x;</artifactId><version>1</version></project>"
    ).encode(),
    "an outside DTD": (
        f"<!DOCTYPE p SYSTEM '../{SECRET}/file'>"
        "<project><groupId>g</groupId><artifactId>a</artifactId><version>1</version></project>"
    ).encode(),
    "a DTD of parameters": f"<!DOCTYPE p [<!ENTITY % x SYSTEM '../{SECRET}/file'> %x;]><project/>".encode(),
    "one long line": b"a" * 300_000,
    "many brackets": b"(" * 50_000 + b"require (" * 5000,
    "many quotes": b'"' * 50_001,
    "many blanks": b"a" + b" " * 100_000 + b"b c",
    "many backslashes": b'a = "' + b"\\" * 50_001,
}
"""What stands in the file that is read."""


def _loop(folder: Path, name: str) -> None:
    (folder / name).symlink_to(folder / "other")
    (folder / "other").symlink_to(folder / name)


def _is_outside(folder: Path, name: str) -> None:
    (folder / name).symlink_to(Path("..") / SECRET / name)


def _itself(folder: Path, name: str) -> None:
    (folder / name).symlink_to(name)


FOLDERS: dict[str, Callable[[Path, str], None]] = {
    "a directory": lambda folder, name: (folder / name).mkdir(),
    "a pipe": lambda folder, name: os.mkfifo(folder / name),
    "a device": lambda folder, name: (folder / name).symlink_to("/dev/zero"),
    "a link to itself": _itself,
    "links in a circle": _loop,
    "a link out of the folder": _is_outside,
}
"""What stands in the place of the file that is read."""
