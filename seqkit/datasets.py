"""Releases to try things on: the data sets that ship with seqkit.

Three are facts from package metadata, one is made up for teaching. Each says in its notes what it can carry and what it
cannot; read those before you conclude anything from it.
"""

from __future__ import annotations

import csv
import importlib.resources
import io
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from seqkit._show.html import page, rows_of
from seqkit._util import dtypes
from seqkit._util.secrets import as_given
from seqkit.core.graph import RepoDependencyGraph, picture_of
from seqkit.errors import ReadError
from seqkit.ledger import read_ledger
from seqkit.readers import read_graph
from seqkit.readers._files import load_text

if TYPE_CHECKING:
    from seqkit.ledger import RunLedger

__all__ = ["Dataset", "load_dataset"]

TRAIN_STATUSES = ("succeeded", "failed", "missing")
"""What became of a package in a train of ``kf5``, in the order in which the frame sorts them."""


@dataclass(frozen=True, eq=False)
class Dataset:
    """A dependency graph, what is known of its past releases, and how far that can be trusted.

    Examples
    --------
    >>> jest = load_dataset("jest29")
    >>> jest
    Dataset('jest29': 46 repos, 175 dependencies, 15 waves)
    >>> jest.graph.attributes("pretty-format")
    {'version': '29.7.0'}
    >>> print(jest.notes.splitlines()[0])
    Jest 29.7: the 46 npm packages that its maintainers release together.
    """

    name: str
    """What :func:`load_dataset` calls it."""
    graph: RepoDependencyGraph
    """Who needs whom; every repo has the attribute `version`."""
    trains: pd.DataFrame | None
    """Past releases, a row for each repo of each train; None where there are none.

    Columns: `train` (string; a train is a pair of `train` and `distribution`), `repo_id` (string), `version` (string:
    the first upload; missing where there was none), `distribution` (string), `started_at` (datetime64[us, UTC]: of the
    train), `released_at` (datetime64[us, UTC]: of the repo), `revisions` (Int64: later uploads in the same train),
    `status` (ordered categorical: succeeded, failed, missing: was not in that train; *inferred*), `reason_class`
    (string), `fixed_at` (datetime64[us, UTC])."""
    ledger: RunLedger | None
    """Past releases as a ledger; None where there is none."""
    notes: str
    """Source, licence, what it can carry and its limits, in plain words."""

    def _facts(self) -> list[tuple[str, int]]:
        facts = [
            ("repos", len(self.graph)),
            ("dependencies", self.graph.n_dependencies),
            ("waves", len(self.graph.waves())),
        ]
        if self.trains is not None:
            facts += [("trains", len(self.trains[["train", "distribution"]].drop_duplicates()))]
            facts += [("rows of trains", len(self.trains))]
        return facts

    def __repr__(self) -> str:
        ledger = "" if self.ledger is None else ", a ledger"
        return f"Dataset({self.name!r}: {', '.join(f'{count} {what}' for what, count in self._facts())}{ledger})"

    def _repr_html_(self) -> str:
        rows: list[tuple[str, object]] = list(self._facts())
        if self.ledger is not None:
            rows.append(("ledger", "yes"))
        return page(
            f"Data set {self.name}",
            picture_of(self.graph, self.graph.waves()),
            rows_of(["what", "count"], rows),
            note=f"{self.notes.splitlines()[0]} Limits: .notes",
        )


def load_dataset(name: str) -> Dataset:
    """Load one of the data sets that ship with seqkit.

    Parameters
    ----------
    name : {"jest29", "jupyter", "kf5", "chain_or_hub"}
        - ``"jest29"``: 46 npm packages released in lockstep; a release train that many know.
        - ``"jupyter"``: the 97 Python packages that installing Jupyter brings.
        - ``"kf5"``: 75 KDE Frameworks source packages of Debian and 63 real release trains.
        - ``"chain_or_hub"``: 14 made-up repos for teaching, a chain of 8 beside a hub with 5 dependents.

    Returns
    -------
    Dataset
        Its :attr:`~seqkit.Dataset.trains` are there of ``kf5`` alone.

    Raises
    ------
    ValueError
        Where there is no data set of that name.
    ReadError
        Where its files are missing from the installation.

    Examples
    --------
    >>> kf5 = load_dataset("kf5")
    >>> len(kf5.graph.transitive_dependents_of("extra-cmake-modules"))
    73
    >>> kf5.trains["status"].value_counts(sort=False).to_dict()
    {'succeeded': 4458, 'failed': 49, 'missing': 218}
    """
    load = LOADERS.get(name) if isinstance(name, str) else None
    if load is None:
        raise ValueError(f"name is {as_given(name, 200)}, expected one of {tuple(LOADERS)}")
    return load(_folder(name))


def _folder(name: str) -> Path:
    """Find the files of a data set: in the installed package, or in a checkout beside it."""
    package = Path(str(importlib.resources.files("seqkit")))
    # A wheel carries data/ as seqkit/_data. It is looked at first: what lies beside an installed
    # package is other people's.
    installed, checkout = package / "_data" / name, package.parent / "data" / name
    for folder in (installed, checkout):
        if folder.is_dir():
            return folder
    raise ReadError(
        installed, None, f"the files of data set {name!r} are not there (nor in {checkout}); install seqkit-py anew"
    )


# ---------------------------------------------------------------------- one loader a set


def _jest29(folder: Path) -> Dataset:
    # Everything in the lock that Jest's repository releases has a version 29.x, and nothing else has.
    # Peer dependencies are not waited for: jest-resolve and jest-pnp-resolver name each other.
    lock = read_graph(folder / "package-lock.json", "npm", ids="name", kinds=("normal", "optional"))
    together = [repo for repo in lock if lock.attributes(repo)["version"].startswith("29.")]
    return Dataset("jest29", lock.subgraph(together), trains=None, ledger=None, notes=_JEST29)


def _jupyter(folder: Path) -> Dataset:
    # edges.csv, the published form of this set, holds the dependencies that need no extra. The
    # running machine does not matter: the report tells the environment it was made in.
    graph = read_graph(folder / "pip-report.json", "pip", extras="requested")
    return Dataset("jupyter", graph, trains=None, ledger=None, notes=_JUPYTER)


def _kf5(folder: Path) -> Dataset:
    graph = read_graph(folder / "edges.csv", "csv")
    trains = _trains(folder / "trains.csv")
    # The trains also have kapidox, which no framework needs and which needs none.
    for repo in sorted(set(trains["repo_id"])):
        graph.add_node(repo, version="5.103")
    return Dataset("kf5", graph, trains=trains, ledger=read_ledger(folder / "ledger.jsonl"), notes=_KF5)


def _chain_or_hub(folder: Path) -> Dataset:
    graph = read_graph(folder / "edges.csv", "csv")
    for repo in list(graph):
        graph.add_node(repo, version="1.0")
    return Dataset("chain_or_hub", graph, trains=None, ledger=None, notes=_CHAIN_OR_HUB)


LOADERS: dict[str, Callable[[Path], Dataset]] = {
    "jest29": _jest29,
    "jupyter": _jupyter,
    "kf5": _kf5,
    "chain_or_hub": _chain_or_hub,
}


def _trains(path: Path) -> pd.DataFrame:
    # The csv module, because pandas would take words such as "none" for missing on some versions.
    rows = list(csv.DictReader(io.StringIO(load_text(path), newline="")))

    def text(column: str) -> list[str | None]:
        return [row[column] or None for row in rows]

    def times(column: str) -> list[datetime | None]:
        return [datetime.fromisoformat(row[column]) if row[column] else None for row in rows]

    return dtypes.frame(
        {
            "train": dtypes.string(text("train")),
            "repo_id": dtypes.string(text("repo_id")),
            "version": dtypes.string(text("version")),
            "distribution": dtypes.string(text("distribution")),
            "started_at": dtypes.utc(times("started_at")),
            "released_at": dtypes.utc(times("released_at")),
            "revisions": dtypes.integer([int(row["revisions"]) for row in rows]),
            "status": dtypes.categorical(text("status"), TRAIN_STATUSES),
            "reason_class": dtypes.string(text("reason_class")),
            "fixed_at": dtypes.utc(times("fixed_at")),
        }
    )


# ---------------------------------------------------------------------- notes

_LICENCE = """\
Licence. Names, versions, dependencies and dates are facts rather than expression; as we understand
it, copyright does not cover them. The packages themselves keep their own licences."""

_JEST29 = f"""\
Jest 29.7: the 46 npm packages that its maintainers release together.

Source. A package-lock.json (lockfileVersion 3) of a project that needs jest ^29.7.0, with its
addresses and hashes removed. It lists 268 folders with 266 packages; the 46 are those at version
29.x, which only packages of Jest's own repository have. The graph has the dependencies among them.

{_LICENCE}

It can carry: ordering, waves (15 levels), blast radius and what-if questions on a release train
that many people know.

Limits.
- It is one moment, and has no history: no outcomes, no times. Failure rates are yours to assume.
- Dependencies are those that users install. What the packages need to be built or tested
  (devDependencies) is not in a lock.
- 38 packages are at 29.7.0 and 8 at 29.6.3: what did not change kept the version of an earlier
  train. So the 46 did not all go out on one day; to treat them as one train simplifies.
- Peer dependencies are left out. One of them closes a cycle through a package of somebody else
  (jest-resolve and jest-pnp-resolver).
- The 220 other packages of the lock are left out; but for that cycle, none of them leads from one
  of the 46 to another.
"""

_JUPYTER = f"""\
Jupyter: the 97 Python packages that installing "jupyter" brings.

Source. pip's installation report (pip 23.2.1, CPython 3.11 on Linux), trimmed to names, versions,
requirements and the environment of the markers.

{_LICENCE}

It can carry: ordering, waves (12 levels), blast radius and what-if questions on packages that you
probably have installed.

Limits.
- These packages are not one train: many projects release them, each when it likes. A plan over all
  of them answers "what would wait for what", not "what happened".
- It is one moment on one platform, without outcomes or times. On Windows or macOS other markers
  hold, and a report made there lists other packages.
- Only dependencies that need no extra are in the graph. Ten more exist because one package asks
  for an extra of another: nbconvert for bleach[css] (tinycss2), and jupyter-events for
  jsonschema[format-nongpl] (nine packages). Without them fqdn, jsonpointer, uri-template and webcolors
  stand alone. read_graph on data/jupyter/pip-report.json, which follows such requests, gives 182
  dependencies and 13 levels; with extras="requested" it gives the 172 and 12 of this set.
- What the packages need to be built is not in it.
"""

_KF5 = f"""\
KDE Frameworks 5 in Debian: 75 source packages and 63 real release trains, 2015 to 2023.

Source. Debian's source packages at version 5.103 (build dependencies: the graph) and their
changelogs (the trains). A train is a version in a distribution: seven versions went to both
unstable and experimental, so there are 56 values of `train` and 63 trains.

{_LICENCE}

It can carry: ordering, blast radius (extra-cmake-modules reaches 73 of the 75), and audits of
order, of incomplete trains, of re-releases and of the time to a fix.

Limits.
- Outcomes are inferred from the wording of later changelog entries: 49 failed of 4,507 released.
  True build failures are under-reported. "succeeded" means no evidence of failure.
- "missing" (218 rows) means that the package was not in that train, because it did not share the
  numbering of the frameworks yet or was passed over; it is not a failure.
- Times are those of changelog entries, often written by a script (the median train takes 3
  minutes). Durations mean nothing for most trains.
- 74.7 % of 23,809 dependency pairs are in dependency order (3.0 % more share a second). Debian's
  builders wait by themselves, so a reversed pair did no harm.
- There are too few failures to rank repos: credible intervals will be wide, and that is the lesson.
- The graph is that of 5.103; earlier trains may have had other dependencies.
- In ledger.jsonl (trains 5.78.0, 5.98.0 and 5.102.0) the times of enter and exit coincide, and a
  failure carries the time of its fix. In train 5.78.0 the root failed and its dependents still went
  out, which an audit under the skip rule must report.
"""

_CHAIN_OR_HUB = """\
Chain or hub: 14 made-up repos that show why counting dependents misleads.

Source. Made up for teaching. chain-1 to chain-8 need one another in a row; hub is needed by
spoke-1 to spoke-5.

Licence. That of seqkit.

It can carry: lessons. chain-1 has 7 dependents and hub has 5. Which of the two is worth hardening
depends on how often things fail: with one failure rate p for all repos, a chain-1 that never failed
would be worth 1 - (1 - p)^8 more releases, and such a hub p (1 + 5 (1 - p)). The chain leads for
small p, the hub from p = 0.115 on, because other failures in a long chain stop its end anyway.

Limits.
- It is no real release, and says nothing about any.
"""
