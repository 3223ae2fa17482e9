"""Finds what should not be learnt: personal data (how to reach or charge somebody) and secrets (keys, tokens).

Each kind is found by form, and where the form has a check, by that too: card numbers by issuer, length and Luhn's sum;
IBANs by country, length and remainder (ISO 13616); addresses on the internet only if they are public ones, as FineWeb
does (arXiv 2406.17557). Secrets are found by the prefixes that their issuers publish, so that scanners can find them.

Not covered: names, postal addresses, dates of birth, passwords, phone numbers written as nothing but digits, keys
without a prefix, private keys without their last line, and anything in a document's metadata or address. A version of
four long numbers looks like an address.
"""

from __future__ import annotations

import ipaddress
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Literal, NamedTuple, get_args

PersonalKind = Literal["email", "phone", "credit_card", "iban", "ip"]
PERSONAL_KINDS: tuple[PersonalKind, ...] = get_args(PersonalKind)


class Found(NamedTuple):
    """A stretch of the text and what it is."""

    start: int
    end: int
    kind: str


def personal(text: str, kinds: Iterable[str] = PERSONAL_KINDS, digits: int | None = None) -> list[Found]:
    """What of these kinds stands in the text, in order, without overlaps. `digits`: it has no more, if known."""
    wanted = set(kinds)
    found: list[Found] = []
    if "email" in wanted and "@" in text:
        found += _emails(text)
    if (digits is None or digits >= _FEWEST_DIGITS) and _has_long_number(text):
        if wanted & {"phone", "credit_card", "ip"}:
            for stretch in _NUMERIC.finditer(text):
                if len(stretch[0].translate(_WITHOUT_BETWEEN)) >= _FEWEST_DIGITS:
                    found += _numbers(text, stretch.start(), stretch.end(), wanted)
        if "iban" in wanted:
            found += (Found(*span, "iban") for span in map(_iban, _IBAN.finditer(text)) if span is not None)
    if "ip" in wanted and ("::" in text or text.count(":") > _COLONS):
        found += _addresses6(text)
    return _apart(found) if found else found


def credentials(text: str, long_words: str | None = None) -> list[Found]:
    """The secrets in the text, in order, without overlaps. `long_words`: its words of SHORTEST_TOKEN characters or
    more, if they are known, for no other can be a token."""
    places = text if long_words is None else long_words
    found = [
        Found(*match.span(), "credential")
        for mark, pattern in _TOKENS
        if mark in places
        for match in pattern.finditer(text)
    ]
    if "PRIVATE KEY" in text:
        found += _private_keys(text)
    return _apart(found) if found else found


def masked(text: str, found: Sequence[Found]) -> str:
    """The text with each stretch replaced by its kind: [EMAIL], [CREDENTIAL]. The same text if there is none."""
    if not found:
        return text
    pieces, at = [], 0
    for start, end, kind in found:
        pieces += [text[at:start], f"[{kind.upper()}]"]
        at = end
    return "".join([*pieces, text[at:]])


def counted(found: Iterable[Found]) -> str:
    """How many of each kind: "email 2, phone 1". What was found is not told."""
    return ", ".join(f"{kind} {count}" for kind, count in sorted(Counter(item.kind for item in found).items()))


def _apart(found: list[Found]) -> list[Found]:
    """In order, and of those that overlap the first; the longer one if they start together."""
    kept: list[Found] = []
    for item in sorted(found, key=lambda item: (item.start, -item.end)):
        if not kept or item.start >= kept[-1].end:
            kept.append(item)
    return kept


# ---------------------------------------------------------------- addresses

_LOCAL = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._%+-"
_HOST = re.compile(r"(?:[A-Za-z0-9-]{1,63}\.){1,8}[A-Za-z]{2,24}(?![A-Za-z0-9_])")


def _emails(text: str) -> Iterator[Found]:
    at = text.find("@")
    while at >= 0:
        before = text[max(0, at - 64) : at]
        local = before[len(before.rstrip(_LOCAL)) :].lstrip(".")
        host = _HOST.match(text, at + 1)
        if local and host:
            yield Found(at - len(local), host.end(), "email")
        at = text.find("@", at + 1)


_COLONS = 6
"""An address that is not shortened by a double colon has one more."""
_ADDRESS6 = re.compile(r"[23](?<![\w:.].)[0-9A-Fa-f]{3}:[0-9A-Fa-f:]{2,34}(?![\w:])")


def _addresses6(text: str) -> Iterator[Found]:
    for match in _ADDRESS6.finditer(text):
        written = match[0] if match[0].endswith("::") else match[0].rstrip(":")
        try:
            is_public = ipaddress.IPv6Address(written).is_global
        except ValueError:  # a time, or names in code
            continue
        if is_public:
            yield Found(match.start(), match.start() + len(written), "ip")


# ---------------------------------------------------------------- numbers

_FEWEST_DIGITS = 7
"""Nothing that is looked for has fewer; shorter addresses are mostly the numbers of versions."""
_BETWEEN_DIGITS = b"().-/ \xc2\xa0"
_RUNS = bytes(code if chr(code).isdecimal() and code < 0x80 else 0x20 for code in range(256))
_WITHOUT_BETWEEN = str.maketrans("", "", "+().-/ \u00a0")
_NUMERIC = re.compile(r"[+(0-9][0-9().\-/ \u00a0]{5,}+")
_ADDRESS4 = re.compile(r"(?<![\w.])(?:[0-9]{1,3}\.){3}[0-9]{1,3}(?![\w]|\.[0-9])")
_CARD = re.compile(r"(?<![\w.-])[0-9](?:[ -]?[0-9]){12,18}(?![\w-]|\.[0-9])")
_PHONE = re.compile(
    r"(?<![\w+])\+[1-9][0-9]{0,14}+(?:[ .\-/\u00a0]?+\(?+[0-9]{1,15}+\)?+){0,6}+(?!\w)"  # international: +49 30 1234567
    r"|(?<![\w.+-])(?:1[ .-])?(?:\([0-9]{3}\) ?|[0-9]{3}[.-])[0-9]{3}[.-][0-9]{4}(?![\w-]|\.[0-9])"  # North America
)
_DIGITS = re.compile(r"\d+")
_PHONE_DIGITS = range(8, 16)
"""E.164 allows fifteen; fewer than eight with a country's code reach nobody."""

_ISSUERS = (
    (re.compile(r"4"), {13, 16, 19}),
    (re.compile(r"5[1-5]|222[1-9]|22[3-9]|2[3-6]|27[01]|2720"), {16}),
    (re.compile(r"3[47]"), {15}),
    (re.compile(r"30[0-5]|36|3[89]"), {14}),
    (re.compile(r"6011|64[4-9]|65|352[89]|35[3-8]"), {16}),
    (re.compile(r"62"), {16, 17, 18, 19}),
)


def _has_long_number(text: str) -> bool:
    """Whether so many digits follow each other, but for what stands between the digits of a number."""
    runs = text.encode("utf-8", "surrogatepass").translate(_RUNS, _BETWEEN_DIGITS).split()
    return max(map(len, runs), default=0) >= _FEWEST_DIGITS


def _numbers(text: str, start: int, end: int, wanted: set[str]) -> Iterator[Found]:
    until = min(len(text), end + 2)  # what follows decides, too
    if "ip" in wanted:
        for match in _ADDRESS4.finditer(text, start, until):
            if len(match[0]) >= _FEWEST_DIGITS + 3 and _is_public(match[0]):
                yield Found(*match.span(), "ip")
    if "credit_card" in wanted:
        for match in _CARD.finditer(text, start, until):
            if _is_card(re.sub(r"[ -]", "", match[0])):
                yield Found(*match.span(), "credit_card")
    if "phone" in wanted:
        for match in _PHONE.finditer(text, start, until):
            last = _phone_end(match)
            if last:
                yield Found(match.start(), last, "phone")


def _phone_end(match: re.Match[str]) -> int:
    """Where the number ends, for another may follow it; 0 if it has too few digits."""
    digits = end = 0
    for group in _DIGITS.finditer(match.string, *match.span()):
        digits += len(group[0])
        if digits in _PHONE_DIGITS:
            end = group.end()
    return end


def _is_public(address: str) -> bool:
    try:
        return ipaddress.IPv4Address(address).is_global
    except ValueError:  # 1.2.3.456
        return False


def _is_card(number: str) -> bool:
    if not any(issuer.match(number) and len(number) in lengths for issuer, lengths in _ISSUERS):
        return False
    if len(set(number)) == 1:  # a placeholder
        return False
    return luhn(number) == 0


def luhn(number: str) -> int:
    """Luhn's sum of the digits, modulo ten: zero if the last one is right (ISO/IEC 7812)."""
    doubled = (sum(divmod(2 * int(digit), 10)) for digit in number[-2::-2])
    return (sum(map(int, number[-1::-2])) + sum(doubled)) % 10


_IBAN = re.compile(r"[A-Z](?<!\w.)[A-Z][0-9]{2}(?: ?[A-Z0-9]){11,30}(?!\w)")
_IBAN_LENGTHS = {
    **{"AD": 24, "AE": 23, "AT": 20, "BE": 16, "BG": 22, "BR": 29, "CH": 21, "CY": 28, "CZ": 24, "DE": 22, "DK": 18},
    **{"EE": 20, "ES": 24, "FI": 18, "FR": 27, "GB": 22, "GR": 27, "HR": 21, "HU": 28, "IE": 22, "IL": 23, "IS": 26},
    **{"IT": 27, "LI": 21, "LT": 20, "LU": 20, "LV": 21, "MC": 27, "MT": 31, "NL": 18, "NO": 15, "PL": 28, "PT": 25},
    **{"RO": 24, "SA": 24, "SE": 24, "SI": 19, "SK": 24, "SM": 27, "TR": 26, "UA": 29},
}


def _iban(match: re.Match[str]) -> tuple[int, int] | None:
    """Where the IBAN ends that starts here, if there is one: words in capitals may follow it."""
    length = _IBAN_LENGTHS.get(match[0][:2])
    if length is None:
        return None
    end = match.start()
    for _ in range(length):
        end += match.string[end : end + 1] == " "
        end += 1
    if end > match.end() or match.string[end : end + 1].isalnum():
        return None
    number = match.string[match.start() : end].replace(" ", "")
    value = int("".join(str(int(character, 36)) for character in number[4:] + number[:4]))
    return (match.start(), end) if value % 97 == 1 else None


# ---------------------------------------------------------------- secrets

_TOKEN_FORMS = (
    ("AKIA", r"AKIA[0-9A-Z]{16}"),  # AWS
    ("ASIA", r"ASIA[0-9A-Z]{16}"),
    ("ghp_", r"ghp_[A-Za-z0-9]{36,}"),  # GitHub
    ("gho_", r"gho_[A-Za-z0-9]{36,}"),
    ("ghu_", r"ghu_[A-Za-z0-9]{36,}"),
    ("ghs_", r"ghs_[A-Za-z0-9]{36,}"),
    ("ghr_", r"ghr_[A-Za-z0-9]{36,}"),
    ("github_pat_", r"github_pat_[A-Za-z0-9_]{40,255}"),
    ("glpat-", r"glpat-[A-Za-z0-9_-]{20,}"),  # GitLab
    (
        "sk-",
        r"sk-(?:proj-|svcacct-|admin-|ant-[a-z0-9]+-|or-v1-)?[A-Za-z0-9_-]{32,255}",
    ),  # OpenAI, Anthropic and others
    ("sk_live_", r"sk_live_[A-Za-z0-9]{24,}"),  # Stripe
    ("rk_live_", r"rk_live_[A-Za-z0-9]{24,}"),
    ("xox", r"xox[abeoprs]-[A-Za-z0-9-]{16,255}"),  # Slack
    ("hooks.slack.com/", r"hooks\.slack\.com/services/T[A-Za-z0-9_]+/B[A-Za-z0-9_]+/[A-Za-z0-9_]{20,}"),
    ("AIza", r"AIza[A-Za-z0-9_-]{35}"),  # Google
    ("hf_", r"hf_[A-Za-z]{34}"),  # Hugging Face
    ("npm_", r"npm_[A-Za-z0-9]{36}"),
    ("pypi-AgE", r"pypi-AgE[A-Za-z0-9_-]{50,}"),
    ("SG.", r"SG\.[A-Za-z0-9_-]{22}\.[A-Za-z0-9_-]{43}"),  # SendGrid
    ("dop_v1_", r"dop_v1_[a-f0-9]{64}"),  # DigitalOcean
    ("eyJ", r"eyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{16,}"),  # a signed JSON web token
)
SHORTEST_TOKEN = 20
_TOKENS = tuple((mark, re.compile(rf"(?<![A-Za-z0-9_-]){form}(?![A-Za-z0-9])")) for mark, form in _TOKEN_FORMS)
_KEY_BEGINS = re.compile(r"-----BEGIN (?:[A-Z0-9]+ ){0,3}PRIVATE KEY(?: BLOCK)?-----")
_KEY_ENDS = re.compile(r"-----END (?:[A-Z0-9]+ ){0,3}PRIVATE KEY(?: BLOCK)?-----")
_LONGEST_KEY = 20_000


def _private_keys(text: str) -> Iterator[Found]:
    end: re.Match[str] | None = None
    begin = _KEY_BEGINS.search(text)
    while begin is not None:
        if end is None or end.start() < begin.end():
            end = _KEY_ENDS.search(text, begin.end())
            if end is None:
                return
        at = begin.end()
        if end.start() - at <= _LONGEST_KEY:
            yield Found(begin.start(), end.end(), "credential")
            at = end.end()
        begin = _KEY_BEGINS.search(text, at)
