"""How answers in words are cut into words, and when two words are the same, kin or opposites.

A word has its folded form, for names, and a light stem, for phrases: plural and verb endings off, American spelling,
numbers by value ("three", "3", "third" and the III of a king are one stem). Stems are light on purpose: what a suffix
turns round ("painless") or a prefix ("unconstitutional") stays another word.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from webscale_rl.reward import numbers
from webscale_rl.reward.lexicon import (
    ABBREVIATIONS,
    BRITISH,
    CLASSES,
    FUNCTION,
    IRREGULAR,
    NEGATIONS,
    OPPOSITES,
    RELATED,
    REVERSING,
    SAME,
)
from webscale_rl.reward.number_words import VOCABULARY
from webscale_rl.reward.text import clean, fold

LONGEST = 2_000
"""In characters: no longer text is read as an answer in words."""

_TOKEN = re.compile(
    r"(?:[^\W\d_]\.){2,20}(?:[^\W\d_](?![^\W_]))?"  # U.S.A, J.R.R.
    r"|\d{1,40}(?:,\d{3}){1,12}(?:\.\d{1,40})?(?![^\W_])"  # 1,234.5
    r"|\d{1,40}\.\d{1,40}(?![^\W_])"
    r"|[^\W_]+(?:'[^\W\d_]+)?"
)
_MARKUP = re.compile(r"\\(?:text|textbf|textit|textrm|mathrm|mathbf|mathit|mbox|operatorname)\s?\{([^{}]{0,400})\}")
_SPACE = re.compile(r"\\[ ,;:!]|~|\$")
_SIGNED = re.compile(r"(?<![^\s(\"])-(?=\d)")
_ORDINAL = re.compile(r"(\d+)(?:st|nd|rd|th)")
_ROMAN = re.compile(r"(?:X{0,3})(?:IX|IV|V?I{0,3})")
_ROMAN_VALUES = {"I": 1, "V": 5, "X": 10}
_VOWEL = re.compile(r"[aeiouy]")
_NOT = frozenset(word for word in NEGATIONS if word.endswith(("n't", "nt", "cannot")))
_SAME = SAME
_PLACED = {"mt": "mount", "mtn": "mountain", "st": "saint", "ft": "fort", "sts": "saint", "univ": "university"}


class Word(NamedTuple):
    """One word: as written, folded, its stem, what stands between it and the word before, whether it owns ('s)."""

    raw: str
    plain: str
    stem: str
    gap: str
    owns: bool = False


class Text(NamedTuple):
    """The words of a text, their stems, the stems that are content, and what follows the last word."""

    words: tuple[Word, ...]
    stems: tuple[str, ...]
    content: frozenset[str]
    end: str


@lru_cache(maxsize=512)
def read(text: str) -> Text:
    """The words of a text; its first `LONGEST` characters are read. A gap is "" for a space, "-" for a hyphen, "—" for
    a dash between clauses, else the punctuation that stands there."""
    text = plain_text(text[:LONGEST])
    found: list[Word] = []
    last = 0
    for match in _TOKEN.finditer(text):
        between = text[last : match.start()]
        last = match.end()
        gap = "" if between == " " else _gap(between)
        before = found[-1].raw if found and not gap.strip("-") else ""
        found.extend(_words(match[0], gap, before))
    if any(word.stem[0] == "#" and word.plain in VOCABULARY for word in found):
        found = _merged(found)
    stems = tuple(word.stem for word in found)
    content = frozenset(word.stem for word in found if is_content(word))
    return Text(tuple(found), stems, content, _gap(text[last:]))


def plain_text(text: str) -> str:
    """Cleaned, without the markup that only dresses words: LaTeX text, bold, code ticks."""
    text = clean(text)
    if "\\" in text:
        text = _SPACE.sub(" ", _MARKUP.sub(r"\1", text))
    if "*" in text or "`" in text:
        text = text.replace("**", "").replace("`", "")
    return text


def is_content(word: Word) -> bool:
    """Whether a word says something: not a function word. A lone capital in the midst ("vitamin D") says something."""
    if word.plain in FUNCTION:
        return len(word.raw) == 1 and word.raw not in "aAI'"
    return True


def is_name_like(word: Word) -> bool:
    """Whether a word begins with a capital letter, which only proper names (and the start of a sentence) do."""
    return word.raw[0].isupper()


@lru_cache(maxsize=8192)
def stem(plain: str) -> str:
    """The light stem of a folded word."""
    if plain in VOCABULARY or plain[0].isdecimal():
        return _number(plain)
    plain = american(plain)
    if plain in IRREGULAR:
        plain = IRREGULAR[plain]
    elif len(plain) > 3 and plain.isascii():
        plain = _without_ending(plain)
        plain = BRITISH.get(plain, plain)
    plain = _SAME.get(plain) or _SAME.get(plain + "e", plain)
    if len(plain) > 5 and plain.endswith("ll"):
        return plain[:-1]
    return plain[:-1] if len(plain) > 3 and plain[-1] == "e" else plain


@lru_cache(maxsize=4096)
def kin(one: str, other: str) -> bool:
    """Whether two stems are built on one root, as noun, adjective and verb are: gravity and gravitational."""
    if _RELATED.get(one) == other or _RELATED.get(other) == one:
        return True
    short, long = sorted((one, other), key=len)
    shared = _shared(short, long)
    if shared < max(4, len(short) - 3) or long.endswith(("less", "fre", "free", "like", "phobia")):
        return False
    if short[shared:] in _SORTS and long[shared:] in _SORTS:
        return False
    return _is_suffix(short[shared:]) and _is_suffix(long[shared:])


@lru_cache(maxsize=4096)
def near(one: str, other: str) -> bool:
    """Whether two long words are one slip of the pen apart: a letter more, less, another or exchanged."""
    short, long = sorted((one, other), key=len)
    if len(short) < 5 or len(long) - len(short) > 1 or not (short[0] == long[0] or short[1:] == long[1:]):
        return False
    shared = _shared(short, long)
    rest_short, rest_long = short[shared:], long[shared:]
    if len(short) < len(long):
        return rest_short == rest_long[1:]
    swapped = rest_short[:2] == rest_long[1::-1] and rest_short[2:] == rest_long[2:]
    return rest_short[1:] == rest_long[1:] or swapped


@lru_cache(maxsize=4096)
def opposed(one: str, other: str) -> bool:
    """Whether one stem excludes the other: opposites, two numbers, two colours, or one with a prefix that reverses."""
    if one == other:
        return False
    if one[0] == other[0] == "#":
        return True
    if other in _OPPOSED.get(one, ()):
        return True
    if one in _CLASS_OF and _CLASS_OF[one] == _CLASS_OF.get(other):
        return True
    if one.endswith("er") and other.endswith("er") and len(one) > 4 and len(other) > 4:
        return any(right in _OPPOSED.get(left, ()) for left in _bases(one) for right in _bases(other))
    short, long = sorted((one, other), key=len)
    if len(short) >= 4 and long.endswith(short) and long[: -len(short)] in REVERSING:
        return True
    ending = _shared(one[::-1], other[::-1])
    return ending >= 4 and one[:-ending] in _PAIRED and _PAIRED[one[:-ending]] == other[:-ending]


def is_exclusive(word_stem: str) -> bool:
    """Whether a stem before a noun makes it another thing of its sort: a number, a colour, a direction, an opposite."""
    return word_stem[0] == "#" or word_stem in _CLASS_OF or word_stem in _OPPOSED


def initials(text: Text) -> frozenset[str]:
    """What the text may be abbreviated to, folded: initials of all words, and without function words."""
    every = "".join(word.plain[0] for word in text.words)
    content = "".join(word.plain[0] for word in text.words if word.plain not in FUNCTION)
    return frozenset((every, content)) if len(content) >= 2 else frozenset()


@lru_cache(maxsize=512)
def wordings(answer: str) -> tuple[str, ...]:
    """A reference as it is, and what it says twice: "carbon dioxide (CO2)", "electrocution / the electric chair"."""
    answer = clean(answer)
    found = [answer]
    parts = answer.split(" / ") if " / " in answer else answer.split("; also ")
    if 1 < len(parts) <= 8 and all(part.strip() for part in parts):
        found += [part.strip() for part in parts]
    match = re.fullmatch(r"([^()]{2,300}?)\s?\(([^()]{1,60})\)\.?", answer)
    if match and (inner := match[2].strip()):
        found.append(match[1].strip())
        letters = fold(inner).replace(".", "").replace(" ", "")
        short = len(inner.split()) == 1 and any(character.isupper() or character.isdecimal() for character in inner)
        spoken = inner.casefold().startswith(("or ", "also ", "aka ", "i.e. ", "also known as "))
        if (short and inner[0].isalpha()) or letters in initials(read(match[1])):
            found.append(inner)
        elif spoken:
            found.append(re.sub(r"(?i)^(?:or|also known as|also|aka|i\.e\.)\s", "", inner))
    return tuple(dict.fromkeys(found))


def _gap(between: str) -> str:
    if between in ("", " "):
        return ""
    if between == "-":
        return "-"
    marks = "".join(between.split())
    if not marks.strip("-"):
        return "—" if marks else ("\n" if "\n" in between else "")
    return marks[:8] + ("\n" if "\n" in between else "")


def _words(raw: str, gap: str, before: str) -> list[Word]:
    plain = raw.lower() if raw.isascii() else fold(raw)
    if "." in raw and plain[0].isalpha():
        raw, plain = raw.replace(".", ""), plain.replace(".", "")
    owns = plain.endswith("'s")
    if "'" in plain:
        raw = raw[:-2] if owns else raw
        plain = plain[:-2] if owns else plain if plain.endswith("n't") else _contracted(plain)
    if raw in ABBREVIATIONS and raw.isupper():
        parts = ABBREVIATIONS[raw]
        return [Word(part.capitalize(), part, stem(part), "" if at else gap, False) for at, part in enumerate(parts)]
    if before and before[0].isupper() and raw.isupper() and (value := _roman(raw)):
        return [Word(raw, str(value), f"#{value}", gap, owns)]
    if raw.isupper() and 2 <= len(raw) <= 5 and raw[-1] in "IVX" and (value := _roman(raw)):
        return [Word(raw, str(value), f"#{value}", gap, owns)]
    plain = _PLACED.get(plain, plain) if raw[0].isupper() else plain
    if not plain:
        return []
    if plain in _NOT:
        return [Word(raw, plain, "not", gap, owns)]
    short = 2 <= len(raw) <= 5 and raw.isupper() and raw.isalpha()  # HTTP is not HTTPS
    return [Word(raw, plain, plain if short else stem(plain), gap, owns)]


def _merged(words: list[Word]) -> list[Word]:
    """Number words that say one number together are one word: twenty-five, nineteen eighty-four."""
    merged: list[Word] = []
    at = 0
    while at < len(words):
        end = at
        while end < len(words) and words[end].plain in VOCABULARY and (end == at or words[end].gap in ("", "-")):
            end += 1
        number = numbers.parse(" ".join(word.plain for word in words[at:end])) if end - at > 1 else None
        if number:
            raw = " ".join(word.raw for word in words[at:end])
            merged.append(Word(raw, raw.casefold(), f"#{number.value}", words[at].gap, words[end - 1].owns))
        else:
            merged.extend(words[at : max(end, at + 1)])
        at = max(end, at + 1)
    return merged


def _contracted(plain: str) -> str:
    head, _, tail = plain.partition("'")
    return head if tail in ("re", "ll", "ve", "d", "m", "s") else head + tail


def _roman(raw: str) -> int | None:
    if not _ROMAN.fullmatch(raw):
        return None
    values = [_ROMAN_VALUES[letter] for letter in raw]
    return sum(-one if one < next_ else one for one, next_ in zip(values, [*values[1:], 0], strict=True))


def _number(plain: str) -> str:
    ordinal = _ORDINAL.fullmatch(plain)
    number = numbers.parse(ordinal[1] if ordinal else plain)
    return f"#{number.value}" if number else plain


def _without_ending(plain: str) -> str:
    if plain.endswith("'s"):
        plain = plain[:-2]
    if plain.endswith("ies") and len(plain) > 4:
        return plain[:-3] + "y"
    if plain.endswith(("sses", "shes", "ches", "xes", "zes")):
        return plain[:-2]
    if plain.endswith("s") and not plain.endswith(("ss", "us", "is", "ous")):
        return plain[:-1]
    if plain.endswith("ae") and len(plain) > 5:
        return plain[:-1]
    if plain.endswith("ied") and len(plain) > 4:
        return plain[:-3] + "y"
    for ending in ("ing", "ed"):
        if plain.endswith(ending):
            base = plain[: -len(ending)]
            if len(base) < 3 or not _VOWEL.search(base):
                return plain
            return base[:-1] if base[-1] == base[-2] and base[-1] not in "lsz" else base
    return plain


def american(plain: str) -> str:
    """The American spelling of a folded word, as far as it follows from its letters."""
    plain = BRITISH.get(plain, plain)
    if len(plain) < 6:
        return plain
    if plain.endswith("our") and plain[-4] not in "fho":
        return plain[:-3] + "or"
    plain = plain.replace("isation", "ization").replace("aemia", "emia")
    if plain.endswith(("ise", "is")) and plain[-4:] not in ("rise", "wise", "vise", "cise"):
        return plain[: plain.rindex("is")] + "iz" if plain.endswith("ise") else plain
    return plain[:-2].replace("ae", "e").replace("oe", "e") + plain[-2:] if len(plain) > 7 else plain


def _bases(comparative: str) -> tuple[str, ...]:
    """The stems that a comparative may have: hotter, larger, colder."""
    base = comparative[:-2]
    return (base, base[:-1]) if base[-1] == base[-2] else (base,)


def _shared(one: str, other: str) -> int:
    count = 0
    for left, right in zip(one, other, strict=False):
        if left != right:
            break
        count += 1
    return count


_SUFFIXES = frozenset(
    """ion ement ely tion ation ition sion ional tional ational al ial ical ic ity ment ness iv ativ itiv er or r ly
    ous ious ful y anc enc ed an ian ish es en ency ancy ally iz ization ys d s t at ar ry able ably ibl abl ist
    ism ese ant ent ing ified ify ification sis tic e""".split()
)


_SORTS = frozenset("ic ar ous al iv ativ at an ol".split())
"""Endings that tell sorts of one root apart: nucleic and nuclear, ferric and ferrous."""


def _is_suffix(rest: str) -> bool:
    return not rest or rest in _SUFFIXES


def _opposites() -> dict[str, set[str]]:
    table: dict[str, set[str]] = {}
    for pair in OPPOSITES:
        one, other = map(stem, pair.split(":"))
        table.setdefault(one, set()).add(other)
        table.setdefault(other, set()).add(one)
    return table


_OPPOSED = _opposites()
_RELATED = {stem(adjective): stem(noun) for adjective, noun in RELATED.items()}
_CLASS_OF = {stem(word): row for row, words in enumerate(CLASSES) for word in words}
_PAIRED = {
    "hyper": "hypo", "hypo": "hyper", "in": "ex", "ex": "in", "im": "ex", "over": "under", "under": "over",
    "up": "down", "down": "up", "pre": "post", "post": "pre", "pro": "anti", "anti": "pro", "macro": "micro",
    "micro": "macro", "endo": "exo", "exo": "endo", "homo": "hetero", "hetero": "homo", "mono": "poly", "poly": "mono",
    "ortho": "para", "meta": "para", "ad": "ab", "ab": "ad", "max": "min", "min": "max", "inter": "intra",
    "intra": "inter", "ef": "af", "af": "ef", "as": "des", "des": "as", "con": "di", "di": "con",
    "counter": "", "kilo": "milli", "milli": "kilo", "super": "sub", "sub": "super", "ecto": "endo",
}  # fmt: skip
