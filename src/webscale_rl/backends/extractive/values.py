"""Questions for dates, numbers and names: turned into a wh-question where the syntax is plain, else asked as a blank.

A blank is cut only from a sentence that names what it is about, so that one value and no other belongs there.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from webscale_rl.backends.extractive.candidate import Candidate, tidy
from webscale_rl.backends.extractive.spans import Span, is_person, names_in, values_in
from webscale_rl.backends.extractive.words import AUXILIARIES, FUNCTION_WORDS, GIVEN_NAMES, PAST_TO_BASE, content
from webscale_rl.types import AnswerType

_PREPOSITION = re.compile(r"(?:^|[ ,])(?P<word>In|On|in|on) (?:the year )?$")
_CLAUSE_BREAK = re.compile(
    r",|\b(?:that|which|who|whom|whose|when|where|while|and|or|but|because|although|after|before|until|[a-z]+ing)\b"
)
_HAS = re.compile(
    r"(?P<subject>[^,;:]{2,90}?) (?P<verb>has|have|had|contains?|contained|comprises?|comprised|consists? of"
    r"|consisted of) (?P<hedge>(?:about |"
                  r"approximately |over |more than |at least |nearly |around |an estimated |only "
                  r"|exactly )?)$")  # fmt: skip
_THERE = re.compile(
    r"There (?P<be>are|were) (?P<hedge>(?:about |approximately |over |more than |at least |nearly |around "
    r"|currently |an estimated )?)$"
)
_GENE = re.compile(
    r"(?P<subject>[^,;:]{3,90}?) (?:is|are) (?:usually |often |typically |most often )?(?:caused by|the result of"
    r"|due to|associated with) (?:genetic |a |an )?(?:mutations?|changes?|variants?|alterations?) "
    r"(?:\(mutations?\) )?in the (?P<gene>[A-Z][A-Z0-9-]{1,9}) gene\b(?!s| or| and)"
)
_MUTATIONS = re.compile(
    r"(?:Mutations|Changes|Variants) (?:\(mutations\) )?in the (?P<gene>[A-Z][A-Z0-9-]{1,9}) gene (?:can )?cause "
    r"(?P<subject>[^,;:]{3,90})\.$"
)
_AGENT = re.compile(
    r"(?P<subject>[A-Z][^,;:]{3,60}?) (?:is|are) (?:a [a-z ]{3,30} )?caused by (?:an? "
    r"|the )?(?:infection with )?(?:an? |the )?"
    r"(?P<kind>bacterium|bacteria|virus|parasite|fungus|protozoan|mite|worm|tick|mosquito)(?: called| known as"
    r"| named)? "
    r"(?P<name>[A-Z][a-z]+(?: [a-z]{4,})?)\b(?! or| and|,)"
)
_INHERITED = re.compile(
    r"(?P<subject>[^,;:]{3,90}?) (?P<be>is|are) (?:usually |typically "
    r"|generally )?inherited in an? (?P<how>autosomal dominant|autosomal recessive|X-linked recessive|"
    r"X-linked dominant|X-linked|mitochondrial) (?:manner|pattern|fashion)"
)
_BY = re.compile(
    r"(?P<subject>[^,;:]{3,90}?) (?:was|were) (?:originally |first )?(?P<verb>founded|invented|discovered"
    r"|designed|written|composed|directed|developed|created|"
    r"established|coined|proposed|painted|introduced|built|formulated"
    r"|commissioned) by (?:the )?(?P<name>[A-Z][\w’'.-]+(?: [A-Z][\w’'.-]*| of| de| van| von| the){0,6})"
    r"(?P<rest>(?: (?:in|at|for|during|as) [^,;]{3,60})?)\.$"
)
_PAST = {"written": "wrote", "built": "built"}
_DID = re.compile(
    r"(?P<name>[A-Z][\w’'.-]+(?: [A-Z][\w’'.-]*| de| van| von){1,4}) (?P<verb>founded|invented|discovered"
    r"|designed|wrote|composed|directed|coined|"
                  r"created|established|introduced|painted|formulated|proposed|developed|published|patented"
                  r"|won) (?!about|that|of |to )(?P<rest>[^;:]{20,200})\.$")  # fmt: skip
_PARTICIPLES = frozenset(
    "born built made given held sold sent won begun chosen written found led left lost met put set shot split"
    " taken cut".split()
)
_STUDIED = re.compile(
    r"\b(?:analy[sz]ed|studied|surveyed|examined|tested|recruited|interviewed|according to|poll|researchers?"
    r"|scientists|found that|random)\b"
)
_YEAR = re.compile(r"\b(?:1[5-9]\d\d|20[0-4]\d)\b")
_RELATIVES = frozenset("that which who when where".split())
_VERBS = AUXILIARIES | PAST_TO_BASE.keys() | _RELATIVES
_EPONYM = re.compile(r"\b(?:syndrome|disease|disorder|dystrophy|anomaly|law|theorem|effect|equation|principle)\b")
_TIME_UNIT = re.compile(r"(?:second|minute|hour|day|week|month|year|decade)s?$")
_PHYSICAL = re.compile(
    r"[^a-z]*(?:kilom|met|mile|feet|foot|cent|milli|km|m$|°|degrees|K$|kg|light|tons?$|tonnes|astron|AU)"
)
_VAGUE_COUNT = re.compile(
    r"(?:ways?|things?|reasons?|examples?|steps?|points?|questions?|parts|main|major|key|different|basic|more"
    r"|other|additional|minutes|people who)\b"
)


def from_sentence(text: str, place: int, evidence: str, about: bool) -> Iterator[Candidate]:
    """The value questions of one stand-alone sentence. `about`: the sentence names the page's topic."""
    yield from _patterns(text, place, evidence)
    spans = values_in(text)
    names = names_in(text)
    anchors = sum(_anchors(span) for span in names) + about
    leading = (bool(names) and names[0].start <= 4 and _anchors(names[0]) > 0) or (
        about and text.split(" ", 1)[0] != "In"
    )
    for span in spans:
        if anchors < 1 or _weak(text, span):
            continue
        question = _dated(text, span) if span.kind == "date" else _counted(text, span)
        if question is None and '"' not in text and _determined(text, span, anchors, leading):
            question = f'Fill in the missing {span.noun}: "{text[: span.start]}____{text[span.end :]}"'
        if question is not None and (span.kind == "date" or not _STUDIED.search(text)):
            score = 7.0 + min(anchors, 4) / 4 - (2.0 if question.startswith("Fill") else 0.0)
            yield Candidate(score, place, tidy(question), span.text, span.kind, evidence, f"{span.kind}:{question[:8]}")


def _patterns(text: str, place: int, evidence: str) -> Iterator[Candidate]:
    if match := _GENE.match(text):
        subject = _lower(match["subject"])
        yield Candidate(
            9.5, place, f"Mutations in which gene cause {subject}?", match["gene"], "name", evidence, "gene"
        )
    if match := _MUTATIONS.match(text):
        question = f"Mutations in which gene cause {match['subject']}?"
        yield Candidate(9.5, place, question, match["gene"], "name", evidence, "gene")
    if match := _AGENT.match(text):
        question = f"Which {match['kind']} causes {_lower(match['subject'])}?"
        yield Candidate(9.5, place, question, match["name"], "name", evidence, "agent")
    if match := _INHERITED.match(text):
        question = f"In what pattern {match['be']} {_lower(match['subject'])} inherited?"
        yield Candidate(9.0, place, question, match["how"], "phrase", evidence, "inherited")
    if (match := _BY.match(text)) and len(content(match["subject"])) >= 1:
        verb = _PAST.get(match["verb"], match["verb"])
        name = match["name"].rstrip(".")
        kind: AnswerType = "person" if is_person(name) else "name"
        question = tidy(f"Who {verb} {_lower(match['subject'])}{match['rest']}?")
        yield Candidate(9.0, place, question, name, kind, evidence, "by")
    did = _DID.match(text)
    if did and names_in("x " + did["rest"]) and len(content(did["rest"])) >= 4 and is_person(did["name"]):
        yield Candidate(8.5, place, f"Who {did['verb']} {did['rest']}?", did["name"], "person", evidence, "did")


def _anchors(span: Span) -> int:
    """A name anchors a sentence unless it is a lone first name, as of a person in a textbook exercise."""
    if " " not in span.text and span.text.casefold() in GIVEN_NAMES:
        return 0
    return 1


def _weak(text: str, span: Span) -> bool:
    """Whether the value could as well be another: a vague count, or one of several of a list."""
    after = text[span.end :].lstrip()
    if span.kind == "number" and (_VAGUE_COUNT.match(after) or span.text.casefold() in ("one", "two")):
        return True
    return text.count(span.text) > 1


def _determined(text: str, span: Span, anchors: int, leading: bool) -> bool:
    """Whether the rest of the sentence fixes the value: who or what, and for what changes also when."""
    if len(content(text)) < 7 or anchors < 2:
        return False
    if span.kind == "date":
        return True
    dated = bool(_YEAR.search(text))
    if not dated and re.search(r"\b(?:has|have)\b", text):
        return False
    if span.kind == "quantity" and _PHYSICAL.search(span.text) and not _TIME_UNIT.search(span.text):
        return leading
    return leading and dated


def _dated(text: str, span: Span) -> str | None:
    """ "In what year was ...?", for a clause whose subject and verb are plain; None otherwise."""
    before = text[: span.start]
    match = _PREPOSITION.search(before)
    if not match:
        return None
    word = match["word"].casefold()
    asked = {"year": "In what year", "month and year": "In what month and year", "date": "On what date"}[span.noun]
    if (word == "on") != (span.noun == "date"):
        return None
    head, tail = before[: match.start("word")].rstrip(" "), text[span.end :].rstrip(".")
    if not head:
        if not re.match(r",? [A-Z]|, (?:the|a|an) ", tail):
            return None
        head, tail = tail.removeprefix(",").lstrip(), ""
    elif tail and not re.match(r" (?:at|by|as|with|under|near|after|during)\b", tail):
        return None
    clause = _inverted(head.rstrip(","), match.start("word") > 0)
    return f"{asked} {clause}{tail}?" if clause else None


_SUBORDINATORS = frozenset(
    "When While After Although As Because Before If Once Since Though Until Where Whereas".split()
)


def _inverted(clause: str, date_last: bool) -> str | None:
    """Subject and verb of a declarative clause turned into a question's order, or None."""
    tokens = clause.split(" ")
    at = next((at for at, token in enumerate(tokens[:14]) if token in _VERBS or token[-1:] in ",.;:"), 0)
    if at == 0 or tokens[at] not in _VERBS - _RELATIVES:
        return None
    token = tokens[at]
    subject, rest = tokens[:at], tokens[at + 1 :]
    if subject and subject[-1] in ("also", "first", "officially", "formally", "finally"):
        subject.pop()
    if not subject or not rest or subject[-1].casefold() in FUNCTION_WORDS or subject[0] in _SUBORDINATORS:
        return None
    told = " ".join(rest)
    verbs = [
        word for word in rest[1:] if word in AUXILIARIES or word in PAST_TO_BASE or (word.endswith("ed") and date_last)
    ]
    if (
        verbs
        or (date_last and _CLAUSE_BREAK.search(told))
        or (not date_last and re.search(r",|\b(?:which|who)\b", told))
    ):
        return None
    named = " ".join([_lower(" ".join(subject))])
    if token in AUXILIARIES:
        passive = token in ("was", "were") and (rest[0].endswith("ed") or rest[0] in _PARTICIPLES)
        return f"{token} {named} {told}" if passive else None
    return f"did {named} {PAST_TO_BASE[token]} {told}".rstrip()


def _counted(text: str, span: Span) -> str | None:
    """ "How many ... does X have?" and "What percentage of ...?", where the number stands in such a place."""
    before, after = text[: span.start], text[span.end :].rstrip(".")
    if span.kind == "percentage" and after.startswith(" of "):
        hedge = before.strip().casefold()
        if hedge in (
            "",
            "about",
            "approximately",
            "around",
            "roughly",
            "nearly",
            "almost",
            "an estimated",
            "over",
            "more than",
        ):
            return f"{'Approximately what' if hedge else 'What'} percentage{after}?"
    if span.kind != "number" or re.search(r"[,—–]| and ", after):
        return None
    if match := _THERE.match(before):
        noun, _, rest = after.strip().partition(" in ")
        return f"How many {noun} {match['be']} there in {rest}?" if rest and len(noun.split()) <= 5 else None
    match = _HAS.match(before)
    if (
        not match
        or re.search(r"[()]|\b(?:which|that|who)\b", match["subject"])
        or any(token in AUXILIARIES for token in match["subject"].split())
    ):
        return None
    verb = match["verb"]
    first = verb.split()[0]
    plural = first in ("have", "contain", "comprise", "consist")
    helper = "did" if first == "had" or first.endswith("ed") else "do" if plural else "does"
    base = {"has": "have", "had": "have"}.get(verb, re.sub(r"^(contain|comprise|consist)(?:s|ed|d)?", r"\1", verb))
    counted = re.match(r" ((?:[a-z-]+ ){0,2}[a-z-]+s)\b(.*)$", after)
    if not counted:
        return None
    return f"How many {counted[1]} {helper} {_lower(match['subject'])} {base}{counted[2]}?"


def _lower(subject: str) -> str:
    """A subject as it stands inside a question: an article loses its capital, a name keeps it."""
    first, _, rest = subject.partition(" ")
    if first in ("The", "A", "An", "In", "All", "Each"):
        return f"{first.casefold()} {rest}"
    if (
        rest
        and first.isalpha()
        and first.istitle()
        and rest.islower()
        and first.casefold() not in GIVEN_NAMES
        and not _EPONYM.search(rest)
    ):
        return subject[0].lower() + subject[1:]
    return subject
