"""dbt: the models, seeds, snapshots, sources, tests and exposures of a ``manifest.json``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Literal

from seqkit._util.secrets import as_given
from seqkit._util.words import cut
from seqkit.core.graph import Cycles, RepoDependencyGraph, check_cycles
from seqkit.core.kinds import Kinds, chosen_kinds
from seqkit.errors import ReadError
from seqkit.readers._files import Opened, PathLike, described, load_json, text_list, typed
from seqkit.readers._gathered import Gathered

__all__ = ["is_dbt", "read_dbt"]

_TABLES = ("nodes", "sources", "exposures", "metrics", "semantic_models", "saved_queries", "unit_tests", "functions")
_TESTS = ("test", "unit_test", "data_test")


def is_dbt(file: Opened) -> bool:
    """Tell whether a JSON file is a manifest of dbt."""
    document = file.document
    facts = document.get("metadata") if isinstance(document, dict) else None
    return isinstance(facts, dict) and "dbt_schema_version" in facts and isinstance(document.get("nodes"), dict)


def read_dbt(
    path: PathLike,
    *,
    ids: Literal["name"] | None = None,
    kinds: Kinds = None,
    cycles: Cycles = "error",
) -> RepoDependencyGraph:
    """Read a manifest of dbt; every model, seed, snapshot, source, metric, exposure and so on is a repo.

    What is disabled is left out and counted, macros are no repos. The `parent_map` says who needs whom, and where it
    is missing the `depends_on` of each.

    Parameters
    ----------
    path : str or pathlib.Path
        ``target/manifest.json``; the schemas v1 to v12.
    ids : {"name"} or None
        What repos are called: the unique ids (``model.shop.orders``), or with ``"name"`` what dbt's own messages call
        them (``orders``, ``orders.v2``; ``raw.orders`` for a source), where that is unique.
    kinds : str or collection of str, or None
        Which dependencies count: some of ``"normal"`` and ``"test"`` (what a test looks at); ``"all"``. None for normal
        ones. Tests themselves are repos only where ``"test"`` counts.
    cycles : {"error", "merge", "keep"}
        As in :meth:`seqkit.RepoDependencyGraph.from_edges`.

    Returns
    -------
    RepoDependencyGraph
        Attributes: `type` (dbt's resource type), `package`, `path`, `materialized`, and `version` of a model that has
        several.

    Raises
    ------
    ReadError
        Where the file is no manifest.
    DependencyCycle
        With ``cycles="error"``, where there is one.

    Examples
    --------
    >>> import json, pathlib, tempfile
    >>> nodes = {"model.shop.orders": {"resource_type": "model", "depends_on": {"nodes": ["source.shop.raw.orders"]}}}
    >>> manifest = {"metadata": {"dbt_schema_version": "manifest/v12.json"}, "nodes": nodes,
    ...             "sources": {"source.shop.raw.orders": {"resource_type": "source"}}}
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = pathlib.Path(folder, "manifest.json")
    ...     _ = file.write_text(json.dumps(manifest))
    ...     read_dbt(file).edges
    [('source.shop.raw.orders', 'model.shop.orders')]
    """
    check_cycles(cycles)
    chosen = chosen_kinds(kinds)
    if ids not in (None, "name"):
        raise ValueError(f'ids is {as_given(ids, 200)}, expected "name" or None (the unique ids)')
    document = typed(path, "the document", load_json(path), dict)
    if "nodes" not in document:
        raise ReadError(path, None, "has no `nodes`, expected a manifest.json of dbt")
    found = Gathered(path, "dbt")
    known = dict(_resources(path, document, found))
    tests = {name for name, told in known.items() if _kind_of(name, told) == "test"}
    if "test" not in chosen:
        for name in sorted(tests):
            found.left_out('tests (kinds="all" has them)', name)
            del known[name]
    names = _names(known, ids, found)
    for name, told in known.items():
        found.package(names[name], **_facts(name, told))
    for name, parent in _parents(path, document, known):
        if parent in names:
            found.needs(names[name], names[parent], "test" if name in tests else "normal")
        elif parent not in tests:
            found.left_out("dependencies on what is disabled or not in the manifest", f"{name} needs {parent}")
    return found.to_graph(kinds, cycles)


def _resources(path: PathLike, document: Mapping[str, Any], found: Gathered) -> Iterator[tuple[str, dict[str, Any]]]:
    """Give everything that is not disabled."""
    for table in _TABLES:
        for name, told in _table(path, table, document.get(table)).items():
            place = f"{table}[{cut(name, 120)!r}]"
            typed(path, f"a key of {table}", name, str)
            config = _table(path, f"{place}.config", typed(path, place, told, dict).get("config"))
            if config.get("enabled") is False:
                found.left_out("disabled resources", name)
            else:
                yield name, told
    disabled = document.get("disabled") or {}
    for name in disabled if isinstance(disabled, dict) else []:
        found.left_out("disabled resources", name)


def _table(path: PathLike, where: str, value: object) -> dict[str, Any]:
    """Give a table; null is an empty one."""
    table: dict[str, Any] = {} if value is None else typed(path, where, value, dict)
    return table


def _kind_of(name: str, told: Mapping[str, Any]) -> str:
    return "test" if _type_of(name, told) in _TESTS else "normal"


def _type_of(name: str, told: Mapping[str, Any]) -> str:
    kind = told.get("resource_type")
    return kind if isinstance(kind, str) else name.partition(".")[0]


def _facts(name: str, told: Mapping[str, Any]) -> dict[str, str]:
    config = told.get("config") or {}
    version = told.get("version")
    facts = {
        "type": _type_of(name, told),
        "package": told.get("package_name"),
        "path": told.get("original_file_path") or told.get("path"),
        "materialized": config.get("materialized"),
        "version": None if version is None else version if isinstance(version, str) else described(version),
    }
    return {key: value for key, value in facts.items() if isinstance(value, str)}


def _names(known: Mapping[str, Mapping[str, Any]], ids: str | None, found: Gathered) -> dict[str, str]:
    if ids is None:
        return {name: name for name in known}
    short = {name: _short(name, told) for name, told in known.items()}
    count: dict[str, int] = {}
    for called in short.values():
        count[called] = count.get(called, 0) + 1
    for name, called in short.items():
        if count[called] > 1:
            found.look_at("names that several resources have, which are called by their unique ids", name)
    return {name: called if count[called] == 1 and called not in known else name for name, called in short.items()}


def _short(name: str, told: Mapping[str, Any]) -> str:
    called = told.get("name")
    if not isinstance(called, str) or not called:
        return name
    source, version = told.get("source_name"), told.get("version")
    if isinstance(source, str):
        return f"{source}.{called}"
    return f"{called}.v{version}" if isinstance(version, str | int) and _type_of(name, told) == "model" else called


def _parents(
    path: PathLike, document: Mapping[str, Any], known: Mapping[str, Mapping[str, Any]]
) -> Iterator[tuple[str, str]]:
    """Give who needs whom."""
    parents = _table(path, "parent_map", document.get("parent_map"))
    for name, told in known.items():
        place = cut(name, 120)
        if name in parents:
            listed = text_list(path, f"parent_map[{place!r}]", parents[name] or [])
        else:
            nodes = _table(path, f"depends_on of {place!r}", told.get("depends_on")).get("nodes") or []
            listed = text_list(path, f"depends_on.nodes of {place!r}", nodes)
        for parent in listed:
            yield name, parent
