"""What a model answers, by `transformers` in this process: batches of prompts of like length, padded on the left.

Longest first, so that the largest batch is the first one: a batch that does not fit the memory fails at once. A batch
ends when its last row has ended, so rows of like length waste little.

Deterministic for one batch size, device and version of torch. Sampled answers (temperature above 0) depend on the batch
size too: the generator is the batch's. The caller's random state is as it was afterwards.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from webscale_rl.errors import TrainingError

NEEDS = "pip install 'webscale-rl[eval]'"
MAX_TOKENS = 512
"""Of one answer: room for a short chain of thought and the answer."""


class Sampler(msgspec.Struct, frozen=True):
    """How answers are drawn. `temperature` None: greedy for one sample, 1 for several, as a trainer's rollouts are."""

    samples: int = 1
    temperature: float | None = None
    max_tokens: int = MAX_TOKENS
    batch_size: int = 64
    seed: int = 0

    @property
    def heat(self) -> float:
        """The temperature that is used; 0 is greedy."""
        if self.temperature is not None:
            return self.temperature
        return 0.0 if self.samples == 1 else 1.0

    def check(self) -> None:
        """Raises TrainingError for settings that cannot be."""
        for name in ("samples", "max_tokens", "batch_size"):
            if getattr(self, name) < 1:
                raise TrainingError(f"{name}: at least 1 (it is {getattr(self, name)})")
        if self.heat < 0:
            raise TrainingError(f"temperature: at least 0 (it is {self.heat})")
        if self.samples > 1 and self.heat == 0:
            raise TrainingError(
                "samples: at temperature 0 all are the same; give a --temperature above 0, or one sample"
            )


class Completion(NamedTuple):
    """What a model went on with. `tokens` were sampled for it; `cut` says that the limit ended it."""

    text: str
    tokens: int
    cut: bool


def load(model: str | Path, device: str = "auto") -> tuple[Any, Any]:
    """The model and the tokenizer of a folder, or of a name that `transformers` knows. Raises TrainingError."""
    try:
        from transformers import AutoModelForCausalLM, AutoTokenizer
    except ImportError as error:
        raise TrainingError(f"evaluating a model in this process needs {NEEDS} ({error.name} is missing)") from None
    place = device_of(device)
    try:
        tokenizer = AutoTokenizer.from_pretrained(str(model))
        loaded = AutoModelForCausalLM.from_pretrained(str(model), dtype="auto" if place != "cpu" else "float32")
    except (OSError, ValueError, KeyError) as error:
        why = str(error).strip().splitlines()
        raise TrainingError(f"{model}: no model that can be loaded ({why[0][:200] if why else error!r})") from error
    return loaded.to(place), tokenizer


def device_of(device: str) -> str:
    """ "cuda" or "cpu"; "auto" takes the first one that is there. Raises TrainingError if the other is not."""
    import torch

    if device not in {"auto", "cpu", "cuda"}:
        raise TrainingError(f"device: auto, cpu or cuda (it is {device!r})")
    if device == "cuda" and not torch.cuda.is_available():
        raise TrainingError("device: cuda was asked for, and torch finds no GPU; --device cpu works without one")
    return "cuda" if device != "cpu" and torch.cuda.is_available() else "cpu"


def complete(
    model: Any, tokenizer: Any, prompts: Sequence[str], sampler: Sampler, *, special: bool
) -> list[Completion]:
    """`sampler.samples` completions of each prompt, prompt by prompt. `special`: the tokenizer adds its own first and
    last tokens (not where a chat template has set them already).

    A prompt that does not fit the model's context before the answer loses its beginning. Raises TrainingError if no
    context is left for prompts at all.
    """
    sampler.check()
    if not prompts:
        return []
    rows = tokenizer(list(prompts), add_special_tokens=special)["input_ids"]
    room = _room(model, sampler.max_tokens)
    rows = [row[-room:] for row in rows for _ in range(sampler.samples)]
    order = sorted(range(len(rows)), key=lambda at: -len(rows[at]))
    found: list[Completion | None] = [None] * len(rows)
    with _quiet(model, sampler.seed):
        for start in range(0, len(order), sampler.batch_size):
            batch = order[start : start + sampler.batch_size]
            for at, completion in zip(
                batch, _batch(model, tokenizer, [rows[at] for at in batch], sampler), strict=True
            ):
                found[at] = completion
    return [completion for completion in found if completion is not None]


def _batch(model: Any, tokenizer: Any, rows: Sequence[Sequence[int]], sampler: Sampler) -> Iterator[Completion]:
    import torch
    from transformers import GenerationConfig

    ends = _ends(model, tokenizer)
    pad = tokenizer.pad_token_id if tokenizer.pad_token_id is not None else min(ends, default=0)
    width = max(1, len(rows[0]))
    ids = torch.tensor([[pad] * (width - len(row)) + list(row) for row in rows], device=model.device)
    mask = torch.tensor([[0] * (width - len(row)) + [1] * len(row) for row in rows], device=model.device)
    drawn = {"do_sample": True, "temperature": sampler.heat, "top_k": 0} if sampler.heat > 0 else {"do_sample": False}
    config = GenerationConfig(
        max_new_tokens=sampler.max_tokens, pad_token_id=pad, eos_token_id=sorted(ends) or None, use_cache=True, **drawn
    )
    made = model.generate(input_ids=ids, attention_mask=mask, generation_config=config)
    for tokens in made[:, width:].tolist():
        length = next((at for at, token in enumerate(tokens) if token in ends), None)
        kept = tokens if length is None else tokens[:length]
        text = tokenizer.decode(kept, skip_special_tokens=True)
        yield Completion(text, len(kept) + (length is not None), length is None)


def _ends(model: Any, tokenizer: Any) -> set[int]:
    """The tokens that end an answer: the model's own, and the tokenizer's."""
    own = getattr(model.generation_config, "eos_token_id", None)
    found = set(own) if isinstance(own, (list, tuple)) else {own}
    return {token for token in (*found, tokenizer.eos_token_id) if token is not None}


def _room(model: Any, max_tokens: int) -> int:
    """How many tokens of a prompt fit before an answer."""
    context = getattr(model.config, "max_position_embeddings", None) or getattr(model.config, "n_positions", None)
    if context is None:
        return 1 << 20
    if context <= max_tokens:
        raise TrainingError(
            f"max_tokens: the model's context has {context:,} tokens, and an answer may take {max_tokens:,} of them;"
            " take fewer"
        )
    return int(context) - max_tokens


@contextmanager
def _quiet(model: Any, seed: int) -> Iterator[None]:
    """The model in evaluation mode, without gradients, and a random state of our own."""
    import torch

    training = model.training
    devices = [model.device] if model.device.type == "cuda" else []
    model.eval()
    try:
        with torch.random.fork_rng(devices=devices), torch.inference_mode():
            torch.manual_seed(seed)
            yield
    finally:
        model.train(training)
