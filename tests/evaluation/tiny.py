"""A model of under a million parameters with a tokenizer of characters, made in the test: nothing is downloaded."""

from __future__ import annotations

import string
from pathlib import Path
from typing import Any

CHARACTERS = "\n" + string.printable[:95]


def tiny(width: int = 128, layers: int = 4, context: int = 512, seed: int = 0) -> tuple[Any, Any]:
    """A random model and its tokenizer."""
    import torch
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    marks = ["<pad>", "<eos>", "<unk>"]
    words = {token: at for at, token in enumerate([*marks, *CHARACTERS])}
    inner = Tokenizer(models.WordLevel(words, unk_token="<unk>"))
    inner.pre_tokenizer = pre_tokenizers.Split("", "isolated")
    inner.decoder = decoders.Fuse()
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=inner, pad_token="<pad>", eos_token="<eos>", unk_token="<unk>", model_max_length=context
    )
    torch.manual_seed(seed)
    config = LlamaConfig(
        vocab_size=len(words),
        hidden_size=width,
        intermediate_size=2 * width,
        num_hidden_layers=layers,
        num_attention_heads=4,
        num_key_value_heads=4,
        max_position_embeddings=context,
        initializer_range=0.1,
        bos_token_id=None,
        eos_token_id=1,
        pad_token_id=0,
        tie_word_embeddings=True,
    )
    return LlamaForCausalLM(config).eval(), tokenizer


def saved(folder: Path, **shape: int) -> Path:
    """The same as a folder that `transformers` loads."""
    model, tokenizer = tiny(**shape)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder
