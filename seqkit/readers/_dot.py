"""The language DOT, as Graphviz reads it: tokens, and what the statements of a directed graph say.

Grammar: https://graphviz.org/doc/info/lang.html.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NoReturn

from seqkit._util.words import shortened
from seqkit.errors import ReadError
from seqkit.readers._files import PathLike

__all__ = ["HtmlText", "Parser", "plain"]

_BETWEEN = r"(?:[\s\ufeff]++|//[^\n]*|/\*.*?\*/|^\#[^\n]*)*+"  # blanks and comments; never tried in another way
_TOKEN = re.compile(
    _BETWEEN
    + r"""(?:(?P<quoted>"[^"\\]*(?:\\.[^"\\]*)*")
    |(?P<arrow>->|--)
    |(?P<id>[A-Za-z_\x80-\U0010ffff][A-Za-z0-9_\x80-\U0010ffff]*
        |-?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?![A-Za-z_.0-9\x80-\U0010ffff]))
    |(?P<mark>[{}\[\]=;,:+])
    |(?P<html><)
    |(?P<end>\Z))""",
    re.VERBOSE | re.DOTALL | re.MULTILINE,
)
_ESCAPE = re.compile(r'\\(\\|"|\r?\n)')
_ANGLE = re.compile("[<>]")
_KEYWORDS = ("graph", "digraph", "node", "edge", "subgraph", "strict")
_DEEPEST = 100  # subgraphs in subgraphs
_MOST = 5_000_000  # edges, and members of subgraphs counted anew: `{…} -> {…}` makes many of few words
_OF_EDGES = ("kinds", "kind", "style", "dir")


class HtmlText(str):
    """A value in angle brackets."""


@dataclass
class _Scope:
    """What holds between two braces."""

    node: dict[str, str] = field(default_factory=dict)
    edge: dict[str, str] = field(default_factory=dict)
    members: dict[str, None] = field(default_factory=dict)


class Parser:
    """Read the directed graphs of a file.

    Values are as Graphviz has them: of their escapes, only those of quotes and of ends of lines are taken away
    (:func:`plain` takes the rest).

    Examples
    --------
    >>> parsed = Parser("demo.dot", 'digraph { a -> {b "c d"} [kind=dev]; a:port:n [label="A"] }')
    >>> parsed.nodes, parsed.edges
    ({'a': {'label': 'A'}, 'b': {}, 'c d': {}}, {('a', 'b'): [{'kind': 'dev'}], ('a', 'c d'): [{'kind': 'dev'}]})
    """

    def __init__(self, path: PathLike, text: str) -> None:
        self._path, self._text = path, text
        self._at = self._next = 0
        self._kind, self._value = "", ""
        self._work = 0
        self._groups: dict[str, dict[str, None]] = {}
        self.graphs = 0
        """How many graphs the file holds; they are read as one."""
        self.facts: dict[str, str] = {}
        """Attributes of the graph itself."""
        self.nodes: dict[str, dict[str, str]] = {}
        """Nodes with their attributes."""
        self.edges: dict[tuple[str, str], list[Mapping[str, str]]] = {}
        """Edges, each with what counts of its attributes; an edge that stands there several times has several."""
        self._advance()
        while self._kind != "end":
            self._graph()
        if not self.graphs:
            raise ReadError(path, None, "is empty, expected a digraph")

    # ------------------------------------------------------------------ tokens

    def _advance(self) -> None:
        match = _TOKEN.match(self._text, self._next)
        if match is None or match.lastgroup is None:
            self._unknown()
        self._kind, self._value = match.lastgroup, match[match.lastgroup]
        self._at, self._next = match.start(self._kind), match.end()
        if self._kind == "html":
            self._close_html()

    def _close_html(self) -> None:
        depth = 0
        for angle in _ANGLE.finditer(self._text, self._at):
            depth += 1 if angle[0] == "<" else -1
            if not depth:
                self._next = angle.end()
                self._value = self._text[self._at + 1 : angle.start()]
                return
        self._fail("has a < without its >, expected HTML that is closed")

    def _unknown(self) -> NoReturn:
        match = re.compile(_BETWEEN, re.DOTALL | re.MULTILINE).match(self._text, self._next)
        self._at = match.end() if match else self._next
        there = self._text[self._at : self._at + 20]
        if there.startswith("/*"):
            self._fail("has a comment /* without its */")
        if there.startswith('"'):
            self._fail('has a " without the one that closes it')
        self._fail(
            f"has {shortened(repr(there), 60)}, which is no DOT; ids with other signs than letters, digits and _ "
            'are quoted: "a.b"'
        )

    def _fail(self, message: str) -> NoReturn:
        raise ReadError(self._path, self._text.count("\n", 0, self._at) + 1, message)

    def _expected(self, what: str) -> NoReturn:
        there = "ends" if self._kind == "end" else f"has {shortened(repr(self._value), 60)}"
        self._fail(f"{there}, expected {what}")

    def _is(self, mark: str) -> bool:
        return self._kind == "mark" and self._value == mark

    def _keyword(self) -> str:
        """Give the keyword that comes next, in small letters, or nothing."""
        word = self._value.lower() if self._kind == "id" else ""
        return word if word in _KEYWORDS else ""

    def _word(self, what: str) -> str:
        """Read an id or a value: a word, a number, quoted text and more of it after +, or HTML."""
        if self._kind not in ("id", "quoted", "html") or self._keyword():
            self._expected(what)
        if self._kind == "html":
            value: str = HtmlText(self._value)
            self._advance()
        elif self._kind == "id":
            value = self._value
            self._advance()
        else:
            parts = [self._unquoted()]
            while self._is("+"):
                self._advance()
                if self._kind != "quoted":
                    self._expected("more quoted text after +")
                parts.append(self._unquoted())
            value = "".join(parts)
        return value

    def _unquoted(self) -> str:
        value = self._value[1:-1]
        if "\\" in value:
            value = _ESCAPE.sub(lambda match: {"\\": "\\\\", '"': '"'}.get(match[1], ""), value)
        self._advance()
        return value

    # ------------------------------------------------------------------ statements

    def _graph(self) -> None:
        if self._keyword() == "strict":
            self._advance()
        if self._keyword() == "graph":
            self._fail("is an undirected graph: who needs whom? Expected a digraph, with -> between who and whom")
        if self._keyword() != "digraph":
            self._expected("digraph")
        self._advance()
        if not self._is("{"):
            self._word("the name of the graph, or {")
        self.graphs += 1
        self._groups = {}
        self._statements(_Scope(), 0)

    def _statements(self, scope: _Scope, depth: int) -> None:
        if not self._is("{"):
            self._expected("{")
        if depth > _DEEPEST:
            self._fail(f"has subgraphs more than {_DEEPEST} levels deep, expected at most that")
        self._advance()
        while not self._is("}"):
            if self._is(";") or self._is(","):
                self._advance()
            else:
                self._statement(scope, depth)
        self._advance()

    def _statement(self, scope: _Scope, depth: int) -> None:
        keyword = self._keyword()
        if keyword in ("graph", "node", "edge"):
            self._advance()
            facts = self._attributes()
            if keyword == "graph":
                self.facts |= facts if not depth else {}
            else:
                (scope.node if keyword == "node" else scope.edge).update(facts)
            return
        name = ""
        if keyword != "subgraph" and not self._is("{"):
            name = plain(self._word("a statement, or }"))
            if self._is("="):
                self._advance()
                value = self._word("a value")
                self.facts |= {name: value} if not depth else {}
                return
        ends = [self._node(name, scope) if not (keyword or self._is("{")) or name else self._subgraph(scope, depth)]
        while self._kind == "arrow":
            if self._value == "--":
                self._fail("has an edge --, which has no direction: who needs whom? Expected ->")
            self._advance()
            if self._keyword() == "subgraph" or self._is("{"):
                ends.append(self._subgraph(scope, depth))
            else:
                ends.append(self._node(plain(self._word("a node or a subgraph")), scope))
        facts = self._attributes()
        if len(ends) > 1:
            self._edges(ends, {key: value for key, value in {**scope.edge, **facts}.items() if key in _OF_EDGES})
        elif facts and not keyword:
            self.nodes[name].update(facts)

    def _node(self, name: str, scope: _Scope) -> dict[str, None]:
        """Take a node in, and pass over its port."""
        for _ in range(2):
            if self._is(":"):
                self._advance()
                self._word("a port")
        if name not in self.nodes:
            self.nodes[name] = dict(scope.node)
        scope.members[name] = None
        return {name: None}

    def _subgraph(self, scope: _Scope, depth: int) -> dict[str, None]:
        """Read a subgraph, or what was said of one; give its nodes."""
        name = None
        if self._keyword() == "subgraph":
            self._advance()
            if not self._is("{"):
                name = self._word("the name of a subgraph, or {")
        members = self._groups.setdefault(name, {}) if name is not None else {}
        if name is None or self._is("{"):
            self._statements(_Scope(dict(scope.node), dict(scope.edge), members), depth + 1)
        self._count(len(members))
        scope.members.update(members)
        return members

    def _attributes(self) -> dict[str, str]:
        facts: dict[str, str] = {}
        while self._is("["):
            self._advance()
            while not self._is("]"):
                if self._is(";") or self._is(","):
                    self._advance()
                    continue
                key, value = self._word("an attribute, or ]"), "true"
                if self._is("="):
                    self._advance()
                    value = self._word("a value")
                facts[key] = value
            self._advance()
        return facts

    def _edges(self, ends: list[dict[str, None]], facts: Mapping[str, str]) -> None:
        for tails, heads in itertools.pairwise(ends):
            self._count(len(tails) * len(heads))
            for tail in tails:
                for head in heads:
                    self.edges.setdefault((tail, head), []).append(facts)

    def _count(self, work: int) -> None:
        self._work += work
        if self._work > _MOST:
            self._fail(f"makes more than {_MOST:,} edges of its subgraphs, expected at most that")


def plain(value: str) -> str:
    r"""Give text of a value: a doubled backslash is one, as Graphviz shows it."""
    return str(value) if isinstance(value, HtmlText) else value.replace("\\\\", "\\")
