"""Dates and times, full or partial.

- A more precise answer that agrees is right: "5 January 1933" for "1933". A less precise one is right if the question
  asks for just that part ("In what year ...?" and "1933" for "5 January 1933"), or names the rest itself; else None.
- Of a date in figures with two readings, 05/01/1933, one must be impossible, or the verdict is None.
- A period (1914-1918) is matched end by end; a single date is no period.
- Times are compared within the day; zones are converted if both say one.
"""

from __future__ import annotations

import itertools
import re
from functools import lru_cache

from webscale_rl.reward import calendar_words
from webscale_rl.reward.calendar_words import Dated, Moment
from webscale_rl.reward.claims import Claim, crowded, decide
from webscale_rl.reward.kinds import number as numbers_kind
from webscale_rl.reward.markup import plain
from webscale_rl.reward.reference import Reference
from webscale_rl.reward.text import clean
from webscale_rl.reward.verdict import Match

_ASKS_DATE = re.compile(
    r"\b(?:when|years?|dates?|decades?|century|centuries|months?|what day|which day|what time|since)\b", re.IGNORECASE
)
_ASKS_YEAR = re.compile(
    r"\b(?:what|which) (?:\w+ )?year|\bin what (?:\w+ )?year|^year\b|\byear (?:did|was|is|were)\b", re.IGNORECASE
)
_ASKS_MONTH = re.compile(r"\b(?:what|which) month", re.IGNORECASE)
_ASKS_TIME = re.compile(r"\bwhat time\b|\bo'clock\b|\bwhat hour\b", re.IGNORECASE)
_HOW_MANY = re.compile(r"\bhow (?:many|much|long|old|far)\b", re.IGNORECASE)
_LEADS = re.compile(
    r"^(?:(?:on|in|at|by|around|about|circa|ca?\.|approximately|the|year|during|from|between|since|~)\s?){0,3}",
    re.IGNORECASE,
)
_PERIOD = re.compile(r"\s?(?:-|to|until|till|through|and|up to)\s?(?:the )?", re.IGNORECASE)
_ENDED = re.compile(
    r"^ and (?:it |they )?(?:ended|lasted until|finished|ran until|closed|concluded) (?:in|on)? ?$", re.IGNORECASE
)
_BY = re.compile(r"\b(?:by|as of|no later than)\s$", re.IGNORECASE)
_THIRTIES = re.compile(
    r"\b(?:twen|thir|for|fif|six|seven|eigh|nine)ties\b|\bhalf past\b|\bquarter (?:past|to)\b", re.IGNORECASE
)
_SHORT_END = re.compile(r"(\d{4})\s?-\s?(\d{2})(?![\d-])")


def infer(answer: str, question: str = "") -> Reference | None:
    """A date if the whole answer is one. A bare number is a year only if the question asks for a time."""
    text = _expanded(plain(clean(answer)))
    if len(text) > 80:
        return None
    found = _dates(text, question)
    if (
        not found
        or len(found) > 2
        or _LEADS.sub("", text[: found[0].start])
        or text[found[-1].end :].strip(" .") not in _TAILS
    ):
        return None
    if len(found) == 2 and not _PERIOD.fullmatch(text[found[0].end : found[1].start]):
        return None
    if all(one.bare for one in found) and (_HOW_MANY.search(question) or not _ASKS_DATE.search(question)):
        return None
    if all(one.bare and 0 < (one.moment.year or 0) < 100 for one in found):
        return None  # the 21st year of a reign is a number
    only = found[0].moment
    if (
        len(found) == 1
        and only == Moment(month=only.month)
        and not _ASKS_DATE.search(question)
        and text.lower() in ("may", "march")
    ):
        return None
    if len(found) == 1 and only == Moment(part=only.part) and only.part == "autumn" and text.lower() == "fall":
        return None
    return Reference(answer=answer, type="date")


_TAILS = ("", "local time", "at night", "in the morning")


def compare(reference: Reference, answer: str, question: str = "") -> Match:
    """Whether the date that the answer gives is the reference's. None if the reference holds no date or two."""
    sought = _sought(reference.answer, question)
    if not sought:
        return Match(None, "reference")
    text = _expanded(plain(clean(answer)))
    if crowded(text):
        return Match(False, "many")
    given = _dates(text, question, small=sought[0].year is not None and abs(sought[0].year) < 1000)
    if not given:
        unread = _THIRTIES.search(text) or numbers_kind.without(text).same is None
        return Match(None, "words") if unread else Match(False, "none")
    known = _asked(question)
    given = [one for one in given if one.moment not in known] or given
    if len(sought) == 2:
        return _period(sought[0], sought[1], text, given, question)
    claims = [Claim(one.start, one.end, covers(sought[0], one.moment, question), one.moment) for one in given]
    claims = [claim._replace(same=None) if claim.same and _says_by(text, claim.start) else claim for claim in claims]
    exact = [one.moment for one, claim in zip(given, claims, strict=True) if claim.same]
    if exact and sought[0].span > 1:
        # "in 1066, in the 11th century" says one thing
        claims = [
            claim._replace(same=True, key=exact[0]) if claim.same is None and _lies_in(one.moment, sought[0]) else claim
            for one, claim in zip(given, claims, strict=True)
        ]
    sort = _sort(sought[0])
    if any(_sort(one.moment) == sort for one in given):
        # a time beside a date, where the date is sought, is no rival
        claims = [claim._replace(weak=_sort(one.moment) != sort) for claim, one in zip(claims, given, strict=True)]
    return decide(text, claims, question, _asked(question))


def _lies_in(inner: Moment, outer: Moment) -> bool:
    if inner.year is None or outer.year is None:
        return False
    (start, end), (first, last) = _years(outer), _years(inner)
    return start <= first and last <= end


def _says_by(text: str, start: int) -> bool:
    """Whether a bound stands before it: "by 1937" does not say that it was in that year."""
    return _BY.search(text[max(0, start - 16) : start]) is not None


def _sort(moment: Moment) -> str:
    if moment.year is not None:
        return "year"
    if moment.month is not None or moment.part:
        return "month"
    return "time" if moment.minute is not None else "weekday"


def covers(sought: Moment, given: Moment, question: str = "") -> bool | None:
    """Whether the given moment lies in the sought one. None if it agrees but says less, or may be read in two ways."""
    if given.other or sought.other:
        return _either(sought, given, question)
    less = False
    asks = _asked_parts(question)
    for state, part in ((_year(sought, given), "year"), *_fields(sought, given)):
        if state is False:
            return False
        if state is None and (not asks or part in asks):
            less = True
    if not less:
        return True
    stated = _sought(question, "") if question else ()
    if stated and len(_dates_in(question)) == 1:
        merged = _completed(given, _dates_in(question)[0].moment)
        if merged is not None and merged != given:
            return covers(sought, merged, "")
    return None


def _either(sought: Moment, given: Moment, question: str) -> bool | None:
    """Dates in figures: the same figures are the same date; otherwise it depends on the reading."""
    if sought.other and given.other and sought[:3] == given[:3]:
        return True
    readings = [covers(one, other, question) for one in _readings(sought) for other in _readings(given)]
    return False if all(reading is False for reading in readings) else None


def _readings(moment: Moment) -> list[Moment]:
    if moment.other is None:
        return [moment]
    month, day = moment.other
    return [moment._replace(other=None), moment._replace(month=month, day=day, other=None)]


def _completed(given: Moment, stated: Moment) -> Moment | None:
    """The given moment with the parts that the question itself states."""
    if stated.span > 1 or stated.other:
        return None
    return given._replace(
        year=given.year if given.year is not None else stated.year,
        month=given.month if given.month is not None else stated.month,
        day=given.day if given.day is not None else stated.day,
    )


def _year(sought: Moment, given: Moment) -> bool | None:
    """Whether the years agree: False if they differ, None if the given one says less."""
    if sought.year is None:
        return True
    if given.year is None:
        return None
    start, end = _years(sought)
    first, last = _years(given)
    if start <= first and last <= end:
        if sought.part and not given.part and given.month is None:
            return None
        # any year lies in some century: that it is the right one, a century does not show
        return True if given.span == sought.span else None
    return None if first <= start and end <= last else False


def _years(moment: Moment) -> tuple[int, int]:
    year = moment.year or 0
    return year, year + moment.span - 1


_PART_MONTHS = {
    "early": range(1, 5), "mid": range(4, 10), "late": range(9, 13), "q1": range(1, 4), "q2": range(4, 7),
    "q3": range(7, 10),
    "q4": range(10, 13), "h1": range(1, 7), "h2": range(7, 13),
}  # fmt: skip


def _fields(sought: Moment, given: Moment) -> list[tuple[bool | None, str]]:
    states: list[tuple[bool | None, str]] = []
    for name in ("month", "day", "minute", "weekday"):
        mine, theirs = getattr(sought, name), getattr(given, name)
        if mine is None:
            continue
        if name == "minute" and theirs is not None and sought.zone is not None and given.zone is not None:
            mine, theirs = (mine - sought.zone) % 1440, (theirs - given.zone) % 1440
        if name == "weekday" and sought.day is not None and theirs is None:
            continue
        states.append((None if theirs is None else mine == theirs, name))
    if sought.part in _PART_MONTHS and given.month and not given.part:
        months = _PART_MONTHS[sought.part]
        states.append((given.month in months or (False if len(months) < 4 else None), "part"))
    elif sought.part and given.part and given.span == sought.span:
        states.append((sought.part == given.part, "part"))
    elif sought.part and not given.part and sought.year is None:
        states.append((None, "part"))
    return states


@lru_cache(maxsize=512)
def _asked_parts(question: str) -> frozenset[str]:
    """The parts of a date that the question asks for and no more; empty if it leaves that open."""
    if _ASKS_YEAR.search(question):
        return frozenset(("year",))
    if _ASKS_MONTH.search(question):
        both = re.search(r"\bmonth and year\b", question, re.IGNORECASE)
        return frozenset(("month", "year")) if both else frozenset(("month",))
    if _ASKS_TIME.search(question):
        return frozenset(("minute",))
    return frozenset()


def _period(start: Moment, end: Moment, text: str, given: list[Dated], question: str) -> Match:
    """Two ends against the pairs that the text joins."""
    for one, other in itertools.pairwise(given):
        if not _PERIOD.fullmatch(text[one.end : other.start]):
            continue
        first = (
            one.moment
            if one.moment.year is not None or start.year is None
            else one.moment._replace(year=other.moment.year)
        )
        states = (covers(start, first, question), covers(end, other.moment, question))
        if False in states:
            return Match(False, "period")
        if all(dated.moment in (one.moment, other.moment) for dated in given):
            return Match(None if None in states else True, "period")
        return Match(None, "several")
    if len(given) == 2 and _ENDED.search(text[given[0].end : given[1].start]):
        states = (covers(start, given[0].moment, question), covers(end, given[1].moment, question))
        return Match(False if False in states else None if None in states else True, "period")
    agree = [
        covers(start, one.moment, question) is not False or covers(end, one.moment, question) is not False
        for one in given
    ]
    return Match(None if all(agree) and len(given) > 1 else False, "period")


def _expanded(text: str) -> str:
    """1914-18 with the century that its end leaves out; lengths change, so before anything is found."""
    if "-" not in text:
        return text
    return _SHORT_END.sub(lambda match: f"{match[1]}-{match[1][:2]}{match[2]}" if _is_later(match) else match[0], text)


def _is_later(match: re.Match[str]) -> bool:
    return int(match[2]) > int(match[1][2:]) and int(match[2]) > 12 and 1000 <= int(match[1]) <= 2100


def _dates(text: str, question: str, small: bool = False) -> list[Dated]:
    found = calendar_words.find(text)
    if small or (not found and _ASKS_DATE.search(question)):
        taken = [(one.start, one.end) for one in found]
        found += [
            one for one in calendar_words.small_years(text) if not any(start <= one.start < end for start, end in taken)
        ]
        found.sort()
    return found


@lru_cache(maxsize=1024)
def _dates_in(question: str) -> tuple[Dated, ...]:
    return tuple(calendar_words.find(clean(question)))


@lru_cache(maxsize=512)
def _sought(answer: str, question: str) -> tuple[Moment, ...]:
    """One moment, the two ends of a period, or none."""
    text = _expanded(plain(clean(answer)))
    found = _dates(text, question) or calendar_words.small_years(text)
    if len(found) == 2 and _PERIOD.fullmatch(text[found[0].end : found[1].start]):
        start, end = found[0].moment, found[1].moment
        return (start if start.year is not None else start._replace(year=end.year), end)
    return (found[0].moment,) if len(found) == 1 else ()


@lru_cache(maxsize=1024)
def _asked(question: str) -> frozenset[Moment]:
    return frozenset(one.moment for one in _dates_in(question))
