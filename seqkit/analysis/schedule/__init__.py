"""When will it be done: releases that take their time, several at once.

===============  ====================================================================
`jobs`           what takes time in a plan, and what waits for what
`listing`        the schedule that a run follows, at fixed durations
`bounds`         how soon any schedule could end at best
`search`         priorities that end sooner than the rules of thumb do
`problem`        what is scheduled, as arrays
`drawing`        what is drawn in each trial, by numpy
`loop`           the event loop of one trial, in plain Python
`plain`          trial by trial by that loop
`closed`         all trials at once, where only dependencies keep a repo from starting
`compiled`       both, compiled
`ends`           what came of the trials
`tracing`        on whom the end hangs
`kernels`        who follows the trials
`posing`         the arguments of a schedule, read once
`moments`        estimated times and dates
`measures`       how much the end hangs on each repo
`lanes`          which lane each attempt takes
`since`          times from a start, as timedeltas or dates
`trials`         how the trials ended, and what can be asked of them again
`repos`          what they tell of each repo, as frames
`freezing`       how far it is as a freeze begins, and when to start
`executing`      a trial as the run that it is
`showing`        a schedule in a line, and as a table
`scheduled`      what a schedule answers
`scheduling`     schedule
`curve`          the same by number of lanes
`midway`         where a run that is under way stands
`conditioned`    the trials of what is left of it, in the light of what it told
`eta`            when it will end
===============  ====================================================================
"""
