"""Running a plan.

===============  ====================================================================
`releasers`      who releases: your own code, a script of failures, or chance
`commands`       one command a repo, never a shell
`templates`      its arguments, with placeholders
`environment`    its environment, and what of it is secret
`processes`      started, waited for, stopped and named, so that none is left behind
`output`         what a command writes, and what is told of it without its secrets
`asking`         how they are asked: one shape for all of them
`calling`        other people's code: async or not, and what may be kept of its words
`telling`        who is told of each event
`clock`          a clock that can wait, and one that jumps
`recording`      the record of a run, written ahead
`execution`      one execution of a plan, one release after the other
`lanes`          several releases under way at once
`executor`       what runs a plan: arguments, and who drives
`beside`         the same where an event loop is running already
`sequencer`      a graph and a ledger bound together
===============  ====================================================================
"""
