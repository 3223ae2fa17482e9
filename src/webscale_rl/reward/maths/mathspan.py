"""Where in an answer the formula stands: "Therefore, $x = \\frac{1}{2}$." says x = 1/2.

The answer is read as a whole first. If it is a sentence, what follows its last "is", "are", "equals" or colon is read,
without the words that lead to it and without what explains it ("which ...", "since ..."). A negation, a condition or a
hedge is not read away: such an answer is not understood.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

from webscale_rl.reward.maths.lexemes import FUNCTIONS

_DOUBT = re.compile(
    r"(?<![\\A-Za-z])(?:not|never|cannot|can't|isn't|aren't|doesn't|don't|won't|except|unless|maybe|perhaps|possibly|"
    r"probably|might|could|may|wrong|incorrect|false|guess|unsure|unclear|neither|nor|either|if|depends|otherwise|"
    r"unable|assume|assuming)(?![A-Za-z])",
    re.IGNORECASE,
)
_COPULA = re.compile(
    r"(?<![\\A-Za-z{])(?:is|are|was|were|equals?|be|becomes|gives|yields|get|obtain|have|has|to|find|as|simplifies)"
    r"(?![A-Za-z])|"
    r":(?=\s|\$|\\)",
    re.IGNORECASE,
)
_EXPLAINED = re.compile(
    r"[,;]?\s*(?<![\\A-Za-z{])(?:which|where|when|since|because|obtained|occurring|occurs|attained|achieved|rounded|"
    r"correct to|in simplest|in its|in slope|in lowest|in the interval|respectively|as required|as desired)"
    r"(?![A-Za-z])",
    re.IGNORECASE,
)
_ASIDE = re.compile(
    r"\((?:≈|~|\\approx|approximately|approx\.?|about|roughly|or about|or approximately)[^()]*\)"
    r"|,?\s*\bor\s+(?:approximately|about|roughly)\s+[0-9.]+"
)
_LEADING = re.compile(r"(?:[A-Za-z][A-Za-z'-]+|a)[,:;]?\s+|[,:;]\s*")
_KEPT = FUNCTIONS | {
    "pi",
    "infinity",
    "inf",
    "theta",
    "alpha",
    "beta",
    "lambda",
    "mu",
    "sigma",
    "no",
    "all",
    "none",
    "empty",
}
_SAID = re.compile(r"(?<![\\A-Za-z])([A-Za-z])\s+(?:is|equals|is equal to)\s+(?=[-0-9\\(])")
_WRAPPED = re.compile(r"\\(?:boxed|fbox|displaystyle|mathbf|bm|boldsymbol|text|mathrm|ensuremath|framebox)\s*\{")
_DELIMITERS = re.compile(r"\$\$?|\\[()\[\]]")
_MONEY = re.compile(r"\$(?=\d)")
_AROUND = (("$$", "$$"), ("$", "$"), (r"\(", r"\)"), (r"\[", r"\]"))
_EDGES = " \t\n.,;:*`_"


def visible(text: str) -> str:
    """The text without characters that cannot be seen."""
    if text.isascii():
        return text
    return "".join(char for char in text if unicodedata.category(char) not in ("Cf", "Cc") or char == "\n")


def doubtful(text: str) -> bool:
    """Whether the answer is negated, hedged, or holds under a condition."""
    return _DOUBT.search(text) is not None


def candidates(answer: str) -> Iterator[str]:
    """What the answer may be stating, the likeliest first; at most six texts."""
    text = bare(answer)
    yield text
    plain = _undelimited(text)
    if plain != text:
        yield plain
    said = _SAID.sub(r"\1 = ", plain)
    if said != plain:
        yield said
    stated = _ASIDE.sub("", plain)
    found = _EXPLAINED.search(stated)
    if found is not None and found.start() > 0:
        stated = stated[: found.start()]
    last = next(reversed(list(_COPULA.finditer(stated))), None)
    after = stated[last.end() :] if last is not None else stated
    if after != text:
        yield after.strip(_EDGES)
    yield _without_lead(after)
    if last is not None:
        yield _without_lead(stated)


def bare(text: str) -> str:
    """The text without the box, the dollars and the full stop around it."""
    for _ in range(4):
        before = text
        text = _ended(text.strip().strip("*`").strip())
        wrapped = _WRAPPED.match(text)
        if wrapped is not None and text.endswith("}") and _closes_at_end(text, wrapped.end() - 1):
            text = text[wrapped.end() : -1]
        for opening, closing in _AROUND if text[:1] in ("$", "\\") else ():
            inner = text[len(opening) : -len(closing)]
            around = text.startswith(opening) and text.endswith(closing) and len(text) > 2 * len(opening)
            if around and opening not in inner and closing not in inner and not inner.endswith("\\"):
                text = inner
                break
        if text == before:
            break
    return text


def _ended(text: str) -> str:
    while text and text[-1] in ".,;:" and not text.endswith(("\\,", "\\;", "\\:")):
        text = text[:-1].rstrip()
    return text


def _closes_at_end(text: str, start: int) -> bool:
    depth = 0
    for at in range(start, len(text)):
        depth += {"{": 1, "}": -1}.get(text[at], 0)
        if depth == 0:
            return at == len(text) - 1
    return False


def _undelimited(text: str) -> str:
    """Mathematics and prose in one line, without the signs between them. A lone dollar is money."""
    if text.count("$") - text.count("\\$") == 1:
        text = _MONEY.sub(r"\\$", text)
    return _ended(_DELIMITERS.sub(lambda found: found.group() if _escaped(found) else " ", text).strip())


def _escaped(found: re.Match[str]) -> bool:
    return found.group() == "$" and found.string[found.start() - 1 : found.start()] == "\\"


def _without_lead(text: str) -> str:
    at = 0
    while (word := _LEADING.match(text, at)) is not None:
        if word.group().strip(" ,:;\n\t").lower() in _KEPT:
            break
        at = word.end()
    return _ended(text[at:].strip())
