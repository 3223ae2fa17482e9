"""A simulated OpenAI-compatible server with books, for tests and benchmarks."""

from benchmarks.llm_server.batches import BatchBehaviour
from benchmarks.llm_server.engine import STATUS_FAULTS, Behaviour
from benchmarks.llm_server.server import LLMServer, subprocess_server

__all__ = ["STATUS_FAULTS", "BatchBehaviour", "Behaviour", "LLMServer", "subprocess_server"]
