"""GDR: does a cleaned text say anything that its source does not? A rule, for a model's word is no proof.

Cleaning takes away: the words that are left stand in the source, in its order. Refused are
- a number that the source does not hold, digit for digit, or numbers in another order
- a capitalised word that the source does not hold in any case: a name
- more negations than the source has
- words out of the source's order (beyond the longest common subsequence), more than four and than one in fifty: so many
  may be misspellings and broken words that were mended
- in one line, more than LONGEST_NEW runs of five words in a row of which the source holds none: a passage of its own. A
  cut makes four of them where its ends meet, a word that was mended five, a new sentence as many as it has words
- fewer characters than may be left

Not covered: what is left out, a "not" included, and two true halves that were joined to a false whole.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import groupby
from typing import Literal

from webscale_rl.refine.program import visible
from webscale_rl.refine.tokens import UNSPACED

Infidelity = Literal["adds_facts", "adds_text", "removes_too_much"]
INFIDELITIES: frozenset[Infidelity] = frozenset({"adds_facts", "adds_text", "removes_too_much"})
RUN = 5
LONGEST_NEW = 8
NEGATIONS = frozenset(
    "not no never none nor neither cannot without nicht kein keine nie pas non jamais sin nunca".split()
)
MENDED = 50
"""One word in so many may be out of order; or four, in a short text."""
_NUMBER = re.compile(r"\d+(?:[.,:]\d+)*")
_WORD = re.compile(rf"[{UNSPACED}]|(?:(?![{UNSPACED}])\w)+")


def infidelity(cleaned: str, source: str, most_removed: float) -> tuple[Infidelity, str] | None:
    """Why the cleaned text is not to be taken for its source, with what was found; None if it may."""
    if strange := _out_of_order(_NUMBER.findall(cleaned), _NUMBER.findall(source)):
        return "adds_facts", f"the number {strange[:40]}"
    words, known = _WORD.findall(cleaned), _words(source)
    vocabulary = set(known)
    if strange := next((w for w in words if w[0].isupper() and w.casefold() not in vocabulary), ""):
        return "adds_facts", f"the name {strange[:40]}"
    folded = [word.casefold() for word in words]
    if _negations(folded) > _negations(known):
        return "adds_facts", "a negation"
    strangers = len(folded) - _common(folded, known)
    if strangers > max(4, len(folded) // MENDED):
        return "adds_text", f"{strangers} words that do not stand there in the source"
    if (passage := _longest_new(cleaned, known)) > LONGEST_NEW:
        return "adds_text", f"a passage of {passage + RUN - 1} words that the source does not hold"
    before, after = visible(source), visible(cleaned)
    if before and 1 - after / before > most_removed:
        return "removes_too_much", f"{1 - after / before:.0%} of the text, {most_removed:.0%} may go"
    return None


def _words(text: str) -> list[str]:
    return _WORD.findall(text.casefold())


def _negations(words: Sequence[str]) -> int:
    return sum(word in NEGATIONS for word in words) + sum(word == "t" for word in words)  # "isn't" is read as two


def _common(words: Sequence[str], known: Sequence[str]) -> int:
    """The length of the longest common subsequence: the bit-parallel algorithm of M. Crochemore et al., "A fast and
    practical bit-vector algorithm for the longest common subsequence problem" (Inf. Process. Lett. 80, 2001)."""
    places: dict[str, int] = {}
    for at, word in enumerate(known):
        places[word] = places.get(word, 0) | 1 << at
    everywhere = (1 << len(known)) - 1
    unmatched = everywhere
    for word in words:
        matches = unmatched & places.get(word, 0)
        unmatched = (unmatched + matches | unmatched - matches) & everywhere
    return len(known) - unmatched.bit_count()


def _longest_new(cleaned: str, known: Sequence[str]) -> int:
    """How many runs of words in a row of one line the source does not hold, at the most."""
    runs = {tuple(known[at : at + RUN]) for at in range(len(known) - RUN + 1)}
    longest = 0
    for line in cleaned.split("\n"):
        words = _words(line)
        new = (tuple(words[at : at + RUN]) not in runs for at in range(len(words) - RUN + 1))
        longest = max([longest, *(sum(1 for _ in group) for is_new, group in groupby(new) if is_new)])
    return longest


def _out_of_order(found: Sequence[str], known: Sequence[str]) -> str:
    """The first that is not found in the other's order."""
    left = iter(known)
    return next((one for one in found if one not in left), "")
