"""How likely each repo is to fail: rates, and causes that strike several at once."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from numbers import Real
from types import MappingProxyType
from typing import Any, Union

import pandas as pd

from seqkit._util.secrets import as_given
from seqkit._util.words import printable
from seqkit.core import draws

__all__ = ["CommonCause", "FailureModel", "ModelLike", "as_model"]

_SHOWN = 5  # repos that a repr names one by one


def _probability(argument: str, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, Real):
        raise TypeError(f"{argument} is {as_given(value, 200)}, expected a probability from 0 to 1")
    if not 0.0 <= float(value) <= 1.0:  # also refuses NaN
        raise ValueError(f"{argument} is {as_given(value, 200)}, expected a probability from 0 to 1")
    return float(value)


@dataclass(frozen=True, repr=False)
class CommonCause:
    """Something that makes several repos fail together, such as an outage of the CI provider.

    It strikes once per run with its probability and lasts for the run: every member that is
    tried fails, retries included.

    Examples
    --------
    >>> CommonCause(name="ci outage", probability=0.02, repos=["core", "api"])
    CommonCause(name='ci outage', probability=0.02, repos=('api', 'core'))
    """

    name: str
    """What it is called; unique in a model."""
    probability: float
    """How likely it strikes in one run, 0 to 1."""
    repos: Iterable[str]
    """The members' ids; kept as a sorted tuple."""

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

    def __repr__(self) -> str:
        members = tuple(self.repos)
        shown = repr(members) if len(members) <= _SHOWN else f"<{len(members)} repos>"
        return printable(f"CommonCause(name={self.name!r}, probability={self.probability!r}, repos={shown})")


@dataclass(frozen=True, repr=False)
class FailureModel:
    """The probability that one attempt to release a repo fails.

    A repo that `rates` does not name has the probability `default`, which is 0 where it is not given.

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

    def __post_init__(self) -> None:
        if isinstance(self.rates, pd.Series) and self.rates.index.has_duplicates:
            twice = self.rates.index[self.rates.index.duplicated()][0]
            raise ValueError(f"rates has the repo id {twice!r:.80} twice in its index, expected each once")
        rates = self.rates.to_dict() if isinstance(self.rates, pd.Series) else self.rates
        if not isinstance(rates, Mapping):
            raise TypeError(f"rates is {as_given(rates)}, expected a mapping from repo id to probability")
        checked = {}
        for repo, rate in rates.items():
            if not isinstance(repo, str):
                raise TypeError(f"rates has the key {repo!r}, expected a repo id as a str")
            checked[repo] = _probability(f"rates[{repo!r:.80}]", rate)
        object.__setattr__(self, "rates", MappingProxyType(checked))
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

    __hash__ = None  # type: ignore[assignment]  # a mapping inside

    def __repr__(self) -> str:
        rates = repr(dict(self.rates)) if len(self.rates) <= _SHOWN else f"<{len(self.rates)} repos>"
        causes = f", common_causes={list(self.common_causes)!r}" if self.common_causes else ""
        return printable(f"FailureModel(rates={rates}, default={self.default!r}{causes})")

    def __reduce__(self) -> tuple[type[FailureModel], tuple[dict[str, float], float, tuple[CommonCause, ...]]]:
        return FailureModel, (dict(self.rates), self.default, tuple(self.common_causes))

    @classmethod
    def from_fit(cls, frame: pd.DataFrame, default: float | None = None) -> FailureModel:
        """Take the rates of a fit, as :func:`seqkit.fit_failure_rates` makes it.

        Parameters
        ----------
        frame : DataFrame
            Index: repo ids. Columns `attempts`, `failures` and `rate`.
        default : float, optional
            The rate of repos that the fit does not know. By default that of all attempts together,
            sum(failures) / sum(attempts), without a prior.

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
        counts = {}
        for name in ("attempts", "failures"):
            try:
                values = frame[name].to_numpy(dtype=float)
            except (TypeError, ValueError) as error:
                raise ValueError(f"the column {name} of frame holds no counts: {error}") from error
            counts[name] = values
        attempts, failures = counts["attempts"], counts["failures"]
        if not ((failures >= 0) & (failures <= attempts)).all():  # also refuses NaN
            raise ValueError("the columns of frame hold counts that cannot be, expected 0 <= failures <= attempts")
        if default is None:
            if not attempts.sum():
                raise ValueError("frame has no attempts to take the rate of unknown repos from; give default=")
            default = float(failures.sum() / attempts.sum())
        return cls(rates=dict(zip(repos, frame["rate"].tolist(), strict=True)), default=default)

    @cached_property
    def _causes(self) -> dict[str, list[CommonCause]]:
        """The causes that each member has, in their order: a model may have many, of many members."""
        causes: dict[str, list[CommonCause]] = {}
        for cause in self.common_causes:
            for repo in cause.repos:
                causes.setdefault(repo, []).append(cause)
        return causes

    def rate(self, repo_id: str) -> float:
        """Give the probability that one attempt at `repo_id` fails, common causes apart."""
        return self.rates.get(repo_id, self.default)

    def reason(self, repo_id: str, attempt: int, seed: int, trial: int) -> str | None:
        """Draw why this attempt fails in this trial; None where it succeeds."""
        for cause in self._causes.get(repo_id, ()):
            if draws.happens(cause.probability, seed, "cause", cause.name, 0, trial):
                return f"common cause: {cause.name}"
        if draws.happens(self.rate(repo_id), seed, "repo", repo_id, attempt, trial):
            return "simulated failure"
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
    raise TypeError(f"{argument} is {as_given(model)}, expected a probability, a mapping by repo id or a FailureModel")
