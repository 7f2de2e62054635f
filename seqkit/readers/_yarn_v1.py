r"""The text in which yarn 1 writes ``yarn.lock``: blocks that are indented, with quotes where needed.

>>> parse_v1("yarn.lock", '# yarn lockfile v1\n\n"@a/b@^1", c@2:\n  version "1.0.1"\n  dependencies:\n    d "^3"\n')
[(('@a/b@^1', 'c@2'), {'version': '1.0.1', 'dependencies': {'d': '^3'}})]
"""

from __future__ import annotations

import json
import re

from seqkit.errors import ReadError
from seqkit.readers._files import PathLike, described

__all__ = ["Block", "parse_v1"]

Block = tuple[tuple[str, ...], dict[str, str | dict[str, str]]]

_WORD = r'"(?:[^"\\]|\\.)*"|[^\s",:][^\s",:]*'
_WORDS = re.compile(_WORD)
_KEYS = re.compile(rf"(?:{_WORD})(?:, *(?:{_WORD}))*:")
_PAIR = re.compile(rf'({_WORD}) ({_WORD}|[^\s"]\S*)')
_STEP = 2


def parse_v1(path: PathLike, text: str) -> list[Block]:
    """Give each block: the descriptors that it is for, and what it says.

    Raises
    ------
    ReadError
        Where a line is not like that (with the line).
    """
    blocks: list[Block] = []
    table: dict[str, str] | None = None
    for number, raw in enumerate(text.split("\n"), 1):
        line = raw.rstrip()
        content = line.lstrip(" ")
        if not content or content.startswith("#"):
            continue
        depth, odd = divmod(len(line) - len(content), _STEP)
        is_block = _KEYS.fullmatch(content) is not None
        pair = None if is_block else _PAIR.fullmatch(content)
        if odd or (depth == 0 and not is_block) or (depth and not blocks) or (not is_block and pair is None):
            raise ReadError(path, number, f"is {described(content)}, expected a line as yarn writes it")
        if depth == 0:
            keys = tuple(_word(path, number, word) for word in _WORDS.findall(content[:-1]))
            blocks.append((keys, {}))
            table = None
        elif depth == 1 and is_block:
            table = {}
            blocks[-1][1][_word(path, number, content[:-1])] = table
        elif depth == 1 and pair is not None:
            blocks[-1][1][_word(path, number, pair[1])] = _word(path, number, pair[2])
            table = None
        elif depth == 2 and pair is not None and table is not None:  # below a table
            table[_word(path, number, pair[1])] = _word(path, number, pair[2])
        else:
            raise ReadError(path, number, f"is {described(content)}, expected a line as yarn writes it")
    return blocks


def _word(path: PathLike, line: int, word: str) -> str:
    if not word.startswith('"'):
        return word
    try:
        read = json.loads(word)
        read.encode()
    except ValueError:
        raise ReadError(path, line, f"has {described(word)}, expected text in quotes") from None
    return str(read)
