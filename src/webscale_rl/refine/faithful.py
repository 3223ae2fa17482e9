"""GDR: does a cleaned text say anything that its source does not? A rule, for a model's word is no proof.

Refused are
- a number that the source does not hold, digit for digit
- a capitalised word that the source does not hold in any case: a name
- more negations than the source has
- words that the source does not hold, more than two and than one in fifty: so many may be misspellings that were mended
- a passage of its own: more than LONGEST_NEW runs of five words in a row of which the source holds none. A cut makes
  four of them where its ends meet, a word that was mended five, a new sentence as many as it has words
- more visible characters than the source, by more than a fiftieth: repetition
- fewer than may be left

Not covered: what is left out, a "not" included, and two true halves that were joined to a false whole.
"""

from __future__ import annotations

import re
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
"""One word in so many may be new."""
_NUMBER = re.compile(r"\d+(?:[.,:]\d+)*")
_WORD = re.compile(rf"[{UNSPACED}]|(?:(?![{UNSPACED}])\w)+")


def infidelity(cleaned: str, source: str, most_removed: float) -> tuple[Infidelity, str] | None:
    """Why the cleaned text is not to be taken for its source, with what was found; None if it may."""
    if strange := _first_missing(_NUMBER.findall(cleaned), set(_NUMBER.findall(source))):
        return "adds_facts", f"the number {strange[:40]}"
    words, known = _WORD.findall(cleaned), _WORD.findall(source.casefold())
    folded = [word.casefold() for word in words]
    vocabulary = set(known)
    if strange := next((w for w in words if w[0].isupper() and w.casefold() not in vocabulary), ""):
        return "adds_facts", f"the name {strange[:40]}"
    if _negations(folded) > _negations(known):
        return "adds_facts", "a negation"
    new_words = [word for word in folded if word not in vocabulary]
    if len(new_words) > max(2, len(folded) // MENDED):
        return "adds_text", f"{len(new_words)} words that the source does not hold: {' '.join(new_words)[:80]}"
    if (passage := _longest_new(folded, known)) > LONGEST_NEW:
        return "adds_text", f"a passage of {passage + RUN - 1} words that the source does not hold"
    before, after = visible(source), visible(cleaned)
    if after > before + max(before // 50, RUN):
        return "adds_text", f"{after - before} characters more than the source"
    if before and 1 - after / before > most_removed:
        return "removes_too_much", f"{1 - after / before:.0%} of the text, {most_removed:.0%} may go"
    return None


def _negations(words: list[str]) -> int:
    return sum(word in NEGATIONS for word in words) + sum(word == "t" for word in words)  # "isn't" is read as two


def _longest_new(words: list[str], known: list[str]) -> int:
    """How many runs of words in a row the other text does not hold, at the most."""
    runs = {tuple(known[at : at + RUN]) for at in range(len(known) - RUN + 1)}
    new = (tuple(words[at : at + RUN]) not in runs for at in range(len(words) - RUN + 1))
    return max((sum(1 for _ in group) for is_new, group in groupby(new) if is_new), default=0)


def _first_missing(found: list[str], known: set[str]) -> str:
    return next((one for one in found if one not in known), "")
