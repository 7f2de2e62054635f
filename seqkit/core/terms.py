"""The terms of a release: what a failure means for the rest, and how often a repo is tried.

Whoever drives the rules, counts by them or reads a run that went by them asks :class:`Terms` what follows;
what a policy means is known here alone, though signatures name their default.

>>> terms = Terms("continue", failure_budget=2)
>>> terms.blocks, terms.stop_at
(False, 2)
>>> [terms.skips(blocked=True, failures=failures) for failures in (1, 2)]
[None, 'stopped']
>>> Terms("panic")
Traceback (most recent call last):
ValueError: policy is 'panic', expected one of ('skip_dependents', 'stop', 'continue')
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from types import MappingProxyType
from typing import Any, Literal

from seqkit._util.arguments import whole
from seqkit._util.secrets import as_given
from seqkit.core.model import SkipCause
from seqkit.core.retry import retry_of

__all__ = ["GOES_ON", "POLICIES", "Meaning", "Policy", "Terms", "UnderTerms"]

Policy = Literal["skip_dependents", "stop", "continue"]
"""What a failure means for the rest: see :data:`POLICIES`."""


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a policy means, for the rules and for people."""

    blocks: bool
    """Whether a failure skips all that depends on it."""
    stops: bool
    """Whether nothing new starts after the first failure."""
    words: str
    """What to do after a failure, for a menu."""
    rule: str
    """The same as half a sentence."""


POLICIES: Mapping[Policy, Meaning] = MappingProxyType(
    {
        "skip_dependents": Meaning(True, False, "skip what needs it", "whatever depends on a failure is skipped"),
        "stop": Meaning(False, True, "start nothing more", "after a failure nothing new starts"),
        "continue": Meaning(False, False, "go on all the same", "dependents go on against the last good release"),
    }
)
"""All policies. One without a meaning here is none."""

GOES_ON = "this policy goes on all the same"
"""Said of a repo that something failed above, and that starts nevertheless."""

_EXPECTED = {
    "policy": f"one of {tuple(POLICIES)}",
    "failure_budget": "a whole number from 1, or null",
    "attempts": "a whole number from 1",
}


@dataclass(frozen=True, slots=True)
class Terms:
    """What a run goes by, read and checked.

    Raises
    ------
    ValueError, TypeError
        Where a value is out of its range.
    """

    policy: Policy = "skip_dependents"
    """What a failure means for the rest."""
    failure_budget: int | None = None
    """At which failure the policy turns to ``stop``; None for never."""
    attempts: int = 1
    """How often a repo is tried before it counts as failed; of a :class:`seqkit.Retry` its number is kept."""

    def __post_init__(self) -> None:
        # Plain values: NumPy's would stand as such in a ledger, and in the source of a scenario.
        known = [name for name in POLICIES if isinstance(self.policy, str) and name == self.policy]
        if not known:
            raise ValueError(f"policy is {as_given(self.policy)}, expected {_EXPECTED['policy']}")
        object.__setattr__(self, "policy", known[0])
        if self.failure_budget is not None:
            object.__setattr__(self, "failure_budget", whole("failure_budget", self.failure_budget, 1))
        object.__setattr__(self, "attempts", retry_of(self.attempts).attempts)

    # ------------------------------------------------------------------ what follows

    @property
    def meaning(self) -> Meaning:
        """What the policy means."""
        return POLICIES[self.policy]

    @property
    def blocks(self) -> bool:
        """Whether a failure skips all that depends on it."""
        return self.meaning.blocks

    @property
    def holds_up(self) -> bool:
        """Whether a failure is why what depends on it is skipped: under ``continue`` only the stop can be."""
        return self.meaning.blocks or self.meaning.stops

    @property
    def stop_at(self) -> int | None:
        """At which failure everything stops, so that nothing new starts; None for never."""
        return 1 if self.meaning.stops else self.failure_budget

    def stops(self, failures: int) -> bool:
        """Tell whether nothing new starts after so many failures."""
        stop_at = self.stop_at
        return stop_at is not None and failures >= stop_at

    def skips(self, blocked: bool, failures: int) -> SkipCause | None:
        """Say why a repo whose turn it is is skipped; None where it starts.

        Parameters
        ----------
        blocked : bool
            Whether something that it depends on has failed.
        failures : int
            How many repos of the run have failed.
        """
        if (failures and self.stops(failures)) or (blocked and self.blocks):
            return "blocked" if blocked and self.holds_up else "stopped"
        return None

    @property
    def goes_on(self) -> bool:
        """Whether what depends on a failed repo may start all the same."""
        return self.skips(blocked=True, failures=1) is None

    @property
    def closed_form(self) -> bool:
        """Whether probabilities are known without a simulation: who is blocked hangs on its own ancestors alone."""
        return self.blocks and self.stop_at is None

    # ------------------------------------------------------------------ for people

    @property
    def told(self) -> str:
        """Policy and budget in words."""
        return f"Policy {self.policy}" + (f", stop at failure {self.failure_budget}" if self.failure_budget else "")

    @property
    def why_stop(self) -> str:
        """What makes everything stop at :attr:`stop_at`, in words."""
        return f"the policy is {self.policy}" if self.meaning.stops else f"the failure budget is {self.failure_budget}"

    def __str__(self) -> str:
        more = (f"{name}={value}" for name, value in self.changed().items() if name != "policy")
        return ", ".join([self.policy, *more])

    def changed(self) -> dict[str, Any]:
        """Give what is not at its default, by name.

        Examples
        --------
        >>> Terms("stop", attempts=2).changed()
        {'policy': 'stop', 'attempts': 2}
        """
        return {field.name: value for field in fields(self) if (value := getattr(self, field.name)) != field.default}

    # ------------------------------------------------------------------ in a ledger

    def to_tag(self) -> dict[str, Any]:
        """Give what the plan in a run's tags says of the terms."""
        return asdict(self)

    @classmethod
    def told_by(cls, tag: Mapping[str, Any]) -> tuple[Terms, dict[str, str]]:
        """Read the terms from the plan in a run's tags, whoever wrote it.

        Returns
        -------
        tuple of Terms and dict
            The terms, at their defaults where the plan does not tell; and for each name that is missing or
            cannot be read what was expected.

        Examples
        --------
        >>> Terms.told_by({"policy": "stop", "failure_budget": 0, "attempts": 2})
        (Terms(policy='stop', failure_budget=None, attempts=2), {'failure_budget': 'a whole number from 1, or null'})
        """
        read: dict[str, Any] = {}
        unread: dict[str, str] = {}
        for name, expected in _EXPECTED.items():
            try:
                read[name] = getattr(cls(**{name: tag[name]}), name)
            except (KeyError, TypeError, ValueError):
                unread[name] = expected
        return cls(**read), unread


class UnderTerms:
    """A result that tells what it was worked out under."""

    _terms: Terms

    @property
    def policy(self) -> Policy:
        """What a failure means for the rest."""
        return self._terms.policy

    @property
    def failure_budget(self) -> int | None:
        """At which failure the policy turns to ``stop``; None for never."""
        return self._terms.failure_budget

    @property
    def attempts(self) -> int:
        """How often a repo is tried before it counts as failed."""
        return self._terms.attempts
