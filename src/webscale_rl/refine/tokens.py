"""How many tokens a text has, without a tokenizer: an estimate for budgets and for the size of pieces.

Counted are pieces of words of up to six letters, groups of up to three digits, line breaks, and every other visible
character; of scripts that have no spaces, every character. English prose comes to some 1.3 a word, as with the
tokenizers of current models; source code and tables come out too high rather than too low. Not for the books of what
was paid: those are the servers' own numbers.
"""

from __future__ import annotations

import re

UNSPACED = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff"
"""Thai, Lao, Burmese, Khmer, Japanese and Chinese, as a class of characters."""
_TOKEN = re.compile(rf"[{UNSPACED}]|(?:(?![{UNSPACED}])[^\W\d_]){{1,6}}|\d{{1,3}}|\n|[^\w\s]|_")


def estimated_tokens(text: str) -> int:
    """About how many tokens the text has."""
    return sum(1 for _ in _TOKEN.finditer(text))
