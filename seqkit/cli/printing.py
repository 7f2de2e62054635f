"""Tables and numbers as plain text, of one width wherever there is no terminal."""

from __future__ import annotations

import math
import sys
from collections.abc import Collection, Iterable, Sequence

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from seqkit._show.html import shortened
from seqkit._util.secrets import shown_id
from seqkit._util.words import listed, printable
from seqkit.analysis.estimate import never_seen
from seqkit.analysis.montecarlo import Estimate

__all__ = ["chance", "console", "mean", "named", "number", "show", "some"]

_WIDTH = 100
_LONGEST_NAME = 60


def console() -> Console:
    """Give a console on stdout: as wide as the terminal, or of one fixed width where there is none."""
    terminal = sys.stdout.isatty()
    return Console(
        file=sys.stdout,
        width=None if terminal else _WIDTH,
        force_terminal=None if terminal else False,
        markup=False,
        emoji=False,
        highlight=False,
    )


def show(
    to: Console, title: str, columns: Sequence[str], rows: Iterable[Sequence[str]], right: Collection[str] = ()
) -> None:
    """Print a table under a title; the columns `right` hold numbers and are never broken."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for column in columns:
        numbers = column in right
        table.add_column(column, justify="right" if numbers else "left", no_wrap=numbers, overflow="fold")
    for row in rows:
        table.add_row(*(Text(printable(cell)) for cell in row))  # Text: ids may hold what rich takes for markup
    to.print(Text(f"\n{title}\n"))
    to.print(table)


# ---------------------------------------------------------------------- names


def named(repo: str) -> str:
    """Give a name, of a repo or a file, as it is shown: short enough, and visible where it is empty."""
    return shortened(shown_id(repo), _LONGEST_NAME) or "''"


def some(repos: Sequence[str], most: int = 30) -> str:
    """Name the first repos, and say how many more there are.

    Examples
    --------
    >>> some(["a", "b", "c"], most=2), some([])
    ('a, b and 1 more', '-')
    """
    return listed(repos, most, named) or "-"


# ---------------------------------------------------------------------- numbers


def number(value: float) -> str:
    """Show an exact number of repos with two decimals, a small one with two digits.

    Examples
    --------
    >>> number(1234.5), number(0.01234), number(0)
    ('1,234.50', '0.012', '0.00')
    """
    return f"{value:.2g}" if 0 < abs(value) < 0.1 else f"{value:,.2f}"


def _with_error(value: float, error: float) -> str:
    """Show a simulated number with its standard error: two digits of that, and no digit beyond them.

    Examples
    --------
    >>> _with_error(32.51708, 0.02342), _with_error(3.0, 0.0), _with_error(3.0, float("nan"))
    ('32.517 ± 0.023', 'exactly 3', '3 ± ?')
    """
    if not error > 0:  # one trial has no standard error, and what cannot vary has 0
        return f"{value:.6g} ± ?" if math.isnan(error) else f"exactly {value:.6g}"
    decimals = max(0, 1 - math.floor(math.log10(error)))
    return f"{value:.{decimals}f} ± {error:.{decimals}f}"


def mean(estimate: Estimate) -> str:
    """Show a simulated mean with its standard error, or, where all trials gave the same, what it lies within.

    Examples
    --------
    >>> mean(Estimate(2.5, 0.25)), mean(Estimate(3.0, 0.009, trials=1_000, varied=False, least=0, most=3))
    ('2.50 ± 0.25', '3 (at least 2.9910)')
    """
    if estimate.exact or estimate.varied or math.isnan(estimate.se):
        return _with_error(estimate, estimate.se)
    low, high = estimate.bounds()
    if low and high:
        return f"{estimate:.6g} ({low} to {high})"
    return f"{estimate:.6g} ({f'at least {low}' if low else f'at most {high}'})"


def chance(p: float, error: float, trials: int) -> str:
    """Show a simulated probability with its standard error.

    What never happened may still be possible: its probability is, with 95 % confidence, at most
    1 - 0.05 ** (1 / trials), about 3 / trials (Clopper and Pearson 1934). The same holds for what
    always happened. Where neither can be otherwise the error is 0.

    Examples
    --------
    >>> chance(0.25, 0.0137, 1000), chance(1.0, 0.0, 1000)
    ('0.250 ± 0.014', 'exactly 1')
    >>> chance(0.0, 0.0014, 1000), chance(1.0, 0.0014, 1000)
    ('0 (at most 0.003)', '1 (at least 1 - 0.003)')
    """
    if 0.0 < p < 1.0 or not error:
        return _with_error(p, error)
    bound = f"{never_seen(trials):.2g}"
    return f"0 (at most {bound})" if p == 0.0 else f"1 (at least 1 - {bound})"
