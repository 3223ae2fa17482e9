"""Where there is no network: tiktoken downloads its vocabularies, and two of the peers count tokens with it."""

from __future__ import annotations

import tiktoken
import tiktoken.registry


def vocabulary() -> None:
    """tiktoken's cl100k_base, or one of single bytes in its place if it cannot be had. Nothing is sent by it."""
    try:
        tiktoken.get_encoding("cl100k_base")
    except OSError:
        ranks = {bytes([value]): value for value in range(256)}
        toy = tiktoken.Encoding("cl100k_base", pat_str=r"\S+|\s+", mergeable_ranks=ranks, special_tokens={})
        tiktoken.registry.ENCODINGS["cl100k_base"] = toy
