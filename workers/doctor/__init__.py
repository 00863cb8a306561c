"""`forerun doctor`: what this server, these settings and these workers allow, and what is missing.

The law: it looks and does not touch, but for `--fix`. No part waits for another: where no server
answers, settings are still looked at. And it tells nothing that must stay here: of a key whether it
is set, of a database where it is.
"""
