"""The example that `forerun demo` runs; `examples/` links to these files."""

from __future__ import annotations

from pathlib import Path

SPEC = Path(__file__).parent / "auto_reply.json"
RULES = Path(__file__).parent / "auto_reply.rules.json"
"""What the stand-in answers to the prompts of `SPEC`."""
