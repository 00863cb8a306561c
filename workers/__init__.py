"""Workers compose.

The law of this package: it is the only one that reads the environment, starts processes and picks
providers. Settings, the command line, the stand-in model server and the dev server live here.
"""
