"""The prefix cache of an inference engine, and a tokenizer to feed it: how many tokens of a prompt need no prefill.

As in vLLM's automatic prefix caching: a prompt's tokens are cut into blocks of 16, a block is known by the hash of its
tokens and of all blocks before it, and the blocks that were used longest ago go first, of one prompt its last ones.
SGLang's radix cache differs in that it shares single tokens, not blocks.

Not covered: blocks are not pinned while their request runs (they are the youngest anyhow), and answers take no room.
"""

from __future__ import annotations

import re
import zlib
from array import array
from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from itertools import takewhile

BLOCK_TOKENS = 16
"""vLLM's default block size."""

_CODE = "Q"
# Words with the space before them, in pieces of at most seven letters, digits in threes, else character by character;
# about four characters a token on English prose, as the vocabularies of current models have it. A line is never left.
_PIECE = re.compile(r" ?[^\W\d_]{1,7}|\d{1,3}|[ \t]+(?=\S)|\n+|[^\w\s]{1,2}|.", re.DOTALL)
_OPEN, _CLOSE, _SPECIAL = 1, 2, 8
_ROLES = {"system": 3, "user": 4, "assistant": 5, "tool": 6}


class PrefixCache:
    """Room for `blocks` blocks of `block_tokens` tokens each, least recently used first out."""

    def __init__(self, blocks: int, block_tokens: int = BLOCK_TOKENS) -> None:
        self._room = blocks
        self._block_tokens = block_tokens
        self._known: OrderedDict[int, None] = OrderedDict()

    def __len__(self) -> int:
        """How many blocks it holds."""
        return len(self._known)

    def prefill(self, tokens: Sequence[int]) -> int:
        """How many tokens of this prompt were cached, a multiple of the block size; its whole blocks now are.

        The last token is always computed, for the first answered one depends on it: a prompt that is wholly cached
        computes its last block anew.
        """
        known, size = self._known, self._block_tokens
        chain = _chain(tokens, size)
        hits = sum(1 for _ in takewhile(known.__contains__, chain))
        for block in reversed(chain):  # a prompt's first block is its youngest: what others share stays longest
            known[block] = None
            known.move_to_end(block)
        while len(known) > self._room:
            known.popitem(last=False)
        return min(hits, max(len(tokens) - 1, 0) // size) * size


def _chain(tokens: Sequence[int], size: int) -> list[int]:
    raw = (tokens if isinstance(tokens, array) and tokens.typecode == _CODE else array(_CODE, tokens)).tobytes()
    step = size * 8
    chain, parent = [], 0
    for start in range(0, len(tokens) // size * step, step):
        parent = hash((parent, raw[start : start + step]))
        chain.append(parent)
    return chain


def tokenize(text: str) -> array[int]:
    """Tokens of a text: the same for the same text everywhere, about four characters each on English prose.

    Lines are tokenized apart from one another, so that a text's tokens begin with those of its first lines.
    """
    tokens: array[int] = array(_CODE)
    for line in text.splitlines(keepends=True):
        tokens.extend(_line(line))
    return tokens


@lru_cache(maxsize=8192)  # the calls of one document, and all calls of a stage, repeat their lines
def _line(line: str) -> array[int]:
    pieces = _PIECE.findall(line)
    return array(_CODE, [_SPECIAL + zlib.crc32(piece.encode("utf-8", "replace")) for piece in pieces])


def chat_tokens(messages: Iterable[Mapping[str, str]], schema: str = "") -> array[int]:
    """Tokens of a chat as an engine's template lays it out: a special token opens and closes each message, and the
    answer is opened. `schema` stands before it all, as OpenAI does with the schema of a structured reply; engines that
    constrain the sampler instead leave it out of the prompt."""
    tokens = tokenize(schema)
    for message in messages:
        tokens.extend((_OPEN, _ROLES.get(message["role"], 7)))
        tokens.extend(tokenize(str(message.get("content") or "")))
        tokens.append(_CLOSE)
    tokens.extend((_OPEN, _ROLES["assistant"]))
    return tokens
