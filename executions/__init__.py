"""Executions: the durable agent loop, the gate, and what people do with them."""

__version__ = "0.1.0"
