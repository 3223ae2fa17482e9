"""Dates and times in text, as full or as partial as they are written.

Read are the usual English spellings of day, month and year ("5 January 1933", "Jan. 5th, 1933", "1933-01-05", "5.1.1933"),
any part of them, decades and centuries, seasons and "early 1933", BC and AD, weekdays, times of day with zone. Of
05/01/1933 both readings are kept, unless one is no date.

Not covered: other calendars and languages, holidays, "last Friday", durations (they are quantities).
"""

from __future__ import annotations

import re
from typing import NamedTuple

from webscale_rl.reward import number_words

_MONTH_NAMES = "january february march april may june july august september october november december".split()
MONTHS = {name: number for number, name in enumerate(_MONTH_NAMES, start=1)}
MONTHS |= {name[:3]: number for name, number in MONTHS.items()} | {"sept": 9}
_DAY_NAMES = "monday tuesday wednesday thursday friday saturday sunday".split()
WEEKDAYS = {name: number for number, name in enumerate(_DAY_NAMES, start=1)}
WEEKDAYS |= {"mon": 1, "tue": 2, "tues": 2, "wed": 3, "thu": 4, "thur": 4, "thurs": 4, "fri": 5, "sat": 6, "sun": 7}
_LENGTHS = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_ZONES = {
    "utc": 0, "gmt": 0, "z": 0, "est": -300, "edt": -240, "cst": -360, "cdt": -300, "mst": -420, "mdt": -360,
    "pst": -480, "pdt": -420, "cet": 60, "cest": 120, "bst": 60, "ist": 330, "jst": 540, "msk": 180, "aest": 600,
}  # fmt: skip


class Moment(NamedTuple):
    """A date or time as written: what was not said is None. `span` is how many years the year stands for (10 for a
    decade, 100 for a century). `minute` counts from midnight. `part` is a season or an early, middle or late part.
    `other` is the second reading of a date in figures, as (month, day)."""

    year: int | None = None
    month: int | None = None
    day: int | None = None
    weekday: int | None = None
    minute: int | None = None
    zone: int | None = None
    span: int = 1
    part: str = ""
    other: tuple[int, int] | None = None


class Dated(NamedTuple):
    """A moment and its place in a text. `bare` says that it is but a number that may be a year."""

    start: int
    end: int
    moment: Moment
    bare: bool = False


_MONTH = r"(?:Jan(?:uary|\.)?|Feb(?:ruary|\.)?|Mar(?:ch|\.)?|Apr(?:il|\.)?|May|June?\.?|July?\.?|Aug(?:ust|\.)?|Sept?(?:ember|\.)?|Oct(?:ober|\.)?|Nov(?:ember|\.)?|Dec(?:ember|\.)?)"
_DAY = r"(?:3[01]|[12]\d|0?[1-9])"
_TH = r"(?:st|nd|rd|th)?"
_ORDINAL_DAYS = "|".join(
    "first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth fourteenth fifteenth"
    " sixteenth seventeenth eighteenth nineteenth twentieth twenty-first twenty-second twenty-third twenty-fourth"
    " twenty-fifth twenty-sixth twenty-seventh twenty-eighth twenty-ninth thirtieth thirty-first".split()
)
_ERA = r"(?:B\.?\s?C\.?(?:\s?E\.?)?|A\.?\s?D\.?|C\.?\s?E\.?)(?![A-Za-z])"
_YEAR = rf"(?:(?:AD|A\.D\.|CE)\s?\d{{1,4}}(?!\d)|\d{{1,5}}\s?{_ERA}|\d{{4}}(?![\d]))"
_PART = (
    r"(?:early|mid|middle|late|beginning|start|end|first half|second half|spring|summer|autumn|fall|winter|Q[1-4]"
    r"|(?:first|second|third|fourth|1st|2nd|3rd|4th) quarter)"
)
_CENTURY = r"(?:\d{1,2}(?:st|nd|rd|th)|(?:twenty-)?(?:%s))[ -](?:century|centuries|c\.)" % _ORDINAL_DAYS
_HUNDREDS = {"eleven": 1100, "twelve": 1200, "thirteen": 1300, "fourteen": 1400, "fifteen": 1500, "sixteen": 1600,
             "seventeen": 1700, "eighteen": 1800, "nineteen": 1900, "twenty": 2000}  # fmt: skip
_TIES = {"twenties": 20, "thirties": 30, "forties": 40, "fifties": 50, "sixties": 60, "seventies": 70, "eighties": 80,
         "nineties": 90}  # fmt: skip
_REST = (
    r"(?:(?:twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety)(?:[ -](?:one|two|three|four|five|six|seven|eight|nine))?"
    r"|ten|eleven|twelve|thirteen|fourteen|fifteen|sixteen|seventeen|eighteen|nineteen|oh[ -][a-z]+)"
)
_TIME = re.compile(
    r"(?<![\d:.])(?:"
    r"(?P<hour>[01]?\d|2[0-4])(?:[:.](?P<min>[0-5]\d)(?::(?P<sec>[0-5]\d))?)?\s?(?P<half>[ap]\.?\s?m\b\.?)"
    r"|(?P<hour2>[01]?\d|2[0-4]):(?P<min2>[0-5]\d)(?::(?P<sec2>[0-5]\d))?(?![\d:])(?:\s?(?:hours|hrs|h)\b)?"
    r"|(?P<hour3>[01]\d|2[0-4])(?:h(?P<min3>[0-5]\d)|(?P<min4>[0-5]\d)\s?(?:hours|hrs))\b"
    r"|(?P<clock>\d{1,2}|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve)\s?o'?clock(?:\s(?:in the )?(?P<half2>morning|afternoon|evening|at night))?"
    r"|(?P<past>half|quarter|a quarter)\s(?P<side>past|to)\s(?P<near>one|two|three|four|five|six|seven|eight|nine|ten|eleven"
    r"|twelve|\d{1,2})\b(?:\s(?:in the |at )?(?P<half3>morning|afternoon|evening|night))?"
    r"|(?P<word>\bnoon\b|\bmidday\b|\bmidnight\b))"
    r"(?:\s?\(?(?P<zone>UTC|GMT|[ECMP][SD]T|CES?T|BST|IST|JST|MSK|AEST|Z)\b(?P<offset>[+-]\d{1,2}(?::?[0-5]\d)?)?\)?)?",
    re.IGNORECASE,
)
_CALENDAR = re.compile(
    rf"(?<![\w])(?:"
    rf"(?P<iso>\d{{4}}-\d{{1,2}}-\d{{1,2}})(?!\d)"
    rf"|(?P<figures>\d{{1,4}}(?P<by>[/.-])\d{{1,2}}(?P=by)\d{{1,4}})(?![\d/])"
    rf"|(?P<of_year>(?:0?[1-9]|1[0-2])/[12]\d{{3}})(?![\d/])"
    rf"|(?P<said>(?:(?P<hundred>{'|'.join(_HUNDREDS)})[ -])(?:(?P<ties>{'|'.join(_TIES)})|(?P<rest>{_REST})))(?![a-z-])"
    rf"|(?P<iso_month>\d{{4}}-(?:0[1-9]|1[0-2]))(?![\d-])"
    rf"|(?:(?P<part>{_PART})(?:[ -]|\s?\()(?:of |in )?(?:the )?(?:year )?)?(?:"
    rf"(?P<day>{_DAY}){_TH}(?:\s?-\s?{_DAY}{_TH})?\s?(?:-|/)?\s?(?:day )?(?:of )?(?P<month>{_MONTH})(?![A-Za-z])(?:,?\s?(?:of |in )?-?\s?(?P<year>{_YEAR}|\d{{3}}(?!\d)))?"
    rf"|(?P<dayword>{_ORDINAL_DAYS})\s(?:day )?(?:of )?(?P<month3>{_MONTH})(?![A-Za-z])(?:,?\s(?P<year5>{_YEAR}))?"
    rf"|(?P<month2>{_MONTH})(?![A-Za-z])\s?(?:the )?(?P<day2>{_DAY}(?!\d){_TH}|{_ORDINAL_DAYS})(?![\d:]|\s?[ap]\.?m)(?:(?:,\s?|\s)(?:of |in )?(?P<year2>{_YEAR}|\d{{3}}(?!\d)))?"
    rf"|(?P<month4>{_MONTH})(?![A-Za-z])(?:,?\s(?:of |in )?|-)(?:the year )?(?P<year3>{_YEAR})"
    rf"|(?P<decade>\d{{3,4}}0)'?s(?![A-Za-z])"
    rf"|(?P<century>{_CENTURY})(?:\s(?P<century_era>{_ERA}))?"
    rf"|(?P<year4>{_YEAR})"
    rf"|(?P<month5>{_MONTH})(?![A-Za-z])"
    rf"|(?P<season>spring|summer|autumn|fall|winter)(?![a-z])"
    rf"))",
    re.IGNORECASE,
)
_WEEKDAY = re.compile(
    rf"(?<![A-Za-z])({'|'.join(_DAY_NAMES)}|(?:mon|tues?|wed|thurs?|thu|fri|sat|sun)(?=\.?(?:,|\s\d|$)))s?(?![a-z])",
    re.IGNORECASE,
)
_MAY_WORDS = re.compile(r"\b(?:may|march|fall|sun|sat|dec|mar|second)$", re.IGNORECASE)
_SMALL_YEAR = re.compile(
    r"(?:(?:\bin|\byear|\bof|\bcirca|\bc\.|\bca\.|\baround|\bby|^)\s?)(\d{1,4})(?![\d,.:%/]\d|\d|\s?[%°]|[A-Za-z])",
    re.IGNORECASE,
)
_COUNTED = re.compile(r"\s[a-z]{3,}s\b(?<!\bwas)(?<!\bhas)(?<!\bthis)(?<!ss)")


def find(text: str) -> list[Dated]:
    """All dates and times of a text, in order. A date and its weekday or time beside it are one."""
    parts: list[Dated] = []
    for match in _CALENDAR.finditer(text):
        moment = _moment(match)
        if moment is None or (_is_word(match, moment) and text != match[0]):
            continue
        bare = bool(match["year4"] and match["year4"].isdigit() and not match["part"])
        if bare and _COUNTED.match(text, match.end()):
            continue
        parts.append(Dated(match.start(), match.end(), moment, bare))
    parts += [
        Dated(match.start(), match.end(), Moment(weekday=WEEKDAYS[match[1].lower()]))
        for match in _WEEKDAY.finditer(text)
    ]
    parts += [Dated(match.start(), match.end(), time) for match in _TIME.finditer(text) if (time := _time(match))]
    return _joined(text, sorted(parts, key=lambda part: (part.start, -part.end)))


def small_years(text: str) -> list[Dated]:
    """Numbers of one to four digits that stand where a year does: for references of the first millennium."""
    return [
        Dated(match.start(1), match.end(1), Moment(year=int(match[1])), bare=True)
        for match in _SMALL_YEAR.finditer(text)
        if int(match[1])
    ]


def _is_word(match: re.Match[str], moment: Moment) -> bool:
    """May, march and fall in lower case, or where nothing else makes them a date, are words."""
    alone = moment.year is None and moment.day is None
    return (
        alone and match[0].lower() in ("may", "march", "fall", "dec", "mar", "jan", "sun") and not match[0][0].isupper()
    )


def _joined(text: str, parts: list[Dated]) -> list[Dated]:
    joined: list[Dated] = []
    for part in parts:
        last = joined[-1] if joined else None
        if last is None:
            joined.append(part)
        elif part.start >= last.end:
            between = text[last.end : part.start]
            merged = _merged(last.moment, part.moment) if _TOGETHER.fullmatch(between) else None
            if merged is None:
                joined.append(part)
            else:
                joined[-1] = Dated(last.start, part.end, merged)
    return joined


_TOGETHER = re.compile(r"(?:,?\s?(?:at|on|the|of|in)?\s?\(?|T|,\s?|\s-\s)(?:the\s)?", re.IGNORECASE)


def _merged(one: Moment, other: Moment) -> Moment | None:
    """Two that complete each other: a weekday and a day, a date and a time; None if they are two moments."""
    if one.part and other.part or one.span > 1 or other.span > 1:
        return None
    fields = {}
    for name in ("year", "month", "day", "weekday", "minute", "zone", "other"):
        mine, theirs = getattr(one, name), getattr(other, name)
        if mine is not None and theirs is not None:
            return None
        fields[name] = mine if theirs is None else theirs
    timed = (one.minute is None) != (other.minute is None)
    named = (one.weekday is None) != (other.weekday is None)
    seasonal = bool(one.part) != bool(other.part) and other.year is not None
    return Moment(**fields, part=one.part or other.part) if timed or named or seasonal else None


def _moment(match: re.Match[str]) -> Moment | None:
    group = match.groupdict()
    if group["iso"] or group["figures"]:
        return _figures(group["iso"] or group["figures"], group["by"] or "-")
    if group["of_year"]:
        month, _, year = group["of_year"].partition("/")
        return Moment(year=int(year), month=int(month))
    if group["said"]:
        return _said(group["hundred"], group["ties"], group["rest"])
    if group["iso_month"]:
        year, _, month = group["iso_month"].partition("-")
        return Moment(year=int(year), month=int(month))
    part = _PARTS.get((group["part"] or group["season"] or "").lower(), "")
    if group["decade"]:
        size = 100 if group["decade"].endswith("00") and int(group["decade"]) % 1000 else 10
        # the 1900s are a century to some and a decade to others
        return Moment(year=int(group["decade"]), span=size, part=part)
    if group["century"]:
        return _century(group["century"], group["century_era"], part)
    written = group["year"] or group["year2"] or group["year3"] or group["year4"] or group["year5"]
    year = _year(written) if written else None
    named = group["month"] or group["month2"] or group["month3"] or group["month4"] or group["month5"]
    month = MONTHS[named.lower().rstrip(".")] if named else None
    said = group["day"] or group["day2"] or group["dayword"]
    day = _day(said) if said else None
    if day and month and day > _LENGTHS[month - 1]:
        return None
    if year == 0 or (group["year4"] and written and written.isdigit() and not 1000 <= int(written) <= 2100):
        return None
    return Moment(year=year, month=month, day=day, part=part)


_PARTS = {
    "early": "early", "beginning": "early", "start": "early", "mid": "mid", "middle": "mid", "late": "late", "end": "late",
    "first half": "h1", "second half": "h2", "spring": "spring", "summer": "summer", "autumn": "autumn", "fall": "autumn",
    "winter": "winter", "q1": "q1", "q2": "q2", "q3": "q3", "q4": "q4", "first quarter": "q1", "second quarter": "q2",
    "third quarter": "q3", "fourth quarter": "q4", "1st quarter": "q1", "2nd quarter": "q2", "3rd quarter": "q3",
    "4th quarter": "q4",
}  # fmt: skip


def _said(hundred: str, ties: str | None, rest: str | None) -> Moment | None:
    """Years and decades in words: nineteen eighty-four, the nineteen-thirties."""
    year = _HUNDREDS[hundred.lower()]
    if ties:
        return Moment(year=year + _TIES[ties.lower()], span=10)
    spoken = number_words.value((rest or "").lower().replace("oh", "").strip(" -"))
    return Moment(year=year + int(spoken.value)) if spoken else None


def _day(said: str) -> int:
    figures = re.match(r"\d+", said)
    if figures:
        return int(figures[0])
    spoken = number_words.value(said.lower())
    return int(spoken.value) if spoken else 0


def _year(written: str) -> int:
    number = int(re.sub(r"\D", "", written))
    return -number if "b" in written.lower() else number


def _century(said: str, era: str | None, part: str) -> Moment:
    number = _day(re.split(r"[ -](?=c)", said.lower())[0])
    if era and "b" in era.lower():
        return Moment(year=-100 * number, span=100, part=part)
    return Moment(year=100 * (number - 1), span=100, part=part)


def _figures(written: str, by: str) -> Moment | None:
    """A date in figures. The year has four digits and stands first or last; two readings are kept."""
    parts = written.split(by)
    if len(parts[0]) == 4:
        year, month, day = (int(part) for part in parts)
        return Moment(year, month, day) if _exists(month, day) else None
    if len(parts[0]) > 2 or len(parts[2]) not in (2, 4):
        return None
    one, two, year = (int(part) for part in parts)
    if len(parts[2]) == 2:
        year += 2000 if year < 30 else 1900
    by_day, by_month = _exists(two, one), _exists(one, two)
    if not (by_day or by_month):
        return None
    # in figures with full stops the day comes first: German, Russian and others
    if by_day and by_month and one != two and by != ".":
        return Moment(year, two, one, other=(one, two))
    return Moment(year, two, one) if by_day else Moment(year, one, two)


def _exists(month: int, day: int) -> bool:
    return 1 <= month <= 12 and 1 <= day <= _LENGTHS[month - 1]


def _time(match: re.Match[str]) -> Moment | None:
    group = match.groupdict()
    half = (group["half"] or group["half2"] or group["half3"] or "").lower().replace(".", "").replace(" ", "")
    if group["word"]:
        minute = 0 if group["word"].lower() == "midnight" else 720
    elif group["past"] and not half:
        return None  # half past three in the morning or in the afternoon
    else:
        clock = group["clock"] or group["near"]
        hour = _day(clock) if clock else int(group["hour"] or group["hour2"] or group["hour3"])
        minute = int(group["min"] or group["min2"] or group["min3"] or group["min4"] or 0)
        if half and hour > 12 and half[0] == "a":
            return None
        if half in ("pm", "afternoon", "evening") and hour < 12:
            hour += 12
        elif half in ("am", "morning", "atnight", "night") and hour == 12:
            hour = 0
        if group["past"]:
            minute = (30 if group["past"].lower() == "half" else 15) * (1 if group["side"].lower() == "past" else -1)
        minute = (minute + hour * 60) % 1440
    return Moment(minute=minute, zone=_zone(group["zone"], group["offset"]))


def _zone(name: str | None, offset: str | None) -> int | None:
    if name is None:
        return None
    minutes = _ZONES[name.lower()]
    if offset:
        hours, _, rest = offset[1:].partition(":")
        if len(hours) > 2:
            hours, rest = hours[:2], hours[2:]
        minutes += (int(hours) * 60 + int(rest or 0)) * (-1 if offset[0] == "-" else 1)
    return minutes
