"""Schedules compiled by numba: nothing else imports it, and this only where it is asked for.

============  ====================================================
`attempts`    what happens to attempts
`first`       first attempts of all jobs at once
`queue`       the jobs as the loop queues them
`loop`        the event loop of a run in lanes
`retries`     what seldom happens in it
`trail`       what it keeps of a trial, and who was critical
`closed`      runs without a limit of lanes
============  ====================================================
"""
