"""When will it be done: releases that take their time, several at once.

=================  ====================================================================
`jobs`             what takes time in a plan, and what waits for what
`problem`          all that is scheduled, as plain arrays
`ends`             what came of some trials
`engines`          who runs the trials, chunk by chunk
`drawing`          what happens to attempts, in numpy
`loop`             the event loop of one trial, in plain Python
`tracing`          who was critical in it
`plain`            trial by trial through that loop
`closed`           runs without a limit of lanes, in numpy
`numba_attempts`   what happens to attempts, compiled
`numba_first`      first attempts of all jobs at once, compiled
`numba_queue`      the jobs as the compiled loop queues them
`numba_loop`       the event loop, compiled
`numba_retries`    what seldom happens in it
`numba_trail`      what it keeps of a trial, and who was critical
`numba_closed`     runs without a limit of lanes, compiled
=================  ====================================================================
"""
