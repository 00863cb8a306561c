"""`python -m forerun.workers.cli`: what the console script does."""

from __future__ import annotations

from forerun.workers.cli import main

if __name__ == "__main__":
    main()
