"""Which of the values in an answer is the one that it gives.

An answer may be a bare value or a sentence with several: "Of the 50 states, 26 have one", "12 + 30 = 42", "42, not 43".
A kind finds the values (claims) and says of each whether it is the reference's; here the wording around them decides
which one counts. Where it does not, and the right one is among them, the verdict is None: naming several values must
never pay. Where none of them is right, the answer is wrong, whatever it gives.

    negated     not 43; rather than 43
    joined      42 or 43: alternatives, wrong unless both are right. 40-44, between 40 and 44: a range is no point
    bounded     more than 42, up to 42: None
    aside       in brackets, after "because", "which", "compared with"; a difference ("12 more"); a value that the
                question named: these count only if nothing else does
    concluded   after the last "=", "the answer is", "so", "in total"; or the thing that "how many" asks for

Not covered: contradictions that no listed word marks, and languages other than English.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Sequence
from fractions import Fraction
from functools import lru_cache
from itertools import islice, pairwise
from typing import NamedTuple, cast

from webscale_rl.reward.counting import STOPS_NOUN, counted, is_plain, is_right_after, names, stem
from webscale_rl.reward.verdict import Match


class Claim(NamedTuple):
    """A value in an answer: its place, whether it is the reference's value, a key that equal values share, and whether
    it is weak: it may be no value at all, as the "one" in "one of the"."""

    start: int
    end: int
    same: bool | None
    key: Hashable
    weak: bool = False


MAX_CLAIMS = 48
"""Values in one answer; with more it gives none of them."""
MAX_FIGURES = 100
"""Runs of digits in one answer; a value has a handful."""
LONGEST = 4_000
"""Characters of an answer, twice what the rule path takes for one."""
_FIGURES = re.compile(r"\d+")
_WINDOW = 48
_AHEAD = r"(?:exactly |a total of |about |approximately )?[$£€¥]?"


class _Cue(NamedTuple):
    """Words before a value that tell its part. `hints`: a text with none of these words and signs has no such cue."""

    pattern: re.Pattern[str]
    hints: frozenset[str]

    def stands_before(self, claim: Claim, text: str) -> bool:
        """Whether the words before the claim are this cue."""
        if self.hints.isdisjoint(_words(text)):
            return False
        return self.pattern.search(text[max(0, claim.start - _WINDOW) : claim.start]) is not None


@lru_cache(maxsize=64)
def _words(text: str) -> frozenset[str]:
    return frozenset(_WORD.findall(text))


_WORD = re.compile(r"[a-z]+|[<>≤≥±=≈⇒→]")


def _cue(pattern: str, hints: str) -> _Cue:
    return _Cue(re.compile(f"(?:{pattern})$"), frozenset(hints.split()))


_PARTITIVE = _cue(
    r"(?:^|[.,;:] ?|\d |% |percent )(?:out )?of |\b(?:of|among|amongst) (?:the|all|all the|its|their|his|her) ",
    "of among amongst",
)
_NEGATED = _cue(
    r"(?:\b(?:not|never|nor|cannot|unlike|except|excluding|rather than|instead of|as opposed to)|n't) "
    r"(?:(?:the|an?|in|at|by|on|of|just|only|exactly|really|actually|it|was|is|be|about|approximately"
    r"|year) ){0,3}\W{0,2}",
    "not never nor cannot unlike except excluding rather instead opposed t",
)
_BETWEEN = _cue(r"\bbetween \W?", "between")
_FROM = _cue(r"\bfrom \W?(?:about |around |a |an )?\W?", "from")
_BOUND = _cue(
    r"(?:\b(?:more|less|fewer|greater|higher|lower|larger|smaller|older|younger|longer|shorter|other|better|worse"
    r"|earlier|later) than|\bat (?:least|most)|\b(?:over|under|above|below|up to|nearly|almost|close to"
    r"|exceed(?:s|ing|ed)?|minimum of|maximum of|beyond|before|after|since|until|by the end of)|[<>≤≥]=?|±)"
    r" ?(?:the |a |an |year )?[$£€¥]?\W?",
    "than least most over under above below up nearly almost close exceed exceeds exceeding exceeded minimum maximum"
    " beyond before after since until end < > ≤ ≥ ±",
)
_LEAST = _cue(r"\b(?:at least|minimum of) ", "least minimum")
_LEAST_ASKED = re.compile(
    r"\b(?:minimum|lowest|least|smallest|youngest|legal age|how old must|required)\b", re.IGNORECASE
)
_CONCLUDES = _cue(
    r"(?:[=≈⇒→]|=>|\b(?:answer|result|solution|value|total|sum|number|count|amount)"
    r"(?: is| was| are|:| of| equals"
    r"| comes to)"
    r"|\b(?:in total|in all|altogether|overall|so|therefore|thus|hence|giving|making|leaving|equals|equal to"
    r"|equivalent to|totals?|totalling|totaling"
    r"|gives|get|makes|leaves|yields|we have)"
    rf"(?: \w{{1,12}}){{0,4}}?(?: is| was| are| were| of| be)?)[\s:]{{0,2}}{_AHEAD}\W{{0,2}}",
    "= ≈ ⇒ → all altogether overall answer result solution value total sum number count amount so therefore thus"
    " hence giving making leaving"
    " equals equal equivalent totals totalling totaling gives get makes leaves yields have",
)
_COPULA = _cue(rf"\b(?:is|are|was|were) {_AHEAD}", "is are was were")
_OR = re.compile(r"(?:^|[\s,(])(?:or|and/or|versus|vs\.?)\s")
_EQUIVALENT = re.compile(r"\b(?:that is|i\.e\.|in other words|equivalently|also known as)\b")
_DASH = re.compile(r"\W{0,3}(?:[a-z°%]{0,12}\s?)(?:-|–|—|~|\.\.\.?|…|to|through|till|until|up to)\s?\W{0,2}$")
_BOUND_AFTER = re.compile(
    r" ?(?:\+(?![\s\d])|\+$|plus\b|or (?:more|less|fewer|so|above|below|over|under|higher|lower|later|earlier)\b)"
)
_DIFFERENCE = re.compile(
    r"[ -]?(?:%|percent|years?|days?|months?|weeks?|hours?|points?|times)?[ -](?:more|fewer|less|higher|lower|greater"
    r"|larger|smaller|taller|longer|shorter|older|younger|earlier|later|after|before|ago|times|as many)\b"
)
_COMPARED = re.compile(
    r"[ -]?(?:%|percent|years?|days?|months?|weeks?|hours?|points?|times)?[ -](more|fewer|less|higher|lower|greater"
    r"|larger|smaller|taller|longer|shorter|older|younger|farther|further|off)\b"
)
_ASIDE = re.compile(
    r"\b(?:because|since|which|while|whereas|although|though|compared|given|followed by|out of|versus|until|unlike"
    r"|whose|where|against|vs\.?|including|alongside|based on|despite|when|after|before|during|per"
    r"|assuming|according to|up from|down from|well above|far above|above the|below the|short of|exceeding|beating)\b"
    r"|, from\b|[(\[]"
)
_WHERE = re.compile(r"\b(?:at|when|where|if|for|with|given|since|as|because|let|using) \$?[a-z]\w{0,3}\s?$")
_CONCLUDES_AFTER = re.compile(r"\W?(?: [a-z-]{1,20}){0,3} (?:in total|in all|altogether|overall|total)\b")
_DOUBTFUL = re.compile(
    r"\b(?:might|maybe|perhaps|possibly|could be|may be|may have|could have|unsure|not sure|not certain|uncertain"
    r"|guess(?:ing)?|don't know|do not know|unclear|unknown|cannot be determined|no idea)\b"
)


def crowded(text: str) -> bool:
    """Whether a text is longer, or has more figures, than an answer can: it gives no value, and need not be read."""
    if len(text) < 2 * MAX_FIGURES:
        return False
    if len(text) > LONGEST:
        return True
    return sum(1 for _ in islice(_FIGURES.finditer(text), MAX_FIGURES + 1)) > MAX_FIGURES


def decide(text: str, claims: Sequence[Claim], question: str = "", asked: frozenset[Hashable] = frozenset()) -> Match:
    """Whether the claim that the text gives is the reference's value. `asked` are the keys of the question's values.

    The claims stand in order and do not overlap; there is one at least.
    """
    if len(claims) > MAX_CLAIMS:
        return Match(False, "many")
    lower = text.lower()
    text = lower if len(lower) == len(text) else text  # places must stay what they are
    if all(claim.same is False for claim in claims):
        return Match(False, "value")
    claims = _with_approximations(claims)
    kept = [claim for claim in claims if not _NEGATED.stands_before(claim, text)]
    if not any(claim.same is not False for claim in kept):
        return Match(False, "negated")
    joined = _joined(text, _result(text, kept, asked))
    if joined is not None:
        return joined
    given, sure = _given(text, kept, question, asked)
    if not sure and given[0].same is False and any(claim.same and not claim.weak for claim in kept):
        return Match(None, "several")
    if any(claim.same is not given[0].same for claim in given[1:]):
        return Match(None, "several")
    if len({claim.key for claim in given}) > 1 and given[0].same is not False:
        return Match(None, "several")
    return _settled(text, given[0], question)


def _with_approximations(claims: Sequence[Claim]) -> Sequence[Claim]:
    """The claims, where one that only comes near a right one says the same as that: 11/12, which is about 0.917."""
    right = next((claim for claim in claims if claim.same and isinstance(claim.key, Fraction)), None)
    if right is None or not any(claim.same is None for claim in claims):
        return claims
    exact = cast("Fraction", right.key)
    return [
        claim._replace(same=True, key=exact)
        if claim.same is None and isinstance(claim.key, Fraction) and abs(claim.key - exact) * 100 <= abs(exact)
        else claim
        for claim in claims
    ]


def _settled(text: str, claim: Claim, question: str) -> Match:
    if claim.same is None:
        return Match(None, "near")
    if claim.same:
        if (
            _BOUND.stands_before(claim, text)
            or _BOUND_AFTER.match(text, claim.end, claim.end + 10)
            or _follows(_BOUND_AFTER, text, claim)
        ):
            # the least is what a question for the least asks for
            wanted = _LEAST.stands_before(claim, text) and _LEAST_ASKED.search(question)
            return Match(True if wanted else None, "bound")
        more = _COMPARED.match(text, claim.end)
        if more and more[1] not in question.lower():
            return Match(None, "difference")
        if _DOUBTFUL.search(text):
            return Match(None, "doubtful")
    return Match(claim.same, "value")


def _follows(pattern: re.Pattern[str], text: str, claim: Claim) -> bool:
    return pattern.match(text[claim.end : claim.end + _WINDOW]) is not None


def _result(text: str, claims: Sequence[Claim], asked: frozenset[Hashable]) -> Sequence[Claim]:
    """The claims behind the last "=" of a calculation, which is no range: (8 - 2)/(3 - 1) = 3. All if it has none."""
    equals = text.rfind("=")
    last = claims[-1]
    if len(claims) > 1 and _COPULA.stands_before(last, text) and len(text[last.end :].split()) <= 2:
        listed = all(claim.key in asked for claim in claims[:-1])
        before = next((claim for claim in claims[-2::-1] if not claim.weak), claims[-2])
        if listed or _LAST_CLAUSE.search(text, before.end, last.start) is not None:
            return claims[-1:]  # the median of 3, 7 and 9 is 7
    behind = [claim for claim in claims if claim.start > equals]
    return behind if equals >= 0 and len(behind) == 1 and not _in(_asides(text), equals) else claims


def _in(parts: Sequence[tuple[int, int]], place: int) -> bool:
    return any(start < place < end for start, end in parts)


def _joined(text: str, claims: Sequence[Claim]) -> Match | None:
    """Neighbours that the text joins to alternatives or to a range: then no single value is given."""
    for one, other in pairwise(claims):
        if one.same is other.same and (one.same or one.key == other.key):
            continue
        between = text[one.end : other.start]
        if len(between) > _WINDOW or (one.same is False and other.same is False):
            continue
        if _OR.search(between) and not _EQUIVALENT.search(between):
            return Match(None if None in (one.same, other.same) else False, "alternatives")
        if _DASH.match(between) or (_BETWEEN.stands_before(one, text) and re.search(r"\band\b", between)):
            return Match(None if _FROM.stands_before(one, text) else False, "range")
        if between.strip(" ,;&") in ("", "and") and len(claims) * 24 > len(text) and not one.weak and not other.weak:
            return Match(False, "several")
    return None


def _given(
    text: str, claims: Sequence[Claim], question: str, asked: frozenset[Hashable]
) -> tuple[Sequence[Claim], bool]:
    """The claims that count, of the strongest sort that there is; and whether the wording leaves no doubt of it."""
    if len(claims) == 1 or all(claim.key == claims[0].key for claim in claims):
        return claims, True
    equals = text.rfind("=")
    if equals >= 0 and (_in(_reasons(text), equals) or _WHERE.search(text[max(0, equals - 24) : equals])):
        reasons = _reasons(text) or [(equals - 1, len(text))]
        equals, claims = -1, _without(lambda claim: _in(reasons, claim.start), claims)
        if len(claims) == 1:
            return claims, True
    if equals >= 0:
        after = [claim for claim in claims if claim.start > equals]
        if len(after) == 1:
            return after, True
    if counts := _counts(text, claims, question):
        return counts, False
    # first, for "so" and "the sum of" also stand before what a sum is made of
    if _COPULA.stands_before(claims[-1], text) and len(text[claims[-1].end :].split()) <= 2:
        return claims[-1:], True
    strong = [
        claim for claim in claims if _CONCLUDES.stands_before(claim, text) or _follows(_CONCLUDES_AFTER, text, claim)
    ]
    strong = [claim for claim in strong if not claim.weak] or (strong if all(claim.weak for claim in claims) else [])
    if strong:
        return strong[-1:] if equals < strong[-1].start - 3 else strong, True
    claims = _without(lambda claim: claim.weak or _PARTITIVE.stands_before(claim, text), claims)
    claims = _without(lambda claim: claim.key in asked, claims)
    topics = _topics(question)
    named = [claim for claim in claims if _is_on_topic(text, claim, topics)] if topics else []
    if len(named) == 1:
        return named, False
    claims = _without(lambda claim: _follows(_DIFFERENCE, text, claim), claims)
    asides = _asides(text)
    return _without(lambda claim: any(start < claim.start < end for start, end in asides), claims), False


def _counts(text: str, claims: Sequence[Claim], question: str) -> Sequence[Claim]:
    """The claims that count what "how many" asks for; those right before its noun, if it has no other word."""
    noun = counted(question)
    if not noun:
        return ()
    counts = [
        claim
        for claim in claims
        if names(text, claim.end, noun) and not (claim.weak or _PARTITIVE.stands_before(claim, text))
    ]
    alone = [claim for claim in counts if is_right_after(text, claim.end, noun)] if is_plain(question) else []
    return alone if len(alone) == 1 else counts


def _reasons(text: str) -> list[tuple[int, int]]:
    """What is said after "because" behind an answer."""
    found = _REASON.search(text)
    return [(found.start(), len(text))] if found is not None and found.start() else []


_REASON = re.compile(r"[ ,(](?:because|since|as) ")


def _asides(text: str) -> list[tuple[int, int]]:
    """The parts of a text that say something else besides: from the word or bracket that opens them to their end."""
    parts = []
    for match in _ASIDE.finditer(text):
        opened, start = match[0], match.start()
        ahead = text[max(0, start - 2) : start]
        if opened in "([":
            end = text.find(")" if opened == "(" else "]", start)
        elif not ahead.strip(" .") or (ahead == ", " and opened in ("which", "whose", "where")):
            end = text.find(", ", start)
        else:
            stop = _SENTENCE_END.search(text, start)
            end = stop.start() if stop else -1
        parts.append((start, end if end >= 0 else len(text)))
    return parts


_LAST_CLAUSE = re.compile(r"[.;] |, (?:so|and) ")
_SENTENCE_END = re.compile(r"[.;](?:\s|$)")


def _without(test: Callable[[Claim], bool], claims: Sequence[Claim]) -> Sequence[Claim]:
    """The claims that the test spares, all of them if it spares none."""
    return [claim for claim in claims if not test(claim)] or claims


_TOPIC = re.compile(r"[^\W\d_]{3,}")
_CLAUSE = re.compile(r"(?:(?! (?:and|but|while|or) )[^,.;:()\d])*")


@lru_cache(maxsize=1024)
def _topics(question: str) -> frozenset[str]:
    return frozenset(stem(word) for word in _TOPIC.findall(question)) - STOPS_NOUN


def _is_on_topic(text: str, claim: Claim, topics: frozenset[str]) -> bool:
    """Whether the first words of the clause after a claim name what the question is about: 78% nitrogen, 21% oxygen."""
    clause = _CLAUSE.match(text, claim.end, claim.end + _WINDOW)
    words = _TOPIC.findall(clause[0]) if clause else []
    return any(stem(word) in topics for word in words[:3])
