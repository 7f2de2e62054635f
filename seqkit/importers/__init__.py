"""Other systems' runs: files of theirs become rows of attempts, and rows of attempts a ledger.

:func:`seqkit.read_attempts` reads files and gives a frame, :func:`seqkit.read_ledger` makes a ledger of the same files,
and :func:`seqkit.ledger_from_frame` one of any table. What no file tells stays unknown. Each system keeps less than a
ledger does:

==========================  ==========================  ===========================  ==========================
system                      earlier attempts            who blocked whom             times
==========================  ==========================  ===========================  ==========================
a table of your own         as it tells                 as it tells, or by `graph`   as it tells
GitHub Actions, jobs        those that were fetched     by the workflow's file, or   to the second; of what was
                            (`attempts/N/jobs`)         `graph`                      cancelled no end
GitHub Actions, run lists   lost                        lost, and the jobs with it   the last update for the end
GitLab, jobs                with ``include_retried``,   by ``.gitlab-ci.yml``, or    to the millisecond
                            else lost unseen            `graph`
dbt                         a retry is a run of the     by the manifest, or `graph`  kept; none of what dbt
                            same train                                               timed nothing of
Airflow                     from 2.10 on; before, the   by the serialized DAG, a     kept
                            last alone                  listing of tasks or `graph`
turbo                       lost                        by a dry run, other          of what began; what was
                                                        summaries or `graph`         blocked is absent
Argo Workflows              of a task; those before     by the templates, the        to the second
                            ``argo retry`` are lost     children or `graph`
JUnit's XML                 as Maven or repeated        lost                         starts counted up from that
                            cases tell them                                          of the suite, a guess
==========================  ==========================  ===========================  ==========================

Reasons of failures are kept by dbt (its message), GitLab (a word), Argo, JUnit and tables of your own; GitHub and
Airflow keep them in logs. A run that one of these says nothing more of than that it was skipped is ``skipped``, of no
known cause.
"""

from __future__ import annotations

from seqkit._util.formats import Format
from seqkit.importers.frames import ledger_from_frame
from seqkit.importers.reading import holds_runs, read_attempts, read_runs
from seqkit.ledger.formats import OTHERS

__all__ = ["ledger_from_frame", "read_attempts"]

OTHERS.append(Format("runs", "files of another system's runs", read_runs, sniff=holds_runs, detail="see read_attempts"))
