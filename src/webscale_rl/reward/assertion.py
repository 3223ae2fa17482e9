"""Whether an answer that has the reference's words asserts them: no denial, no alternatives, no hedge, no hearsay.

Knows words alone and no grammar: what it cannot follow is None, never right.
"""

from __future__ import annotations

from webscale_rl.reward.lexicon import AUXILIARIES, FUNCTION, NEGATIONS, PLAIN, REVERSING
from webscale_rl.reward.scene import (
    ARTICLES,
    ASSERTED,
    SEES_ON,
    Scene,
    breaks,
    clause_end,
    clause_start,
    introduced,
    is_new,
    is_other,
)
from webscale_rl.reward.verdict import Match
from webscale_rl.reward.words import Word, is_content, is_name_like

_DENYING = frozenset(
    "rather_than instead_of opposed_to other_than contrary_to confused_with mistaken_for distinct_from different_from"
    " apart_from aside_from except_for smaller_than larger_than unlike except excluding than minus sans".split()
)
_REVERSED = frozenset(
    "defeated beaten succeeded followed preceded replaced overtaken surpassed overthrown outnumbered".split()
)
_LOSING = frozenset("lost loses lose losing fails failed".split())
_WRONG = frozenset("wrong incorrect false mistaken untrue inaccurate myth".split())
_MODAL = frozenset("might may could".split())
HEDGES = frozenset(
    "perhaps maybe possibly conceivably unsure uncertain unclear unknown guess guessing speculate speculated"
    " hypothetically"
    " supposedly allegedly reportedly presumably debatable".split()
)
_DOUBTED = frozenset("sure certain clear confident".split())
_SPEAKERS = frozenset("some many people others critics sources".split())
_SAYING = frozenset(
    "say says said think thinks thought believe believes believed claim claims claimed argue argues argued assume"
    " assumed assumes suggest suggests suggested mistakenly falsely wrongly erroneously incorrectly".split()
)
_IMPERSONAL = frozenset("once commonly often popularly widely formerly sometimes mistakenly falsely wrongly".split())
_FORMER = frozenset("used formerly previously".split())
_MYTHS = frozenset("myth misconception contrary".split())
_ONCE = frozenset("long once formerly previously initially".split())
_TAKEN_BACK = frozenset("wait scratch correction sorry oops hmm".split())


def guarded(scene: Scene, start: int, end: int) -> Match:
    """What is said of a window: denied, one of several alternatives, taken back (all False), hedged, hearsay (None)."""
    for guard in (_denied_before, _denied_after, _alternatives, _taken_back, _hedged, _hearsay):
        match = guard(scene, start, end)
        if match is not None:
            return match
    return ASSERTED


def _denied_before(scene: Scene, start: int, end: int) -> Match | None:
    words, own = scene.text.words, scene.own
    first = clause_start(words, start)
    if start > first and words[start].gap == "-" and words[start - 1].plain in REVERSING | {"anti", "non", "counter"}:
        return Match(False, "opposite")
    near = introduced(words, first, start)
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
    if at < last and words[at].plain in _ONCE:
        return Match(None, "former")
    if (
        at < last
        and words[at].plain in _WRONG | {"a"}
        and words[min(at + (words[at].plain == "a"), last - 1)].plain in _WRONG
    ):
        return Match(False, "denied")
    if at < last and words[at].plain in NEGATIONS and words[at].plain not in scene.own:
        rest = words[at + 1 : last]
        if rest and rest[0].plain in ("only", "just"):
            return None
        return Match(None if any(is_new(scene, word) for word in rest) else False, "denied")
    if at + 2 < last and words[at].plain in _REVERSED and words[at + 1].plain in ("by", "to"):
        party = words[at + 2]
        if words[at].stem not in scene.asked or (is_new(scene, party) and is_name_like(party)):
            return Match(None, "elsewhere")
    if (
        at < last
        and words[at].plain in _IMPERSONAL
        and words[at].plain not in ("often", "widely", "commonly", "sometimes")
    ):
        return Match(None, "hearsay")
    return None


def _alternatives(scene: Scene, start: int, end: int) -> Match | None:
    """X or Y, X, Y, or Z, either X or Y, X/Y. A gloss ("cooled magma or lava") elsewhere in the sentence is none."""
    words = scene.text.words
    if end < len(words) and "/" in words[end].gap:
        return None if not is_other(scene, words[end]) else Match(False, "alternatives")
    if start and "/" in words[start].gap:
        return None if not is_other(scene, words[start - 1]) else Match(False, "alternatives")
    near = range(max(0, start - SEES_ON), min(len(words), end + SEES_ON))
    places = [at for at in near if words[at].plain in ("or", "nor")]
    for at in places:
        if start <= at < end:
            continue
        if at >= end:
            between = words[end:at]
            others = [word for word in words[at + 1 : at + 4] if is_other(scene, word)]
        else:
            between = words[at + 1 : start]
            others = [word for word in words[max(0, at - 4) : at] if is_other(scene, word)]
        if not others or any(word.plain in AUXILIARIES or word.plain in FUNCTION - ARTICLES for word in between):
            continue
        listed = all(word.gap or not is_content(word) or word.plain in PLAIN for word in between if is_content(word))
        gloss = clause_end(words, at + 1)
        if (
            at == end
            and words[at].gap == ","
            and gloss + 1 < len(words)
            and words[gloss].gap == ","
            and words[gloss].plain in AUXILIARIES
            and not any(map(is_name_like, words[at + 1 : gloss]))
        ):
            continue  # the femur, or thigh bone, is
        if not any(is_new(scene, word) for word in between):
            return Match(
                None if words[at].gap.startswith(("(", ",")) and at >= end and not between else False, "alternatives"
            )
        if len(between) <= 12 and (listed or "," in words[at].gap):
            return Match(False, "alternatives")
    return None


def _taken_back(scene: Scene, start: int, end: int) -> Match | None:
    words = scene.text.words
    for at in range(end, min(len(words), end + SEES_ON)):
        plain = words[at].plain
        broken = breaks(words, at)
        if (
            broken
            and plain in _TAKEN_BACK | {"no"}
            and (plain != "no" or (at + 1 < len(words) and breaks(words, at + 1)))
        ):
            return Match(False, "taken_back")
        if broken and plain == "actually" and any(is_new(scene, word) for word in words[at:]):
            return Match(None, "taken_back")
        if plain in ("but", "however") and plain not in scene.own:
            rest = words[at + 1 : at + 5]
            says = any(word.plain in ("is", "was", "are", "were") for word in rest[:4])
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
        if plain in HEDGES:
            return Match(None, "hedged")
        if plain in _MODAL and at < start and word.raw.islower():
            follower = words[at + 1].plain
            if follower in ("be", "have", "also", "well", "possibly") or at + 1 == start:
                return Match(None, "hedged")
        if (
            plain in _DOUBTED
            and words[min(at + 1, len(words) - 1)].plain != "why"
            and at
            and (words[at - 1].plain in NEGATIONS or words[at - 2].plain in NEGATIONS)
        ):
            return Match(None, "hedged")
    return Match(None, "hedged") if end == len(words) and "?" in scene.text.end else None


def _hearsay(scene: Scene, start: int, end: int) -> Match | None:
    """Some say, many believe, it was once thought, it is commonly believed: said, but not by the answer."""
    words = scene.text.words[:start]
    first = clause_start(scene.text.words, start)
    for at, word in enumerate(words):
        if word.stem in scene.asked:
            continue
        if at >= first and word.plain in _FORMER and (word.plain != "used" or _follows(words, at, {"to"})):
            return Match(None, "former")
        before = {other.plain for other in words[max(0, at - 3) : at]}
        told = word.plain in _SAYING and (before & (_SPEAKERS | _IMPERSONAL) or word.plain.endswith("ly"))
        if (told and at >= first) or (word.plain in _MYTHS and words[at - 1].plain != "to"):
            return Match(None, "hearsay")
        if word.plain == "according" and _follows(words, at + 1, _SPEAKERS):
            return Match(None, "hearsay")
    return None


def _follows(words: tuple[Word, ...], at: int, plains: frozenset[str] | set[str]) -> bool:
    return at + 1 < len(words) and words[at + 1].plain in plains
