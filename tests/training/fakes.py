"""A tokenizer without transformers: a character is a token."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


class Characters:
    """Every character is its code point; 1 ends, 2 begins. With a template, a conversation is its texts in brackets."""

    eos_token_id = 1
    eos_token = "\1"

    def __init__(self, *, template: bool = False, begins: bool = False) -> None:
        self.chat_template = "brackets" if template else None
        self._begin = [2] if begins else []

    def __call__(self, texts: Sequence[str], add_special_tokens: bool = True) -> dict[str, list[list[int]]]:
        begin = self._begin if add_special_tokens else []
        return {"input_ids": [[*begin, *map(ord, text)] for text in texts]}

    def num_special_tokens_to_add(self) -> int:
        return len(self._begin)

    def apply_chat_template(
        self, messages: Sequence[Any], tokenize: bool = True, add_generation_prompt: bool = False
    ) -> str:
        assert not tokenize
        told = "".join(f"[{message['role'][0]}:{message['content']}]" for message in messages)
        return told + ("[a:" if add_generation_prompt else "")
