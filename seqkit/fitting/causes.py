"""What strikes several repos at once: how probable it is in a run, and how severe."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from seqkit._util import dtypes
from seqkit._util.arguments import level_of
from seqkit._util.secrets import as_given
from seqkit._util.words import quoted
from seqkit.fitting.arcsine import END, narrowed, summary
from seqkit.fitting.attempts import Items, Source, Tries, columns_told, items_of, read_tries, runs_of
from seqkit.fitting.outages import Outages
from seqkit.fitting.priors import JEFFREYS, Prior, prior_of

__all__ = ["fit_common_causes", "own_shares"]

Floats = npt.NDArray[np.float64]

_LEAST_RUNS = 5  # in which two members were tried
_COARSE, _FINE = 25, 41  # angles of each axis
_NO_BETTER = 1e-6  # of logarithms
_DEPTH = 25.0  # below the mode, of logarithms: beyond it nothing is looked at


def fit_common_causes(
    ledger_or_frame: Source,
    groups: Mapping[str, Iterable[str]],
    confidence_level: float = 0.95,
    prior: Prior = JEFFREYS,
) -> pd.DataFrame:
    """Estimate how likely a common cause strikes each of some groups of repos in a run, and how severely.

    Parameters
    ----------
    ledger_or_frame : RunLedger, path, URL or DataFrame
        What happened, as in :func:`seqkit.fit_failure_rates`; a frame needs `run_id` too, or `train`.
    groups : mapping
        From the name of a cause to the ids of the repos that it strikes: those that share a runner, a mirror, a
        compiler. The data do not tell who belongs together; groups that were chosen because their repos failed
        together are found to do so. No repo stands in two of them.
    confidence_level : float
        How much of the posterior lies between `low` and `high`, between 0 and 1.
    prior : pair of float or "empirical"
        That of the members' own rates, as in :func:`seqkit.fit_failure_rates`. With many members that fail seldom,
        the default leaves so much to each of them that a weak cause is not seen.

    Returns
    -------
    pandas.DataFrame
        Index `name` (string). Columns `probability` (float64: that the cause strikes in a run, the posterior mean),
        `low`, `high` (float64: its equal-tailed credible interval), `severity` (float64: the probability that it makes
        one try of a member fail, in a run that it struck), `severity_low`, `severity_high` (float64), `runs` (Int64:
        those in which a member was tried), `together` (Int64: those in which two or more failed at their first try),
        `repos` (object: the members, a sorted tuple).

    Raises
    ------
    ValueError
        Where the record cannot tell: it never tried a repo of the groups, a group has fewer than two repos, two
        members were tried in fewer than 5 runs, no run saw two of them fail, their failures do not come together more
        than independent ones would, or no cause explains them better than none at all. Where groups share a repo, or
        columns are missing.
    TypeError
        Where `groups` is no mapping from names to ids.

    See Also
    --------
    seqkit.dispersion_test : whether failures come together at all.
    seqkit.fit_failure_rates : with ``causes=``, the repos' own rates, so that no outage counts twice.

    Notes
    -----
    First attempts alone are read; what was skipped was not tried. A cause strikes once a run with probability π, and
    lasts for it; each try of a member then fails with 1 − (1 − s)(1 − p), s being the severity and p the member's own
    rate. The likelihood of a run is the mixture (1 − π) ∏ p^x (1 − p)^(1 − x) + π ∏ c^x (1 − c)^(1 − x) with
    c = s + (1 − s) p. Priors of π and s are Beta(½, ½). Their posterior is evaluated on a grid in which the rates are
    integrated out by expectation propagation (Minka 2001). On small records, where the sum over all explanations of
    each failure can be done, its logarithm is right to 0.3, leaning to "no cause".

    Rates that change over time look like a cause: see :func:`seqkit.dispersion_test`. O(2,300 · failures of members)
    in time and space, in some ten to sixty rounds.

    Examples
    --------
    >>> rows = [(f"{day}", repo, day not in (3, 20)) for day in range(30) for repo in ("api", "cli", "docs", "web")]
    >>> record = pd.DataFrame(rows, columns=["run_id", "repo_id", "succeeded"])
    >>> found = fit_common_causes(record, {"outage": ["api", "cli", "docs", "web"]})
    >>> print(found.drop(columns="repos").round(2).to_string(index_names=False))
            probability   low  high  severity  severity_low  severity_high  runs  together
    outage         0.08  0.01   0.2      0.94          0.73            1.0    30         2
    """
    level = level_of(confidence_level)
    members = _checked_groups(groups)
    tries = read_tries(ledger_or_frame)
    items = items_of(tries)
    own = prior_of(prior, items.by_repo(items.lost > 0), items.by_repo(np.ones(len(items.repo))))
    rows = []
    for name, outages in _outages(tries, items, members).items():
        _check(name, outages)
        rows.append((*_fitted(name, outages, level, own), outages.runs, outages.together))
    columns = list(zip(*rows, strict=True)) if rows else [()] * 8
    names = ("probability", "low", "high", "severity", "severity_low", "severity_high")
    fit = dtypes.frame(
        {name: np.array(column, dtype=np.float64) for name, column in zip(names, columns, strict=False)}
        | {name: dtypes.integer(column) for name, column in zip(("runs", "together"), columns[6:], strict=True)}
        | {"repos": dtypes.objects(members.values())}
    )
    fit.index = dtypes.index(list(members), "name")
    fit.attrs = {"confidence_level": level}
    return fit


def own_shares(tries: Tries, items: Items, causes: Any, prior: tuple[float, float]) -> Floats:
    """Give for each item how much it says of its repo: 1 less the probability that a cause alone made it fail."""
    needed = ["probability", "severity", "repos"]
    if not isinstance(causes, pd.DataFrame):
        raise TypeError(f"causes is {as_given(causes)}, expected the DataFrame that fit_common_causes gives")
    missing = [name for name in needed if name not in causes.columns]
    if missing:
        raise ValueError(f"causes lacks {columns_told(missing)}, expected the DataFrame that fit_common_causes gives")
    members = dict(zip(causes.index.astype(object), causes["repos"], strict=True))
    shares = np.ones(len(items.repo))
    for at, outages in enumerate(_outages(tries, items, members).values()):
        row = causes.iloc[at]
        _, masked = outages.explained(np.array(float(row["probability"])), np.array(float(row["severity"])), prior)
        shares[outages.failed] *= 1 - masked
    return shares


def _outages(tries: Tries, items: Items, groups: Mapping[str, tuple[str, ...]]) -> dict[str, Outages]:
    tried, places = set(items.names), {}
    for name, repos in groups.items():
        strangers = [repo for repo in repos if repo not in tried]
        if strangers:
            raise ValueError(
                f"group {name!r:.80} has {quoted(strangers, 5)}, which the record never tried; it tried "
                f"{quoted(items.names, 5) or 'none'}"
            )
        places[name] = list(repos)
    if not places:
        return {}
    run, _ = runs_of(tries, items, "a common cause")
    return {name: Outages.of(items, run, repos) for name, repos in places.items()}


def _checked_groups(groups: Any) -> dict[str, tuple[str, ...]]:
    if not isinstance(groups, Mapping):
        raise TypeError(f"groups is {as_given(groups)}, expected a mapping from the name of a cause to repo ids")
    members: dict[str, tuple[str, ...]] = {}
    owner: dict[str, str] = {}
    for name, given in groups.items():
        if not isinstance(name, str):
            raise TypeError(f"groups has the name {name!r:.80}, expected a str")
        repos = [given] if isinstance(given, str) else list(given) if isinstance(given, Iterable) else [given]
        for repo in repos:
            if not isinstance(repo, str):
                raise TypeError(f"group {name!r:.80} holds {repo!r:.80}, expected repo ids as str")
            if owner.setdefault(repo, name) != name:
                raise ValueError(
                    f"{repo!r:.80} is in the groups {owner[repo]!r:.80} and {name!r:.80}: its failures could be of "
                    "either, so fit one group at a time"
                )
        members[name] = tuple(sorted(set(repos)))
        if len(members[name]) < 2:
            raise ValueError(
                f"group {name!r:.80} has {quoted(members[name]) or 'no repo'}, expected two repos or more: of one "
                "alone, failures of a cause look like its own"
            )
    return members


def _cannot(name: str) -> str:
    return f"the record cannot tell a common cause of group {name!r:.80}"


def _check(name: str, outages: Outages) -> None:
    told = _cannot(name)
    both = outages.runs_of_two
    if both < _LEAST_RUNS:
        raise ValueError(f"{told}: two of its repos were tried in {both} runs, expected {_LEAST_RUNS} or more")
    if not outages.together:
        raise ValueError(f"{told}: in none of {both} runs two of its repos failed at their first try")
    if not outages.ratio > 1:  # also NaN: no repo both failed and succeeded
        ratio = (
            "is not known, as no repo both failed and succeeded" if np.isnan(outages.ratio) else f"{outages.ratio:.3g}"
        )
        raise ValueError(
            f"{told}: its failures do not come together more than independent ones would (dispersion ratio {ratio}, "
            "expected above 1)"
        )


def _fitted(name: str, outages: Outages, level: float, prior: tuple[float, float]) -> tuple[float, ...]:
    def log_density(first: Floats, second: Floats) -> Floats:
        probability, severity = np.meshgrid(np.sin(first) ** 2, np.sin(second) ** 2, indexing="ij")
        return outages.explained(probability, severity, prior)[0]

    axes = (np.linspace(0.0, END, _COARSE),) * 2
    coarse = log_density(*axes)
    if coarse.max() <= coarse[0, 0] + _NO_BETTER:
        raise ValueError(
            f"{_cannot(name)}: the repos' own rates explain its failures as well as any cause would, with this prior"
        )
    axes = (
        narrowed(axes[0], coarse.max(axis=1), _FINE, _DEPTH),
        narrowed(axes[1], coarse.max(axis=0), _FINE, _DEPTH),
    )
    fine = log_density(*axes)
    density = np.exp(fine - fine.max())
    told: list[float] = []
    with np.errstate(divide="ignore"):
        for axis, angles in enumerate(axes):
            marginal = np.trapezoid(density, axes[1 - axis], axis=1 - axis)
            told += summary(angles, np.log(marginal), level)
    return tuple(told)
