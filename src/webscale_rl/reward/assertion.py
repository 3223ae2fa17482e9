"""Whether an answer that has the reference's words asserts them: no negation, no alternatives, no other role.

A "window" is a run of words, `start` and `end` as in a slice. `guarded` looks at what is said of it, `stands` at whether
it is what the clause says. Both see words alone and know no grammar: what they cannot follow is None, never right.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from webscale_rl.reward.lexicon import AUXILIARIES, FUNCTION, HEADS, NEGATIONS, PLAIN, REVERSING, TRANSPARENT
from webscale_rl.reward.verdict import Match
from webscale_rl.reward.words import Text, Word, is_content, is_exclusive, is_name_like, read

ASSERTED = Match(True, "asserted")

_BREAKS = frozenset(",;:.?!(—\n)[]>=<→")
_ABBREVIATED = frozenset("dr mr mrs ms prof sir jr sr st mt gen col capt lt sgt rev hon gov sen rep vs no inc co ltd".split())
_ARTICLES = frozenset("a an the his her its their our my your this that these those both".split())
_DENYING = frozenset(
    "rather_than instead_of opposed_to other_than contrary_to confused_with mistaken_for distinct_from different_from"
    " apart_from aside_from except_for smaller_than larger_than unlike except excluding than minus sans".split()
)
_ELSEWHERE = frozenset(
    "followed_by preceded_by succeeded_by replaced_by next_to near after before above below behind beyond against versus"
    " vs over under underneath beneath outside defeated beat beating defeating defeats beats similar_to such_as like lost_to"
    " loses_to losing_to overtaken_by surpassed_by beaten_by defeated_by toward towards resembles contains replaced succeeded"
    " preceded followed opposed opposes".split()
)
_REVERSED = frozenset("defeated beaten succeeded followed preceded replaced overtaken surpassed overthrown outnumbered".split())
_LOSING = frozenset("lost loses lose losing fails failed".split())
_WRONG = frozenset("wrong incorrect false mistaken untrue inaccurate myth".split())
_MODAL = frozenset("might may could".split())
_HEDGES = frozenset(
    "perhaps maybe possibly conceivably unsure uncertain unclear unknown guess guessing speculate speculated hypothetically"
    " supposedly allegedly reportedly presumably debatable".split()
)
_DOUBTED = frozenset("sure certain clear confident".split())
_SPEAKERS = frozenset("some many most people others scholars historians scientists critics experts sources".split())
_SAYING = frozenset(
    "say says said think thinks thought believe believes believed claim claims claimed argue argues argued assume"
    " assumed assumes suggest suggests suggested mistakenly falsely wrongly erroneously incorrectly".split()
)
_IMPERSONAL = frozenset("once commonly often popularly widely formerly sometimes mistakenly falsely wrongly".split())
_TAKEN_BACK = frozenset("wait scratch correction sorry oops hmm".split())
_ENDS_OF_LIST = frozenset(("or", "nor"))
_SEES_ON = 40
"""Words on either side of a window that are looked at: a sentence has 20."""


class Scene(NamedTuple):
    """An answer, the stems of the question and of the reference, and what the question's form says.

    `chosen` is true if the question holds the reference ("Is it faster or slower?"): then its words are no excuse.
    """

    text: Text
    asked: frozenset[str]
    own: frozenset[str]
    negated: bool = False
    where: bool = False
    chosen: bool = False


def scene(text: Text, own: frozenset[str], question: str) -> Scene:
    """The scene of an answer. The question is read once for all answers to it."""
    asked = read(question)
    plains = {word.plain for word in asked.words}
    where = "where" in plains or bool(plains & {"located", "location", "state", "country", "organ"})
    return Scene(text, asked.content, own, bool(plains & (NEGATIONS | {"except"})), where, own <= asked.content)


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
        return not (len(before.raw) == 1 or before.plain in _ABBREVIATED or (len(before.raw) <= 3 and before.raw.isupper()))
    return True


def clause_start(words: tuple[Word, ...], start: int) -> int:
    """Where the clause of the word at `start` begins."""
    floor = max(0, start - _SEES_ON)
    while start > floor and not breaks(words, start):
        start -= 1
    return start


def clause_end(words: tuple[Word, ...], end: int) -> int:
    """Where the clause ends that goes on at `end`."""
    ceiling = min(len(words), end + _SEES_ON)
    while end < ceiling and not breaks(words, end):
        end += 1
    return end


def guarded(scene: Scene, start: int, end: int) -> Match:
    """What is said of a window: denied, one of several alternatives, taken back (all False), hedged, hearsay (None)."""
    for guard in (_denied_before, _denied_after, _alternatives, _taken_back, _hedged, _hearsay):
        match = guard(scene, start, end)
        if match is not None:
            return match
    return ASSERTED


def stands(scene: Scene, start: int, end: int, *, name: bool = False) -> Match:
    """Whether a window is what its clause says, not an attribute of something else or another party to it.

    With `name`, words in small letters around it cannot make it another thing: "the author J. K. Rowling wrote".
    """
    for look in (_before, _beside, _joined):
        match = look(scene, start, end, name)
        if match is not None:
            return match
    return ASSERTED


def is_new(scene: Scene, word: Word) -> bool:
    """Whether a word says something that neither question nor reference say, and that could be an answer."""
    return (
        is_content(word) and word.stem not in scene.asked and word.stem not in scene.own
        and word.plain not in PLAIN and word.plain not in NEGATIONS
    )  # fmt: skip


def _denied_before(scene: Scene, start: int, end: int) -> Match | None:
    words, own = scene.text.words, scene.own
    first = clause_start(words, start)
    if start > first and words[start].gap == "-" and words[start - 1].plain in REVERSING | {"anti", "non", "counter"}:
        return Match(False, "opposite")
    near = _introduced(words, first, start)
    if near & _DENYING and "none_other" not in near and not near & own:
        return Match(False, "contrasted")
    finite = content = False
    for at in range(start - 1, max(first - 1, start - 9), -1):
        plain = words[at].plain
        if plain in NEGATIONS and plain not in own:
            follower = words[at + 1].plain if at + 1 < len(words) else ""
            if follower in ("only", "just", "merely", "doubt", "less", "until", "other") or plain == "nothing":
                return None
            if (finite and content) or (scene.negated and content):
                return None
            return Match(False, "denied")
        finite = finite or (plain in AUXILIARIES)
        content = content or (finite and is_content(words[at]) and plain not in AUXILIARIES)
    return None


def _introduced(words: tuple[Word, ...], first: int, start: int) -> set[str]:
    """The word that introduces a window, and the pairs it makes with the words before: "than", "rather_than"."""
    at = start - 1
    while at >= first and (words[at].plain in _ARTICLES or (words[at].plain in PLAIN and at > first)):
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


def _denied_after(scene: Scene, start: int, end: int) -> Match | None:
    words = scene.text.words
    if end >= len(words) or breaks(words, end) or scene.negated:
        return None
    last = clause_end(words, end)
    at = end
    if words[at].plain not in AUXILIARIES and words[at].plain not in NEGATIONS:
        return Match(None, "elsewhere") if words[at].plain in _LOSING and words[at].stem not in scene.asked else None
    while at < last and words[at].plain in AUXILIARIES:
        at += 1
    if at < last and words[at].plain in _WRONG | {"a"} and words[min(at + (words[at].plain == "a"), last - 1)].plain in _WRONG:
        return Match(False, "denied")
    if at < last and words[at].plain in NEGATIONS and words[at].plain not in scene.own:
        rest = words[at + 1 : last]
        if rest and rest[0].plain in ("only", "just"):
            return None
        return Match(None if any(is_new(scene, word) for word in rest) else False, "denied")
    if at < last and words[at].plain in _REVERSED and words[at].stem not in scene.asked:
        if at + 1 < last and words[at + 1].plain in ("by", "to"):
            return Match(None, "elsewhere")
    if at < last and words[at].plain in _IMPERSONAL and words[at].plain not in ("often", "widely", "commonly", "sometimes"):
        return Match(None, "hearsay")
    return None


def _alternatives(scene: Scene, start: int, end: int) -> Match | None:
    """X or Y, X, Y, or Z, either X or Y, X/Y. A gloss ("cooled magma or lava") elsewhere in the sentence is none."""
    words = scene.text.words
    if end < len(words) and "/" in words[end].gap:
        return None if not _other(scene, words[end]) else Match(False, "alternatives")
    if start and "/" in words[start].gap:
        return None if not _other(scene, words[start - 1]) else Match(False, "alternatives")
    places = [at for at, word in enumerate(words[: end + _SEES_ON]) if word.plain in _ENDS_OF_LIST]
    for at in places:
        if start <= at < end:
            continue
        if at >= end:
            between = words[end:at]
            others = [word for word in words[at + 1 : at + 4] if _other(scene, word)]
        else:
            between = words[at + 1 : start]
            others = [word for word in words[max(0, at - 4) : at] if _other(scene, word)]
        if not others or any(word.plain in AUXILIARIES or word.plain in FUNCTION - _ARTICLES for word in between):
            continue
        listed = all(word.gap or not is_content(word) or word.plain in PLAIN for word in between if is_content(word))
        if not any(is_new(scene, word) for word in between):
            return Match(None if words[at].gap.startswith(("(", ",")) and at >= end and not between else False, "alternatives")
        if len(between) <= 12 and (listed or "," in words[at].gap):
            return Match(False, "alternatives")
    return None


def _other(scene: Scene, word: Word) -> bool:
    """Whether a word could be another answer. If the question offers the reference, so may the question's words be."""
    if scene.chosen:
        return is_content(word) and word.stem not in scene.own and word.plain not in PLAIN
    return is_new(scene, word) or (len(word.raw) == 1 and word.raw.isupper() and word.stem not in scene.own)


def _taken_back(scene: Scene, start: int, end: int) -> Match | None:
    words = scene.text.words
    for at in range(end, min(len(words), end + _SEES_ON)):
        plain = words[at].plain
        broken = breaks(words, at)
        if broken and plain in _TAKEN_BACK | {"no"} and (plain != "no" or (at + 1 < len(words) and breaks(words, at + 1))):
            return Match(False, "taken_back")
        if broken and plain == "actually" and any(is_new(scene, word) for word in words[at:]):
            return Match(None, "taken_back")
        if plain in ("but", "however") and plain not in scene.own:
            rest = words[at + 1 : at + 5]
            says = any(word.plain in ("is", "was", "are", "were") for word in rest[1:4])
            if says and not any(word.plain in ("also", "not", "only") for word in rest) and _tells(scene, at):
                return Match(None, "taken_back")
    return None


def _tells(scene: Scene, at: int) -> bool:
    return any(is_new(scene, word) for word in scene.text.words[at : at + 12])


def _hedged(scene: Scene, start: int, end: int) -> Match | None:
    words, known = scene.text.words, scene.asked | scene.own
    for at, word in enumerate(words[: end + 6]):
        plain = word.plain
        if start <= at < end or word.stem in known:
            continue
        if plain in _HEDGES:
            return Match(None, "hedged")
        if plain in _MODAL and at < start and word.raw.islower():
            follower = words[at + 1].plain
            if follower in ("be", "have", "also", "well", "possibly") or at + 1 == start:
                return Match(None, "hedged")
        if plain in _DOUBTED and at and (words[at - 1].plain in NEGATIONS or words[at - 2].plain in NEGATIONS):
            return Match(None, "hedged")
    return Match(None, "hedged") if end == len(words) and "?" in scene.text.end else None


def _hearsay(scene: Scene, start: int, end: int) -> Match | None:
    """Some say, many believe, it was once thought, it is commonly believed: said, but not by the answer."""
    words = scene.text.words[:start]
    for at, word in enumerate(words):
        if word.plain in _SAYING and word.stem not in scene.asked:
            before = {other.plain for other in words[max(0, at - 3) : at]}
            if before & (_SPEAKERS | _IMPERSONAL) or word.plain.endswith("ly"):
                return Match(None, "hearsay")
        if word.plain in ("myth", "misconception", "contrary") and word.stem not in scene.asked:
            return Match(None, "hearsay")
        if word.plain == "to" and at and words[at - 1].plain == "according" and at + 1 < len(words):
            if words[at + 1].plain in _SPEAKERS and words[at + 1].stem not in scene.asked:
                return Match(None, "hearsay")
    return None


def _before(scene: Scene, start: int, end: int, name: bool) -> Match | None:
    """What the clause says before the window: modifiers that change it, or another subject."""
    words = scene.text.words
    first = clause_start(words, start)
    near = _introduced(words, first, start)
    hits = near & _ELSEWHERE
    if hits and not any(read(hit.replace("_", " ")).content & (scene.asked | scene.own) for hit in hits):
        return Match(None, "elsewhere")
    at = start
    while at > first and is_content(words[at - 1]) and words[at - 1].plain not in NEGATIONS:
        at -= 1
        word = words[at]
        if not is_new(scene, word):
            if is_exclusive(word.stem) and word.stem not in scene.own and word.plain not in PLAIN and scene.chosen:
                return Match(None, "modified")
            continue
        if word.gap == "-" and at > first:
            continue
        if name and not is_name_like(word):
            continue
        if is_exclusive(word.stem):
            return Match(False if len(words) <= 6 else None, "modified")
        if not (word.plain.endswith("ed") and len(word.plain) > 5 and not name):
            return Match(None, "modified")
    others = [place for place in range(first, at) if is_new(scene, words[place]) and not (name and words[place].raw.islower())]
    if not others:
        return _headed(scene, first, at, name)
    if scene.where and words[at - 1].plain in _ARTICLES | {"in", "at", "on", "within", "inside", "of"}:
        return None
    return Match(None, "elsewhere")


def _headed(scene: Scene, first: int, at: int, name: bool) -> Match | None:
    """Something of the window, where the something is no mere sort: the husband of X, the collapse of X."""
    words = scene.text.words
    place = at - 1
    while place > first and words[place].plain in _ARTICLES:
        place -= 1
    if place > first and words[place].plain == "of":
        head = words[place - 1]
        if not (head.stem in scene.asked | scene.own or head.plain in TRANSPARENT or head.plain in PLAIN or not is_content(head)):
            return Match(None, "headed")
    return None


def _beside(scene: Scene, start: int, end: int, name: bool) -> Match | None:
    """What follows the window at once and makes it a part of something else: X's father, X Business Review."""
    words = scene.text.words
    if words[end - 1].owns and end < len(words) and not breaks(words, end):
        if any(is_new(scene, word) for word in words[end : clause_end(words, end)]):
            return Match(None, "owner")
    if end >= len(words) or breaks(words, end):
        return None
    word = words[end]
    if word.gap == "-" and is_content(word) and word.stem not in scene.own:
        return Match(None, "compound")
    if word.plain == "without":
        return Match(None, "contrasted")
    if not is_new(scene, word) or word.plain in HEADS or word.plain.endswith("ly"):
        return None
    if name:
        return Match(False if len(words) <= 5 else None, "extended") if is_name_like(word) or word.stem[0] == "#" else None
    finite = word.plain.endswith("ed") or (word.plain.endswith("s") and not words[end - 1].plain.endswith("s"))
    if finite and len(words) > end + 1 and start <= 3:
        return None
    return Match(None, "extended")


def _joined(scene: Scene, start: int, end: int, name: bool) -> Match | None:
    """X and Y where only X was asked for."""
    words = scene.text.words
    at = end
    if at < len(words) and words[at].plain in ("and", "plus") and at + 1 < len(words):
        rest = words[at + 1 : at + 4]
        lead = next((word for word in rest if word.plain not in _ARTICLES), rest[0])
        if lead.plain in AUXILIARIES or not (is_content(lead)):
            return None
        if _other(scene, lead) and not (name and not is_name_like(lead)):
            return Match(None, "more")
    at = start - 1
    while at > 0 and words[at].plain in _ARTICLES:
        at -= 1
    if at > 0 and words[at].plain in ("and", "plus") and not breaks(words, at) and _other(scene, words[at - 1]):
        return Match(None, "more")
    return None
