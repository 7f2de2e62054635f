"""What past attempts say about failures.

===============  ====================================================================
`attempts`       attempts and failures, read from a ledger or a frame
`rates`          failure rates with credible intervals
`posterior`      draws from what is known of the rates
`dispersion`     whether failures come together
===============  ====================================================================
"""
