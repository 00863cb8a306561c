"""Benchmarks: how much time speculation saves, and what it costs, measured on the stand-in."""
