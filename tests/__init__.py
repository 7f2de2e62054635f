"""The tests of seqkit; ``python -m tests`` runs all of them."""
