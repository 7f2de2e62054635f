"""What may happen: one what-if, the order explained, reach, exact chances, simulated chances.

===============  ====================================================================
`whatif`         the outcome where named repos fail
`steps`          the order explained, step by step, and somebody's own ordering checked
`blast`          how far each failure reaches
`levers`         every single change that could be made, and what it would buy
`estimate`       a number with its error
`exact`          closed forms: probabilities, laws, importances
`montecarlo`     simulated runs under any policy
===============  ====================================================================
"""
