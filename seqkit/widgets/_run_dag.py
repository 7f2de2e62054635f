"""A drawing that shows one plan after another."""

from __future__ import annotations

from collections.abc import Mapping

from seqkit.explore.drawing import draw
from seqkit.graph import RepoDependencyGraph
from seqkit.plan import SequencePlan
from seqkit.widgets.dag import DagView, _wire

__all__ = ["RunDag"]


class RunDag(DagView):
    """A :class:`seqkit.widgets.DagView` whose plan can be replaced.

    A second view in its place would show the still picture beside the widget again: a view that
    goes shows it, and nobody can tell which comes first, that or the new view hiding it.
    """

    def show(self, plan_or_graph: SequencePlan | RepoDependencyGraph, words: Mapping[str, str]) -> None:
        """Show a plan or graph, all of it, with a status for each repo; where it is the same, only repaint."""
        if plan_or_graph is self._source or plan_or_graph == self._source:
            self.words = dict(words)
            return
        drawn = draw(plan_or_graph)
        graph = plan_or_graph if isinstance(plan_or_graph, RepoDependencyGraph) else plan_or_graph.graph
        with self.hold_sync():  # boxes and their colours arrive together
            self._drawing = {}  # keeps quiet until all is in place
            self._source, self._graph, self._drawn = plan_or_graph, graph, drawn
            self._plain = dict.fromkeys(graph, "pending")
            self.around, self.depth, self.words, self.notes, self.ringed = "", 1, dict(words), {}, []
            self._drawing = _wire(drawn)
            self._paint()
