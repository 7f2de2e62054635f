"""Benchmarks: ratios against named alternatives, side by side in one process. Run by hand."""
