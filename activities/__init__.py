"""Activities do.

The law of this package: one request object in, one result object out. An activity performs I/O and
reports what it cost; it never chooses what runs next.
"""
