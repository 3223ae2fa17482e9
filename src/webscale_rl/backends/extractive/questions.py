"""All candidates of a page, best first and no two from one sentence, and which of them a persona gets."""

from __future__ import annotations

import re
from functools import lru_cache

from webscale_rl.backends.extractive import abbreviations, definitions, values
from webscale_rl.backends.extractive.candidate import Candidate, acceptable
from webscale_rl.backends.extractive.page import Page, read
from webscale_rl.backends.extractive.reference import Resolver
from webscale_rl.backends.extractive.standalone import stands_alone
from webscale_rl.stages.generate import GeneratedPair

MAX_CANDIDATES = 40
MAX_ABBREVIATIONS = 2
TURNS = 3
_EXERCISES = re.compile(
    r"(?i)\b(?:following exercises|try it|how to\b|find the (?:value|equation|slope)|word problem|solve (?:the"
    r"|for)|check your understanding)"
)
_STUDY = re.compile(
    r"\b(?:patients|participants|respondents|cohort|control group"
    r"|[Tt]his (?:paper|article|study)|p ?[<=] ?0?\.\d|CI|RESULTS?|CONCLUSIONS?|METHODS?"
    r"|[Ww]e (?:propose|present|show|study|investigate|describe|found|analy[sz]e|develop|introduce|consider)"
    r"|[Oo]ur (?:results|method|approach|algorithm|model|findings))\b"
)


@lru_cache(maxsize=64)
def candidates(text: str) -> tuple[Candidate, ...]:
    """The candidates of a text in the order in which they are given out."""
    page = read(text)
    if not page.english:
        return ()
    found: list[Candidate] = []
    for number, entry in enumerate(page.entries):
        candidate = definitions.from_entry(entry, -1 - number)
        if candidate is not None:
            found.append(candidate)
    study = (len(text) < 4000 and len(_STUDY.findall(text)) >= 2) or len(_EXERCISES.findall(text)) >= 3
    found += _from_sentences(page, study)
    best: dict[int, Candidate] = {}
    seen: set[str] = set()
    spelled = 0
    for candidate in sorted(found, key=lambda one: (-one.score, one.place, one.question)):
        key = candidate.answer.casefold()
        if candidate.place in best or key in seen or not acceptable(candidate):
            continue
        if candidate.rule in ("context", "abbreviation"):
            if spelled == MAX_ABBREVIATIONS:
                continue
            spelled += 1
        best[candidate.place] = candidate
        seen.add(key)
        if len(best) >= MAX_CANDIDATES:
            break
    return tuple(best.values())


def _from_sentences(page: Page, study: bool) -> list[Candidate]:
    resolver = Resolver(page)
    proper = frozenset(word for word, _ in page.names.items())
    found: list[Candidate] = []
    for number, sentence in enumerate(page.sentences):
        if "(" in sentence.clean:
            found += abbreviations.in_context(sentence.clean, page, number, sentence.raw)
        text = resolver.resolve(sentence)
        if text is None or not stands_alone(text, 1):
            continue
        found += definitions.from_sentence(text, number, sentence.raw, proper)
        if not stands_alone(text):
            continue
        found += definitions.inline(text, number, sentence.raw, proper)
        found += abbreviations.from_sentence(text, number, sentence.raw)
        if not study:
            about = resolver.topic is not None and resolver.topic.name in text
            found += values.from_sentence(text, number, sentence.raw, about)
    return found


def pairs(text: str, rank: int, count: int) -> list[GeneratedPair]:
    """The pairs of the persona of that rank: no two ranks share one, and three at a time take turns at the best."""
    group, turn = divmod(rank, TURNS)
    size = TURNS * count
    chosen = candidates(text)[group * size : (group + 1) * size][turn::TURNS]
    return [GeneratedPair(one.evidence, one.question, one.answer, one.answer_type) for one in chosen]
