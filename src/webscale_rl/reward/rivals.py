"""Whether a sentence says of another name what was asked, though the right name stands in it as well.

    Germany hosted it and France won.                     the clause that answers "Who hosted it?" names Germany
    Saturn's largest moon is Titan; Jupiter's, Ganymede.  no rival: the clause with the right name answers

Each clause is weighed by the question's words that it has. Knows no grammar; what it finds is left to a judge.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from webscale_rl.reward.proper import DEMONYMS
from webscale_rl.reward.reference import Reference
from webscale_rl.reward.unmarked import STOP, beginning, content, last_question, roots

_APART = re.compile(r";\s|,\s(?=(?:the|an?)\s\w+\s\w+s\b)|,\s(?:and|but|while|whereas|although|though)\s|\s[-–—]\s")
"""Between clauses with a subject of their own each: phrases have no names to tell them."""
_PARTS = re.compile(r"[;,]|\s(?:and|but|while|whereas|although|though|[-–—])\s")
_OFFERED = re.compile(r"[;,]\s|,?\s(?:and|but|while|whereas|although|though)\s|\s[-–—]\s")
"""Between clauses where the question offers the names: "A was from England, B from Ireland"."""
_CLAUSE = re.compile(r";\s|,\s(?=(?:the|an?)\s\w+\s\w+s\b)|,?\s(?:and|but|while|whereas|although|though)\s|\s[-–—]\s")
_CAPITAL = re.compile(r"(?<![\w'])[A-ZÀ-ÖØ-Þ][^\W\d_]{1,40}")
_PRONOUN = re.compile(r"\W*(?:he|she|it|they|his|her|its|their)\b", re.IGNORECASE)
_HEARSAY = re.compile(
    r"\b(?:many|some|most|often|people|common\w*|popular\w*)\b.{0,40}\b(?:believ|think|thought|assum|say|said|claim)"
    r"|\b(?:myth|mistak\w+|misconception|contrary)\b",
    re.IGNORECASE,
)
"""What others say: the answer itself does not."""
_SILENT = DEMONYMS | STOP
_OPENERS = frozenset(
    "the a an it its he his she her they their this that these those there in on at by for from of as when while after"
    " before since both each all many most some mostly mainly only however also today originally although"
    " though".split()
)


def rival(references: Sequence[Reference], answer: str, question: str, is_right: Callable[[str], bool]) -> bool:
    """Whether another clause, with a name of its own, says at least as much of what was asked as the right one does.

    `is_right` says whether a clause alone is right.
    """
    if not _PARTS.search(answer):
        return False
    asked, acts = content(last_question(question)), roots(last_question(question))
    own = frozenset(word for one in references for text in (one.answer, *one.aliases) for word in content(text))
    offered = len(own & content(question)) * 2 > len(own)  # but for letters behind a name
    between = _OFFERED if offered else _CLAUSE if _is_named(references) else _APART
    clauses = [clause for clause in between.split(answer) if clause.strip()]
    if not 1 < len(clauses) < 6 or not asked:
        return False
    shared = [len(acts & roots(clause)) for clause in clauses]
    right = [index for index, clause in enumerate(clauses) if is_right(clause)]
    if not right or len(right) == len(clauses):
        return False
    origin = any(one.answer.casefold() in DEMONYMS for one in references)  # languages, nationalities
    if not origin and any(_PRONOUN.match(clauses[index]) for index in right):
        return False
    known = own if offered else own | asked
    best = max(max(shared[index] for index in right) + (not _is_named(references)), 1)
    others = [clause for index, clause in enumerate(clauses) if index not in right and shared[index] >= best]
    if _is_named(references):
        return any(_names(clause, known, STOP if origin else _SILENT) for clause in others)
    return any(len(content(clause) - known) > 0 and not _HEARSAY.search(clause) for clause in others)


def _is_named(references: Sequence[Reference]) -> bool:
    return all(one.answer[:1].isupper() for one in references)


def _names(clause: str, known: frozenset[str], silent: frozenset[str]) -> bool:
    """Whether a clause has a capitalised word that neither the reference nor the question has."""
    if _HEARSAY.search(clause):
        return False
    words = (word.casefold() for word in _CAPITAL.findall(clause))
    return any(word not in silent and word not in _OPENERS and beginning(word) not in known for word in words)
