"""Other systems' runs: files of theirs become rows of attempts, and rows of attempts a ledger."""
