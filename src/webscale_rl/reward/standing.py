"""Whether a window is what its clause says, rather than a part, a modifier or another party of something else.

    The capital of France is [Paris].           the clause speaks of what the question asks and ends in the window
    Tycho Brahe, the teacher of [Kepler]        something of the window
    [blood] vessels                             the window modifies another thing
    Leaves drink water and pass it to [roots].  the clause speaks of something new

Knows words alone and no grammar: what it cannot follow is None, never right.
"""

from __future__ import annotations

from webscale_rl.reward.following import beside, described, joined
from webscale_rl.reward.lexicon import AUXILIARIES, NEGATIONS, PLAIN, TRANSPARENT
from webscale_rl.reward.proper import DEMONYMS, GENERIC, LEGAL, ORGANISATION, PLACES, TITLES
from webscale_rl.reward.scene import (
    ARTICLES,
    ASSERTED,
    LINKS,
    SEES_ON,
    Scene,
    breaks,
    clause_end,
    clause_start,
    introduced,
    is_asked,
    is_new,
    is_past,
    verb_before,
)
from webscale_rl.reward.verdict import Match
from webscale_rl.reward.words import Word, is_content, is_exclusive, is_name_like, kin, opposed, read, stem

_ELSEWHERE = frozenset(
    "followed_by preceded_by succeeded_by replaced_by next_to near after before above below behind beyond"
    " against versus"
    " vs over underneath beneath outside defeated beat beating defeating defeats beats similar_to such_as like lost_to"
    " loses_to losing_to overtaken_by surpassed_by beaten_by defeated_by toward towards resembles replaced succeeded"
    " preceded followed opposed opposes".split()
)
_TURNING = frozenset(
    """lacks lacked opposes opposed rejects rejected avoids avoided prevents prevented denies denied excludes excluded
    replaces replaced loses stops stopped destroys destroyed contradicts ignores ignored refuses refused fears feared
    refuse fail failed avoid decline declined forgot neglected warned forbade forbidden stopped
    resists resisted abolishes abolished bans banned needs needed requires required precedes preceded follows followed
    surrounds resembles defeats defeated borders outlawed inhibits blocks blocked reduces reduced""".split()
)
_CONTRASTING = frozenset("whereas while although though unlike whilst".split())
_RELATIVE = frozenset("which who whose whom where".split())
_NAMING = frozenset("is are was were be called named termed known as being".split())
_CREDITED = frozenset(
    "credited attributed ascribed belongs belonged owed goes went due thanks married wed engaged".split()
)
_SAID = frozenset(
    """believe believes believed think thinks found finds find show shows showed shown state states stated say says said
    suggest suggests suggested indicate indicates indicated argue argues argued conclude concludes concluded agree
    agrees ruled means explain explains explained confirm confirms confirmed reveal reveals revealed report reports
    reported is was""".split()
)
_CONTESTS = frozenset(
    "defeated beaten conquered invaded attacked captured killed succeeded replaced followed taught".split()
)
"""What A does to B is not what B does to A."""
_REASONS = frozenset((("because", "of"), ("due", "to"), ("owing", "to")))
_RECEIVERS = frozenset("to against".split())
_LEAVING = frozenset(
    "left quit abandoned deserted leave leaves escaped fled hated disliked criticized attacked".split()
)
_OF_PLACES = DEMONYMS | {place for place in PLACES if " " not in place}
_HAVING = frozenset(
    "follow practice practise speak use have contain include produce show eat drink study play wear receive".split()
)
"""Verbs in the plural that say of their object that it is there."""
_GOES_WITH = GENERIC | LEGAL | ORGANISATION
_PARTIES = frozenset("for to from with against about toward towards at in into onto on upon".split())


def stands(scene: Scene, start: int, end: int, *, name: bool = False) -> Match:
    """Whether a window is what its clause says, not an attribute of something else or another party to it.

    With `name`, words in small letters around it cannot make it another thing: "the author J. K. Rowling wrote".
    """
    first = _after_that(scene.text.words, clause_start(scene.text.words, start), start)
    first = _after_and(scene, first, start)
    match = _related(scene, first, start, name) or _subordinate(scene, first, start, name)
    if match is None and scene.act and not name and _leads(scene, scene.text.words, first, start):
        match = Match(None, "turned") if _turns(scene, scene.text.words, first, start) else None
    elif match is None:
        at, match = _modified(scene, first, start, name)
        match = match or _another(scene, first, at, name) or beside(scene, start, end, name)
    return (
        match
        or (described(scene, first, start, end) if name else None)
        or joined(scene, start, end, name)
        or _told_elsewhere(scene, first, start, end)
        or _exchanged(scene, first, start, end)
        or ASSERTED
    )


def _after_that(words: tuple[Word, ...], first: int, start: int) -> int:
    """Where the clause begins if it is what somebody says: most scientists believe that [X caused it]."""
    for at in range(start - 1, first, -1):
        if words[at].plain == "that" and words[at - 1].plain in _SAID:
            return at + 1
    return first


def _after_and(scene: Scene, first: int, start: int) -> int:
    """Where the part of the clause begins that does what was asked: plants take in A and [release X]."""
    words = scene.text.words
    verb = verb_before(words, start)
    asked = verb > first + 1 and words[verb].stem in scene.asked and words[verb].raw.islower()
    return verb if asked and is_content(words[verb]) and words[verb - 1].plain == "and" else first


def _related(scene: Scene, first: int, start: int, name: bool) -> Match | None:
    """A word before the window that makes it the other party: followed by X, near X, written for X."""
    words = scene.text.words
    near = introduced(words, first, start)
    for hit in near & _ELSEWHERE:
        if not read(hit.replace("_", " ")).content & (scene.asked | scene.own):
            return Match(None, "elsewhere")
    if name and _turned(scene, first, start):
        return Match(None, "turned")
    party = name and start > first and words[start - 1].plain in (_PARTIES if scene.who else _RECEIVERS)
    party = party and (scene.who or not (scene.object or "where" in scene.said))
    if not party or words[start - 2].plain in _CREDITED:
        return None
    said = any(is_new(scene, word) or word.stem in scene.asked for word in words[first : start - 1])
    return Match(None, "elsewhere") if said else None


def _turned(scene: Scene, first: int, start: int) -> bool:
    """Whether the verb right before a name turns round what was asked: rejected X, left X, began X for ended X."""
    words = scene.text.words
    verb = words[verb_before(words, start)] if start > first else None
    if verb is None or not verb.raw.islower() or is_asked(scene, verb):
        return False
    return turns(verb) or verb.plain in _LEAVING or any(opposed(stem(verb.plain), one) for one in scene.asked)


def _subordinate(scene: Scene, first: int, start: int, name: bool) -> Match | None:
    """A clause that says something of another: "whereas X", "which borders X"."""
    words = scene.text.words
    if not first or not any(is_new(scene, word) or scene.chosen for word in words[:first]):
        return None
    if "(" in words[first].gap and any(
        is_new(scene, word) and (name or not _is_symbol(word)) for word in words[:first]
    ):
        before = words[:first]
        spelt_out = "".join(word.plain[0] for word in before if is_content(word)) == words[start].plain
        if not spelt_out and not any(kin(word.stem, own) or word.stem == own for word in before for own in scene.own):
            return Match(None, "aside")
    if words[first].plain in _CONTRASTING:
        return Match(None, "contrasted")
    if words[first].plain in _RELATIVE and first < start - 1:
        return Match(None, "elsewhere")
    return None


def _is_symbol(word: Word) -> bool:
    """CO2, dB, NaCl, WHO: what an answer may say before it says the same in words and in brackets."""
    return len(word.raw) <= 3 or any(not letter.islower() for letter in word.raw[1:])


def _modified(scene: Scene, first: int, start: int, name: bool) -> tuple[int, Match | None]:
    """The words that stand right before the window as its modifiers: where they begin, and whether they change it."""
    words = scene.text.words
    is_a = _is_a(scene, words, first, start)
    at = start
    while at > first and is_content(words[at - 1]) and words[at - 1].plain not in NEGATIONS:
        word = words[at - 1]
        if word.stem in scene.asked and not is_exclusive(word.stem):
            break
        if name and not is_name_like(word) and word.gap != "-" and words[at].gap != "-":
            return _described_from(words, first, at - 1), None  # the Southern rock band X is X
        at -= 1
        if not is_new(scene, word):
            if scene.chosen and is_exclusive(word.stem) and word.stem not in scene.own and word.plain not in PLAIN:
                return at, Match(None, "modified")
            continue
        if (word.gap == "-" and at > first) or (name and not is_name_like(word)) or _is_dressing(word):
            continue
        if is_exclusive(word.stem) and (not is_a or word.stem[0] == "#"):
            return at, Match(None, "modified")
        if not name and _is_object(scene, words, first, at):
            return at + 1, None
        if name or not (is_a or _harmless(scene, word)):
            return at, Match(None, "modified")
    return at, None


def _described_from(words: tuple[Word, ...], first: int, at: int) -> int:
    """Where the words begin that an article opens and that describe a name; `at` if there is no article."""
    place = at
    while place > first and is_content(words[place - 1]) and words[place - 1].plain not in NEGATIONS:
        place -= 1
    return place if place > first and words[place - 1].plain in ARTICLES else at


def _is_dressing(word: Word) -> bool:
    """A title, or "first": the first smallpox vaccine is the smallpox vaccine."""
    return (word.plain in TITLES | LEGAL and is_name_like(word)) or word.raw == "first"


def _another(scene: Scene, first: int, at: int, name: bool) -> Match | None:
    """Whether the clause speaks of something new before the window and its modifiers."""
    words = scene.text.words
    owner = next((place for place in range(first, min(at - 1, first + 4)) if words[place].owns), first - 1)
    begins = owner + 1 if owner >= first and words[owner + 1].stem in scene.asked and _is_said(words, at) else first
    others = [
        place for place in range(begins, at)
        if is_new(scene, words[place]) and not (name and words[place].raw.islower())
        and words[place].plain not in LINKS
        and not (is_name_like(words[place]) and words[place + 1].stem in scene.asked and is_name_like(words[place + 1]))
        and not (place == first and not name and _qualifies(scene, words, place))
        and not (words[place].plain in _GOES_WITH and words[place - 1].stem in scene.asked and place > first)
        and not (words[place].plain in TRANSPARENT and words[place + 1].plain == "of")
    ]  # fmt: skip
    told = bool(others) and not name and _leads(scene, words, first, at) and not _turns(scene, words, first, at)
    if told and _carries(scene, words, first, at, others[-1]):
        others = others[:-1]
    said = _is_said(words, at) or (name and _is_by(words, at))
    if scene.why and _is_reason(words, at):
        return None
    if not others or (said and _leads(scene, words, first, at)):
        return _headed(scene, first, at)
    if scene.where and words[at - 1].plain in ARTICLES | {"in", "at", "on", "within", "inside", "of"}:
        return None
    return Match(None, "elsewhere")


def _qualifies(scene: Scene, words: tuple[Word, ...], place: int) -> bool:
    """Whether a new word only qualifies what the question speaks of: young kangaroos, for a baby kangaroo."""
    word, following = words[place], words[place + 1]
    apart = is_exclusive(word.stem) and any(opposed(word.stem, one) for one in scene.asked)
    return following.stem in scene.asked and is_content(following) and not following.gap and not apart


def _carries(scene: Scene, words: tuple[Word, ...], first: int, at: int, place: int) -> bool:
    """Whether a new word is but the verb between what the question speaks of and the window: S depicts X, S is
    measured in X, S was advised to carry X, where "carry" is the question's."""
    before = verb_before(words, at)
    if place == before:
        return _is_object(scene, words, first, place)
    passive = words[place - 1].plain in AUXILIARIES and words[place].plain.endswith(("ed", "en", "wn", "nt"))
    if place == before - 1 and passive and words[before].plain in LINKS:
        return True
    return (
        words[before].stem in scene.asked and is_content(words[before]) and (passive or not is_name_like(words[place]))
    )


def _turns(scene: Scene, words: tuple[Word, ...], first: int, at: int) -> bool:
    """Whether a word before the window turns what is said of it: lacks, prevents, refused."""
    return any((turns(word) or word.plain == "against") and word.stem not in scene.asked for word in words[first:at])


def turns(word: Word) -> bool:
    """Whether a verb says of its object that it is not so, not there or not done."""
    return word.plain in _TURNING


def _told_elsewhere(scene: Scene, first: int, start: int, end: int) -> Match | None:
    """Whether the window's clause says nothing that was asked, and a later clause says it of something new."""
    words = scene.text.words
    last = clause_end(words, end)
    here = (*words[first:start], *words[end:last])
    if not any(is_new(scene, word) for word in here) or any(word.stem in scene.asked for word in here):
        return None
    before = words[:first]
    told = any(word.stem in scene.asked for word in before) and any(word.plain in AUXILIARIES for word in before)
    if told and any(is_new(scene, word) and is_name_like(word) for word in before):
        return Match(None, "elsewhere")
    there = words[last : last + SEES_ON]
    answers = sum(word.stem in scene.asked for word in there) >= 2 and any(is_new(scene, word) for word in there[:3])
    return Match(None, "elsewhere") if answers else None


def _exchanged(scene: Scene, first: int, start: int, end: int) -> Match | None:
    """Whether the window does what was asked to be done to it, or the other way round: "X defeated S" for whom S
    defeated."""
    words = scene.text.words
    last = clause_end(words, end)
    if scene.object:
        verb = words[end] if end < last else None
        by = verb_before(words, start)
        if (
            by > first + 1
            and words[by].plain == "by"
            and is_asked(scene, words[by - 1])
            and words[by - 1].plain in _CONTESTS
            and "by" not in scene.said
        ):
            return Match(None, "exchanged")  # defeated by X, for whom S defeated
        if verb and is_past(verb) and is_asked(scene, verb) and any(is_asked(scene, w) for w in words[end + 1 : last]):
            return Match(None, "exchanged")
        return None
    before = verb_before(words, start)
    if before > first and is_past(words[before]) and words[before].stem not in scene.own:
        subject = words[first + (words[first].plain in ARTICLES)]
        active = not any(word.plain in AUXILIARIES for word in words[first:before])
        active = active and words[before].plain not in ("starred", "featured", "included")
        spoken = subject.stem in scene.asked or (subject.plain == "it" and words[before].plain == "caused")
        if active and is_asked(scene, words[before]) and spoken:
            return Match(None, "exchanged")
    passive = last - end >= 4 and words[end].plain in AUXILIARIES and words[end + 2].plain == "by"
    if passive and words[end + 3].stem in scene.asked and is_name_like(words[end + 3]):
        return Match(None, "exchanged")
    return None


def _harmless(scene: Scene, word: Word) -> bool:
    """Whether an unknown modifier leaves the window what it is: a participle, kin of the question's words, any word
    before a window of several."""
    if word.plain in DEMONYMS and not scene.said.isdisjoint(_OF_PLACES):
        return any(kin(word.stem, other) for other in scene.asked)  # the Chinese yen, where Japan's was asked for
    if len(scene.own) > 2 or word.plain in DEMONYMS or (word.plain.endswith("ed") and len(word.plain) > 5):
        return True
    return any(kin(word.stem, other) for other in scene.asked)


def _is_a(scene: Scene, words: tuple[Word, ...], first: int, start: int) -> bool:
    """Whether the window ends "S is a ..." of what the question asks: whatever it is, it is one of these."""
    at = start - 1
    while at > first and words[at].plain not in ("a", "an"):
        if words[at].plain in _NAMING:  # dolphins are marine mammals
            return _leads(scene, words, first, at)
        if breaks(words, at) or not is_content(words[at]):
            return False
        at -= 1
    return at > first and words[at - 1].plain in _NAMING and _leads(scene, words, first, at)


def _is_object(scene: Scene, words: tuple[Word, ...], first: int, at: int) -> bool:
    """Whether the word at this place is an unknown verb between what the question speaks of and the window."""
    word = words[at]
    verbal = word.raw.islower() and word.plain.endswith(("s", "ed")) and not word.plain.endswith("ss")
    verbal = verbal or word.plain in _HAVING
    return (
        verbal and at > first and word.plain not in _TURNING and _leads(scene, words, first, at)
        and not any(is_new(scene, other) for other in words[first:at]) and words[at - 1].plain not in ARTICLES | LINKS
    )  # fmt: skip


def _is_by(words: tuple[Word, ...], at: int) -> bool:
    """Whether "by" stands before a name and its article, and no verb that turns before that."""
    by = verb_before(words, at)
    return words[by].plain == "by" and words[by - 1].plain not in _TURNING


def _is_reason(words: tuple[Word, ...], at: int) -> bool:
    """Whether "because of" or "due to" stands right before a window and its article."""
    place = verb_before(words, at)
    return place > 0 and (words[place - 1].plain, words[place].plain) in _REASONS


def _is_said(words: tuple[Word, ...], at: int) -> bool:
    """Whether a form of "to be" or "called" stands right before a window."""
    before = [
        word.plain
        for word in words[max(0, at - 3) : at]
        if word.plain not in ARTICLES and word.plain not in PLAIN - _NAMING
    ]
    return bool(before) and before[-1] in _NAMING


def _leads(scene: Scene, words: tuple[Word, ...], first: int, at: int) -> bool:
    """Whether the clause speaks of what the question asks: its first word that says something is the question's, or
    there is none but a pronoun."""
    owner = next((place for place in range(first, min(at - 1, first + 4)) if words[place].owns), first - 1)
    if owner >= first and words[owner + 1].stem in scene.asked:
        first = owner + 1  # the Darling family's dog is a dog
    lead = next((word for word in words[first:at] if is_content(word) and not word.owns), None)
    return lead is None or lead.stem in scene.asked or lead.plain in PLAIN


def _headed(scene: Scene, first: int, at: int) -> Match | None:
    """Something of the window, where the something is no mere sort: the husband of X, the collapse of X."""
    words = scene.text.words
    place = at - 1
    while place > first and words[place].plain in ARTICLES:
        place -= 1
    if place > first and words[place].plain == "of":
        head = words[place - 1]
        if any(is_new(scene, word) and is_name_like(word) for word in words[:first]):
            return Match(None, "headed")
        if not (
            head.stem in scene.asked | scene.own
            or head.plain in TRANSPARENT
            or head.plain in PLAIN
            or not is_content(head)
        ):
            return Match(None, "headed")
    return None
