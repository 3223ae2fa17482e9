"""An answer beside its question and reference: which of its words are new, and where its clauses begin and end.

A "window" is a run of words, `start` and `end` as in a slice.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import NamedTuple

from webscale_rl.reward.lexicon import IRREGULAR, LY_NOUNS, NEGATIONS, PLAIN
from webscale_rl.reward.verdict import Match
from webscale_rl.reward.words import Text, Word, is_content, kin, opposed, read, stem

ASSERTED = Match(True, "asserted")
ARTICLES = frozenset("a an the his her its their our my your this that these those both".split())
SEES_ON = 40
"""Words on either side of a window that are looked at: a sentence has 20."""

LINKS = frozenset("by in of from to with on at as for into during under through".split())
"""Prepositions that link a verb to what it speaks of."""
_BREAKS = frozenset(",;:.?!(—\n)[]>=<→")
_ABBREVIATED = frozenset(
    "dr mr mrs ms prof sir jr sr st mt gen col capt lt sgt rev hon gov sen rep vs no inc co ltd".split()
)


class Scene(NamedTuple):
    """An answer, the stems of the question and of the reference, and what the question's form says.

    `new` are the answer's words, folded, that neither question nor reference say and that could be an answer. `chosen`
    is true if the question holds the reference ("Is it faster or slower?"): then its words are no excuse. `act` says
    that the reference tells what is done in two words at least, `object` that the question asks for the object of an
    act ("what do bees collect", "which war was ended by"). `said` are the question's words, folded.
    """

    text: Text
    asked: frozenset[str]
    own: frozenset[str]
    new: frozenset[str]
    negated: bool = False
    where: bool = False
    who: bool = False
    chosen: bool = False
    act: bool = False
    object: bool = False
    said: frozenset[str] = frozenset()

    @property
    def why(self) -> bool:
        """Whether the question asks for a reason."""
        return not self.said.isdisjoint(("why", "cause", "caused", "reason"))


def scene(text: Text, own: frozenset[str], question: str, asked: frozenset[str] | None = None) -> Scene:
    """The scene of an answer. The question is read once for all answers to it; `asked` replaces its stems."""
    content, negated, where, who, is_object, said = _asked(question)
    asked = content if asked is None else asked
    known = asked | own
    new = frozenset(
        word.plain
        for word in text.words
        if word.stem not in known and says_something(word) and not _is_kin(word.stem, content)
    )
    return Scene(text, asked, own, new, negated, where, who, own <= asked | content, object=is_object, said=said)


@lru_cache(maxsize=512)
def _asked(question: str) -> tuple[frozenset[str], bool, bool, bool, bool, frozenset[str]]:
    """The question's stems, and whether it is negated, asks for a place, for a person, for an object; and its
    words as they are."""
    text = read(question)
    plains = {word.plain for word in text.words}
    where = "where" in plains or bool(plains & {"located", "location", "state", "country", "organ"})
    who = bool(plains & {"who", "whom", "whose"})
    is_object = bool(plains & {"do", "does", "did", "can", "should", "would", "will"}) or "by" in plains
    return text.content, bool(plains & (NEGATIONS | {"except"})), where, who, is_object, frozenset(plains)


def is_past(word: Word) -> bool:
    """Whether a word has the form of a verb in the past."""
    return word.raw.islower() and (word.plain.endswith("ed") or IRREGULAR.get(word.plain, word.plain) != word.plain)


def says_something(word: Word) -> bool:
    """Whether a word could be an answer, or part of one: no function word, no colourless word, no adverb."""
    plain = word.plain
    if plain in PLAIN or plain in NEGATIONS or not is_content(word):
        return False
    return not (plain.endswith("ly") and word.raw.islower() and plain not in LY_NOUNS)


def _is_kin(stem: str, asked: frozenset[str]) -> bool:
    return len(stem) > 4 and any(other[0] == stem[0] and kin(stem, other) for other in asked)


def best(matches: Iterable[Match]) -> Match:
    """What several wordings of one reference say together: right if one is, undecided if one is, else wrong."""
    undecided = wrong = None
    for match in matches:
        if match.same:
            return match
        if match.same is None:
            undecided = undecided or match
        else:
            wrong = wrong or match
    return undecided or wrong or Match(None, "unread")


def breaks(words: tuple[Word, ...], at: int) -> bool:
    """Whether a clause ends before the word at this place. The stop of an initial or a title ends none."""
    gap = words[at].gap
    if not gap or _BREAKS.isdisjoint(gap):
        return False
    if gap == "." and at:
        before = words[at - 1]
        return not (
            len(before.raw) == 1 or before.plain in _ABBREVIATED or (len(before.raw) <= 3 and before.raw.isupper())
        )
    return True


def clause_start(words: tuple[Word, ...], start: int) -> int:
    """Where the clause of the word at `start` begins."""
    floor = max(0, start - SEES_ON)
    while start > floor and not breaks(words, start):
        start -= 1
    return start


def clause_end(words: tuple[Word, ...], end: int) -> int:
    """Where the clause ends that goes on at `end`."""
    ceiling = min(len(words), end + SEES_ON)
    while end < ceiling and not breaks(words, end):
        end += 1
    return end


def is_new(scene: Scene, word: Word) -> bool:
    """Whether a word says something that neither question nor reference say, and that could be an answer."""
    return word.plain in scene.new


def introduced(words: tuple[Word, ...], first: int, start: int) -> set[str]:
    """The word that introduces a window, and the pairs it makes with the words before: "than", "rather_than"."""
    at = start - 1
    while at >= first and (words[at].plain in ARTICLES or (words[at].plain in PLAIN and at > first)):
        at -= 1
    if at < first:
        return set()
    found = {words[at].plain, words[start - 1].plain}
    before = words[at - 1].plain if at else ""
    found.add(f"{before}_{words[at].plain}")
    if before == "other" and at > 1 and words[at - 2].plain in ("none", "no"):
        found.add("none_other")
    if start - at == 2 and at >= first:
        found.add(f"{words[at].plain}_{words[start - 1].plain}")
    return found


def is_other(scene: Scene, word: Word) -> bool:
    """Whether a word could be another answer. If the question offers the reference, so may the question's words be."""
    if any(opposed(word.stem, own) for own in scene.own):
        return True
    if scene.chosen:
        return is_content(word) and word.stem not in scene.own and word.plain not in PLAIN
    return is_new(scene, word) or (len(word.raw) == 1 and word.raw.isupper() and word.stem not in scene.own)


def verb_before(words: tuple[Word, ...], at: int) -> int:
    """The place of the word before a window and its articles."""
    at -= 1
    while at > 0 and words[at].plain in ARTICLES:
        at -= 1
    return at


def is_asked(scene: Scene, word: Word) -> bool:
    """Whether a word is one of the question's, as a name or by its stem."""
    return word.stem in scene.asked or (is_content(word) and stem(word.plain) in scene.asked)
