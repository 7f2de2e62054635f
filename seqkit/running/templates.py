"""Arguments with placeholders: ``{repo_id}`` and its like, replaced literally.

Only a known name in single braces is replaced. All other braces stand as they are, such as those of JSON or of
``{{.Names}}``, but for a name: ``{name}`` is a slip and refused, and ``{{name}}`` writes ``{name}``.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping, Sequence

__all__ = ["PLACEHOLDERS", "Template"]

PLACEHOLDERS = ("repo_id", "version_label", "spec_digest", "promoted_by")
"""What is known of a release."""

_NAME = re.compile(r"\{\{([A-Za-z_]\w*)\}\}|\{([A-Za-z_]\w*)\}")
_SEPARATORS = re.compile(r"[/\\]")
_ABSOLUTE = re.compile(r"[/\\]|[A-Za-z]:")


class Template:
    """One text with placeholders.

    Parameters
    ----------
    where : str
        What it is called in errors, such as ``"argv[2]"``.
    text : str
        What it says.
    known : sequence of str
        The names that it may have.
    is_path : bool
        Whether a value must not lead elsewhere: the text is a path.
    shown : callable
        How a text is quoted in errors.

    Examples
    --------
    >>> Template("argv[1]", "v{version_label} of {{all}}").fill({"version_label": "1.0"})
    'v1.0 of {all}'
    """

    def __init__(
        self,
        where: str,
        text: str,
        known: Sequence[str] = PLACEHOLDERS,
        is_path: bool = False,
        shown: Callable[[str], str] = repr,
    ) -> None:
        self._where, self._is_path, self._shown = where, is_path, shown
        self.text = text
        self._pieces: list[str] = []  # text and names by turns
        if "\0" in text:
            raise ValueError(f"{where} is {shown(text)}, which holds a NUL: no program can be given one")
        end = 0
        literal = ""
        for found in _NAME.finditer(text):
            literal += text[end : found.start()]
            end = found.end()
            if found[1] is not None:
                literal += f"{{{found[1]}}}"
                continue
            if found[2] not in known:
                names = ", ".join(f"{{{name}}}" for name in known)
                raise ValueError(
                    f"{where} is {shown(text)}, which has {found[0]}; expected of {names}, and "
                    f"{{{found[0]}}} where it should say {found[0]}"
                )
            self._pieces += [literal, found[2]]
            literal = ""
        self._pieces.append(literal + text[end:])

    @property
    def names(self) -> tuple[str, ...]:
        """Its placeholders."""
        return tuple(self._pieces[1::2])

    def fill(self, values: Mapping[str, str]) -> str:
        """Put the values of one release in, in one pass: what a value says is not looked at again.

        Raises
        ------
        ValueError
            Where the result would be read as an option, lead to another place, or is no argument.
        """
        for name in self.names:
            self._check_value(name, values)
        filled = self._filled(values)
        if not self._pieces[0] and filled.startswith("-") and self.names:
            name = next(name for name in self.names if values[name])
            self._refuse(
                name, values, "a program would take it for an option: put it behind other text, as in --name=…"
            )
        if self._is_path and self.names:
            harmless = self._filled(dict.fromkeys(values, "x"))
            for dots in (".", ".."):
                if _parts(filled).count(dots) != _parts(harmless).count(dots):
                    self._refuse(self.names[0], values, "it would lead to another place")
        return filled

    def _filled(self, values: Mapping[str, str]) -> str:
        return "".join(values[piece] if index % 2 else piece for index, piece in enumerate(self._pieces))

    def _check_value(self, name: str, values: Mapping[str, str]) -> None:
        value = values[name]
        if "\0" in value:
            self._refuse(name, values, "it holds a NUL")
        try:
            os.fsencode(value)
        except UnicodeError:
            self._refuse(name, values, "it holds half a character")
        if self._is_path and (_ABSOLUTE.match(value) or {".", ".."} & set(_parts(value))):
            self._refuse(name, values, "it would lead to another place")

    def _refuse(self, name: str, values: Mapping[str, str], why: str) -> None:
        repo = f" of repo {self._shown(values['repo_id'])}" if name != "repo_id" else ""
        raise ValueError(
            f"{name}{repo} is {self._shown(values[name])}, which is not put into {self._where}, "
            f"{self._shown(self.text)}: {why}"
        )


def _parts(path: str) -> list[str]:
    return _SEPARATORS.split(path)
