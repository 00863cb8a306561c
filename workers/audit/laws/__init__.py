"""What must hold of every run: one law per module, each a function from a `Run` to its violations.

A law reads only what is recorded. It may rely on the shapes that `reading` has checked, and on
nothing else: not on the chain being whole, not on other laws having passed.
"""
