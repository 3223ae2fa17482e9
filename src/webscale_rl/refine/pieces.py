"""A text cut into pieces of at most so many tokens, at the ends of lines. Put together again, they are the text.

A line that is longer than a piece is cut after a sentence, else after a word. The pieces of a text are about equally
long: so no piece is a mere footer, which a rule about the share of what is removed would be unfair to.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from webscale_rl.refine.tokens import estimated_tokens

_SENTENCE_END = re.compile(r"(?<=[.!?])[ \t]+|(?<=[。！？।])")
_WORD_END = re.compile(r"(?<=\s)(?=\S)")


def cut(text: str, most_tokens: int) -> list[str]:
    """The pieces in their order; their concatenation is the text. Raises ValueError for less than 16 tokens."""
    if most_tokens < 16:
        raise ValueError(f"a piece of {most_tokens} tokens holds no sentence")
    total = estimated_tokens(text)
    if total <= most_tokens:
        return [text]
    aim = total / -(-total // most_tokens)
    found: list[str] = []
    parts: list[str] = []
    size = 0
    for part, tokens in _parts(text, most_tokens):
        if parts and (size + tokens > most_tokens or size >= aim):
            found.append("".join(parts))
            parts, size = [], 0
        parts.append(part)
        size += tokens
    return [*found, "".join(parts)]


def lines_of(piece: str) -> list[str]:
    """The lines of a piece, each with its line break; their concatenation is the piece. A line ends in a line feed
    alone: `str.splitlines` knows ten more ends, which a model cannot see."""
    lines = [f"{line}\n" for line in piece.split("\n")]
    lines[-1] = lines[-1][:-1]
    return [line for line in lines if line]


def numbered(piece: str) -> str:
    """The piece with the number of each line before it, from 1, as a model is shown it."""
    return "\n".join(f"[{number}] {line.rstrip()}" for number, line in enumerate(lines_of(piece), 1))


def _parts(text: str, most_tokens: int) -> Iterator[tuple[str, int]]:
    for line in lines_of(text):
        tokens = estimated_tokens(line)
        if tokens <= most_tokens:
            yield line, tokens
        else:
            yield from _cut_line(line, most_tokens)


def _cut_line(line: str, most_tokens: int) -> Iterator[tuple[str, int]]:
    for sentence in _split_after(_SENTENCE_END, line):
        tokens = estimated_tokens(sentence)
        if tokens <= most_tokens:
            yield sentence, tokens
            continue
        for word in _split_after(_WORD_END, sentence):
            tokens = estimated_tokens(word)
            if tokens <= most_tokens:
                yield word, tokens
            else:  # no spaces in it: a token has a character at least
                for start in range(0, len(word), most_tokens):
                    yield word[start : start + most_tokens], estimated_tokens(word[start : start + most_tokens])


def _split_after(mark: re.Pattern[str], text: str) -> Iterator[str]:
    start = 0
    for match in mark.finditer(text):
        yield text[start : match.end()]
        start = match.end()
    if start < len(text):
        yield text[start:]
