"""Names that a plan does not have: when to warn, and when to refuse.

One failure model may serve many plans, so that a name which a plan does not know is no mistake as such. It is one
where nothing could ever fail because of it, and it looks like one where it is near a planned repo that the model
passes over.

>>> from seqkit import FailureModel, RepoDependencyGraph, build_plan
>>> plan = build_plan(RepoDependencyGraph.from_edges([("acme-core", "acme-api")]), version="1.0")
>>> check_models([plan], model=FailureModel({"acme-core": 0.5, "another-train": 0.1}))
>>> check_models([plan], model=FailureModel({"acme-coer": 0.5}))
Traceback (most recent call last):
ValueError: the rates of model name 1 repo that the plan does not have: 'acme-coer' (did you mean 'acme-core'?), ...
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from seqkit._util.near import NearNames, did_you_mean
from seqkit._util.warned import warn_caller
from seqkit._util.words import and_more, cut, inflected, listed, plural, printable
from seqkit.core.durations import DurationModel
from seqkit.core.failures import FailureModel
from seqkit.core.plan import SequencePlan

__all__ = ["Known", "UnknownRepo", "check_durations", "check_models", "check_names", "check_script"]

MOST_COMPARED_IN_A_CALL = 2_000
"""How many pairs of names difflib compares for one argument, about: what is near beyond those is not told of."""

_SHOWN = 3  # names that a message tells one by one
_LONGEST = 60  # characters of each
_EACH = 30  # planned repos that difflib compares with one unknown name, those with the most letters in common

_IGNORE = (
    "Names of other plans are no harm: then "
    'warnings.filterwarnings("ignore", category=seqkit.UnknownRepo) keeps this silent'
)


class UnknownRepo(UserWarning):
    """A model or script names repos that the plan does not have, and they look like slips; see `FailureModel`.

    Examples
    --------
    >>> import warnings
    >>> from seqkit import RepoDependencyGraph, analyze, build_plan
    >>> plan = build_plan(RepoDependencyGraph.from_edges([("acme-core", "acme-api")]), version="1.0")
    >>> with warnings.catch_warnings(record=True, action="always") as caught:
    ...     analysis = analyze(plan, {"acme-coer": 0.5, "acme-api": 0.1})
    >>> print(caught[0].message)
    the rates of model name 1 repo that the plan does not have: 'acme-coer' (did you mean 'acme-core'?): ...
    """


@dataclass(frozen=True)
class Known:
    """The names that a call knows."""

    knows: Callable[[str], bool]
    """Whether a name is no unknown one."""
    released: Sequence[str]
    """The repos that can fail."""
    lacks: str = "that the plan does not have"
    """What is said of a name that is unknown."""

    @classmethod
    def of(cls, plans: Iterable[SequencePlan]) -> Known:
        """Know what the plans of a call know between them."""
        first, *others = plans

        def knows(repo: str) -> bool:
            return first.knows(repo) or any(plan.knows(repo) for plan in others)

        if all(plan is first for plan in others):
            return cls(first.knows, first.released)
        released = dict.fromkeys(itertools.chain(first.released, *(plan.released for plan in others)))
        return cls(knows, list(released), "that neither plan has")


def check_models(plans: Iterable[SequencePlan] | Known, **models: FailureModel) -> None:
    """Hold the names in the models of one call against its plans; `models` are called as the arguments they came by.

    A plan knows its own repos and those of the graph that it was built, cut or resumed from; what one plan of the
    call knows, all do. Warned of is a name that is unknown, and near (difflib, 0.6) a repo to release that the model
    does not name; where the name is in the rates alone, that the rates do not name, and so for the common causes.
    Warned of are also rates of unknown repos alone, where the default serves for all.

    Warns
    -----
    UnknownRepo
        Once a call, at the line outside seqkit that it came from.

    Raises
    ------
    ValueError
        Where a model has names, all of them unknown, and neither its default nor a common cause can make a repo fail.
    """
    known = plans if isinstance(plans, Known) else Known.of(plans)
    _warn(note for argument, model in models.items() for note in _of_model(argument, model, known))


def check_script(plan: SequencePlan, failures: Collection[str]) -> None:
    """Hold the names of a script against its plan, as :func:`check_names` does."""
    check_names(plan, "the script of releaser names", failures, "no release would fail")


def check_names(plan: SequencePlan, says: str, names: Collection[str], useless: str) -> None:
    """Hold names that have no default beside them against a plan, as :func:`check_models` does.

    `says` is how a message begins, up to its verb; `useless` is what comes of it where all are unknown.

    Warns
    -----
    UnknownRepo
        As there.

    Raises
    ------
    ValueError
        Where all names are unknown.
    """
    known = Known.of([plan])
    group = _Group(says, list(names), frozenset(names), known)
    if group.unknown and known.released:
        if len(group.unknown) == len(group.names):
            raise ValueError(f"{group.told()}, so that {useless}. {_instead(known)}")
        _warn(group.slips(frozenset()))


def check_durations(plan: SequencePlan, durations: DurationModel, says: str = "durations names") -> Mapping[str, float]:
    """Hold durations against a plan, their names as :func:`check_models` does; give the mean seconds of each repo.

    `says` is how a warning begins, up to its verb.

    Warns
    -----
    UnknownRepo
        As there.

    Raises
    ------
    ValueError
        Where a repo to release has none.

    Examples
    --------
    >>> from seqkit import RepoDependencyGraph, build_plan
    >>> plan = build_plan(RepoDependencyGraph.from_edges([("acme-core", "acme-api")]), version="1.0")
    >>> check_durations(plan, DurationModel({"acme-api": 30, "another-train": 50}, default=60))
    {'acme-core': 60.0, 'acme-api': 30.0}
    """
    means = durations.means(plan.released)
    known = Known.of([plan])
    group = _Group(says, durations.named, frozenset(durations.named), known)
    if not group.unknown or not known.released:
        return means
    if len(group.unknown) == len(group.names):
        n = len(known.released)
        served = inflected(n, "the one repo", f"all {n:,} repos")
        _warn([f"{group.told()}; it names no other, so that one time serves for {served}"])
    else:
        _warn(group.slips(frozenset()))
    return means


class _Group:
    """Names that stand together in a model or script."""

    def __init__(self, says: str, names: Sequence[str], own: frozenset[str], known: Known) -> None:
        self.says, self.names, self.own, self.known = says, names, own, known
        self.unknown = [name for name in names if not (isinstance(name, str) and known.knows(name))]

    def told(self) -> str:
        """Say which names are unknown, with what may have been meant by the first few."""
        near = NearNames(repo for repo in self.known.released if repo not in self.own)
        shown = [(name, _near(near, name)) for name in self.unknown[:_SHOWN]]
        return f"{self.says} {_told(shown, len(self.unknown), self.known)}"

    def slips(self, elsewhere: frozenset[str]) -> Iterator[str]:
        """Say which unknown names look like slips; `elsewhere` are the other names of the model."""
        unnamed = [repo for repo in self.known.released if repo not in self.own]
        # A name that stands twice in the model is meant: it has to be near a repo that the model names nowhere.
        wide, narrow = NearNames(unnamed), NearNames(repo for repo in unnamed if repo not in elsewhere)
        found, looked_at = [], 0
        for name in self.unknown:
            if wide.compared + narrow.compared >= MOST_COMPARED_IN_A_CALL:
                break
            looked_at += 1
            if close := _near(narrow if name in elsewhere else wide, name):
                found.append((name, close))
        if found:
            told = _told(found[:_SHOWN], len(found), self.known, looked_at == len(self.unknown))
            yield f"{self.says} {told}: what is said of {inflected(len(found), 'it', 'them')} counts for nothing here"


def _of_model(argument: str, model: FailureModel, known: Known) -> Iterator[str]:
    members = list(dict.fromkeys(repo for cause in model.common_causes for repo in cause.repos))
    rates, causes = list(model.rates), frozenset(members)
    groups = [
        _Group(f"the rates of {argument} name", rates, frozenset(rates), known),
        _Group(f"the common causes of {argument} name", members, causes, known),
    ]
    if isinstance(model.hard, Mapping):
        groups.append(
            _Group(f"the shares of hard failures of {argument} name", list(model.hard), frozenset(model.hard), known)
        )
    unknown = [group for group in groups if group.unknown]
    if not unknown or not known.released:
        return
    first = groups[0] if rates else groups[1]
    if len(first.unknown) == len(first.names) and not _can_fail(model, known):
        raise ValueError(
            f"{first.told()}, and neither a default nor a common cause can make a repo fail: nothing ever would. "
            f"{_instead(known)}, or give a default"
        )
    # Without rates a default is there to serve for all.
    if rates and model.default > 0 and all(len(group.unknown) == len(group.names) for group in groups):
        n = len(known.released)
        yield (
            f"{' and '.join(group.told() for group in unknown)}; it names no other, "
            f"so that its default {model.default:g} serves for {'the one repo' if n == 1 else f'all {n:,} repos'}"
        )
        return
    for group, other in zip(groups, (causes, frozenset(rates), frozenset([*rates, *members])), strict=False):
        if group.unknown:
            yield from group.slips(other)


def _can_fail(model: FailureModel, known: Known) -> bool:
    striking = frozenset(
        repo for cause in model.common_causes if cause.probability and cause.severity for repo in cause.repos
    )
    return any(model.rate(repo) > 0 or repo in striking for repo in known.released)


def _near(names: NearNames, name: str) -> list[str]:
    return names.near(name, n=1, most=_EACH) if isinstance(name, str) else []


def _told(shown: Sequence[tuple[str, Sequence[str]]], count: int, known: Known, is_all: bool = True) -> str:
    told = ", ".join(f"{_quoted(name)}{_meant(close)}" for name, close in shown)
    number = plural(count, "repo") if is_all else f"{count:,} or more {inflected(count, 'repo')}"
    return f"{number} {known.lacks}: {told}{and_more(count - len(shown))}"


def _meant(close: Sequence[str]) -> str:
    return f" ({did_you_mean([cut(name, _LONGEST) for name in close])})" if close else ""


def _quoted(name: object) -> str:
    return printable(repr(cut(name, _LONGEST))) if isinstance(name, str) else f"{name!r:.{_LONGEST}}"


def _instead(known: Known) -> str:
    return f"Name repos as they are to be released: {listed(known.released, _SHOWN, _quoted)}"


def _warn(notes: Iterable[str]) -> None:
    if told := "; ".join(notes):
        warn_caller(f"{told}. {_IGNORE}", UnknownRepo)
