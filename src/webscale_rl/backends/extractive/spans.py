"""Typed spans of a sentence that can be the answer to a question: dates, numbers with what they count, money, names."""

from __future__ import annotations

import re
from typing import NamedTuple

from webscale_rl.backends.extractive.words import FUNCTION_WORDS, GIVEN_NAMES, MONTHS
from webscale_rl.types import AnswerType

_NUMBER = r"\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?"
_SCALE = r"(?: (?:hundred|thousand|million|billion|trillion))?"
_UNITS = (
    r"(?:square |cubic )?(?:kilometers?|kilometres?|meters?|metres?|centimeters?|centimetres?|millimeters?"
    r"|millimetres?|nanometers?|"
    r"miles?|feet|foot|inches|inch|yards?|acres?|hectares?|light-years?|kilograms?|grams?|milligrams?|micrograms?"
    r"|pounds?|tons?|tonnes?|"
    r"ounces?|liters?|litres?|milliliters?|millilitres?|gallons?|degrees (?:Celsius|Fahrenheit|C|F)|seconds?"
    r"|minutes?|hours?|days?|"
    r"weeks?|months?|years?|decades?|watts?|kilowatts?|megawatts?|volts?|amperes?|hertz|megahertz|gigahertz|bits?"
    r"|bytes?|kilobytes?|"
    r"megabytes?|gigabytes?|terabytes?|calories|kilocalories|joules?|kelvins?|astronomical units?|km²?|cm|mm|mg"
    r"|kg|g|mL|ml|km/s|km/h|mph|K|°C|"
    r"°F|MB|GB|TB|kHz|MHz|GHz|Hz|kW|MW|GW|mmHg|AU)(?! old\b| of age\b)(?: per (?:second|minute|hour|day|week|year))?"
)
_WORD_NUMBER = (
    r"(?:two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|thirteen|fourteen|fifteen|sixteen|seventeen"
    r"|eighteen|nineteen|twenty|"
    r"thirty|forty|fifty|sixty|seventy|eighty|ninety)(?:-(?:one|two|three|four|five|six|seven|eight|nine))?"
)
_YEAR = r"(?:1[0-9]\d\d|20[0-4]\d)"
_DATE = re.compile(
    rf"\b(?:(?P<full>(?:\d{{1,2}} (?:{MONTHS}) {_YEAR})|(?:(?:{MONTHS}) \d{{1,2}}, {_YEAR}))"
    rf"|(?P<month>(?:{MONTHS}) {_YEAR})"
    rf"|(?<=\b[Ii]n )(?P<year>{_YEAR})|(?<=\b[Ss]ince )(?P<since>{_YEAR}))(?![\d–-]|\.\d|,\d|s\b|,? (?:and|or) \d{{4}}"
    rf"|, \d{{4}})"
)
_ANY_YEAR = re.compile(rf"\b{_YEAR}\b")
_PERCENT = re.compile(rf"(?<![\w.,–-])(?:{_NUMBER})(?:%| ?percent\b| per cent\b)(?![\w–-])")
_MONEY = re.compile(
    rf"(?<![\w.–-])(?:(?:US|A|C)?[$€£] ?(?:{_NUMBER}){_SCALE}|(?:{_NUMBER}){_SCALE} (?:dollars|euros"
    rf"|pounds sterling|yen))(?![\w%–-]|[.,]\d)"
)
_QUANTITY = re.compile(
    rf"(?<![\w.,$€£/–-])(?:(?:{_NUMBER}){_SCALE}|{_WORD_NUMBER}{_SCALE}) {_UNITS}(?![\w–/-])(?! or\b| old\b"
    rf"| and older|-old)",
)
_COUNT = re.compile(
    rf"(?<![\w.,$€£/–§°-])(?:(?:{_NUMBER}){_SCALE}|{_WORD_NUMBER}{_SCALE}) (?=[a-z]{{4,}})(?!times|million|percent"
    rf"|per cent|to |or |and )"
)
_NAME = re.compile(
    r"(?<![\w.])[A-Z][\w’'-]*(?:\.(?= [A-Z]))?(?: (?:[A-Z][\w’'-]*\.?(?= |$|[,.)])|of(?= [A-Z])|the(?= [A-Z])"
    r"|de(?= [A-Z])|van(?= [A-Z])|von(?= [A-Z])|"
    r"for(?= [A-Z])|and(?= [A-Z]\w+ (?:Act|Agency|Administration|Department|Commission)\b)))*(?: [A-Z][\w’'-]*)*"
)
_BEFORE_RANGE = re.compile(r"(?:between|from|or|to|and|[–-]) ?$")
_AFTER_RANGE = re.compile(r" ?(?:to|or|and|–|-) ?(?:\d|two|three|four|five|six|seven|eight|nine|ten)")
_NUMBERED = re.compile(
    r"(?:\b[A-Z][\w.]*|\b(?:type|version|no|number|level|grade|stage|class|group|part|step|article|title|age|aged"
    r"|ages|phase))[ -]$"
)


class Span(NamedTuple):
    """Where a candidate answer stands in its sentence, what it is, and what the question calls it."""

    start: int
    end: int
    text: str
    kind: AnswerType
    noun: str


def values_in(sentence: str) -> list[Span]:
    """The dates and numbers of a sentence that are its own values: not parts of ranges, names or version numbers."""
    found: list[Span] = []
    taken: list[tuple[int, int]] = []
    for pattern, kind, noun in _PATTERNS:
        for match in pattern.finditer(sentence):
            start, end = match.start(), match.end() - (pattern is _COUNT)
            if sentence[:start].endswith(("early ", "late ", "mid-")) or any(
                start < other_end and other_start < end for other_start, other_end in taken
            ):
                continue
            taken.append((start, end))
            before = sentence[max(0, start - 16) : start]
            if pattern is not _DATE and (_BEFORE_RANGE.search(before) or _AFTER_RANGE.match(sentence, end)):
                continue
            if pattern in (_COUNT, _QUANTITY) and _numbered(before):
                continue
            text = sentence[start:end]
            if pattern is _COUNT and _ANY_YEAR.fullmatch(text):
                continue
            found.append(Span(start, end, text, kind, _noun(match, noun)))
    return found


def _noun(match: re.Match[str], noun: str) -> str:
    if match.re is not _DATE:
        return noun
    return "date" if match["full"] else "month and year" if match["month"] else "year"


def _numbered(before: str) -> bool:
    match = _NUMBERED.search(before)
    return match is not None and match.group().strip() not in _NO_LABEL


_NO_LABEL = frozenset(("In", "About", "Approximately", "Over", "Nearly", "Some", "The"))
_PATTERNS: tuple[tuple[re.Pattern[str], AnswerType, str], ...] = (
    (_DATE, "date", "date"),
    (_PERCENT, "percentage", "percentage"),
    (_MONEY, "money", "amount"),
    (_QUANTITY, "quantity", "quantity"),
    (_COUNT, "number", "number"),
)


def names_in(sentence: str) -> list[Span]:
    """The capitalised names of a sentence; its first word only if that is no function word."""
    found = []
    for match in _NAME.finditer(sentence):
        start, text = match.start(), match.group()
        first, _, rest = text.partition(" ")
        if start == 0 and first.casefold() in FUNCTION_WORDS:
            if not rest or not rest[0].isupper():
                continue
            start, text = len(first) + 1, rest
        text = text.rstrip(".") if not re.search(r"\b[A-Z]\.$", text) else text
        if len(text) < 2 or text in _CALENDAR:
            continue
        found.append(Span(start, start + len(text), text, "person" if is_person(text) else "name", "name"))
    return found


_CALENDAR = frozenset(MONTHS.split("|") + "Monday Tuesday Wednesday Thursday Friday Saturday Sunday I".split())
_TITLES = re.compile(r"(?:Dr|Mr|Mrs|Ms|Sir|Professor|Prof|President|King|Queen|Pope|Saint|Emperor)\.? ")
_ORGANISATION = re.compile(
    r"\b(?:University|College|Institute|Company|Corporation|Inc|Act|Society|Association|Agency|Committee|Council"
    r"|Park|River|Lake|Mount|"
    r"Street|Prize|Award|Church|School|Hospital|Museum|Center|Centre|Foundation|Airport|County|City|Island|War"
    r"|Battle|Treaty|of|the|for)\b"
)


def is_person(name: str) -> bool:
    """Whether a name is surely a person's in full: a known given name and more."""
    bare = _TITLES.sub("", name)
    parts = bare.split()
    return 2 <= len(parts) <= 4 and parts[0].casefold() in GIVEN_NAMES and not _ORGANISATION.search(bare)


def has_year(text: str) -> bool:
    """Whether some four digits read as a year."""
    return bool(_ANY_YEAR.search(text))
