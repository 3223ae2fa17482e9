"""What a page is about, and putting that name where a sentence only points: "It was built" -> "The Alamo was built".

Resolves only what the form of the page makes safe: a topic that the page defines in its first sentences, a pronoun
right after a sentence with that subject, "the disorder" for what was defined as one, a surname whose full name
stands in the page once. Leaves all else as it is, for the stand-alone rules to reject.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from webscale_rl.backends.extractive.page import Page, Sentence, read
from webscale_rl.backends.extractive.spans import is_person, names_in
from webscale_rl.backends.extractive.standalone import plausible, trimmed
from webscale_rl.backends.extractive.words import FUNCTION_WORDS, stem, words

_DEFINES = re.compile(
    r"(?P<article>(?:The|An?) )?(?P<name>[^,.;:!?()]{2,70}?)(?: ?\([^()]{1,80}\))?,? (?P<be>is|are|was|were) "
    r"(?:an?|the|one of the) (?P<what>[^.;:]{3,200})"
)
_GENUS_END = re.compile(
    r",|\b(?:that|which|who|whose|of|in|for|with|characterized|caused|used|where|when|from|on|by|to|and|at|near)\b"
)
_PRONOUN = re.compile(r"(It|He|She|They) (?=(?:is|was|are|were|has|have|had|can|may|does|did|[a-z]{3,}(?:ed|s))\b)")
_POSSESSIVE = re.compile(r"(?:Its|His|Her) (?=[a-z])")
_THE_KIND = re.compile(
    r"(?:The|This) (?P<kind>[a-z]+) (?=(?:is|was|are|were|has|had|can|may|affects|occurs|[a-z]{4,}ed)\b)"
)
_ILLNESS = frozenset("disease disorder condition syndrome illness".split())


class Topic(NamedTuple):
    """The subject of a page: its name, the nouns it is defined as, and whether "he" or "she" may mean it."""

    name: str
    kinds: frozenset[str]
    person: bool
    plural: bool


@lru_cache(maxsize=64)
def topic_of(text: str) -> Topic | None:
    """What the page defines within its first sentences, if that is its title or it has none."""
    page = read(text)
    title = {stem(word) for word in words(page.title) if word not in FUNCTION_WORDS}
    for sentence in page.sentences[:4]:
        match = _DEFINES.match(sentence.clean)
        if not match:
            continue
        name = match["name"]
        subject = {stem(word) for word in words(name) if word not in FUNCTION_WORDS}
        if not subject or len(name.split()) > 7 or words(name)[0] in FUNCTION_WORDS:
            continue
        if title and not (subject <= title and len(subject) * 2 >= len(title)):
            continue
        if not title and sentence.start > 200:
            continue
        genus = _GENUS_END.split(match["what"], maxsplit=1)[0]
        kinds = frozenset(words(genus)[-1:])
        kinds |= (
            _ILLNESS
            if kinds & (_ILLNESS | {"cancer", "tumor", "infection", "dysplasia", "abnormality"})
            else frozenset()
        )
        name = ("the " if match["article"] == "The " else "") + name
        return Topic(name, kinds, is_person(name), match["be"] in ("are", "were"))
    return None


class Resolver:
    """Rewrites the sentences of one page so that they name what they speak of. Keep the order: it remembers."""

    def __init__(self, page: Page) -> None:
        self.topic = topic_of(page.text)
        self._on_topic: tuple[int, int] = (-1, -1)
        self._surnames = _surnames(page)

    def resolve(self, sentence: Sentence) -> str | None:
        """The sentence with its subject named, or None where a surname may mean several people."""
        text = trimmed(sentence.clean)
        topic = self.topic
        if topic:
            name = topic.name
            if text.startswith((name + " ", name[:1].upper() + name[1:] + " ")):
                self._on_topic = (sentence.block, sentence.place)
            else:
                text = self._point(text, topic, sentence)
        return self._full_names(text) if plausible(text) else None

    def _point(self, text: str, topic: Topic, sentence: Sentence) -> str:
        follows = self._on_topic == (sentence.block, sentence.place - 1)
        name = topic.name[:1].upper() + topic.name[1:]
        pronoun = _PRONOUN.match(text)
        kind = _THE_KIND.match(text)
        possessive = _POSSESSIVE.match(text)
        if pronoun and follows and _agrees(pronoun[1], topic):
            text, here = f"{name} {text[pronoun.end() :]}", True
        elif kind and kind["kind"] in topic.kinds and not topic.plural:
            text, here = f"{name} {text[kind.end() :]}", True
        elif possessive and follows and not topic.plural and topic.person == (text[0] == "H") and len(topic.name) < 30:
            text, here = f"{name}'s {text[possessive.end() :]}", False
        else:
            return text
        if here:
            self._on_topic = (sentence.block, sentence.place)
        return text

    def _full_names(self, text: str) -> str | None:
        for span in names_in(text) if self._surnames else ():
            full = self._surnames.get(span.text)
            if full is None or any(name in text for name in full):
                continue
            if len(full) > 1:
                return None
            return text[: span.start] + next(iter(full)) + text[span.end :]
        return text


def _agrees(pronoun: str, topic: Topic) -> bool:
    if topic.person:
        return pronoun in ("He", "She")
    return pronoun == ("They" if topic.plural else "It")


def _surnames(page: Page) -> dict[str, set[str]]:
    """Last and first names by the full names that hold them; other capitalised pairs make a surname doubtful."""
    surnames: dict[str, set[str]] = {}
    others: dict[str, set[str]] = {}
    for sentence in page.sentences:
        for span in names_in(sentence.clean):
            parts = span.text.split()
            if not 2 <= len(parts) <= 4 or parts[-1].casefold() in FUNCTION_WORDS:
                continue
            if span.kind == "person" or re.fullmatch(r"(?:[A-Z]\. ?)+", " ".join(parts[:-1])):
                surnames.setdefault(parts[-1], set()).add(span.text)
                surnames.setdefault(parts[0], set()).add(span.text)
            else:
                others.setdefault(parts[-1], set()).add(span.text)
    topic = topic_of(page.text)
    parts = topic.name.split() if topic else []
    for name, full in surnames.items():
        full |= others.get(name, set())
    if topic and 2 <= len(parts) <= 4 and parts[-1] in surnames:
        surnames[parts[-1]] = {topic.name}
    return surnames
