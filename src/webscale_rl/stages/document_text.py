"""What every prompted stage does to a document's text: cut it to size, and find a quotation in it again."""

from __future__ import annotations

import unicodedata
from functools import lru_cache

from webscale_rl.prompt import defuse

MIN_QUOTATION = 10
_TYPOGRAPHY = str.maketrans("‘’‚′“”„″«»‐‑‒–—−", '\'\'\'\'""""""------', "\xad\u200b\u200c\u200d\u2060\ufeff")


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
    """Whether the quotation stands in the text, up to white space, the forms of characters (ligatures, quotation marks,
    dashes: models set them anew), and what quoting changes in a prompt.

    Fewer than MIN_QUOTATION visible characters prove nothing, for "the" stands in every text; wide ones, as Chinese is
    written in, count twice. Not covered: whether the quotation has to do with the answer.
    """
    wanted = _bare(quotation)
    if len(wanted) + (0 if wanted.isascii() else sum(map(_is_wide, wanted))) < MIN_QUOTATION:
        return False
    return quotation in text or wanted in _bare_document(text)


def _bare(text: str) -> str:
    plain = defuse(text)
    if not plain.isascii():
        plain = unicodedata.normalize("NFKC", plain.translate(_TYPOGRAPHY))
    return "".join(plain.split())


_bare_document = lru_cache(maxsize=64)(_bare)


def _is_wide(character: str) -> bool:
    return unicodedata.east_asian_width(character) in "WF"
