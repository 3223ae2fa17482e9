"""The classifier: a domain by its keywords, and personas by a hash of the text.

A keyword weighs more the fewer domains have it, counts by the logarithm of how often it stands in the text, and
counts again in the title. The words of its definition and examples count too, for less; a domain without keywords (a
user's own folder) has only them.
"""

from __future__ import annotations

import math
from collections import Counter

from webscale_rl.backends.extractive.page import Page
from webscale_rl.backends.extractive.words import FUNCTION_WORDS, words
from webscale_rl.domains import FALLBACK, Domain, Taxonomy
from webscale_rl.types import content_id

GENERIC_PERSONAS = (
    "a curious general reader",
    "a student preparing for an examination",
    "a quiz author collecting facts",
    "a journalist checking facts",
    "a teacher preparing a lesson",
    "a librarian answering a visitor's question",
)
MAX_WORDS = 4000
DESCRIBED = 0.3
ENOUGH = 0.6


class Classifier:
    """Built once for a taxonomy."""

    def __init__(self, taxonomy: Taxonomy) -> None:
        self.taxonomy = taxonomy
        terms = {domain.name: _terms(domain) for domain in taxonomy.domains if domain.name != FALLBACK}
        spread = Counter(term for of_domain in terms.values() for term in of_domain)
        total = max(2, len(terms))
        self._single: dict[str, list[tuple[str, float]]] = {}
        self._phrases: dict[str, list[tuple[str, str, float]]] = {}
        for name, of_domain in terms.items():
            for term in sorted(of_domain):
                weight = math.log(1 + total / spread[term]) / math.log(1 + total)
                first, _, rest = term.partition(" ")
                if rest:
                    self._phrases.setdefault(first, []).append((name, term, 1.6 * weight))
                else:
                    self._single.setdefault(term, []).append((name, weight))
        described = {domain.name: _described(domain) for domain in taxonomy.domains if domain.name in terms}
        spread = Counter(word for of_domain in described.values() for word in of_domain)
        for name, of_domain in described.items():
            for word in sorted(of_domain - terms[name]):
                if spread[word] <= 2:
                    self._single.setdefault(word, []).append((name, DESCRIBED / spread[word]))

    def domain(self, page: Page) -> str:
        """The name of the best domain, or the fallback where the evidence is thin."""
        found = words(page.text[: MAX_WORDS * 8])[:MAX_WORDS]
        counts = Counter(found)
        counts.update(dict.fromkeys(words(page.title), 4))
        scores: dict[str, float] = {}
        joined = ""
        for word, count in counts.items():
            for name, weight in self._single.get(word, ()):
                scores[name] = scores.get(name, 0.0) + weight * (1 + math.log(count))
            for name, phrase, weight in self._phrases.get(word, ()):
                joined = joined or " ".join(found)
                times = joined.count(phrase)
                if times:
                    scores[name] = scores.get(name, 0.0) + weight * (1 + math.log(times))
        best = max(sorted(scores), key=lambda name: scores[name], default=None)
        if best is None or scores[best] < ENOUGH:
            return self._fallback(best)
        return best

    def _fallback(self, best: str | None) -> str:
        names = [domain.name for domain in self.taxonomy.domains]
        return FALLBACK if FALLBACK in names else best or names[-1]

    def personas(self, page: Page, domain: str) -> list[str]:
        """All personas of the domain in an order that depends on the text alone: the first ones are assigned."""
        known = self.taxonomy.find(domain)
        choice = list(known.personas if known and known.personas else GENERIC_PERSONAS)
        salt = content_id(page.text)
        return sorted(choice, key=lambda persona: content_id(salt, persona))

    def rank(self, page: Page, domain: str, persona: str) -> int:
        """The place of a persona in that order; of one that is not in it, a place by its own hash."""
        order = [one.casefold() for one in self.personas(page, domain)]
        wanted = " ".join(persona.split()).casefold()
        return order.index(wanted) if wanted in order else int(content_id(wanted)[:8], 16) % 3


def _terms(domain: Domain) -> set[str]:
    if domain.keywords:
        return {" ".join(words(keyword)) for keyword in domain.keywords if words(keyword)}
    return _described(domain)


def _described(domain: Domain) -> set[str]:
    text = " ".join([domain.name, domain.definition, *(example.document for example in domain.examples)])
    return {word for word in words(text) if word not in FUNCTION_WORDS and len(word) > 3 and word.isalpha()}
