"""Releases that span repositories: plan them, run them, read their ledgers, ask what if."""
