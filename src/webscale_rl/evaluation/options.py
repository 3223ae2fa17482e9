"""How a model is evaluated, and where it runs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from webscale_rl.evaluation.sampling import Sampler
from webscale_rl.types import content_id


def _silent(line: str) -> None:
    """Says nothing."""


@dataclass(frozen=True)
class Options:
    """What does not go without saying. `temperature`, `answer_tokens` and `seed` are the local suites'; lm-eval's tasks
    bring their own.

    `base_url` names an OpenAI-compatible server that serves the model, `traffic` and `caps` are a run's sections for
    it. `chat` puts lm-eval's and EvalPlus's questions through the model's chat template, or to the server's chat
    endpoint. `allow_code` lets EvalPlus execute what the model wrote. `tell` is told a line for people now and then.
    """

    limit: int | None = None
    samples: int = 1
    temperature: float | None = None
    answer_tokens: int = 512
    batch_size: int = 64
    seed: int = 0
    device: str = "auto"
    system: str | None = None
    chat: bool = False
    allow_code: bool = False
    base_url: str | None = None
    traffic: dict[str, Any] = field(default_factory=dict)
    caps: dict[str, Any] = field(default_factory=dict)
    tell: Callable[[str], None] = _silent

    def sampler(self, max_tokens: int | None = None) -> Sampler:
        """How local suites are sampled."""
        tokens = self.answer_tokens if max_tokens is None else max_tokens
        return Sampler(self.samples, self.temperature, tokens, self.batch_size, self.seed)

    def settings(self, model: str) -> dict[str, Any]:
        """What decides the results: another value needs another folder."""
        sampler = self.sampler()
        return {
            "model": model,
            "weights": weights(Path(model)) if self.base_url is None else "",
            "base_url": self.base_url,
            "limit": self.limit,
            "samples": self.samples,
            "temperature": sampler.heat,
            "answer_tokens": self.answer_tokens,
            "seed": self.seed,
            "system": self.system,
            "chat": self.chat,
        }


def weights(folder: Path) -> str:
    """A digest of what lies in a model's folder: its files' names, sizes and times. "" of a name that is no folder."""
    if not folder.is_dir():
        return ""
    files = sorted(path for path in folder.iterdir() if path.is_file())
    stats = [(path.name, path.stat()) for path in files]
    return content_id(*(f"{name} {stat.st_size} {stat.st_mtime_ns}" for name, stat in stats))
