"""The line that a run shows while it runs."""

from __future__ import annotations

from webscale_rl.backend import Reply, Usage
from webscale_rl.engine.progress import Progress
from webscale_rl.report.live import status_line


def test_it_tells_calls_tokens_and_what_they_have_cost() -> None:
    progress = Progress({"filter": "document"})
    progress.answered(Reply("{}", usage=Usage(1000, 20)), 0.25)
    progress.answered(Reply("{}", usage=Usage(500, 10)), 0.005)
    line = status_line(progress)
    assert "2 calls" in line
    assert "1,500 + 30 tokens" in line
    assert "$0.255" in line


def test_without_a_price_it_tells_no_cost() -> None:
    progress = Progress({"filter": "document"})
    progress.answered(Reply("{}", usage=Usage(1000, 20)), None)
    assert "$" not in status_line(progress)
