"""What past attempts say about failures.

===============  ====================================================================
`attempts`       attempts and failures, read from a ledger or a frame
`evidence`       how much each counts: by age, or since something was fixed
`priors`         what to assume beforehand, given or learnt from all repos
`rates`          failure rates with credible intervals
`hard`           the share of failures that no retry mends
`durations`      how long attempts take, as a model with intervals
`lognormal`      times of repos that lean on one another
`retries`        whether second tries fail more often than first ones
`posterior`      draws from what is known of the rates
`dispersion`     whether failures come together
`causes`         what makes them: how probable a common cause is, and how severe
`outages`        runs that a common cause may have struck
`arcsine`        distributions of a share, on the scale where they are well-behaved
===============  ====================================================================
"""
