"""The power to make a wish a fact.

Only the barrier and the workers may import this package. Everything in it checks for itself what it
is told.
"""
