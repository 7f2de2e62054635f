"""Releases themselves: graph, plan, rules, outcome, and what may fail. No I/O, no ledger, no clock.

===================  ====================================================================
`model`              the records, and their JSON
`ids`                what a repo may be called
`graph`              who needs whom
`plan`, `arrays`     what is released, in which order; the same by position
`rules`, `terms`     which repo may start, what a failure blocks, when a run is over
`outcome`            what a run came to
`failures`           how likely each repo is to fail
`unknown`            names that a plan does not have
`draws`              all randomness
`closure`            ancestors and descendants as bits
`neighbours`         the part of a graph around a repo
===================  ====================================================================
"""
