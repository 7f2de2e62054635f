"""How likely each repo is to fail: rates, and causes that strike several at once."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from numbers import Real
from types import MappingProxyType
from typing import Any, NamedTuple, Union

import pandas as pd

from seqkit._util.secrets import as_given
from seqkit._util.words import printable
from seqkit.core import draws

__all__ = ["BROKEN", "FAILURE", "FLAKE", "CommonCause", "Failing", "FailureModel", "ModelLike", "as_model"]

FAILURE = "simulated failure"
"""Why a try failed, where tries are independent."""
FLAKE = f"{FAILURE}: a flake"
"""The same, where some failures are not mended by any retry and this one may be."""
BROKEN = f"{FAILURE}: broken in this run, which no retry mends"
"""And where it is not."""

_SHOWN = 5  # repos that a repr names one by one


def _probability(argument: str, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, Real):
        raise TypeError(f"{argument} is {as_given(value, 200)}, expected a probability from 0 to 1")
    if not 0.0 <= float(value) <= 1.0:  # also refuses NaN
        raise ValueError(f"{argument} is {as_given(value, 200)}, expected a probability from 0 to 1")
    return float(value)


def _by_repo(argument: str, values: Mapping[str, float]) -> Mapping[str, float]:
    checked = {}
    for repo, value in values.items():
        if not isinstance(repo, str):
            raise TypeError(f"{argument} has the key {repo!r}, expected a repo id as a str")
        checked[repo] = _probability(f"{argument}[{repo!r:.80}]", value)
    return MappingProxyType(checked)


def _shown(values: Mapping[str, float]) -> str:
    return repr(dict(values)) if len(values) <= _SHOWN else f"<{len(values)} repos>"


@dataclass(frozen=True, repr=False)
class CommonCause:
    """Something that makes several repos fail together, such as an outage of the CI provider.

    It strikes once per run with its probability and lasts for the run: each try of a member then fails with its
    severity, retries included. At a severity of 1 every member that is tried fails; below, each try is a draw of its
    own, so that a retry may get through, and a member may be spared.

    Examples
    --------
    >>> CommonCause(name="ci outage", probability=0.02, repos=["core", "api"])
    CommonCause(name='ci outage', probability=0.02, repos=('api', 'core'))
    >>> CommonCause(name="slow registry", probability=0.1, repos=["core", "api"], severity=0.3)
    CommonCause(name='slow registry', probability=0.1, repos=('api', 'core'), severity=0.3)
    """

    name: str
    """What it is called; unique in a model."""
    probability: float
    """How likely it strikes in one run, 0 to 1."""
    repos: Iterable[str]
    """The members' ids; kept as a sorted tuple."""
    severity: float = 1.0
    """How likely it makes a try of a member fail where it strikes, 0 to 1; tries are independent given that it does."""

    def __post_init__(self) -> None:
        if not isinstance(self.name, str):
            raise TypeError(f"name is {as_given(self.name, 200)}, expected a str")
        object.__setattr__(self, "probability", _probability(f"probability of cause {self.name!r}", self.probability))
        if not isinstance(self.repos, Iterable):
            raise TypeError(f"repos of cause {self.name!r} is {self.repos!r}, expected repo ids")
        members = [self.repos] if isinstance(self.repos, str) else list(self.repos)
        for repo in members:
            if not isinstance(repo, str):
                raise TypeError(f"repos of cause {self.name!r} hold {repo!r}, expected repo ids as str")
        object.__setattr__(self, "repos", tuple(sorted(set(members))))
        object.__setattr__(self, "severity", _probability(f"severity of cause {self.name!r}", self.severity))

    def __repr__(self) -> str:
        members = tuple(self.repos)
        shown = repr(members) if len(members) <= _SHOWN else f"<{len(members)} repos>"
        severity = "" if self.severity == 1.0 else f", severity={self.severity!r}"
        return printable(f"CommonCause(name={self.name!r}, probability={self.probability!r}, repos={shown}{severity})")

    def strikes(self, seed: int, trial: int, train: int = 0) -> bool:
        """Draw whether it strikes in this trial: for a sequence of trains, in which; each has a draw of its own."""
        return draws.happens(self.probability, seed, "cause", self.name, train, trial)

    def hits(self, repo_id: str, attempt: int, seed: int, trial: int) -> bool:
        """Draw whether, where it strikes, this attempt at a member fails for it."""
        return draws.happens(self.severity, seed, "severity", (self.name, repo_id), attempt, trial)


class Failing(NamedTuple):
    """How a repo fails: broken in this run, whatever is tried, or else at any single try."""

    broken: float
    """Probability that it is broken in a run: every try fails."""
    sound: float
    """Probability that it is not broken, 1 - `broken`, precise where it is small."""
    flaky: float
    """Probability that a try fails where it is not broken; tries are independent then."""
    steady: float
    """Probability that a try succeeds where it is not broken, 1 - `flaky`, precise where it is small."""

    @classmethod
    def of(cls, rate: float, hard: float) -> Failing:
        """Split the rate of a first try by the share of its failures that no retry mends.

        Examples
        --------
        >>> Failing.of(0.1, 0.0)
        Failing(broken=0.0, sound=1.0, flaky=0.1, steady=0.9)
        >>> Failing.of(0.1, 1.0)
        Failing(broken=0.1, sound=0.9, flaky=0.0, steady=1.0)
        """
        if not hard:
            return cls(0.0, 1.0, rate, 1.0 - rate)
        sound = (1.0 - rate) + rate * (1.0 - hard)
        if not sound:
            return cls(1.0, 0.0, 0.0, 1.0)
        return cls(hard * rate, sound, rate * (1.0 - hard) / sound, (1.0 - rate) / sound)

    def at_all(self, attempts: int) -> float:
        """Give the probability that all of so many tries fail: b + (1 - b) f^k.

        Examples
        --------
        >>> [round(Failing.of(0.1, hard).at_all(2), 4) for hard in (0.0, 0.5, 1.0)]
        [0.01, 0.0526, 0.1]
        """
        return self.broken + self.sound * self.flaky**attempts


def _counts(fit: pd.DataFrame, tries: str, failures: str) -> tuple[float, float]:
    """Sum two columns of a fit, which must be counts."""
    counts = []
    for name in (tries, failures):
        try:
            counts.append(fit[name].to_numpy(dtype=float))
        except (TypeError, ValueError) as error:
            raise ValueError(f"the column {name} of frame holds no counts: {error}") from error
    tried, failed = counts
    if not ((failed >= 0) & (failed <= tried)).all():  # also refuses NaN
        raise ValueError(
            f"the columns {tries}, {failures} of frame hold counts that cannot be, expected 0 <= {failures} <= {tries}"
        )
    return float(tried.sum()), float(failed.sum())


@dataclass(frozen=True, repr=False)
class FailureModel:
    """The probability that a first attempt to release a repo fails, and what becomes of a second.

    A repo that `rates` does not name has the probability `default`, which is 0 where it is not given.

    A second try helps against a flake, not against a broken build. `hard` says which share of a repo's failures no
    retry mends in the same run: of a rate p the share h means that the repo is broken in a run with b = h p and, where
    it is not, that each try fails by itself with f = (p - b) / (1 - b). All of k tries fail with b + (1 - b) f^k:
    p^k at h = 0, where tries are independent, and p at h = 1, whatever k. A single try fails with p for every h.
    Nothing but past retries tells h (see :func:`seqkit.fit_failure_rates`); where it is not known, look at both ends.

    One model may serve many plans, so that names which a plan does not have are allowed. Functions that take a
    model for a plan warn of them once a call (:class:`seqkit.UnknownRepo`) where such a name is near a repo to
    release that the model does not name, or where no repo that has a rate is known and the default serves for all.
    They raise ValueError where all names are unknown and nothing could fail. Known are the repos of the plan and
    of the graph that it was built, cut or resumed from; of a plan read from JSON its own alone.

    Raises
    ------
    TypeError, ValueError
        Where a probability is not a number from 0 to 1, or two common causes share a name.

    Examples
    --------
    >>> model = FailureModel(rates={"core": 0.2}, default=0.01)
    >>> model.rate("core"), model.rate("docs")
    (0.2, 0.01)
    """

    rates: Mapping[str, float] = field(default_factory=dict)
    """Probabilities by repo id."""
    default: float = 0.0
    """The probability of a repo that `rates` does not name."""
    common_causes: Iterable[CommonCause] = ()
    """What makes several fail together; kept as a tuple."""
    hard: float | Mapping[str, float] = 0.0
    """The share of failures that no retry mends, 0 to 1: for all repos, or by repo id, then 0 for others."""

    def __post_init__(self) -> None:
        if isinstance(self.rates, pd.Series) and self.rates.index.has_duplicates:
            twice = self.rates.index[self.rates.index.duplicated()][0]
            raise ValueError(f"rates has the repo id {twice!r:.80} twice in its index, expected each once")
        rates = self.rates.to_dict() if isinstance(self.rates, pd.Series) else self.rates
        if not isinstance(rates, Mapping):
            raise TypeError(f"rates is {as_given(rates)}, expected a mapping from repo id to probability")
        object.__setattr__(self, "rates", _by_repo("rates", rates))
        object.__setattr__(self, "default", _probability("default", self.default))
        if isinstance(self.common_causes, CommonCause) or not isinstance(self.common_causes, Iterable):
            raise TypeError(f"common_causes is {as_given(self.common_causes)}, expected a list of CommonCause")
        causes = tuple(self.common_causes)
        for cause in causes:
            if not isinstance(cause, CommonCause):
                raise TypeError(f"common_causes holds {cause!r:.80}, expected CommonCause(name, probability, repos)")
        names = [cause.name for cause in causes]
        for name in names:
            if names.count(name) > 1:
                raise ValueError(f"common_causes has two causes named {name!r}, expected unique names")
        object.__setattr__(self, "common_causes", causes)
        hard = self.hard.to_dict() if isinstance(self.hard, pd.Series) else self.hard
        shares = _by_repo("hard", hard) if isinstance(hard, Mapping) else _probability("hard", hard)
        object.__setattr__(self, "hard", shares)

    __hash__ = None  # type: ignore[assignment]  # a mapping inside

    def __repr__(self) -> str:
        rates = _shown(self.rates)
        causes = f", common_causes={list(self.common_causes)!r}" if self.common_causes else ""
        hard = f", hard={self.hard if isinstance(self.hard, float) else _shown(self.hard)}" if self.hard else ""
        return printable(f"FailureModel(rates={rates}, default={self.default!r}{causes}{hard})")

    def __reduce__(self) -> tuple[type[FailureModel], tuple[Any, ...]]:
        hard = self.hard if isinstance(self.hard, float) else dict(self.hard)
        return FailureModel, (dict(self.rates), self.default, tuple(self.common_causes), hard)

    @classmethod
    def from_fit(cls, frame: pd.DataFrame, default: float | None = None) -> FailureModel:
        """Take rates and hard shares of a fit, as :func:`seqkit.fit_failure_rates` makes it.

        Parameters
        ----------
        frame : DataFrame
            Index: repo ids. Columns `attempts`, `failures` and `rate`; where they are there, `runs` and
            `first_failures`, and `hard`.
        default : float, optional
            The rate of repos that the fit does not know. By default that of all first attempts together,
            sum(first_failures) / sum(runs), weighed where the fit is, without a prior; of a fit without these columns
            sum(failures) / sum(attempts).

        Returns
        -------
        FailureModel
            `hard` is that of the fit: where it is the same for all, for repos that the fit does not know too. Where
            the fit does not know it, it is 0, the other end being ``dataclasses.replace(model, hard=1.0)``.

        Raises
        ------
        ValueError, TypeError
            Where the frame is no fit, or holds no attempts and `default` is not given.

        Examples
        --------
        >>> fit = pd.DataFrame({"attempts": [8, 2], "failures": [2, 0], "rate": [0.28, 0.17]}, index=["core", "api"])
        >>> model = FailureModel.from_fit(fit)
        >>> model.rate("core"), model.rate("docs")
        (0.28, 0.2)
        >>> FailureModel.from_fit(fit.assign(hard=0.75)).hard
        0.75
        """
        if not isinstance(frame, pd.DataFrame):
            raise TypeError(f"frame is {as_given(frame)}, expected the DataFrame that fit_failure_rates gives")
        missing = [name for name in ("attempts", "failures", "rate") if name not in frame.columns]
        if missing:
            raise ValueError(
                f"frame lacks the columns {missing}, it has {list(frame.columns)!r:.200}; "
                "expected the DataFrame that fit_failure_rates gives"
            )
        repos = list(frame.index)
        for repo in repos:
            if not isinstance(repo, str):
                raise TypeError(f"frame has {repo!r:.80} in its index, expected repo ids as str (set_index('repo_id'))")
        if not frame.index.is_unique:
            twice = frame.index[frame.index.duplicated()][0]
            raise ValueError(f"frame has the repo {twice!r:.80} twice in its index, expected a row for each repo")
        tries, failed = _counts(frame, "attempts", "failures")
        for pair in (("runs", "first_failures"), ("effective_runs", "effective_failures")):
            if set(pair) <= set(frame.columns):
                tries, failed = _counts(frame, *pair)
        if default is None:
            if not tries:
                raise ValueError("frame has no attempts to take the rate of unknown repos from; give default=")
            default = failed / tries
        shares = frame["hard"].astype(object).tolist() if "hard" in frame.columns else []
        known = {repo: share for repo, share in zip(repos, shares, strict=False) if not pd.isna(share)}
        common = len(known) == len(repos) > 0 and len(set(known.values())) == 1
        return cls(
            rates=dict(zip(repos, frame["rate"].tolist(), strict=True)),
            default=default,
            hard=next(iter(known.values())) if common else known or 0.0,
        )

    @cached_property
    def _causes(self) -> dict[str, list[CommonCause]]:
        """The causes that each member has, in their order: a model may have many, of many members."""
        causes: dict[str, list[CommonCause]] = {}
        for cause in self.common_causes:
            for repo in cause.repos:
                causes.setdefault(repo, []).append(cause)
        return causes

    def rate(self, repo_id: str) -> float:
        """Give the probability that a first attempt at `repo_id` fails, common causes apart."""
        return self.rates.get(repo_id, self.default)

    def share_hard(self, repo_id: str) -> float:
        """Give the share of the failures of `repo_id` that no retry mends."""
        return self.hard if isinstance(self.hard, float) else self.hard.get(repo_id, 0.0)

    def failing(self, repo_id: str) -> Failing:
        """Give how likely `repo_id` is broken in a run, and how likely a try fails where it is not."""
        return Failing.of(self.rate(repo_id), self.share_hard(repo_id))

    def causes_of(self, repo_id: str) -> Sequence[CommonCause]:
        """Give the common causes that a repo is a member of, in their order."""
        return self._causes.get(repo_id, ())

    def reason(self, repo_id: str, attempt: int, seed: int, trial: int, train: int = 0) -> str | None:
        """Draw why this attempt fails in this trial; None where it succeeds. `train` counts from 0 in a sequence."""
        for cause in self.causes_of(repo_id):
            if cause.strikes(seed, trial, train) and cause.hits(repo_id, attempt, seed, trial):
                return f"common cause: {cause.name}"
        return self.own_reason(repo_id, attempt, seed, trial)

    def own_reason(self, repo_id: str, attempt: int, seed: int, trial: int) -> str | None:
        """Draw why this attempt fails by itself, common causes apart; None where it does not.

        A first attempt is drawn at the rate. Where it fails, one draw more says whether the repo is broken in this
        trial; if it is not, later attempts are drawn at the rate of a flake.
        """
        hard = self.share_hard(repo_id)
        if hard and draws.happens(self.rate(repo_id), seed, "repo", repo_id, 1, trial):
            if draws.happens(hard, seed, "hard", repo_id, 0, trial):
                return BROKEN
            if attempt == 1:
                return FLAKE
        elif attempt == 1 and hard:
            return None
        if draws.happens(self.failing(repo_id).flaky, seed, "repo", repo_id, attempt, trial):
            return FLAKE if hard else FAILURE
        return None


ModelLike = Union[float, Mapping[str, float], "pd.Series[Any]", FailureModel]  # a Series takes no [] there
"""What a `model` argument takes: a probability for all, a mapping or Series by repo id, or a FailureModel."""


def as_model(model: ModelLike, argument: str = "model") -> FailureModel:
    """Read a `model` argument: a probability for all, a mapping or Series by repo id, or a FailureModel.

    Examples
    --------
    >>> as_model(0.05).rate("core")
    0.05
    """
    if isinstance(model, FailureModel):
        return model
    if isinstance(model, Mapping | pd.Series):
        return FailureModel(rates=model)  # type: ignore[arg-type]  # a Series is read there
    if isinstance(model, Real) and not isinstance(model, bool):
        if math.isnan(float(model)):
            raise ValueError(f"{argument} is nan, expected a probability from 0 to 1")
        return FailureModel(default=_probability(argument, model))
    expected = "expected a probability, a mapping by repo id or a FailureModel"
    if isinstance(model, pd.DataFrame):
        raise TypeError(f"{argument} is a DataFrame, {expected}: FailureModel.from_fit makes one of fitted rates")
    raise TypeError(f"{argument} is {as_given(model)}, {expected}")
