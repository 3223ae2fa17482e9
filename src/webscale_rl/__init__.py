"""webscale-rl: a pretraining corpus in, verified question-answer data for reinforcement learning out.

    from webscale_rl import Document, Run, run

    result = run(Run(inputs=["sample:"], out="runs/first"))

`run` works in scripts and in notebooks; `run_async` is the same for code that is async already.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from webscale_rl.api import (
        Result,
        difficulty,
        difficulty_async,
        estimate,
        estimate_async,
        rationales,
        rationales_async,
        run,
        run_async,
    )
    from webscale_rl.config import Run
    from webscale_rl.errors import ConfigError, RunStopped, UserError
    from webscale_rl.types import Brief, Document, Drop, Example, Failure, Pair

_HOME = {
    **dict.fromkeys(
        (
            *("Result", "difficulty", "difficulty_async", "estimate", "estimate_async"),
            *("rationales", "rationales_async", "run", "run_async"),
        ),
        "webscale_rl.api",
    ),
    **dict.fromkeys(("Run",), "webscale_rl.config"),
    **dict.fromkeys(("ConfigError", "RunStopped", "UserError"), "webscale_rl.errors"),
    **dict.fromkeys(("Brief", "Document", "Drop", "Example", "Failure", "Pair"), "webscale_rl.types"),
}
__all__ = [
    "Brief",
    "ConfigError",
    "Document",
    "Drop",
    "Example",
    "Failure",
    "Pair",
    "Result",
    "Run",
    "RunStopped",
    "UserError",
    "__version__",
    "difficulty",
    "difficulty_async",
    "estimate",
    "estimate_async",
    "rationales",
    "rationales_async",
    "run",
    "run_async",
]


def __getattr__(name: str) -> Any:
    """Imports a name when it is first used, so that `webscale-rl --help` starts at once (PEP 562)."""
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import importlib

    return getattr(importlib.import_module(_HOME[name]), name)
