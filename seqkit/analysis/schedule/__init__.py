"""When will it be done: releases that take their time, several at once.

===============  ====================================================================
`jobs`           what takes time in a plan, and what waits for what
`listing`        the schedule that a run follows, at fixed durations
`bounds`         how soon any schedule could end at best
`search`         priorities that end sooner than the rules of thumb do
===============  ====================================================================
"""
