"""The heuristics' measures in plain words: slow, without any bound, and what the fast ones are held to."""

from __future__ import annotations

import re
from collections import Counter

UNSPACED = re.compile(r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]")
NOISE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufffd]")
FURNITURE = (
    "cookie|cookies|privacy policy|terms of use|terms of service|all rights reserved|sign in|sign up|login|log in|"
    "subscribe|newsletter|javascript|share on|share this|skip to|read more|click here|back to top|add to cart|"
    "loading|impressum|datenschutz"
)
POLICY = (
    "javascript",
    "terms of use",
    "privacy policy",
    "cookie policy",
    "uses cookies",
    "use of cookies",
    "use cookies",
)
STOP_WORDS = ("the", "be", "to", "of", "and", "that", "have", "with")


def measure(rule: str, text: str) -> float | None:
    """What the rule measures of the text; None if it does not apply."""
    words = text.split()
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    paragraphs = [part.strip() for part in text.replace("\r\n", "\n").split("\n\n") if part.strip()]
    tokens = len(words) + len(UNSPACED.findall(text))
    visible = max(1, sum(map(len, words)))
    if rule in ("min_tokens", "max_tokens"):
        return tokens
    if rule in ("min_mean_word_length", "max_mean_word_length"):
        return None if tokens > 1.2 * len(words) else visible / max(1, len(words))
    if rule.startswith("max_top_"):
        return top_ngram(words, {"bigram": 2, "trigram": 3, "4gram": 4}[rule.removeprefix("max_top_")], visible)
    if match := re.fullmatch(r"max_duplicate_(\d+)grams", rule):
        return duplicate_ngrams(words, int(match[1]), visible)
    if rule in ("max_duplicate_lines", "max_duplicate_paragraphs"):
        return duplicate_characters(lines if rule.endswith("lines") else paragraphs)
    if rule in ("max_duplicate_line_count", "max_duplicate_paragraph_count"):
        parts = lines if "line" in rule else paragraphs
        return 1 - len(set(parts)) / len(parts) if parts else 0.0
    shares = {
        "max_symbol_ratio": len(re.findall(r"#+|\.\.\.|…", text)) / max(1, tokens),
        "min_alphabetic_words": 1 - sum(not has_letter(word) for word in words) / max(1, len(words)),
        "min_stop_words": sum(word in words for word in STOP_WORDS),
        "max_digits": len(re.findall(r"\d", text)) / visible,
        "max_noise": len(NOISE.findall(text)) / max(1, len(text)),
        "min_sentences": sum(sentences(line) for line in lines if is_prose(line)),
        "max_newlines": text.count("\n") / max(1, tokens),
    }
    return shares[rule] if rule in shares else line_share(rule, lines)


def line_share(rule: str, lines: list[str]) -> float:
    hits = {
        "max_bullet_lines": lambda line: line.startswith(("-", "*", "•", "·", "‣", "–", "►", "o ")),
        "max_ellipsis_lines": lambda line: line.endswith(("...", "…")),
        "max_boilerplate_lines": lambda line: len(line) <= 200 and re.search(rf"\b({FURNITURE})\b", line.lower()),
        "min_punctuated_lines": lambda line: line[-1] in ".?!…。．｡！？؟۔।॥։።៕⸮‼⁇⁈⁉",
        "max_short_lines": lambda line: len(line) <= 30,
    }[rule]
    return sum(1 for line in lines if hits(line)) / max(1, len(lines))


def has_letter(word: str) -> bool:
    return any(re.match(r"[^\W\d_]", character) for character in word)


def duplicate_characters(parts: list[str]) -> float:
    return 1 - sum(map(len, set(parts))) / sum(map(len, parts)) if parts else 0.0


def top_ngram(words: list[str], size: int, visible: int) -> float:
    counts = Counter(tuple(words[at : at + size]) for at in range(len(words) - size + 1))
    if not counts:
        return 0.0
    top, count = counts.most_common(1)[0]
    return sum(map(len, top)) * count / visible if count > 1 else 0.0


def duplicate_ngrams(words: list[str], size: int, visible: int) -> float:
    seen, characters, at = set(), 0, 0
    while at <= len(words) - size:
        ngram = tuple(words[at : at + size])
        if ngram in seen:
            characters += sum(map(len, ngram))
            at += size
        else:
            seen.add(ngram)
            at += 1
    return characters / visible


def is_prose(line: str) -> bool:
    if not line.endswith((".", "?", "!", '"', "'", "”", "’", "»", "。", "！", "？", "؟", "۔", "।")) or line.endswith(
        "..."
    ):
        return False
    if line[-1] not in "。！？" and (len(line.split()) < 3 or max(map(len, line.split())) > 1000):
        return False
    capitals = str.maketrans({chr(code): chr(code + 32) for code in range(65, 91)})
    return not any(phrase in line.translate(capitals) for phrase in POLICY)


def sentences(line: str) -> int:
    ends = re.findall(r"[.?!]+[\"')\]”’»]*(?=\s|\Z)", line) + re.findall(r"[。！？؟۔।]+", line)
    return max(1, len(ends))
