"""Requests and tokens per minute."""

from __future__ import annotations

import pytest

from webscale_rl.engine.rate import Bucket, Rates, span_s


def test_a_bucket_spreads_its_calls_over_the_minute() -> None:
    bucket, now, sent = Bucket(600), 100.0, []
    while now < 160.0:
        now = max(now + 1e-6, bucket.free_at(now))
        bucket.take(1)
        sent.append(now)
    assert 599 <= len(sent) <= 612
    assert max(sum(at <= other < at + 1 for other in sent) for at in sent) <= 20


def test_a_call_larger_than_the_bucket_goes_and_is_paid_back() -> None:
    bucket = Bucket(60)
    assert bucket.free_at(10.0) == 10.0
    bucket.take(31)
    assert bucket.free_at(10.0) == pytest.approx(41.0)
    bucket.take(-20)  # it took less than was expected
    assert bucket.free_at(10.0) == pytest.approx(21.0)


def test_what_the_headers_leave_is_spent_down_to_the_reset() -> None:
    rates = Rates(None, None)
    assert not rates.known
    rates.learn({"x-ratelimit-remaining-requests": "5", "x-ratelimit-reset-requests": "2s"}, 10.0, 3)
    for _ in range(2):
        assert rates.free_at(10.0) <= 10.0
        rates.take(100)
    assert rates.free_at(10.5) == 12.0
    assert rates.free_at(12.0) == 12.0
    assert not rates.known


def test_tokens_left_hold_as_requests_do() -> None:
    rates = Rates(None, None)
    rates.learn({"x-ratelimit-remaining-tokens": "150", "x-ratelimit-reset-tokens": "6m0s"}, 0.0, 9)
    rates.take(100)
    assert rates.free_at(1.0) <= 1.0
    rates.take(100)
    assert rates.free_at(1.0) == 360.0


@pytest.mark.parametrize(
    "headers", [{}, {"x-ratelimit-remaining-requests": "0"}, {"x-ratelimit-remaining-requests": "x"}]
)
def test_headers_that_say_nothing_limit_nothing(headers: dict[str, str]) -> None:
    rates = Rates(None, None)
    rates.learn(headers, 0.0, 0)
    assert rates.free_at(0.0) <= 0.0


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("6m0s", 360),
        ("120ms", 0.12),
        ("1h2m3s", 3723),
        ("1.5s", 1.5),
        ("7", 7),
        ("", None),
        ("soon", None),
        ("-1", None),
    ],
)
def test_spans(text: str, seconds: float | None) -> None:
    assert span_s(text) == seconds
