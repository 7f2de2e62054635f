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
`compiled`         the same, compiled by numba
=================  ====================================================================
"""
