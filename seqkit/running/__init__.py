"""Running a plan.

===============  ====================================================================
`releasers`      who releases: your own code, a script of failures, or chance
`executor`       who asks them in order, and keeps the record
`sequencer`      a graph and a ledger bound together
===============  ====================================================================
"""
