"""Questions for a term: "A tariff is a tax on imports" -> "What is the term for a tax on imports?"

A definition is taken only if it is long enough to tell its term from others. Praise and examples ("is an important
part of") are no definitions.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from webscale_rl.backends.extractive.candidate import Candidate, tidy
from webscale_rl.backends.extractive.page import Entry
from webscale_rl.backends.extractive.spans import is_person, names_in
from webscale_rl.backends.extractive.standalone import compares, dangling_definites
from webscale_rl.backends.extractive.words import FUNCTION_WORDS, NOT_GENUS, content, words
from webscale_rl.types import AnswerType

_IS = re.compile(
    r"(?P<article>(?:An?|The) )?(?P<term>[A-Za-z][\w’'. -]{1,60}?)(?: ?\((?P<aside>[^()]{1,50})\))?,? (?P<be>is"
    r"|are|was|were) (?P<lead>an?|the) "
    r"(?P<what>[^?!]{25,240})\.$"
)
_MEANS = re.compile(
    r"(?:The term |An? )?[“\"']?(?P<term>[A-Za-z][\w’' -]{2,50}?)[”\"']?(?: \([^()]{1,40}\))? (?P<verb>refers to"
    r"|is defined as|are defined as|occurs when|"
    r"occur when|denotes) (?P<what>[^?!]{25,220})\.$"
)
_CALLED = re.compile(
    r"(?P<subject>[A-Z][^,;:?!]{14,160}?) (?P<be>is|are) (?:then |often |commonly |generally |usually )?(?:called"
    r"|termed|known as|referred to as) "
    r"(?:an? |the )?[“\"']?(?P<term>[\w’' -]{3,50}?)[”\"']?\.$"
)
_ARE = re.compile(
    r"(?P<term>[A-Z][\w’'-]+(?: [\w’'-]+){0,3}) (?:\([^()]{1,40}\) )?are (?P<what>(?P<genus>(?:[a-z-]+,?"
    r" ){0,4}(?:[a-z]+s|bacteria|people|cells)) "
    r"(?:that|which|who|used to|found in|made of|made up of|designed to|formed by|produced by|between"
    r"|whose) [^?!;:]{20,220})\.$"
)
_RANKED_FIRST = re.compile(
    r"The (?P<what>(?:[a-z-]+ )?(?:first|last|only|largest|smallest|highest|lowest|longest|oldest|deepest|tallest"
    r"|fastest|capital|official|birthplace|founder|"
    r"inventor|discoverer|author|creator|[a-z]{3,}est|most [a-z]+) [^,;:]{12,120}?) (?P<be>is"
    r"|was) (?:the )?(?P<name>[A-Z][\w’'.-]+(?: (?:[A-Z][\w’'.-]*|of|de|van|von)){0,4})"
    r"(?: ?\([^()]{1,60}\))?(?=[.,])"
)
_INLINE = re.compile(
    r"\b(?:called|known as|termed|referred to as) (?:an? "
    r"|the )?[“']?(?P<term>[A-Za-z][\w’-]{3,}(?: [a-z][\w-]+){0,2}?)[”']?"
    r"(?=[,.)]| (?:is|are|was|were|that|which|in|to|from|can|may|has|have|by|on|between|into|through"
    r"|with)\b)(?!,? (?:and|or)\b)(?!, [^,]{1,40}(?:,| and| or) )"
)
_LEARNED = (
    r"(?:osis|oses|itis|emas?|omas?|uria|opathy|algia|plasia|plegia|penia|philia|phobia|ectomy|oscopy|ology"
    r"|graphy|genesis|lysis|trophy|phagia|pnea|emia|"
    r"cytes?|cele|rrhea|ptosis|cardia|megaly|anium|orax|ula|ium|icus|nia|xia|rax|eum)"
)
_HUMAN = re.compile(
    r"\b(?:m[ae]n|wom[ae]n|person|people|president|king|queen|emperor|philosopher|scientist|astronaut|founder"
    r"|inventor|author|creator|discoverer|player|leader|mayor|governor|himself|herself)\b"
)
_BETTER = re.compile(r"\b(?:far|much|even) (?:more\b|less\b|[a-z]+er\b)|\bleast-|\b(?:main|primary) resource")
_ROLE = frozenset(
    """scientist instructor director author professor researcher engineer designer developer writer journalist lawyer
    doctor     manager specialist analyst fellow member advocate scholar veteran graduate
    native resident strategist consultant brand company website
    firm requirement requirements
    editor artist""".split()
)
_ADJECTIVE = re.compile(r"[a-z-]*(?:ed|ing|able|ible|ive|ful|ly)\b(?! [a-z-]+s\b)|(?:\w+ )*to\b")
_ASIDE = re.compile(r"(?<=[a-z]{3} )\((?P<term>[a-z]{3,}" + _LEARNED + r")\)")
_TELLING = re.compile(
    r"\b(?:that|which|who|whose|where|when|used|characterized|characterised|caused|consisting|designed|intended"
    r"|formed|made|based|by|"
    r"between|of|for|from|in)\b"
)
_GENUS_END = re.compile(
    r",|\b(?:that|which|who|whose|of|in|for|with|characterized|caused|used|where|when|from|on|by|to|at)\b"
)
_RANKED = re.compile(
    r"(?:(?:second|third|fourth) )?(?:first|last|only|[a-z]{2,}est|most|capital|official|national|birthplace"
    r"|founder|inventor|"
                     r"discoverer|author|creator)\b")  # fmt: skip
_NO_MEANING = re.compile(
    r"(?i)^(?:\(|(?:by|in|on|at|with|from|for|to|of|and|or|as)\b)|\bas well$|"
    r"^(?:an?|the)? ?(?:general |common |another |next |other )?(?:term|name|word|phrase|next|other)\b"
    r"|^(?:(?!\b(?:which|that|who|whose|where|when)\b)[^,;]){3,60} "
    r"(?:is|are|was|were|has|have|can) (?!not )|^(?:describes|refers|means|used)\b"
)
_REMEDY = re.compile(
    r"^(?:medicine|drug|medication|antibiotic|word|treatment|product|technique|method|therapy|test)s? "
    r"(?:that is |that are )?used (?:to|for)\b"
)
_GLOSSARY_GENUS = frozenset("tool concept component element feature member problem".split())
_SINGLING = re.compile(
    r"\b(?:1[0-9]\d\d|20[0-2]\d)\b|\b(?:founded|created|established|developed|built|invented|named after"
    r"|[a-z]{3,}est)\b"
)
_SECOND_VERB = re.compile(
    r", but\b|\b(?:and|but|or),? (?:has|have|had|is|are|was|were|can|may|will|does|did|so|thus|therefore)\b|, (?:is|are"
    r"|was|were|has|but|so) "
)
ILLNESS = frozenset("disorder disease condition syndrome illness infection disorders diseases conditions".split())
_VAGUE_TERM = re.compile(
    r"(?:one|there|what|how|all|both|result|example|problem|reason|goal|purpose|difference|key|idea|point|other"
    r"|another|it|answer|"
    r"step|thing|aim|fact|most|many|some|use|role|first|second|third|term|word|name|type|next|last|case|part|rule"
    r"|approach|figure|this|that)s?\b", re.IGNORECASE,
)  # fmt: skip


def from_sentence(text: str, place: int, evidence: str, proper: frozenset[str]) -> Iterator[Candidate]:
    """The definition questions of one stand-alone sentence. `proper` are the words the page writes with a capital."""
    called = _CALLED.match(text)
    if called:
        yield from _called(called, place, evidence, proper)
        return
    means = _MEANS.match(text)
    if means and _is_term(means["term"]):
        what = means["what"]
        verb = {"occurs when": "occurs when", "occur when": "occurs when"}.get(means["verb"], means["verb"])
        word = "What" if "occur" in verb else "Which term"
        question = f"{word} {verb.replace('are defined', 'is defined')} {what}?"
        if (
            len(content(what)) >= (8 if ILLNESS & set(words(what)[:6]) else 5)
            and not _NO_MEANING.search(what)
            and ", but " not in what
        ):
            yield Candidate(8.0, place, tidy(question), means["term"], _type(means["term"], proper), evidence, "means")
        return
    ranked = _RANKED_FIRST.match(text)
    if ranked and _singles_out(ranked["what"]):
        asked = "Who" if is_person(ranked["name"]) or _HUMAN.search(ranked["what"]) else "What"
        question = f"{asked} {ranked['be']} the {ranked['what']}?"
        yield Candidate(9.0, place, question, ranked["name"], _type(ranked["name"], proper), evidence, "ranked")
        return
    plural = _ARE.match(text)
    if plural and _is_term(plural["term"]) and _is_class(plural["genus"]) and len(content(plural["what"])) >= 6:
        question = f"What is the term for {plural['what']}?"
        yield Candidate(8.0, place, tidy(question), plural["term"], "phrase", evidence, "are")
        return
    match = _IS.match(text)
    if match:
        yield from _is(match, place, evidence, proper)


def _singles_out(what: str) -> bool:
    """Whether "the first ..." goes on to say first of what."""
    told = len(content(what))
    if dangling_definites(what):
        return False
    return told >= 3 and (told >= 5 or bool(names_in("x " + what))) and not _SECOND_VERB.search(what)


def _is_class(genus: str) -> bool:
    return not _ADJECTIVE.match(genus) and not NOT_GENUS & set(words(genus))


def inline(text: str, place: int, evidence: str, proper: frozenset[str]) -> Iterator[Candidate]:
    """A blank for a term that the sentence itself introduces: "a thin tube called a catheter"."""
    match = _INLINE.search(text) or _ASIDE.search(text)
    if match and '"' not in text and text.count(match["term"]) == 1 and len(content(text)) >= 9 and not compares(text):
        question = f'Fill in the missing term: "{text[: match.start("term")]}____{text[match.end("term") :]}"'
        if _is_term(match["term"]):
            yield Candidate(6.5, place, tidy(question), match["term"], _type(match["term"], proper), evidence, "inline")


def _called(match: re.Match[str], place: int, evidence: str, proper: frozenset[str]) -> Iterator[Candidate]:
    subject, term = match["subject"], match["term"]
    if (
        len(content(subject)) < 3
        or not _is_term(term)
        or re.search(r"\b(?:is|are|was|were|has|have|can|may)\b", subject)
    ):
        return
    first = subject.split(" ", 1)[0]
    if first not in proper:
        subject = subject[0].lower() + subject[1:]
    yield Candidate(
        8.5, place, tidy(f"What {match['be']} {subject} called?"), term, _type(term, proper), evidence, "called"
    )


def _is(match: re.Match[str], place: int, evidence: str, proper: frozenset[str]) -> Iterator[Candidate]:
    term, lead, what, be = match["term"], match["lead"], match["what"], match["be"]
    genus = words(_GENUS_END.split(what, maxsplit=1)[0])
    if _BETTER.search(what) or (lead == "a" and _ROLE & set(genus) and not match["article"]):
        return
    named = _named(term, proper)
    ranked = lead == "the" and be in ("is", "was") and bool(_RANKED.match(what))
    if not _is_term(term) or not genus or NOT_GENUS & {*genus, *words(term)} or not _TELLING.search(what):
        return
    if len(content(what)) < (3 if ranked else 5):
        return
    if match["article"] == "The " and not (named or ranked):
        return
    if named and not ranked and (_anchors(what) < 2 or is_person(term) or not _SINGLING.search(what)):
        return
    if (
        (be in ("was", "were") and not named)
        or _SECOND_VERB.search(what)
        or _NO_MEANING.search(what)
        or (named and term[0].islower())
    ):
        return
    if (ILLNESS & set(genus) and len(content(what)) < 8) or _REMEDY.search(what):
        return
    if is_person(term):
        question = f"Who {be} the {what}?"
    elif ranked:
        question = f"What {be} the {what}?"
    elif named:
        question = f"What {be} the name of the {what}?"
    else:
        question = f"What is the term for {lead} {what}?"
    score = 8.0 + (1.0 if ranked else 0.0) + min(len(content(what)), 12) / 12
    yield Candidate(score, place, tidy(question), term, _type(term, proper), evidence, "is")


def from_entry(entry: Entry, place: int) -> Candidate | None:
    """The question of a glossary entry, if the meaning is telling and stands alone."""
    meaning = entry.meaning.rstrip(".").split(";", 1)[0].split(". ", 1)[0]
    if (
        len(content(meaning)) < 5
        or not _is_term(entry.term)
        or _NO_MEANING.search(meaning)
        or re.search(r"[=^<>\[\]{}\\|_:?!]|\bsee\b|\b(?:this|these|you|we|it|above)\b", meaning)
    ):
        return None
    genus = words(_GENUS_END.split(meaning, maxsplit=1)[0])
    if (NOT_GENUS - _GLOSSARY_GENUS) & set(genus[:6]):
        return None
    if meaning[:2] in ("A ", "An") or meaning.startswith("The "):
        meaning = meaning[0].lower() + meaning[1:]
    article = re.match(r"(?:an?|the) ", meaning)
    question = tidy(f"What is the term for {meaning}?" if article else f'Which term is defined as "{meaning}"?')
    term = re.sub(r" ?\([^()]*\)", "", entry.term).strip()
    return Candidate(9.0 + min(len(content(meaning)), 14) / 14, place, question, term, "phrase", entry.raw, "glossary")


def _is_term(term: str) -> bool:
    parts = term.split()
    if not 1 <= len(parts) <= 6 or _VAGUE_TERM.match(term) or len(term) < 3:
        return False
    inner = {part.casefold() for part in parts} & FUNCTION_WORDS
    return (
        parts[0].casefold() not in FUNCTION_WORDS
        and parts[-1].casefold() not in FUNCTION_WORDS
        and inner <= {"of", "and", "the", "in", "for", "to"}
    )


def _named(term: str, proper: frozenset[str]) -> bool:
    parts = term.split()
    return parts[0] in proper or parts[0].isupper() or (len(parts) > 1 and parts[-1][0].isupper())


def _type(term: str, proper: frozenset[str]) -> AnswerType:
    return "person" if is_person(term) else "name" if _named(term, proper) else "phrase"


def _anchors(text: str) -> int:
    return len(names_in("x " + text)) + len(re.findall(r"\b\d{3,4}\b", text))
