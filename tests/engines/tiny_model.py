"""A language model of 250 kB that knows nothing: random weights, one token per byte, made here and now.

Its weights are drawn from a seed, but for two directions of its space. The first is the same for every token, and
through it the output layer favours quotation marks and brackets: else a random model hardly ever ends a string or a
list. The second is a quotation mark's own, and through it the next one is put off: else every string is empty. What the
model writes is noise; only a grammar makes a reply of it, so a reply that parses is the server's doing.

Its chat template shows it the end of each message only: it understands nothing, and a byte is a token to it.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

UNKNOWN, BOS, EOS = range(3)
CONTEXT = 16_384
WIDTH = 64
HEADS = 2
STRONG = 4.0
FAVOURED = {'"': 1.5, "]": 0.7, "{": 1.0}
PUT_OFF = -1.5
TEMPLATE = "{% for m in messages %}{{ m['role'] }}: {{ m['content'][-400:] }}\n{% endfor %}assistant: "


def token(byte: int) -> int:
    """The token of a byte."""
    return EOS + 1 + byte


def write(path: Path, seed: int = 0) -> Path:
    """Write the model as a GGUF file of the llama architecture, with a tokenizer and a chat template."""
    gguf = pytest.importorskip("gguf", reason="needs the package gguf: make test-engines")
    pieces = ["<unk>", "<s>", "</s>", *(f"<0x{byte:02X}>" for byte in range(256))]
    kinds = [gguf.TokenType.UNKNOWN, gguf.TokenType.CONTROL, gguf.TokenType.CONTROL, *[gguf.TokenType.BYTE] * 256]
    writer = gguf.GGUFWriter(str(path), "llama")
    writer.add_name("tiny")
    writer.add_file_type(gguf.LlamaFileType.ALL_F32)
    writer.add_context_length(CONTEXT)
    writer.add_embedding_length(WIDTH)
    writer.add_block_count(1)
    writer.add_feed_forward_length(WIDTH)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(HEADS)
    writer.add_rope_dimension_count(WIDTH // HEADS)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_vocab_size(len(pieces))
    writer.add_tokenizer_model("llama")
    writer.add_token_list(pieces)
    writer.add_token_scores([0.0] * len(pieces))
    writer.add_token_types(kinds)
    writer.add_bos_token_id(BOS)
    writer.add_eos_token_id(EOS)
    writer.add_unk_token_id(UNKNOWN)
    writer.add_add_space_prefix(False)
    writer.add_chat_template(TEMPLATE)
    for name, weights in _weights(len(pieces), np.random.default_rng(seed)).items():
        writer.add_tensor(name, weights)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def _weights(vocabulary: int, random: np.random.Generator) -> dict[str, np.ndarray]:
    def drawn(rows: int, scale: float) -> np.ndarray:
        return (random.standard_normal((rows, WIDTH)) * scale).astype(np.float32)

    even = np.ones(WIDTH, np.float32)
    embedding, output = drawn(vocabulary, 1.0), drawn(vocabulary, 2 / WIDTH**0.5)
    quote = token(ord('"'))
    embedding[:, :2], output[:, :2] = (STRONG, 0.0), 0.0
    embedding[quote, 1], output[quote, 1] = STRONG, PUT_OFF
    for char, weight in FAVOURED.items():
        output[token(ord(char)), 0] = weight
    names = ("attn_q", "attn_k", "attn_v", "attn_output", "ffn_gate", "ffn_up", "ffn_down")
    layer = {f"blk.0.{name}.weight": drawn(WIDTH, WIDTH**-0.5) for name in names}
    norms = {f"{name}.weight": even for name in ("blk.0.attn_norm", "blk.0.ffn_norm", "output_norm")}
    return {"token_embd.weight": embedding, "output.weight": output, **layer, **norms}
