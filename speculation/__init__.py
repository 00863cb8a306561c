"""Speculation thinks.

The law of this package: standard library only, and the same input gives the same output. Time,
prices, randomness and policy are arguments, never looked up. That is what makes a decision
something anybody can recompute from its record.
"""
