"""Sentences of a response: where they end, which of them assert anything, which take back what was said.

Questions, offers of help, plans and headings assert nothing. Abbreviations and phrases are English.
"""

from __future__ import annotations

import re

MOST_SENTENCES = 200
_END = re.compile(r"[.!?。！？]+[\"')\]*_”’]{0,6}(?=\s|$)|\n+")
_ABBREVIATION = re.compile(
    r"(?:^|[\s(\"'*])(?:Dr|Mr|Mrs|Ms|Prof|St|Sr|Jr|Gen|Col|Lt|Capt|Sgt|Rev|Hon|Gov|Sen|Rep|Pres|Mt|Ft|No|Nos|Vol"
    r"|Fig|Eq|vs|v|etc"
    r"|approx|ca|cf|al|Inc|Ltd|Co|Corp|Bros|Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sept?|Oct|Nov|Dec|e\.g|i\.e|a\.k\.a"
    r"|[ap]\.m|[A-Z]"
    r"|(?:[A-Z]\.){1,5}[A-Z]|min|max|est|pop|incl|d|b|r|p|pp|c)\Z"
)
BOLD = re.compile(
    r"(?<![\w*])\*\*(?=\S)([^*\n]{1,400})(?<=\S)\*\*(?![\w*])"
    r"|(?<![\w_])__(?=\S)([^_\n]{1,200} [^_\n]{1,200})(?<=\S)__(?![\w_])"  # __init__ is a name
)
_HALF_BOLD = re.compile(r"^\*\*|\*\*(?=\W*$)")
BULLET = re.compile(r"[ \t]*(?:[-*•+–]|\(?\d{1,3}[.)]|\(?[a-zA-Z][.)])[ \t]+")
HEADING = re.compile(r"#{1,6}\s|\*\*[^*\n]{1,80}:\*\*\s*$|\*\*(?:Step|Part)\b")
_CORRECTION = re.compile(
    r"\b(?:wait|actually|correction|mistake|mistaken|sorry|apolog\w{1,8}|rather|instead|oops|scratch that"
    r"|re-?check|reconsider"
    r"|let me redo|on second thought|i was wrong|that(?:'s| is) wrong|not right|incorrect)\b",
    re.IGNORECASE,
)
ALTERNATIVE = re.compile(
    r"^\W{0,4}(?:or|alternatively|also|maybe|perhaps|possibly|another|other|it (?:could|might|may)"
    r"|but (?:it )?(?:could|might|may)"
    r"|(?:could|might) (?:also )?be)\b",
    re.IGNORECASE,
)
_EMPTY_TALK = re.compile(
    r"^\W{0,4}(?:i hope|hope (?:this|that|it)|let me know|please (?:let|feel|note that i|provide|clarify|share)"
    r"|feel free|if you (?:have|need|want"
    r"|would like)|is there anything|would you like|do you (?:want|need|have)|happy to|glad to|i(?:'m"
    r"| am) (?:happy|glad|here)"
    r"|thank|thanks|you(?:'re| are) welcome|good luck|sure|certainly|of course|absolutely[!.]|great question"
    r"|good question|hello|hi\b|hey"
    r"|here(?:'s| is| are) (?:the|a|my|your|how|an|some|what)|let(?:'s| us| me)\b|we (?:need|want|have|are asked"
    r"|must|can start)\b"
    r"|i (?:need|want|will|'ll|am going|should|can help|have to)\b|i'll\b|to (?:find|solve|answer|determine"
    r"|calculate|get|figure|work)\b"
    r"|first,? (?:we|i|let)|step \d|the question (?:is|asks)|this question|this (?:is|was) my (?:final )?answer"
    r"|that(?:'s| is) (?:it|all|my"
    r"|the (?:final )?answer)|have a (?:nice|great|good)|end of (?:answer|response)|done\b|q\.?e\.?d"
    r"|(?:for )?(?:more|further) (?:information|details|reading)|see also|sources?:|references?:|hence proved"
    r"|as (?:required|requested|asked))",
    re.IGNORECASE,
)
_IMAGINED = re.compile(r"\W{0,4}(?:if|suppose|assum\w+|imagine)\b.{0,300}\b(?:would|might|could)\b", re.IGNORECASE)
_OPEN_END = re.compile(r"\b(?:is|are|equals?|get|have|obtain|gives?|yields?|be|to)\Z|=\Z", re.IGNORECASE)
_QUOTED = ('"', "“", "«", "'")
EMPTY_SIGNS = frozenset("$\\[]()`*_-=#.,:;!'\" \t\n~|>")


def trimmed(text: str, start: int, end: int) -> tuple[int, int]:
    """The bounds without white space at both ends."""
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    return start, end


def plain(text: str) -> str:
    """The text without the marks of bold type; 2**3 stays. Ends are stripped."""
    if "**" in text or "__" in text:
        text = BOLD.sub(lambda found: found[1] or found[2], text)
        if text.count("**") == 1:
            text = _HALF_BOLD.sub("", text)  # the other half stands outside
    return text.strip()


def corrects(text: str) -> bool:
    """Whether these words take back what was said before them."""
    return _CORRECTION.search(text[-2000:]) is not None


def split(text: str, start: int = 0, end: int | None = None, numbered: bool = True) -> list[tuple[int, int]]:
    """The bounds of the sentences, at most MOST_SENTENCES from the start. A line's end ends a sentence; the "1." of
    a numbered line does not."""
    end = len(text) if end is None else end
    found, at = [], start
    for stop in _END.finditer(text, start, end):
        if text[stop.start()] == "." and stop.end() < end and _abbreviates(text, stop, numbered):
            continue
        left, right = trimmed(text, at, stop.end())
        if left < right:
            found.append((left, right))
        at = stop.end()
        if len(found) == MOST_SENTENCES:
            return found
    left, right = trimmed(text, at, end)
    if left < right:
        found.append((left, right))
    return found


def first(text: str) -> int:
    """Where a marked answer on a line ends: behind its first sentence if the next one is an explanation, else the end.

    Fragments in a row, alternatives and corrections belong to the answer: "Paris. Or London." is not "Paris".
    """
    bounds = split(text, numbered=False)
    rest = [sentence for left, right in bounds[1:] if not _EMPTY_TALK.match(sentence := text[left:right])]
    if not bounds[1:]:
        return len(text.rstrip())
    if any(ALTERNATIVE.match(sentence) or corrects(sentence) or not _explains(sentence) for sentence in rest):
        return len(text.rstrip())
    return bounds[0][1]


def _explains(sentence: str) -> bool:
    """Whether this is a whole sentence, not one more short answer."""
    words = sentence.split()
    return len(words) >= 4 and sum(word[0].islower() for word in words) >= 2


def _abbreviates(text: str, stop: re.Match[str], numbered: bool) -> bool:
    before = text[max(0, stop.start() - 14) : stop.start()]
    following = text[stop.end() : stop.end() + 2]
    if "\n" in following[:1] or not following.strip():
        return False
    if following.lstrip()[:1].islower() or _ABBREVIATION.search(before):
        return True
    start = text.rfind("\n", 0, stop.start()) + 1
    return numbered and stop.start() - start < 14 and text[start : stop.start()].strip().isdecimal()


def asserts(sentence: str) -> bool:
    """Whether a sentence states anything: no question, plan, pleasantry or heading, and nothing that is left open."""
    stripped = sentence.rstrip("\"')]*_”’ \n")
    if stripped.endswith(("?", "？", ":", "：", ",")) or _IMAGINED.match(sentence):
        return False
    if _EMPTY_TALK.match(sentence) and not sentence.lstrip("*_ ").startswith(_QUOTED):  # "I Will Survive" is a song
        return False
    if HEADING.match(sentence) and not BOLD.fullmatch(sentence.strip()):
        return False
    if _OPEN_END.search(stripped[-12:]) and not sentence.rstrip("*_ ").endswith((".", "!")):
        return False  # "So the result is", and then a formula on a line of its own
    return any(character not in EMPTY_SIGNS for character in sentence)


def is_bullet(line: str) -> bool:
    """Whether this line is an item of a list."""
    return BULLET.match(line) is not None
