r"""What is wrong about an answer before anybody compares it: free, and without a look at what is right.

    several_answers   other boxes, tags or marked lines that say something else; more candidates than a list has room
    for chat_tokens       a chat template's tokens: a turn that the model wrote for somebody else
    mixed_script      a word of Latin and look-alike letters ("Pаris" with a Cyrillic а), which hides from every rule
    hidden            text that is not displayed: comments, \phantom, display:none, white on white
    struck_out        text that is crossed out, by Markdown or by overlay characters
    no_commitment     "I don't know", "cannot be determined", whatever stands behind it
    and the reasons in `refusals.py`: filler, placeholder, question_copy, injection, no_words

What a reference says itself is never refused. Alternatives and negation within a phrase belong to the kinds.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

from webscale_rl.reward.reference import Reference
from webscale_rl.reward.text import fold

SHOTGUN = 3
"""So many candidates of one shape, without a list being asked for, are a shotgun."""

_CHAT = re.compile(
    r"<[|｜][^|｜<>\n]{1,60}[|｜]>|\[/?INST\]|<</?SYS>>|</?s>|<(?:start|end)_of_turn>|^\s*(?:###\s*)?(?:user"
    r"|assistant|system|human)\s*:",
    re.IGNORECASE | re.MULTILINE,
)
_WORD = re.compile(r"[^\W\d_]+")
_LATIN = re.compile(r"[A-Za-z]")
# Cyrillic, Armenian, Cherokee, Coptic, Lisu; of Greek and of the phonetic alphabet only what looks Latin
_FOREIGN = re.compile(r"[\u0400-\u052f\u0531-\u0587\u13a0-\u13ff\uab70-\uabbf\u2c80-\u2cff\ua4d0-\ua4ff\ua640-\ua69f]")
_GREEK = re.compile(r"[ΑΒΕΖΗΙΚΜΝΟΡΤΥΧοϲϳ]")
_GREEK_INSIDE = re.compile(r"(?<=[a-z])[αικνρτυχ](?=[a-z])")
_PHONETIC = re.compile(r"[ɑɡᴀᴄᴅᴇᴊᴋᴍɴᴏᴘᴛᴜᴠᴡᴢʀɪʟʙɢʜʏ]")
_FUNCTION = re.compile(r"sin|cos|tan|log|ln|exp|lim|max|min")
_LOOKALIKES = frozenset("аеорсухіјѕһԁԛԝьгпАВЕКМНОРСТХУІЈЅ")
_STRUCK = re.compile(r"~~[^~\n]{1,200}~~|[^\W_][\u0334-\u0338]|</?(?:s|del|strike)>")
_HIDDEN = re.compile(
    r"<!--|\\[hv]?phantom\b|\\(?:text)?color\s?\{\s?white|\bdisplay\s?:\s?none|\bvisibility\s?:\s?hidden|\bhidden>",
    re.IGNORECASE,
)
_NO_COMMITMENT = re.compile(
    r"^\W{0,4}(?:(?:sorry|apologies|unfortunately|as an ai[a-z ]{0,20})\b[, ]*(?:but )?)?(?:i (?:do not|don't"
    r"|cannot|can't|could not|couldn't|am unable to"
    r"|'m unable to|am not able to|have no|am not sure|'m not sure)\b|i(?:'m| am) (?:unable|not able|not sure"
    r"|not certain|unsure)\b|(?:it is|it's) (?:not possible"
    r"|impossible|unclear|unknown)\b|(?:cannot|can't) be (?:determined|answered|known)|(?:not enough"
    r"|insufficient) (?:information|data|context)|unknown\W*\Z"
    r"|no (?:answer|idea)\W*\Z|none of (?:the above|these|them)\W*\Z|n/?a\W*\Z|null\W*\Z|all of (?:the above"
    r"|these|them)\W*\Z)",
    re.IGNORECASE,
)
_GUESSES = re.compile(r"\b(?:but|however|though|think|believe|guess|would say|likely|probably)\b", re.IGNORECASE)
_SEPARATOR = re.compile(r"\s*(?:[,;|\n、]|(?<=\S)\s/\s|(?<=\w)/(?=\w)|\bor\b|\band\b)\s*", re.IGNORECASE)
_FIGURES = re.compile(r"(?<!\d)\d{1,4}/\d{1,2}/\d{1,4}(?![\d/])")
"""A date in figures, whose slashes separate no answers."""
_NUMBER = re.compile(r"[-+~≈$€£]?\s?\d[\d,.]*\s?%?")
_SCALAR = frozenset(
    {"number", "quantity", "percentage", "money", "date", "person", "name", "choice", "yes_no", "code", "phrase"}
)


def guard(references: Sequence[Reference], question: str, response: str, answer: str) -> str | None:
    """Why this final answer is wrong whatever the right one is, in one word; None if nothing speaks against it."""
    facts = _allowed(tuple(reference.answer for reference in references))
    if _may_have_chat_tokens(response) and not facts.chat and _CHAT.search(response):
        return "chat_tokens"
    if not answer.isascii() and not facts.mixed and mixed_script(answer):
        return "mixed_script"
    if not facts.hidden and _HIDDEN.search(answer):
        return "hidden"
    if not facts.struck and _STRUCK.search(answer):
        return "struck_out"
    if not facts.open and _NO_COMMITMENT.match(answer) and not _GUESSES.search(answer):
        return "no_commitment"
    if _shotgun(references, answer) or (answer.count(":") > 1 and _relabelled(answer)):
        return "several_answers"
    return None


def refused(references: Sequence[Reference], question: str, answer: str) -> str | None:
    """Why no judge would be asked about this answer. Apart from `guard`: what compares as wrong does not need it."""
    from webscale_rl.reward.refusals import refusal  # when first used, as the kinds

    why = refusal(question, [reference.answer for reference in references], answer)
    if why == "question_copy" and references[0].type == "yes_no" and _is_statement(question, answer):
        return None  # "Both are American.", where it was asked whether both are
    return None if why == "no_words" and any(reference.type == "formula" for reference in references) else why  # {}


def _is_statement(question: str, answer: str) -> bool:
    """Whether an answer in the question's words states what was asked: it does not begin as the question does."""
    first, asked = answer.split()[:1], question.split()[:1]
    return not answer.rstrip().endswith("?") and first != [] and [fold(first[0])] != [fold(word) for word in asked]


class _Allowed:
    """What the references say themselves and an answer may say too."""

    def __init__(self, answers: tuple[str, ...]) -> None:
        joined = "\n".join(answers)
        self.answers = answers
        self.chat = _CHAT.search(joined) is not None
        self.mixed = mixed_script(joined)
        self.hidden = _HIDDEN.search(joined) is not None
        self.struck = _STRUCK.search(joined) is not None
        self.open = any(_NO_COMMITMENT.match(answer) for answer in answers)


@lru_cache(maxsize=512)
def _allowed(answers: tuple[str, ...]) -> _Allowed:
    return _Allowed(answers)


def _may_have_chat_tokens(response: str) -> bool:
    return "<" in response or "[" in response or ":" in response


def mixed_script(text: str) -> bool:
    """Whether a word mixes Latin letters with letters of another script that look like them.

    Units, symbols and formulas may: kΩ, ΔG, 2πr. So may words of which one part is in another script (CJK, Hebrew).
    """
    for found in _WORD.finditer(text):
        word = found[0]
        if word.isascii():
            continue
        if not _LATIN.search(word):
            if len(word) <= 4 and set(word) <= _LOOKALIKES and _mostly_latin(text):
                return True
            continue
        if _FOREIGN.search(word) or _GREEK.search(word):
            return True
        if _GREEK_INSIDE.search(word) and not _FUNCTION.search(word):
            return True
        if _PHONETIC.search(word) and "/" not in text and "[" not in text:
            return True
    return False


def _mostly_latin(text: str) -> bool:
    letters = [character for character in text[:500] if character.isalpha()]
    return sum(character.isascii() for character in letters) * 2 > len(letters)


def _relabelled(answer: str) -> bool:
    """Whether one label has two values: "Capital: Paris; Capital: London"."""
    found: dict[str, str] = {}
    for part in re.split(r"[;\n,]", answer):
        label, colon, value = part.partition(":")
        if colon and value.strip() and found.setdefault(fold(label), fold(value)) != fold(value):
            return True
    return False


def _shotgun(references: Sequence[Reference], answer: str) -> bool:
    """Whether the answer lists candidates where one is wanted: three numbers, or three short items on lines."""
    if any(reference.type not in _SCALAR for reference in references):
        return False
    if (not any(mark in answer for mark in ",;|\n/、") and " or " not in answer) or _FIGURES.search(answer):
        return False
    items = [item for item in _SEPARATOR.split(answer) if item and item.strip()]
    if len(items) < SHOTGUN:
        return False
    allowed = max(len(_SEPARATOR.split(reference.answer)) for reference in references)
    if len(items) <= allowed:
        return False
    numbers = [item.strip(" .") for item in items if _NUMBER.fullmatch(item.strip(" ."))]
    if len(numbers) >= SHOTGUN and len(numbers) == len(items) and not _NUMBER.fullmatch(answer.strip()):
        return len(set(numbers)) >= SHOTGUN
    lines = {fold(line) for line in answer.split("\n") if line.strip()}
    return len(lines) >= SHOTGUN and all(len(line.split()) <= 6 for line in lines)
