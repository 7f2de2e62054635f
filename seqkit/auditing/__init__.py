"""Audits: whether a ledger holds together, and what does not fit.

:func:`audit` runs the functions in :data:`CHECKS` over a ledger and gives an :class:`AuditReport`. What stands
in a ledger never raises: an unreadable line, a payload of any shape, a number out of range is a finding.
"""

from seqkit.auditing.anchoring import anchor
from seqkit.auditing.checking import audit
from seqkit.auditing.checks import CHECKS
from seqkit.auditing.report import AuditReport

__all__ = ["CHECKS", "AuditReport", "anchor", "audit"]
