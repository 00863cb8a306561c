"""forerun: durable, cost-aware speculative execution for LLM agents on Temporal."""

__version__ = "0.1.0"
