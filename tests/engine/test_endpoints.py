"""Which server a document goes to."""

from __future__ import annotations

from webscale_rl.backend import NotConnected, Overloaded, RateLimited, Unreachable
from webscale_rl.engine.endpoints import AWAY_S, Endpoint, Endpoints
from webscale_rl.engine.rate import Rates


def endpoints(*urls: str) -> Endpoints:
    return Endpoints([Endpoint(url, 8, Rates(None, None)) for url in urls])


def test_documents_are_spread_and_stay() -> None:
    three = endpoints("a", "b", "c")
    homes = [three.of(str(i), 0.0).url for i in range(3000)]
    assert all(900 < homes.count(url) < 1100 for url in "abc")
    assert homes == [endpoints("c", "b", "a").of(str(i), 0.0).url for i in range(3000)]


def test_a_server_that_leaves_moves_only_its_own_documents_and_gets_them_back() -> None:
    three = endpoints("a", "b", "c")
    before = [three.of(str(i), 0.0).url for i in range(300)]
    next(endpoint for endpoint in three.all if endpoint.url == "c").leave(0.0)
    during = [three.of(str(i), 1.0).url for i in range(300)]
    assert all(now == was for was, now in zip(before, during, strict=True) if was != "c")
    assert {now for was, now in zip(before, during, strict=True) if was == "c"} == {"a", "b"}
    assert [three.of(str(i), AWAY_S).url for i in range(300)] == before


def test_a_server_is_lost_when_it_cannot_be_reached_or_drops_calls_in_a_row() -> None:
    (endpoint,) = endpoints("a").all
    assert endpoint.is_lost(NotConnected("refused"))
    for lost in (False, False, True):
        error = Unreachable("reset")
        endpoint.fail(error, 1, 0.0, 1.0)
        assert endpoint.is_lost(error) is lost
    endpoint.succeed(1, 0.0)
    endpoint.fail(error, 1, 0.0, 1.0)
    assert not endpoint.is_lost(error)


def test_a_server_that_takes_nothing_rests_as_long_as_it_says() -> None:
    (endpoint,) = endpoints("a").all
    endpoint.window.in_flight = 3
    endpoint.fail(Overloaded("full", retry_after_s=9.0), 4, 100.0, 1.0)
    assert endpoint.free_at(100.0) <= 100.0  # three are in service: it is full, not away
    endpoint.window.in_flight = 0
    endpoint.fail(RateLimited("slow down", retry_after_s=9.0), 1, 100.0, 1.0)
    assert endpoint.free_at(100.0) == 109.0
    endpoint.fail(RateLimited("slow down"), 1, 200.0, 1.5)
    assert endpoint.free_at(200.0) == 201.5


def test_each_time_that_it_is_away_it_is_left_alone_for_longer() -> None:
    (endpoint,) = endpoints("a").all
    endpoint.leave(0.0)
    endpoint.leave(10.0)
    assert endpoint.away_until == 30.0
    endpoint.succeed(1, 30.0)
    endpoint.leave(40.0)
    assert endpoint.away_until == 50.0
