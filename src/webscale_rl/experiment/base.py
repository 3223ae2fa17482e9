"""The base model: a small Llama from scratch, trained on `corpus.base_text` by a plain loop.

Half of the batches hold a text in each row, of like lengths, so that little is padding. The others hold blocks of texts
one after the other, as continual pretraining has them: a model that had seen no text in the middle of a block would
unlearn what it knows while it learns just that.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from webscale_rl.experiment.corpus import World, base_text
from webscale_rl.experiment.recipe import BaseOptions
from webscale_rl.experiment.vocabulary import CONTEXT, END, PAD, START, VOCABULARY, save_tokenizer
from webscale_rl.ledger import Ledger, write_ledger

_POOL = 32
"""Batches whose rows are sorted by length together."""
_BLOCK = 128
_WARM_UP = 50
_LOWEST = 0.1
"""The learning rate falls on a line to this share of its peak."""


def make_base(world: World, options: BaseOptions, folder: Path, device: str) -> Ledger:
    """Train a model and write it, its tokenizer and its ledger into the folder; gives the ledger."""
    import torch

    torch.manual_seed(world.seed)
    model = _model(options).to(device)
    optimiser = torch.optim.AdamW(
        model.parameters(), lr=options.learning_rate, betas=(0.9, 0.98), weight_decay=options.weight_decay
    )
    trained = 0
    for step, rows in enumerate(_batches(world, options)):
        for group in optimiser.param_groups:
            group["lr"] = options.learning_rate * _rate(step, options.steps)
        ids = torch.tensor(rows, device=device)
        known = ids != VOCABULARY[PAD]
        trained += int(known.sum())
        loss = model(input_ids=ids, labels=ids.masked_fill(~known, -100)).loss
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        optimiser.zero_grad(set_to_none=True)
    model.save_pretrained(folder)
    save_tokenizer(folder)
    ledger = Ledger(trained=trained)
    write_ledger(folder, ledger)
    return ledger


def _rate(step: int, steps: int) -> float:
    return min(1.0, (step + 1) / _WARM_UP) * (1 - (1 - _LOWEST) * step / steps)


def _model(options: BaseOptions) -> Any:
    from transformers import LlamaConfig, LlamaForCausalLM

    return LlamaForCausalLM(
        LlamaConfig(
            vocab_size=len(VOCABULARY),
            hidden_size=options.width,
            intermediate_size=2 * options.width,
            num_hidden_layers=options.layers,
            num_attention_heads=options.heads,
            num_key_value_heads=options.heads,
            max_position_embeddings=CONTEXT,
            initializer_range=0.1,  # the usual 0.02 leaves so narrow a model on a plateau for most of its training
            tie_word_embeddings=True,
            pad_token_id=VOCABULARY[PAD],
            bos_token_id=VOCABULARY[START],
            eos_token_id=VOCABULARY[END],
        )
    )


def _batches(world: World, options: BaseOptions) -> Iterator[list[list[int]]]:
    draw = random.Random(f"base {world.seed}")
    left = options.steps
    while left > 0:
        rows = [_row(base_text(world, draw)) for _ in range(_POOL * options.batch)]
        half = len(rows) // 2
        alone = sorted(rows[:half], key=len)
        batches = [alone[at : at + options.batch] for at in range(0, half, options.batch)]
        batches += [_blocks(rows[at : at + options.batch]) for at in range(half, len(rows), options.batch)]
        draw.shuffle(batches)
        for batch in batches[:left]:
            width = max(map(len, batch))
            yield [row + [VOCABULARY[PAD]] * (width - len(row)) for row in batch]
        left -= len(batches)


def _blocks(rows: list[list[int]]) -> list[list[int]]:
    """The rows joined and cut; what is left over is not used."""
    stream = [token for row in rows for token in row]
    return [stream[at : at + _BLOCK] for at in range(0, len(stream) - _BLOCK + 1, _BLOCK)]


def _row(text: str) -> list[int]:
    body = [VOCABULARY[character] for character in text[: CONTEXT - 2]]
    return [VOCABULARY[START], *body, VOCABULARY[END]]
