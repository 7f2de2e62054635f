"""What happens to attempts in the trials of a run that is under way, in the light of what it has told.

Of an attempt that goes on only such times are drawn as it has not exceeded: the numbers from
:func:`seqkit.core.laws.least_number` on, each as likely, in place of all. Whether it fails, whether a repo that has
failed is broken and which common causes struck is drawn by Bayes' theorem (:class:`seqkit.analysis.evidence.Causes`).
Of what the run tells nothing, the draws are those of any schedule.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from seqkit.analysis.evidence import Causes
from seqkit.analysis.schedule.drawing import first_failures, happens_in, numbers_in, ticks_for
from seqkit.analysis.schedule.ends import NOT_STARTED
from seqkit.analysis.schedule.loop import Midway, TrialRun, follow
from seqkit.analysis.schedule.problem import ScheduleProblem
from seqkit.core import draws
from seqkit.core.failures import CommonCause, FailureModel
from seqkit.core.laws import least_number
from seqkit.core.times import ticks_of
from seqkit.ledger.story import Told

__all__ = ["Conditioned"]

_BLOCK = 1 << 16  # numbers drawn at once
_NUMBERS = 1 << 32

_Flags = NDArray[np.bool_]
_Trials = NDArray[np.int64]


class Conditioned:
    """The trials of a run from where it stands.

    Parameters
    ----------
    make : callable
        Poses the problem under a model.
    model : FailureModel
        How likely an attempt fails.
    told : mapping
        What the run tells of each repo.
    stand : callable
        Says where the run of a problem stands.
    """

    def __init__(
        self,
        make: Callable[[FailureModel], ScheduleProblem],
        model: FailureModel,
        told: Mapping[str, Told],
        stand: Callable[[ScheduleProblem], Midway],
    ) -> None:
        posed = make(replace(model, common_causes=()))
        self.at = at = stand(posed)
        self._least: dict[tuple[int, bool], int] = {}
        lasting: dict[str, tuple[float, float]] = {}
        for job, since in at.running.items():
            repo = posed.ids[job]
            for failed in (False, True):
                law = posed.durations.law(repo, failed)
                self._least[job, failed] = least_number(law, at.now - since) if at.now > since else 0
            lasting[repo] = tuple((_NUMBERS - self._least[job, failed]) / _NUMBERS for failed in (False, True))  # type: ignore[assignment]
        self.overdue = frozenset(job for job in at.running if self._least[job, False] == _NUMBERS)
        self.causes = Causes(model, told, lasting)
        self.model = model
        self._others = {
            repo: mine for repo in posed.ids if (mine := [cause for cause in self.causes.others if repo in cause.repos])
        }
        problem = make(replace(model, common_causes=self.causes.others))
        self.problem = replace(problem, attempts=problem.retry.attempts)
        self._open = [job for job, status in enumerate(at.status) if status == NOT_STARTED and job not in at.passed]

    def runs(self, begin: int, trials: int) -> Iterator[TrialRun]:
        """Follow so many trials from one on, one by one."""
        size = max(64, _BLOCK // max(1, self.problem.n))
        for first in range(begin, begin + trials, size):
            yield from self._block(first, min(size, begin + trials - first))

    def _block(self, first: int, trials: int) -> Iterator[TrialRun]:
        problem, which = self.problem, np.arange(first, first + trials, dtype=np.int64)
        struck = self._struck(which)
        failures = first_failures(problem, first, trials)
        told, broken = np.zeros((problem.n, trials), np.int64), {}
        for job in self._open:
            failed = failures[job]
            if self.causes.tells_of(problem.ids[job]):
                failed, broken[job] = self._fails(job, which, struck)
            else:
                failed = failed | self._hit(job, which, struck)
            told[job] = self._ticks(job, which, failed)
        for place, drawn in enumerate(told.T.tolist()):
            mine = [cause for cause, strikes in zip(self.causes.suspects, struck, strict=True) if strikes[place]]
            lost = frozenset(job for job, flags in broken.items() if flags[place])
            yield follow(problem, drawn, self._again(first + place, mine, lost, broken.keys()), self.at)

    # ------------------------------------------------------------------ attempts that are under way, or come next

    def _struck(self, which: _Trials) -> list[_Flags]:
        """Draw for each suspect in which trials it struck."""
        seed, struck = self.problem.seed, list[_Flags]()
        befores: dict[tuple[bool, ...], _Flags] = {(): np.ones(len(which), np.bool_)}
        for cause in self.causes.suspects:
            strikes, after = np.zeros(len(which), np.bool_), dict[tuple[bool, ...], _Flags]()
            for before, flags in befores.items():
                chance = self.causes.strike_chance(before)
                strikes[flags] = happens_in(chance, seed, "cause", cause.name, 0, which[flags])
                for yes in (False, True):
                    if (some := flags & (strikes == yes)).any():
                        after[*before, yes] = some
            befores = after
            struck.append(strikes)
        return struck

    def _hit(self, job: int, which: _Trials, struck: list[_Flags]) -> _Flags:
        """Draw in which trials the attempt fails for one of the suspects."""
        repo, number, seed = self.problem.ids[job], self.at.number[job], self.problem.seed
        hit = np.zeros(len(which), np.bool_)
        for cause, strikes in zip(self.causes.suspects, struck, strict=True):
            if repo in cause.repos and strikes.any():
                hit[strikes] |= happens_in(cause.severity, seed, "severity", (cause.name, repo), number, which[strikes])
        return hit

    def _fails(self, job: int, which: _Trials, struck: list[_Flags]) -> tuple[_Flags, _Flags]:
        """Draw in which trials the attempt fails at a repo of which something is known, and where it is broken."""
        repo, number, seed = self.problem.ids[job], self.at.number[job], self.problem.seed
        own = [
            (cause, strikes) for cause, strikes in zip(self.causes.suspects, struck, strict=True) if repo in cause.repos
        ]
        fails, broken = self._hit(job, which, struck), np.zeros(len(which), np.bool_)
        codes = np.zeros(len(which), np.int64)
        for bit, (_, strikes) in enumerate(own):
            codes |= strikes.astype(np.int64) << bit
        for code in np.unique(codes).tolist():
            some = codes == code
            mine = [cause for bit, (cause, _) in enumerate(own) if code >> bit & 1]
            broken[some] = happens_in(self.causes.broken_chance(repo, mine), seed, "hard", repo, 0, which[some])
            chance = self.causes.failing_chance(repo, mine)
            if chance is None:
                fails[some] |= happens_in(self.model.failing(repo).flaky, seed, "repo", repo, number, which[some])
            else:
                fails[some] = happens_in(chance, seed, "repo", repo, number, which[some])
        return fails | broken, broken

    def _ticks(self, job: int, which: _Trials, failed: _Flags) -> _Trials:
        """Draw how long the attempt takes; of one that goes on, no less than it has by now."""
        problem, at = self.problem, self.at
        numbers = numbers_in(problem.seed, problem.ids[job], at.number[job], which)
        ticks = np.empty(len(which), np.int64)
        for fails in (False, True):
            some = failed == fails
            least = self._least.get((job, fails), 0)
            if least == _NUMBERS:  # no attempt ever lasts so long: it may end at any moment
                ticks[some] = at.now - at.running[job]
                continue
            left = numbers[some]
            if least:
                left = least + ((left.astype(np.uint64) * np.uint64(_NUMBERS - least)) >> np.uint64(32))
            law = job + problem.n * (fails and bool(problem.laws.differ[job]))
            ticks[some] = ticks_for(problem.laws, law, left.astype(np.uint32))
        return np.where(failed, -1 - ticks, ticks)

    # ------------------------------------------------------------------ later ones

    def _again(
        self, trial: int, struck: list[CommonCause], broken: frozenset[int], known: Collection[int]
    ) -> Callable[[int, int], tuple[int, int]]:
        problem, model, seed = self.problem, self.model, self.problem.seed

        def again(job: int, number: int) -> tuple[int, int]:
            repo = problem.ids[job]
            mine = [cause for cause in struck if repo in cause.repos]
            mine += [cause for cause in self._others.get(repo, ()) if cause.strikes(seed, trial)]
            fails = job in broken or any(cause.hits(repo, number, seed, trial) for cause in mine)
            if not fails and job in known:
                fails = draws.happens(model.failing(repo).flaky, seed, "repo", repo, number, trial)
            elif not fails:
                fails = model.own_reason(repo, number, seed, trial) is not None
            ticks = problem.durations.draw(repo, number, seed, trial, fails)
            return ticks_of(problem.retry.wait(repo, number - 1, seed, trial)), -1 - ticks if fails else ticks

        return again
