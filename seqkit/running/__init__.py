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
`context`        what a release may know of the attempt that it is part of
`worker`         one thread for all that a run does with a ledger that may block
`recording`      the record of a run, written ahead
`attempt`        one attempt at a repo: its time-out, how it is asked to stop, whether it is out all the same
`queue`          who may start, by priority, and who waits to be tried again
`lanes`          the releases of a run, as many at once as there are lanes
`execution`      one execution of a plan: its beginning and its end in the ledger
`executor`       what runs a plan: the arguments
`rehearsing`     what a run would do, printed
`wrappers`       releasers around releasers, and one that does again what is recorded
`to_the_end`     a loop for a run, which leaves nothing behind
`signals`        SIGINT and SIGTERM while a run goes on
`beside`         the same where an event loop is running already
`nowait`         and where no thread can start
`sequencer`      a graph and a ledger bound together
===============  ====================================================================
"""
