"""Benchmarks: ratios against a peer or a limit, measured in turns within one run."""
