r"""What a repo may be called, and ids that a person would take for one.

An id is any text, kept as it is: ``"core"``, ``"Core"`` and ``"core "`` are three repos. A list that
somebody typed seldom means that, and a chain through two of them is cut in two without a word. So
whoever builds a graph of a list is told.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from seqkit._util.warned import warn_caller
from seqkit._util.words import UNSEEN, and_more, shortened

__all__ = [
    "Cells",
    "SimilarIds",
    "checked_id",
    "checked_text",
    "edges_of_cells",
    "is_blank",
    "similar_ids",
    "warn_of_similar",
]

_MOST_GROUPS = 5
_MOST_IDS = 5


class SimilarIds(UserWarning):
    """Ids in one graph that differ only in case, outer blanks or Unicode form; one warning a call."""


def checked_id(repo: object, argument: str) -> str:
    """Give `repo` back, as a plain str, if it can be an id; see :func:`checked_text`."""
    if not isinstance(repo, str):
        raise TypeError(f"{argument} is {repo!r:.80} ({type(repo).__name__}), expected a repo id as a str")
    return checked_text(repo, argument)


def checked_text(text: object, argument: str) -> str:
    r"""Give `text` back, as a plain str, if it can stand in plans and ledgers.

    Of a subclass of str (``numpy.str_``, a member of an Enum) the characters count, whatever it prints as.

    Raises
    ------
    TypeError, ValueError
        Where it is no text, or text that UTF-8 cannot hold: half a character.

    Examples
    --------
    >>> checked_text("v1-\udcff", "version")
    Traceback (most recent call last):
    ValueError: version is 'v1-\udcff', expected text that UTF-8 can hold (surrogates not allowed)
    """
    if not isinstance(text, str):
        raise TypeError(f"{argument} is {text!r:.80}, expected a str")
    plain = text if type(text) is str else str.__str__(text)
    if not plain.isascii():
        try:
            plain.encode()
        except UnicodeEncodeError as error:
            raise ValueError(
                f"{argument} is {plain!r:.80}, expected text that UTF-8 can hold ({error.reason})"
            ) from None
    return plain


def is_blank(text: str) -> bool:
    r"""Tell whether nothing of `text` is seen: empty, blanks, or characters without a shape.

    Examples
    --------
    >>> [is_blank(text) for text in ("", " \t", "\xa0", "\u200b", ".")]
    [True, True, True, True, False]
    """
    return not (text if text.isascii() else UNSEEN.sub("", text)).strip()


class Cells(NamedTuple):
    """What an edge list says that is kept in a table."""

    pairs: list[tuple[Any, Any]]
    """Rows that name two repos."""
    alone: list[Any]
    """The repos of rows that name one."""


def edges_of_cells(rows: Iterable[tuple[Any, Any]]) -> Cells:
    """Take the rows of a table apart: a blank cell is no repo, a row without any is passed over.

    Examples
    --------
    >>> edges_of_cells([("core", "api"), ("docs", " "), ("", "")])
    Cells(pairs=[('core', 'api')], alone=['docs'])
    """
    pairs, alone = [], []
    seen: set[Any] = set()  # names come again and again
    for row in rows:
        if row[0] in seen and row[1] in seen:
            pairs.append(row)
            continue
        named = [cell for cell in row if not (isinstance(cell, str) and is_blank(cell))]
        seen.update(named)
        if len(named) == 2:
            pairs.append(row)
        else:
            alone += named
    return Cells(pairs, alone)


def _seen(repo: str) -> str:
    """Give what is seen of an id: composed, compatible characters as one, the invisible left out."""
    return repo if repo.isascii() else unicodedata.normalize("NFKC", UNSEEN.sub("", repo))


def _key(repo: str) -> str:
    """Give what ids that look alike have in common (Unicode 3.13, compatibility caseless matching)."""
    seen = _seen(repo).casefold()
    return (seen if seen.isascii() else unicodedata.normalize("NFKC", seen)).strip()


def similar_ids(repos: Iterable[str]) -> list[list[str]]:
    r"""Group ids that differ only in case, outer blanks (invisible ones too) or Unicode form. Linear.

    Blank ids are no names and look like nothing: they are in no group.

    Examples
    --------
    >>> similar_ids(["core", "api", "Core", "core\xa0", "API", "app"])
    [['core', 'Core', 'core\xa0'], ['api', 'API']]
    """
    first: dict[str, str] = {}
    groups: dict[str, list[str]] = {}
    for repo in repos:
        key = _key(repo)
        if first.setdefault(key, repo) != repo:
            groups.setdefault(key, [first[key]]).append(repo)
    return [list(dict.fromkeys(group)) for key, group in groups.items() if key]


def warn_of_similar(groups: Sequence[Sequence[str]]) -> None:
    """Warn of ids that look alike, if there are any; a few groups are named, the rest counted."""
    if not groups:
        return
    told = "; ".join(map(_told, groups[:_MOST_GROUPS])) + and_more(len(groups) - _MOST_GROUPS, " such groups", "; ")
    warn_caller(
        f"ids that differ only in case, outer blanks or Unicode form are different repos: {told}. Where one "
        "repo is meant, write its id in one way",
        SimilarIds,
    )


def _told(group: Sequence[str]) -> str:
    # repr escapes what is invisible, but shows both é of one look as they are; ascii tells those apart.
    show = repr if len(set(map(_seen, group))) == len(group) else ascii
    shown = [shortened(show(repo), 80) for repo in group[:_MOST_IDS]]
    last = and_more(len(group) - _MOST_IDS) or f" and {shown.pop()}"
    return ", ".join(shown) + last
