"""Laws of the parser: what is one answer is found, and what is none, cut off or in doubt is never made into one."""

from __future__ import annotations

import time
from contextlib import suppress

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from webscale_rl.backend import Reply, Text
from webscale_rl.replies import Unusable, parse
from webscale_rl.stages.check import CheckReply
from webscale_rl.stages.classify import ClassifyReply
from webscale_rl.stages.generate import GenerateReply


class Verdict(msgspec.Struct, frozen=True):
    reason: str
    good: bool


YES = Verdict("fine", True)
JSON = '{"reason": "fine", "good": true}'
OTHER = '{"reason": "no", "good": false}'


@pytest.mark.parametrize(
    "text",
    [
        JSON,
        f"  \n{JSON}\n",
        f"```json\n{JSON}\n```",
        f"```\n{JSON}\n```\nAnything else?",
        f"Sure! Here is the verdict: {JSON} I hope it helps.",
        f"Its {{braces}} and \\frac{{a}}{{b}} don't matter: {JSON}",
        f"<think>Is it {OTHER}? No.</think>\n{JSON}",
        f"Is it {OTHER}? It isn't.\n</think>\n\n```json\n{JSON}\n```",
        f"[THINK]hm[/THINK]{JSON}",
        f"{JSON}\n\nTo repeat: {JSON}",
        f"[{JSON}]",
        '{"reason": "fine", "good": true,}',
        '{"good": true, "reason": "fine", "score": [1, 2,],}',
        "{'reason': 'fine', 'good': True}",
        "Here: {'reason': \"fine\", 'good': True, 'note': None}",
        '{\n  "reason": "fine",\n  "good": true,\n  "note": "line\nbreak"\n}',
        "{“reason”: “fine”, “good”: true}",
        '{"thought": {"reason": "x"}} ' + JSON,
        '{"good": true, "reason": "fine", "extra": "}{ \\" }"} done',
    ],
)
def test_one_answer_is_found_whatever_stands_around_it(text: str) -> None:
    assert parse(Reply(text), Verdict) == YES


@pytest.mark.parametrize(
    "text",
    [
        "Yes, it is fine.",
        "true",
        "null",
        "[]",
        "{}",
        '{"reason": "fine"}',
        '{"reason": "fine", "good": "true"}',
        '{"reason": "fine", "good": "yes"}',
        '{"reason": "fine", "good": 1}',
        '{"reason": null, "good": true}',
        '{"reason": "fine", "good": true',
        '{"reason": "fine", "good": true, "note": "cut of',
        f"{JSON} or rather {OTHER}",
        f"{JSON} and then {{'reason': 'no', 'good': False}}",
        f'{JSON} {{"reason": "cut of',
        f"<think>perhaps {JSON}",
        f"<think>{JSON} {OTHER}</think>I cannot decide.",
        f'{{"draft": {JSON}, "final": {{"reason"',
        f'{{"draft": {JSON}, "final": {OTHER}}}',
        '{"good": false, "good": true, "reason": "fine",}',
        '{"good": false, "good": true, "reason": "fine"}',
        "{'reason': 'fine', 'good': __import__('os').getpid() > 0}",
        '{"reason": "\\ud83d", "good": true,}',
        '{"type": "object", "properties": {"reason": {"type": "string"}, "good": {"type": "boolean"}}}',
        '{"reason": {"type": "string"}, "good": {"type": "boolean"}}',
    ],
)
def test_a_doubtful_answer_is_none(text: str) -> None:
    with pytest.raises(Unusable) as failure:
        parse(Reply(text), Verdict)
    assert failure.value.kind == "unparseable"


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (Reply("", refusal="I cannot"), "refused"),
        (Reply(JSON, refusal="I cannot"), "refused"),
        (Reply(JSON, finish="content_filter"), "refused"),
        (Reply("", finish="empty"), "empty"),
        (Reply(" \n"), "empty"),
        (Reply("", finish="length"), "truncated"),
        (Reply('{"reason": "fine", "go', finish="length"), "truncated"),
        (Reply("<think>let me see", finish="length"), "truncated"),
        (Reply("<html>", finish="malformed"), "malformed"),
        (Reply(JSON, finish="malformed"), "malformed"),
        (Reply("no", finish="stop"), "unparseable"),
    ],
)
def test_every_useless_reply_has_its_word(reply: Reply, kind: str) -> None:
    with pytest.raises(Unusable) as failure:
        parse(reply, Verdict)
    assert failure.value.kind == kind


def test_a_whole_answer_at_the_token_limit_is_an_answer() -> None:
    assert parse(Reply(JSON, finish="length"), Verdict) == YES


def test_no_prefix_of_an_answer_is_an_answer() -> None:
    whole = msgspec.json.encode(CheckReply("It's {odd}", 'say "4"', True, True, False)).decode()
    for dressed in (whole, f"```json\n{whole}", repr(msgspec.json.decode(whole))):
        end = len(dressed) - 1
        for cut in range(end + 1):
            with pytest.raises(Unusable):
                parse(Reply(dressed[:cut]), CheckReply)
        assert parse(Reply(dressed), CheckReply).answer_correct is True


@pytest.mark.parametrize("quote", ['"', "'"])
def test_a_field_that_is_said_twice_is_not_said(quote: str) -> None:
    fields = '{"reason": "r", "good": false, "good": true}'.replace('"', quote).replace(
        "true", "True" if quote == "'" else "true"
    )
    with pytest.raises(Unusable):
        parse(Reply(fields.replace("false", "False" if quote == "'" else "false")), Verdict)


def test_a_value_that_reads_like_a_field_is_no_doubt() -> None:
    assert parse(Reply('{"reason": "good", "good": true}'), Verdict) == Verdict("good", True)


def test_nested_pairs_do_not_pass_for_a_list_of_pairs() -> None:
    pair = '{"evidence": "e", "question": "q", "answer": "a", "answer_type": "name"}'
    assert len(parse(Reply(f'Here: {{"pairs": [{pair}, {pair},]}}'), GenerateReply).pairs) == 2
    for text in (pair, f"[{pair}]", f'{{"pairs": [{pair}, {{"evidence": "cut'):
        with pytest.raises(Unusable):
            parse(Reply(text), GenerateReply)


@given(st.text() | st.from_regex(r"([{}\[\]\"':,]|reason|good|true|[0-9]|\\\\|\s){0,40}", fullmatch=True))
def test_whatever_a_model_wrote_it_is_an_answer_or_of_no_use(text: str) -> None:
    """No other exception: it would be raised before the answer is written down."""
    for surrounded in (text, f"{text}{JSON}", f"{JSON}{text}", f'{{"reason": "{text}", "good": true}}'):
        with suppress(Unusable):
            assert isinstance(parse(Reply(surrounded), Verdict), Verdict)


def test_unicode_survives_every_path() -> None:
    wanted = ClassifyReply("Médecine", ["医者", "🧑‍⚕️ nurse"])
    text = msgspec.json.encode(wanted).decode()
    assert parse(Reply(text), ClassifyReply) == wanted
    assert parse(Reply(f"→ {text} ←"), ClassifyReply) == wanted
    assert parse(Reply(repr(msgspec.json.decode(text))), ClassifyReply) == wanted


HOSTILE = {
    "braces": "{" * 200_000,
    "open objects": '{"a":' * 40_000,
    "spaced braces": "{ " * 100_000,
    "quotes": '{"' * 100_000,
    "single quotes": "{'" * 100_000,
    "brackets": "[" * 200_000,
    "small objects": '{"a":1}' * 28_000,
    "backslashes": '{"' + "\\" * 200_000,
    "commas": '{"a":[' + "," * 200_000 + "]}",
    "spaced commas": '{"a":[' + ",   " * 50_000 + "]}",
    "blank": "{" + " " * 200_000,
    "deep": '{"a":' * 20_000 + "1" + "}" * 20_000,
    "deep literal": "{'a':" * 5_000 + "1" + "}" * 5_000,
    "digits": '{"reason": ' + "9" * 200_000 + ', "good": true}',
    "thoughts": "<think>" * 28_000,
    "thoughts end": "</think>" * 25_000,
    "huge": "x" * 2_000_000,
    "literal sums": "{'reason': " + "1+" * 30_000 + "1, 'good': True}",
    "literal minus": "{'reason': " + "-" * 60_000 + "1, 'good': True}",
}


@pytest.mark.parametrize("name", sorted(HOSTILE))
def test_hostile_text_is_refused_in_bounded_time(name: str) -> None:
    start = time.process_time()
    with pytest.raises(Unusable):
        parse(Reply(HOSTILE[name]), Verdict)
    assert time.process_time() - start < 0.5


def test_where_no_form_was_asked_for_what_was_said_is_the_answer() -> None:
    assert parse(Reply("<answer>330 m</answer>"), Text) == Text("<answer>330 m</answer>")
    assert parse(Reply('{"text": "not read"}'), Text) == Text('{"text": "not read"}')
    assert parse(Reply("and so", "length"), Text) == Text("and so", "length")
    assert parse(Reply("", "length"), Text) == Text("", "length"), "all of it went into thoughts"
    assert parse(Reply("", refusal="I cannot"), Text) == Text("I cannot", "refused")
    assert parse(Reply("", "content_filter"), Text) == Text("", "refused")
    for reply, kind in (
        (Reply(" \n"), "empty"),
        (Reply("", "empty"), "empty"),
        (Reply("<html>", "malformed"), "malformed"),
    ):
        with pytest.raises(Unusable) as unusable:
            parse(reply, Text)
        assert unusable.value.kind == kind
