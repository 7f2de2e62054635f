"""Running a plan.

===============  ====================================================================
`releasers`      who releases: your own code, a script of failures, or chance
`asking`         how they are asked: one shape for all of them
`calling`        other people's code: async or not, and what may be kept of its words
`telling`        who is told of each event
`executor`       who asks them in order, and keeps the record
`beside`         the same where an event loop is running already
`sequencer`      a graph and a ledger bound together
===============  ====================================================================
"""
