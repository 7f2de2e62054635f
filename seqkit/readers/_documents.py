"""TOML, YAML and XML, read as data: bounded, with nothing run, and every fault a `ReadError` with its place.

JSON and text are read in :mod:`seqkit.readers._files`.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any
from xml.etree.ElementTree import Element, ParseError

from seqkit._util.words import printable, shortened
from seqkit.errors import ReadError
from seqkit.readers._files import PathLike, load_bytes, load_text

__all__ = ["load_toml", "load_xml", "load_yaml"]

_MOST_ALIASES = 10_000
_DEEPEST = 200  # levels of YAML and XML: what people write has a dozen
_ENTITY = re.compile(rb"&([A-Za-z][A-Za-z0-9]*);")
_TOML_KEY = re.compile(r"""[\w.\-"' \t]+""")
_TOML_PART = re.compile(r"""[\w\-"'][ \t]*\.""")
_TOML_LINE = re.compile(r" \(at line (\d+), column \d+\)| \(at end of document\)")


def load_toml(path: PathLike) -> dict[str, Any]:
    """Read a TOML file.

    Raises
    ------
    ReadError
        As :func:`seqkit.readers._files.load_text`, and where it is no TOML (with the line) or nested too deeply.
    """
    text = load_text(path)
    _check_keys(path, text)
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        place = _TOML_LINE.search(str(error))
        line = int(place[1]) if place and place[1] else None
        raise ReadError(path, line, f"is no TOML: {_TOML_LINE.sub('', str(error))}") from None
    except ValueError as error:  # a number of more digits than Python reads
        raise ReadError(path, None, f"is no TOML: {shortened(printable(str(error)))}") from None
    except RecursionError:
        raise ReadError(path, None, "is nested too deeply, expected tables as people write them") from None


def _check_keys(path: PathLike, text: str) -> None:
    """Refuse keys of many parts, for which tomllib takes the square of their number."""
    for number, line in enumerate(text.split("\n"), 1):
        if line.count(".") > _DEEPEST:
            for run in _TOML_KEY.findall(line):
                if run.count(".") > _DEEPEST and len(_TOML_PART.findall(run)) > _DEEPEST:
                    raise ReadError(path, number, f"has a key of more than {_DEEPEST} parts, expected at most that")


def load_yaml(path: PathLike) -> list[Any]:
    """Read the documents of a YAML file; every scalar is text, and nothing is made of tags.

    Text is what package managers' YAML means by most that looks like numbers: a version ``1.10`` is no 1.1. Empty
    scalars are ``""``. Of keys that stand twice the last counts, as for those who write such files.

    Raises
    ------
    ReadError
        As :func:`seqkit.readers._files.load_text`, and where it is no YAML (with the line), is nested too deeply, has
        too many aliases or a key that is no text.
    """
    import yaml  # noqa: PLC0415  # not needed for other formats

    text = load_text(path)
    loader = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
    try:
        _check_events(path, yaml.parse(text, Loader=loader), yaml)
        documents = list(yaml.load_all(text, Loader=loader))  # it makes text, lists and dicts alone
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark is not None else None
        raise ReadError(path, line, f"is no YAML: {shortened(printable(error.problem or str(error)))}") from None
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise ReadError(path, None, f"is no YAML: {shortened(printable(str(error)))}") from None
    return documents


def _check_events(path: PathLike, events: Iterator[Any], yaml: Any) -> None:
    """Refuse what would take more memory or depth to build than to write."""
    depth = aliases = 0
    for event in events:
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > _DEEPEST:
                line = event.start_mark.line + 1
                raise ReadError(path, line, f"is nested more than {_DEEPEST} levels deep, expected at most that")
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        elif isinstance(event, yaml.AliasEvent):
            aliases += 1
            if aliases > _MOST_ALIASES:
                line = event.start_mark.line + 1
                raise ReadError(path, line, f"has more than {_MOST_ALIASES:,} aliases, expected at most that")


def _as_number(name: re.Match[bytes], entities: Mapping[str, int]) -> bytes:
    code = entities.get(name[1].decode())
    return name[0] if code is None else b"&#%d;" % code


def load_xml(path: PathLike, entities: Mapping[str, int] = MappingProxyType({})) -> Element:
    """Read an XML file, in the encoding that it declares; entities, DTDs and outside references are refused.

    Parameters
    ----------
    path : str or pathlib.Path
        The file.
    entities : mapping of str to int
        Names of characters (their code points) that such files may use without declaring them.

    Raises
    ------
    ReadError
        As :func:`seqkit.readers._files.load_bytes`, and where it is no XML (with the line), has a document type with
        entities, or is nested too deeply.
    """
    from defusedxml.common import DefusedXmlException  # noqa: PLC0415  # not needed for other formats
    from defusedxml.ElementTree import fromstring  # noqa: PLC0415

    content = load_bytes(path)
    if entities:
        content = _ENTITY.sub(lambda name: _as_number(name, entities), content)
    try:
        root: Element = fromstring(content.lstrip(), forbid_dtd=False)
    except DefusedXmlException as error:
        raise ReadError(path, None, f"has what is not read: {shortened(printable(str(error)))}") from None
    except ParseError as error:
        raise ReadError(path, error.position[0], f"is no XML: {shortened(printable(str(error)))}") from None
    except (ValueError, LookupError, RecursionError) as error:  # an encoding that nobody knows
        raise ReadError(path, None, f"is no XML: {shortened(printable(str(error)))}") from None
    level, depth = [root], 0
    while level:
        depth += 1
        if depth > _DEEPEST:
            raise ReadError(path, None, f"is nested more than {_DEEPEST} levels deep, expected at most that")
        level = [child for element in level for child in element]
    return root
