"""Controls that choose a repo and how much of the graph around it is drawn."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import ipywidgets as ipw

from seqkit._util.near import NearNames
from seqkit.explore.drawing import MOST_DRAWN
from seqkit.widgets._parts import close_all, plain
from seqkit.widgets.dag import DagView

__all__ = ["FocusBar"]

_STEPS = {"everything": 0, "1 step around": 1, "2 steps around": 2, "3 steps around": 3, "all it touches": MOST_DRAWN}
_LISTED = 2_000  # names that the box offers while one types; others can be typed out
_OFFERED = 6  # names that are offered for one that does not match
_LABEL = 120  # characters of a name


class FocusBar(ipw.HBox):  # type: ignore[misc]  # ipywidgets ships no types
    """A box to find a repo in, and a choice of how much to draw around it.

    Parameters
    ----------
    dag : DagView
        The picture that follows.
    repos : list of str
        Ids to choose from.
    say : callable
        Called with a sentence, and whether it is an error.
    chosen : callable
        Called with the id that was chosen by hand.
    """

    def __init__(
        self,
        dag: DagView,
        repos: list[str],
        say: Callable[[str, bool], object],
        chosen: Callable[[str], object] | None = None,
    ) -> None:
        self._dag, self._say, self._chosen = dag, say, chosen
        self._labels: dict[str, str] = {}
        for position, repo in enumerate(repos):
            label = plain(repo, _LABEL).strip()
            while label in self._labels:
                label = f"{label} ({position})"
            self._labels[label] = repo
        self._ids = {repo: label for label, repo in self._labels.items()}
        self.repo: str | None = None
        self.find = ipw.Combobox(
            description="Repo",
            placeholder="type to find",
            options=list(self._labels)[:_LISTED],
            continuous_update=False,
            tooltip="Find a repo: type a part of its name, and press Enter",
            layout=ipw.Layout(width="290px"),
        )
        self.reach = ipw.Dropdown(
            description="Draw",
            options=list(_STEPS),
            tooltip="Draw everything, or only what this repo needs and what needs it",
            layout=ipw.Layout(width="210px"),
        )
        self._quiet = False
        self.find.observe(self._found, "value")
        self.reach.observe(self._look, "value")
        self.near = ipw.HBox(layout=ipw.Layout(flex_flow="row wrap"))
        super().__init__([self.find, self.reach, self.near], layout=ipw.Layout(flex_flow="row wrap"))

    def select(self, repo: str) -> None:
        """Show a repo as the chosen one, without drawing anew."""
        self.repo, self._quiet = repo, True
        try:
            self.find.value = self._ids[repo]
        finally:
            self._quiet = False
        self._forget()
        self._dag.chosen = repo

    def clear(self) -> None:
        """Choose no repo, and draw everything."""
        self.repo = self._dag.chosen = None
        self.find.value, self.reach.value = "", "everything"
        self._forget()

    def _found(self, change: Any) -> None:
        typed = change["new"].strip()
        if self._quiet or not typed:
            return
        self._forget()
        match = self._labels.get(typed)
        if match is None:
            near = [label for label in self._labels if typed.casefold() in label.casefold()]
            if len(near) != 1:
                self._suggest(typed, near)
                return
            match = self._labels[near[0]]
        self._take(match)

    def _suggest(self, typed: str, near: list[str]) -> None:
        """Offer the names that hold what was typed, or those that are called much the same."""
        hold = bool(near)
        near = near or NearNames(self._labels).near(typed)
        many = f"{', '.join(near[:_OFFERED])}{' …' * (len(near) > _OFFERED)}"
        if hold:
            self._say(f"{len(near)} repos match {typed!r}: {many}", False)
        else:
            self._say(f"No repo matches {typed!r}" + (f"; near it: {many}" if near else ""), True)
        self.near.children = [self._offer(label) for label in near[:_OFFERED]]

    def _offer(self, label: str) -> ipw.Button:
        button = ipw.Button(
            description=plain(label, 30), tooltip=f"Choose {plain(label)}", layout=ipw.Layout(width="auto")
        )
        button.on_click(lambda _button: self._take(self._labels[label]))
        return button

    def _take(self, repo: str) -> None:
        self.select(repo)
        self._look(None)
        if self._chosen is not None:
            self._chosen(repo)

    def _forget(self) -> None:
        offered, self.near.children = self.near.children, ()
        close_all(offered)

    def again(self) -> None:
        """Draw as chosen, after the picture has been given another plan of the same repos."""
        if self.repo is not None:
            self._look(None)

    def _look(self, _change: Any) -> None:
        steps = _STEPS[self.reach.value]
        if not steps and self._dag.too_many and self.repo is not None:
            self.reach.value = "1 step around"  # comes back here
            return
        if steps and self.repo is None:
            self._say("Choose a repo to draw what is around it", False)
            return
        self._dag.look(self.repo if steps else None, max(steps, 1))
