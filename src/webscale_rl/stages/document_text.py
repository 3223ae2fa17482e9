"""What every prompted stage does to a document's text: cut it to size, and find a quotation in it again."""

from __future__ import annotations

from functools import lru_cache

from webscale_rl.prompt import defuse

MIN_QUOTATION = 4
_TYPOGRAPHY = str.maketrans("‘’‚′“”„″«»‐‑‒–—−\xa0", '\'\'\'\'""""""------ ')


def excerpt(text: str, limit: int) -> str:
    """The text, or its first `limit` characters at most, cut after a paragraph, else a sentence, else a word."""
    if len(text) <= limit:
        return text
    head = text[:limit]
    for mark in ("\n\n", "\n", ". ", " "):
        at = head.rfind(mark)
        if at > limit // 2:
            return head[: at + len(mark)].rstrip()
    return head


def quoted_in(quotation: str, text: str) -> bool:
    """Whether the quotation stands in the text, up to white space, the shape of quotation marks and dashes (models set
    them anew), and what quoting changes in a prompt. Fewer than MIN_QUOTATION characters prove nothing."""
    wanted = _bare(quotation)
    return len(wanted) >= MIN_QUOTATION and wanted in _bare(text)


@lru_cache(maxsize=64)
def _bare(text: str) -> str:
    return "".join(defuse(text).translate(_TYPOGRAPHY).split())
