"""How long releases take: what a `durations` argument says."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from numbers import Real
from types import MappingProxyType
from typing import Any, Union

import pandas as pd

from seqkit._util.arguments import share_of
from seqkit._util.secrets import as_given
from seqkit._util.words import plural, printable
from seqkit.core import draws
from seqkit.core.laws import LARGEST_SIGMA, Law, Lognormal, Steps
from seqkit.core.times import seconds_of

__all__ = ["DurationModel", "DurationsLike", "as_durations"]

_SHOWN = 5  # repos that a repr names one by one
_KEYS = ("medians", "sigma", "default", "failed", "samples", "default_sigma")

Times = Union[float, timedelta, Mapping[str, "float | timedelta"], "pd.Series[Any]"]
"""Seconds or a timedelta for all, or a mapping or Series of them by repo id."""


@dataclass(frozen=True, repr=False)
class DurationModel:
    """How long an attempt at a repo takes: by its median and its spread, or by times of the past.

    A time is lognormal: its logarithm is normal around that of the median, with the standard deviation `sigma`. At a
    sigma of 0.5 nine of ten attempts take less than 1.9 times the median, and the mean is 1.13 times the median; at 0
    all take as long. With :meth:`from_samples` an attempt takes one of the times of the past, each as likely.

    Drawn times are whole milliseconds, at most a century. An attempt's time depends on (seed, repo, attempt, trial)
    alone, as its failure does, and the two are independent. The same number serves for an attempt that succeeds and
    for one that fails, so that who raises a median makes no attempt shorter.

    Raises
    ------
    TypeError, ValueError
        Where a time is none, or `sigma` is not from 0 to 2.5: further out the table that is drawn by cuts the tail.

    Examples
    --------
    >>> takes = DurationModel({"core": timedelta(minutes=10), "api": 240}, sigma=0.5, failed={"core": 60})
    >>> takes.median("core"), round(takes.mean("core"), 1), round(takes.quantile("core", 0.9), 1)
    (600.0, 679.9, 1138.8)
    >>> [takes.draw("core", attempt=1, seed=7, trial=trial) for trial in range(3)]  # milliseconds
    [193883, 909671, 897823]
    >>> takes.median("docs")
    Traceback (most recent call last):
    ValueError: durations has none for 'docs', expected one for each repo to release
    """

    medians: float | timedelta | Mapping[str, float | timedelta] = field(default_factory=dict)
    """Seconds or timedeltas: a number for all, or by repo id; kept as seconds."""
    sigma: float | Mapping[str, float] = 0.0
    """Standard deviation of the logarithm: a number for all, or by repo id, then `default_sigma` for others."""
    default: float | timedelta | None = None
    """The median of a repo that is not named; None where each repo to release must be."""
    failed: float | timedelta | Mapping[str, float | timedelta] | DurationModel | None = None
    """How long attempts take that fail; those that it does not name, and all where None, as long as others."""
    samples: Mapping[str, Iterable[float | timedelta]] = field(default_factory=dict)
    """Times of the past by repo id: see :meth:`from_samples`; kept as ascending seconds."""
    default_sigma: float = 0.0
    """The sigma of a repo that `sigma`, where it is by repo id, does not name."""

    def __post_init__(self) -> None:
        medians, sigma = _by_repo(self.medians, "durations"), _by_repo(self.sigma, "sigma")
        if not isinstance(medians, Mapping) and self.default is not None:
            raise ValueError(
                f"default is {as_given(self.default, 200)} and medians is a time for all, expected medians by repo id"
            )
        object.__setattr__(self, "medians", _read(medians, "durations", seconds_of))
        object.__setattr__(self, "sigma", _read(sigma, "sigma", _sigma))
        if self.default is not None:
            object.__setattr__(self, "default", seconds_of(self.default, "default"))
        if self.failed is not None:
            failed = self.failed if isinstance(self.failed, DurationModel) else DurationModel(self.failed)
            if failed.failed is not None:
                raise ValueError("failed has a failed of its own, expected how long attempts take that fail")
            object.__setattr__(self, "failed", failed)
        samples = _by_repo(self.samples, "samples")
        if not isinstance(samples, Mapping):
            raise TypeError(f"samples is {as_given(samples)}, expected a mapping from repo id to times")
        object.__setattr__(self, "samples", _read(samples, "samples", _sample))
        object.__setattr__(self, "default_sigma", _sigma(self.default_sigma, "default_sigma"))
        if self.default_sigma and not isinstance(sigma, Mapping):
            raise ValueError(
                f"default_sigma is {self.default_sigma} and sigma is a number for all, expected sigma by repo id"
            )

    __hash__ = None  # type: ignore[assignment]  # a mapping inside

    @classmethod
    def from_samples(
        cls,
        samples: Mapping[str, Iterable[float | timedelta]],
        default: float | timedelta | None = None,
        failed: float | timedelta | Mapping[str, float | timedelta] | DurationModel | None = None,
    ) -> DurationModel:
        """Take one of the times of the past for each attempt, each as likely, and nothing between or beyond them.

        Parameters
        ----------
        samples : mapping
            Repo id → times, in seconds or timedeltas, in any order, at least one.
        default, failed
            As in the class; for failed attempts too it may be ``DurationModel.from_samples(…)``.

        Examples
        --------
        >>> takes = DurationModel.from_samples({"core": [610, 590, 1800], "api": [240]})
        >>> takes.median("core"), takes.mean("core"), takes
        (610.0, 1000.0, DurationModel.from_samples(<4 times of 2 repos>))
        """
        return cls(default=default, failed=failed, samples=samples)

    # ------------------------------------------------------------------ what it says of a repo

    def law(self, repo_id: str, failed: bool = False) -> Law:
        """Give the law of the time that an attempt takes.

        Raises
        ------
        ValueError
            Where it has none for the repo.
        """
        if failed and self.failed is not None and self.failed.knows(repo_id):  # type: ignore[union-attr]  # read above
            return self.failed.law(repo_id)  # type: ignore[union-attr]
        times: Any = self.samples.get(repo_id)
        if times is not None:
            return Steps(times)
        median: Any = self.medians.get(repo_id, self.default) if isinstance(self.medians, Mapping) else self.medians
        if median is None:
            raise ValueError(f"durations has none for {repo_id!r:.80}, expected one for each repo to release")
        sigma = self.sigma.get(repo_id, self.default_sigma) if isinstance(self.sigma, Mapping) else self.sigma
        return Lognormal(median, sigma) if sigma and median else Steps((median,))

    def knows(self, repo_id: str) -> bool:
        """Tell whether it has a time for a repo."""
        named = repo_id in self.samples or not isinstance(self.medians, Mapping) or repo_id in self.medians
        return named or self.default is not None

    @property
    def named(self) -> tuple[str, ...]:
        """The repos that it names, anywhere."""
        failed: Any = self.failed
        given = (self.medians, self.sigma, self.samples)
        own = [repo for each in given if isinstance(each, Mapping) for repo in each]
        return tuple(dict.fromkeys([*own, *(() if failed is None else failed.named)]))

    def scaled(self, factor: float, repos: Collection[str]) -> DurationModel:
        """Give the times of these repos multiplied by a number from 0, their spread kept; and of no others.

        Examples
        --------
        >>> DurationModel({"core": 600, "api": 240}, sigma=0.5).scaled(0.5, ["core"])
        DurationModel({'core': 300.0}, sigma=0.5)
        """

        def read(value: Any, change: Callable[[Any], Any]) -> Any:
            if not isinstance(value, Mapping):
                return value if value is None else change(value)
            return {repo: change(each) for repo, each in value.items() if repo in repos}

        def longer(seconds: float) -> float:
            return seconds * factor

        failed: Any = self.failed
        return DurationModel(
            read(self.medians, longer),
            read(self.sigma, lambda sigma: sigma),
            read(self.default, longer),
            None if failed is None else failed.scaled(factor, repos),
            read(self.samples, lambda times: [longer(time) for time in times]),
            default_sigma=self.default_sigma,
        )

    def mean(self, repo_id: str) -> float:
        """Give the seconds that an attempt takes on average, if it succeeds."""
        return self.law(repo_id).mean

    def median(self, repo_id: str) -> float:
        """Give the seconds that half of the attempts stay within, of those that succeed."""
        return self.law(repo_id).median

    def quantile(self, repo_id: str, q: float) -> float:
        """Give the seconds that a share `q` of the attempts stays within, of those that succeed; 0 < q < 1."""
        return self.law(repo_id).quantile(share_of("q", q, 0.9))

    def means(self, repos: Iterable[str]) -> dict[str, float]:
        """Give the mean seconds of some repos; ValueError where one has none."""
        return {repo: self.mean(repo) for repo in repos}

    def draw(self, repo_id: str, attempt: int, seed: int, trial: int = 0, failed: bool = False) -> int:
        """Draw how long this attempt takes in this trial, in milliseconds.

        Parameters
        ----------
        repo_id : str
            The repo.
        attempt : int
            Which attempt at it, from 1.
        seed, trial : int
            Whose draw, and in which trial, from 0.
        failed : bool
            Whether the attempt fails.
        """
        law = self.law(repo_id, failed)
        if isinstance(law, Steps) and len(law.seconds) == 1:
            return law.ticks[0]
        return law.draw(draws.uniform(seed, "duration", repo_id, attempt, trial) & 0xFFFFFFFF)

    # ------------------------------------------------------------------ written down

    def __repr__(self) -> str:
        default = "" if self.default is None else f", default={self.default!r}"
        failed = "" if self.failed is None else f", failed={self.failed!r}"
        if self.samples and not self.medians:
            n = sum(map(len, self.samples.values()))  # type: ignore[arg-type]  # tuples by now
            told = f"<{plural(n, 'time')} of {plural(len(self.samples), 'repo')}>"
            return printable(f"DurationModel.from_samples({told}{default}{failed})")
        sigma = f", sigma={_shown(self.sigma)}" if self.sigma else ""
        samples = f", samples=<{plural(len(self.samples), 'repo')}>" if self.samples else ""
        spread = f", default_sigma={self.default_sigma!r}" if self.default_sigma else ""
        return printable(f"DurationModel({_shown(self.medians)}{sigma}{default}{failed}{samples}{spread})")

    def __reduce__(self) -> tuple[type[DurationModel], tuple[Any, ...]]:
        return DurationModel, (
            _plain(self.medians),
            _plain(self.sigma),
            self.default,
            self.failed,
            _plain(self.samples),
            self.default_sigma,
        )

    def to_json(self) -> str:
        """Write the model as JSON: ``{medians, sigma, default, failed, samples, default_sigma}``, times in seconds.

        Examples
        --------
        >>> takes = DurationModel({"core": 600}, sigma=0.5)
        >>> DurationModel.from_json(takes.to_json()) == takes
        True
        """
        return json.dumps(self._content(), ensure_ascii=False)

    def _content(self) -> dict[str, Any]:
        content = {name: _plain(getattr(self, name)) for name in _KEYS if name != "failed"}
        return {**content, "failed": None if self.failed is None else self.failed._content()}  # type: ignore[union-attr]

    @classmethod
    def from_json(cls, text: str | bytes) -> DurationModel:
        """Read what :meth:`to_json` wrote.

        Raises
        ------
        ValueError
            Where the text is none, or holds times that are none.
        """
        try:
            return cls._of_json(json.loads(text))
        except (TypeError, ValueError) as error:
            raise ValueError(f"text cannot be read ({error}), expected what DurationModel.to_json() writes") from None

    @classmethod
    def _of_json(cls, content: Any) -> DurationModel:
        if not isinstance(content, dict) or set(content) | {"default_sigma"} != set(_KEYS):
            raise ValueError(f"it is {as_given(content, 200)}, without the keys {_KEYS}")
        failed = content["failed"]
        return DurationModel(**{**content, "failed": None if failed is None else cls._of_json(failed)})


DurationsLike = Times | DurationModel
"""What a `durations` argument takes: times that are always the same, or a DurationModel."""


def as_durations(durations: DurationsLike, argument: str = "durations") -> DurationModel:
    """Read a `durations` argument: times for all or by repo id, or a DurationModel.

    Examples
    --------
    >>> as_durations({"core": timedelta(seconds=5), "api": 2}).means(["core", "api"])
    {'core': 5.0, 'api': 2.0}
    """
    if isinstance(durations, DurationModel):
        return durations
    try:
        return DurationModel(durations)  # type: ignore[arg-type]  # a Series is read there
    except (TypeError, ValueError) as error:
        raise type(error)(f"{error}".replace("durations", argument, 1)) from None


# ---------------------------------------------------------------------- reading what is given


def _by_repo(given: Any, argument: str) -> Any:
    """Give a mapping or a Series as a plain mapping whose keys are repo ids, anything else as it is."""
    if isinstance(given, pd.Series):
        if given.index.has_duplicates:
            twice = given.index[given.index.duplicated()][0]
            raise ValueError(f"{argument} has the repo id {twice!r:.80} twice in its index, expected each once")
        given = given.to_dict()
    if isinstance(given, Mapping):
        for repo in given:
            if not isinstance(repo, str):
                raise TypeError(f"{argument} has the key {repo!r:.80}, expected a repo id as a str")
    return given


def _read(given: Any, argument: str, read: Any) -> Any:
    if not isinstance(given, Mapping):
        return read(given, argument)
    return MappingProxyType({repo: read(value, f"{argument}[{repo!r:.80}]") for repo, value in given.items()})


def _sigma(value: Any, argument: str) -> float:
    expected = f"expected a standard deviation of the logarithm, 0 to {LARGEST_SIGMA}"
    if isinstance(value, bool) or not isinstance(value, Real):
        raise TypeError(f"{argument} is {as_given(value, 200)}, {expected}")
    if not 0 <= float(value) <= LARGEST_SIGMA:
        raise ValueError(f"{argument} is {as_given(value, 200)}, {expected}")
    return float(value)


def _sample(value: Any, argument: str) -> tuple[float, ...]:
    if isinstance(value, str | Mapping) or not isinstance(value, Iterable):
        raise TypeError(f"{argument} is {as_given(value, 200)}, expected times in seconds or timedeltas")
    times = tuple(sorted(seconds_of(each, f"{argument}[{number}]") for number, each in enumerate(value)))
    if not times:
        raise ValueError(f"{argument} is empty, expected at least one time")
    return times


def _shown(values: Any) -> str:
    if not isinstance(values, Mapping):
        return repr(values)
    return repr(dict(values)) if len(values) <= _SHOWN else f"<{len(values)} repos>"


def _plain(value: Any) -> Any:
    return dict(value) if isinstance(value, Mapping) else value
