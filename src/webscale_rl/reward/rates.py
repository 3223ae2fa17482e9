"""What an amount is said to be for: per hour, a day, each month."""

from __future__ import annotations

import re

_PER = re.compile(
    r"\s?(?:/|\b(?:per|an?|each|every)\s)\s?(annum|year|yr|month|mo|week|wk|day|hour|hr|h|minute|min|second|sec|person|capita"
    r"|head|unit|item|piece|share|ticket|egg|mile|km|kilomet(?:er|re)|pound|lb|kg|kilogram|ounce|oz|gallon|gal|lit(?:er|re)"
    r"|barrel|ton|tonne|acre|night|square (?:foot|met(?:er|re))|dozen|pair|game|child|adult|student|employee|customer)s?\b"
    r"|\s(annually|yearly|monthly|weekly|daily|hourly)\b",
    re.IGNORECASE,
)
_SAME = {
    "annum": "year", "yr": "year", "annually": "year", "yearly": "year", "mo": "month", "monthly": "month", "wk": "week",
    "weekly": "week", "daily": "day", "hr": "hour", "h": "hour", "hourly": "hour", "min": "minute", "sec": "second",
    "capita": "person", "head": "person", "lb": "pound", "kilogram": "kg", "oz": "ounce", "gal": "gallon", "litre": "liter",
    "kilometer": "km", "kilometre": "km", "unit": "item", "piece": "item", "square metre": "square meter",
}  # fmt: skip


def per(text: str, start: int) -> tuple[str, int]:
    """What stands after an amount as "per hour", as ("hour", its end); ("", start) if nothing does."""
    match = _PER.match(text, start)
    if match is None:
        return "", start
    said = (match[1] or match[2]).lower()
    return _SAME.get(said, said), match.end()


def agree(sought: str, given: str, question: str) -> bool | None:
    """Whether both are for the same. What is left out goes without saying; what only the answer says, the question or
    the reference must know: else None."""
    if sought == given or not given:
        return True
    if sought:
        return False
    words = [word for word, meant in (*_SAME.items(), (given, given)) if meant == given]
    return True if any(word in question.lower() for word in words if len(word) > 1) else None
