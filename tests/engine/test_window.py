"""The window against models of servers on a clock of our own."""

from __future__ import annotations

import heapq
import random
from collections.abc import Callable

from webscale_rl.engine.window import Window

SERVICE_S = 0.2


def simulate(most: int, calls: int, refuses: Callable[[int, float], bool]) -> tuple[Window, int, float]:
    """So many answered calls against a server that refuses by (calls it has in service, time), and answers after 0.2 s.

    Gives the window, the number of refusals and the time that it took.
    """
    window, now, in_service, refusals, answered = Window(most), 0.0, 0, 0, 0
    events: list[tuple[float, int, int, bool]] = []
    number = 0
    while answered < calls:
        while window.has_room:
            level, number = window.sent(), number + 1
            refused = refuses(in_service, now)
            in_service += not refused
            heapq.heappush(events, (now + (0.001 if refused else SERVICE_S), number, level, refused))
        now, _, level, refused = heapq.heappop(events)
        window.ended()
        if refused:
            refusals += 1
            window.refused(level, now)
        else:
            in_service -= 1
            answered += 1
            window.answered(level, now)
    return window, refusals, now


def test_a_server_that_refuses_nothing_gets_all() -> None:
    window, refusals, wall = simulate(64, 6400, lambda in_service, now: False)
    assert (window.size, refusals) == (64, 0)
    assert abs(wall - 100 * SERVICE_S) < 1e-6


def test_a_limit_is_found_at_once_and_then_probed_ever_more_rarely() -> None:
    window, refusals, wall = simulate(32, 2400, lambda in_service, now: in_service >= 8)
    assert 8 <= window.size < 9
    assert refusals <= 24 + 16  # the first burst, and a probe or two after 1, 2, 4, 8, 16 and 32 s
    assert wall <= 1.01 * 2400 / 8 * SERVICE_S


def test_a_limit_that_rises_is_used_soon() -> None:
    window, _, _ = simulate(64, 4000, lambda in_service, now: in_service >= (8 if now < 5 else 48))
    assert 47 <= window.size <= 52


def test_a_limit_that_falls_is_met_with_few_refusals() -> None:
    window, refusals, _ = simulate(64, 6400, lambda in_service, now: in_service >= (64 if now < 10 else 8))
    assert window.size < 10
    assert refusals < 200


def test_faults_now_and_then_are_no_limit() -> None:
    draw = random.Random(1)
    window, refusals, wall = simulate(64, 6400, lambda in_service, now: draw.random() < 0.05)
    assert window.size == 64
    assert refusals > 200
    assert wall < 1.05 * 100 * SERVICE_S


def test_a_server_that_takes_nothing_is_asked_one_at_a_time_and_opens_again() -> None:
    window, refusals, _ = simulate(64, 2000, lambda in_service, now: now < 0.5)
    assert window.size >= 60
    assert refusals < 64 + 500  # 0.5 s at one refusal a millisecond, here where nobody makes it rest

    window.restart()
    assert window.size == 1
