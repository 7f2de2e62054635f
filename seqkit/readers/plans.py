"""Plans, as :meth:`seqkit.SequencePlan.to_json` writes them."""

from __future__ import annotations

from seqkit.core.plan import SequencePlan, plan_of
from seqkit.errors import MultiRepoError, ReadError
from seqkit.readers._files import PathLike, load_json

__all__ = ["read_plan"]


def read_plan(path: PathLike) -> SequencePlan:
    """Read a plan from a file; what it resumes is passed over.

    Raises
    ------
    ReadError
        Where the file is missing, or is no plan.
    """
    try:
        return plan_of(load_json(path))
    except (MultiRepoError, ValueError) as error:
        raise ReadError(path, None, "; ".join([str(error), *getattr(error, "__notes__", ())])) from error
