"""Money: an amount with its currency, by symbol ($5), code (USD 5), or name (five US dollars), with cents and scales.

- "$" alone is a dollar of any country; A$, C$, NZ$ and their like are not "$", nor is "£" a dollar. A reference in a
  named dollar and an answer in "$" is right if the question names the country or currency, otherwise None.
- Scales are read where a currency stands beside them: $1.5m, 2 bn euros, ₹5 lakh, 3k dollars.
- An answer without a currency is right if the question asks for money; otherwise None. Currencies are not converted.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from fractions import Fraction
from functools import lru_cache
from typing import NamedTuple

from webscale_rl.reward import rates
from webscale_rl.reward.claims import Claim, crowded, decide
from webscale_rl.reward.counting import names
from webscale_rl.reward.kinds import number as numbers_kind
from webscale_rl.reward.markup import plain
from webscale_rl.reward.numbers import Number, find
from webscale_rl.reward.reference import Reference
from webscale_rl.reward.text import clean
from webscale_rl.reward.verdict import Match

_SYMBOLS = {
    "US$": "USD", "A$": "AUD", "AU$": "AUD", "C$": "CAD", "CA$": "CAD", "CAN$": "CAD", "NZ$": "NZD", "HK$": "HKD",
    "S$": "SGD",
    "SG$": "SGD", "NT$": "TWD", "MX$": "MXN", "R$": "BRL", "$": "$", "£": "GBP", "€": "EUR", "¥": "JPY", "₹": "INR",
    "₩": "KRW", "₽": "RUB", "₺": "TRY", "₪": "ILS", "₫": "VND", "₱": "PHP", "฿": "THB", "₦": "NGN", "₴": "UAH",
    "₿": "BTC",
    "CN¥": "CNY", "RMB": "CNY", "Rs": "INR", "Rs.": "INR", "Fr.": "CHF", "zł": "PLN", "Kč": "CZK",
}  # fmt: skip
_CODES = (
    "USD EUR GBP JPY CNY INR AUD CAD NZD CHF HKD SGD SEK NOK DKK KRW RUB BRL MXN ZAR TRY PLN CZK HUF ILS THB IDR MYR"
    " PHP VND"
    " TWD SAR AED EGP NGN KES PKR BDT UAH ARS CLP COP PEN BTC ETH DEM FRF ITL ESP"
).split()
_NAMES = {
    "us dollar": "USD", "u.s. dollar": "USD", "american dollar": "USD", "united states dollar": "USD",
    "australian dollar": "AUD", "canadian dollar": "CAD", "new zealand dollar": "NZD", "hong kong dollar": "HKD",
    "singapore dollar": "SGD", "dollar": "$", "buck": "$", "euro": "EUR", "pound sterling": "GBP",
    "pounds sterling": "GBP",
    "british pound": "GBP", "pound": "GBP", "quid": "GBP", "sterling": "GBP", "yen": "JPY", "japanese yen": "JPY",
    "yuan": "CNY", "renminbi": "CNY", "chinese yuan": "CNY", "indian rupee": "INR", "rupee": "INR",
    "swiss franc": "CHF",
    "franc": "franc", "french franc": "FRF", "won": "KRW", "south korean won": "KRW", "rouble": "RUB", "ruble": "RUB",
    "peso": "peso", "mexican peso": "MXN", "krona": "krona", "kronor": "krona", "krone": "krone", "kroner": "krone",
    "swedish krona": "SEK", "rand": "ZAR", "real": "BRL", "reais": "BRL", "lira": "lira", "zloty": "PLN", "baht": "THB",
    "shekel": "ILS", "rupiah": "IDR", "ringgit": "MYR", "dirham": "dirham", "guinea": "guinea", "shilling": "shilling",
    "bitcoin": "BTC", "mark": "mark", "deutschmark": "DEM", "deutsche mark": "DEM", "guilder": "guilder",
    "florin": "florin",
}  # fmt: skip
_CENTS = {
    "cent": "$",
    "¢": "$",
    "penny": "GBP",
    "pence": "GBP",
    "p": "GBP",
    "eurocent": "EUR",
    "euro cent": "EUR",
    "paise": "INR",
}
_SCALES = {
    "k": 10**3, "m": 10**6, "mn": 10**6, "mm": 10**6, "mio": 10**6, "b": 10**9, "bn": 10**9, "tn": 10**12, "t": 10**12,
    "l": 10**5, "cr": 10**7,
}  # fmt: skip
_COUNTRIES = {
    "USD": r"\bU\.?S\.?\b|united states|america", "AUD": r"\baustralia", "CAD": r"\bcanad", "NZD": r"\bnew zealand",
    "HKD": r"\bhong kong", "SGD": r"\bsingapore", "TWD": r"\btaiwan", "MXN": r"\bmexic", "CHF": r"\bswiss|switzerland",
    "SEK": r"\bswed", "NOK": r"\bnorw", "DKK": r"\bdan(?:ish|mark)", "FRF": r"\bfrance|french", "DEM": r"\bgerman",
    "TRY": r"\bturk", "ITL": r"\bital",
}  # fmt: skip
_FAMILIES = {
    "$": {"USD", "AUD", "CAD", "NZD", "HKD", "SGD", "TWD", "MXN"}, "franc": {"CHF", "FRF"}, "krona": {"SEK"},
    "krone": {"NOK", "DKK"},
    "peso": {"MXN", "PHP", "ARS", "CLP", "COP"}, "lira": {"TRY", "ITL"}, "mark": {"DEM"}, "dirham": {"AED"},
}  # fmt: skip
_COMMON = {"$": "USD", "¥": "JPY"}


def _any(words: Iterable[str]) -> str:
    """A pattern for one of these words, the longer before the shorter."""
    return "|".join(re.escape(word) for word in sorted(words, key=lambda word: (-len(word), word)))


_BEFORE = re.compile(rf"(?<![A-Za-z])(?P<name>{_any({*_SYMBOLS, *_CODES})})\s?(?P<sign>-?)$")
_AFTER = re.compile(
    r"(?:\s?(?P<scale>k|K|[mM]n?|mm|MM|mio|[bB]n?|[tT]n?|L|cr|Cr)\b\.?)?[\s-]?"
    rf"(?:(?P<symbol>{_any({*_SYMBOLS, *_CODES, '¢'})})(?!\s?[A-Za-z\d])"
    rf"|(?P<word>{_any({*_NAMES, *_CENTS} - {'¢'})})s?\b)?",
    re.IGNORECASE,
)
_ASKS = re.compile(
    r"[$£€¥₹]|\b(?:how much|price|cost|dollars?|euros?|pounds?|yen|rupees?|salary|wage|worth|budget|fee|pay|paid"
    r"|fine|profit"
    r"|revenue|income|earn(?:ed|s|ings)?|money|tax|gross(?:ed)?|spen[dt]|sold for|bought|amount|charge|cents?|bill|loan"
    r"|interest|deposit|debt|donat\w+|valued?|USD|GBP|EUR)\b",
    re.IGNORECASE,
)


_PERCENT = re.compile(r"\s?(?:%|per ?cent\b)", re.IGNORECASE)


class Amount(NamedTuple):
    """A number with its currency, "" if none stands beside it: an ISO code, or the word that several share. `per` is
    what it is for: hour, item."""

    number: Number
    currency: str
    start: int
    end: int
    per: str = ""


def infer(answer: str, question: str = "") -> Reference | None:
    """Money if the whole answer is a number with a currency. `unit` is its code."""
    text = plain(clean(answer))
    if len(text) > 80:
        return None
    found = amounts(text)
    if len(found) != 1 or found[0].start or text[found[0].end :].strip() not in ("", "."):
        return None
    one = found[0]
    if one.currency in ("", "%", "mark", "real", "p"):
        return None
    if one.currency == "GBP" and _WEIGHED.search(text) and not _ASKS_PRICE.search(question):
        return None
    return Reference(answer=answer, type="money", unit=_COMMON.get(one.currency, one.currency))


_WEIGHED = re.compile(r"\bpounds?\.?$", re.IGNORECASE)
_ASKS_PRICE = re.compile(
    r"£|\b(?:how much (?:money|did .{1,60} (?:cost|pay))|price|cost|fee|fine|paid|salary|worth|sold for|sterling)\b",
    re.IGNORECASE,
)


def compare(reference: Reference, answer: str, question: str = "") -> Match:
    """Whether the amount that the answer gives is the reference's. None if the reference holds no single amount."""
    sought = _sought(reference.answer, reference.unit)
    if sought is None:
        return Match(None, "reference")
    text = plain(clean(answer))
    if crowded(text):
        return Match(False, "many")
    given = amounts(text)
    if not given:
        return numbers_kind.without(text)
    has_currency = any(one.currency for one in given)
    claims = [
        Claim(
            one.start,
            one.end,
            _judged(sought, one, text, question, reference.tolerance),
            (one.number.value, one.currency),
            has_currency and not one.currency,
        )
        for one in given
    ]
    return decide(text, claims, question, _asked(question))


def amounts(text: str) -> list[Amount]:
    """The numbers of a text with the currencies beside them; dollars and cents are one."""
    found: list[Amount] = []
    for one in find(text):
        if one.number.ordinal or (found and one.start < found[-1].end):
            continue
        amount = _amount(text, one.start, one.end, one.number)
        if found and _adds_cents(text, found[-1], amount):
            value = found[-1].number.value + amount.number.value
            found[-1] = Amount(Number(value, 2, "decimal"), found[-1].currency, found[-1].start, amount.end)
        else:
            found.append(amount)
    return found


def _amount(text: str, start: int, end: int, number: Number) -> Amount:
    before = _BEFORE.search(text[max(0, start - 6) : start])
    # every part of the pattern may be empty, so that it matches
    after = _AFTER.match(text, end)
    scale, word = (after["scale"], (after["word"] or after["symbol"] or "")) if after else (None, "")
    currency = _SYMBOLS.get(before["name"], before["name"]) if before else _currency(word)
    if after and (word or (before and scale)) and (currency or not word):
        end = after.end() if word or scale else end
        if scale and currency:
            number = _times(number, _SCALES[scale.lower()])
    if before:
        start -= len(before[0])
        if text[start - 1 : start] == "-" and not text[max(0, start - 2) : start - 1].isalnum():
            start, number = start - 1, number._replace(value=-number.value)
        elif before["sign"]:
            number = number._replace(value=-abs(number.value))
    elif word.lower().rstrip("s") in _CENTS or word.lower() in _CENTS:
        number = _times(number, Fraction(1, 100))
    if not currency and _PERCENT.match(text, end):
        currency = "%"
    per, end = rates.per(text, end) if currency else ("", end)
    return Amount(number, currency, start, end, per)


def _currency(word: str) -> str:
    """The currency of a word or symbol, "" if it is none: a small "m" or "p" is no code."""
    if word in _SYMBOLS:
        return _SYMBOLS[word]
    if word in _CODES:
        return word
    lower = word.lower()
    for form in (lower, lower.removesuffix("s")):
        if form in _NAMES:
            return _NAMES[form]
        if form in _CENTS:
            return _CENTS[form]
    return word.upper() if word.upper() in _CODES and word.islower() and len(word) == 3 else ""


def _times(number: Number, factor: int | Fraction) -> Number:
    places = number.places
    if places is not None:
        places += 2 if factor < 1 else 1 - len(str(factor))
    return number._replace(value=number.value * factor, places=places)


def _adds_cents(text: str, one: Amount, cents: Amount) -> bool:
    between = text[one.end : cents.start]
    return (
        between.strip(" ,") in ("", "and")
        and len(between) < 8
        and bool(one.currency)
        and one.number.places == 0
        and cents.currency in (one.currency, "$")
        and 0 < cents.number.value < 1
        and cents.number.places == 2
    )


def _judged(sought: Amount, given: Amount, text: str, question: str, tolerance: float) -> bool | None:
    """As `_same`, unless the answer counts something else, or names another rate."""
    alike = _same(sought, given, question, tolerance)
    if alike and not given.currency and names(text, given.end, "") is False:
        return None
    if alike:
        return rates.agree(sought.per, given.per, question)
    return alike


def _same(sought: Amount, given: Amount, question: str, tolerance: float) -> bool | None:
    alike = numbers_kind.same(sought.number, given.number, question, tolerance)
    if alike is False or sought.currency == given.currency:
        return alike
    if not given.currency or not sought.currency:
        return alike if _ASKS.search(question) or not sought.currency else None
    if given.currency in _FAMILIES.get(sought.currency, ()):
        # "$5" and "US$5" are the same unless the question is about another dollar; "$5" and "A$5" are not
        return alike if given.currency == "USD" or _is_about(given.currency, question) else False
    if sought.currency in _FAMILIES.get(given.currency, ()):
        return alike if sought.currency == "USD" or _is_about(sought.currency, question) else None
    return None if {sought.currency, given.currency} == {"JPY", "CNY"} else False


def _is_about(currency: str, question: str) -> bool:
    pattern = _COUNTRIES.get(currency)
    return bool(question and pattern and re.search(pattern, question, re.IGNORECASE)) or currency in question


@lru_cache(maxsize=512)
def _sought(answer: str, unit: str) -> Amount | None:
    found = amounts(plain(clean(answer)))
    priced = [one for one in found if one.currency]
    if len(priced) == 1:
        return priced[0]
    return found[0]._replace(currency=unit) if len(found) == 1 else None


@lru_cache(maxsize=1024)
def _asked(question: str) -> frozenset[tuple[Fraction, str]]:
    return frozenset((one.number.value, one.currency) for one in amounts(clean(question)))
