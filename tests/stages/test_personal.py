"""What is personal or secret is found by its form, and what only looks like it stays."""

from __future__ import annotations

import random
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webscale_rl.stages.heuristic_rules.personal import PERSONAL_KINDS, counted, credentials, luhn, masked, personal

# Put together here, so that no scanner takes the tests for a leak.
TOKENS = [
    "AKIA" + "Q3ZK7YAB2CDE4FGH",
    "ghp_" + "a1B2" * 9,
    "github_pat_" + "11ABC_" * 9,
    "glpat-" + "x9Y8z7" * 4,
    "sk-" + "proj-" + "a1B2c3D4" * 5,
    "sk-" + "ant-api03-" + "a1B2c3D4" * 5,
    "sk_" + "live_" + "a1B2c3D4" * 3,
    "xoxb-" + "123456789012-abcdef",
    "https://hooks.slack.com/" + "services/T0AB/B0CD/" + "a1B2c3D4" * 3,
    "AIza" + "Sy-" + "a1B2c3D4" * 4,
    "hf_" + "aBcDeFgH" * 4 + "iJ",
    "npm_" + "a1B2c3D4e5F6" * 3,
    "SG." + "a1B2c3D4e5F" * 2 + "." + "a1B2c3D4e5F" * 3 + "a1B2c3D4e5",
    "eyJ" + "hbGciOiJIUzI1NiJ9" + ".eyJ" + "zdWIiOiIxMjM0NTY3ODkwIn0" + "." + "dozjgNryP4J3jVmNHl0w5N_XgL0n3I9P",
]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Write to jane.doe+news@mail.example.co.uk.", "Write to [EMAIL]."),
        ("<joe@example.com>, (ann@example.org)", "<[EMAIL]>, ([EMAIL])"),
        ("Call +49 30 1234567 or +1 (555) 010-9999.", "Call [PHONE] or [PHONE]."),
        ("Call (555) 010-9999, 555-010-9999 or 555.010.9999 today", "Call [PHONE], [PHONE] or [PHONE] today"),
        ("+33 1 23 45 67 89. 5 people called", "[PHONE]. 5 people called"),
        ("Card 4012-8888-8888-1881, 4111 1111 1111 1119?", "Card [CREDIT_CARD], 4111 1111 1111 1119?"),
        ("Pay 378282246310005 or 5555555555554444 now", "Pay [CREDIT_CARD] or [CREDIT_CARD] now"),
        ("to DE89 3704 0044 0532 0130 00 BIC X", "to [IBAN] BIC X"),
        ("to GB82WEST12345698765432.", "to [IBAN]."),
        ("from 203.12.113.77 at night", "from [IP] at night"),
        ("host 2a00:1450:4001:81b::200e is up", "host [IP] is up"),
    ],
)
def test_personal_data_is_masked_by_its_kind(text: str, expected: str) -> None:
    assert masked(text, personal(text)) == expected


@pytest.mark.parametrize(
    "text",
    [
        "f(x) = 3.14159265358979, x + 1234567890 = 2",
        "In 1914-1918 and 1939-1945, 12 000 000 people",
        "ISBN 978-3-16-148410-0, DOI 10.1000/182, on 2019-05-12 10:30:45",
        "Version 3.2.1.4 of Chrome 99.0.4844; local 192.168.100.200, 127.0.0.1 and 10.200.100.100",
        "card 4111 1111 1111 1112 is mistyped, 1234 5678 9012 3452 has no issuer",
        "DE89 3704 0044 0532 0130 01 is no account; XX89370400440532013000 no country",
        "std::vector<int> at 12:30:45, a::b::c, 2001:db8::1 is documentation",
        "@decorator, user@localhost, a @ b, 5@3.2",
        "+ 12345678 and 1+12345678 and x+4930123456",
        "order 20231105123456789012345, part 123-456-78901, 1-2-3-4-5-6-7-8",
        "population 83,200,000; coordinates 52.520008, 13.404954",
    ],
)
def test_numbers_of_other_kinds_stay(text: str) -> None:
    assert personal(text) == []


@pytest.mark.parametrize("token", TOKENS, ids=lambda token: token[:6])
def test_a_token_is_found_by_its_issuers_prefix(token: str) -> None:
    text = f'key = "{token}" # and {token}, twice'
    assert masked(text, credentials(text)).count("[CREDENTIAL]") == 2
    assert token[8:] not in masked(text, credentials(text))
    assert credentials(f"x{token}") == [] or token.startswith("https")
    assert credentials(token[: len(token) // 2]) == []


def test_a_private_key_is_masked_from_its_first_line_to_its_last() -> None:
    for kind in ("RSA ", "", "OPENSSH ", "EC "):
        begin, end = f"-----BEGIN {kind}PRIVATE KEY-----", f"-----END {kind}PRIVATE KEY-----"
        text = f"before\n{begin}\n{'TWFu' * 16}\n{'TWFu' * 9}==\n{end}\nafter {begin}"
        assert masked(text, credentials(text)) == f"before\n[CREDENTIAL]\nafter {begin}"
    assert credentials("-----BEGIN PUBLIC KEY-----\nTWFu\n-----END PUBLIC KEY-----") == []


@pytest.mark.parametrize(
    "text", ["task-force, risk-averse, sk-learn", "hf_hub_download", "ghp_short", "AKIA", "eyJust.x"]
)
def test_words_that_begin_alike_are_no_credentials(text: str) -> None:
    assert credentials(text) == []


def test_only_the_kinds_that_are_asked_for_are_found() -> None:
    text = "joe@example.com +49 30 1234567 4012888888881881 DE89370400440532013000 203.12.113.77"
    assert counted(personal(text)) == "credit_card 1, email 1, iban 1, ip 1, phone 1"
    for kind in PERSONAL_KINDS:
        assert [found.kind for found in personal(text, (kind,))] == [kind]


@given(st.text(alphabet="09 +-.()@a:EeD/\n", max_size=80))
def test_what_is_found_lies_apart_and_in_order(text: str) -> None:
    found = personal(text)
    assert all(first.end <= second.start for first, second in pairwise(found))
    assert all(text[item.start : item.end].strip() for item in found)
    assert personal(masked(text, found)) == [] or "@" in text


def test_luhns_sum_finds_every_single_wrong_digit() -> None:
    seeded = random.Random(7)
    for _ in range(50):
        digits = [seeded.randrange(10) for _ in range(16)]
        digits[-1] = (digits[-1] - luhn("".join(map(str, digits)))) % 10
        assert luhn("".join(map(str, digits))) == 0
        at = seeded.randrange(16)
        digits[at] = (digits[at] + seeded.randrange(1, 10)) % 10
        assert luhn("".join(map(str, digits))) != 0
