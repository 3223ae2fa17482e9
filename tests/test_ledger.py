from pathlib import Path

import pytest

from webscale_rl.errors import ConfigError
from webscale_rl.ledger import LEDGER_FILE, Ledger, of_summary, read_ledger, together, write_ledger


def test_a_ledger_that_was_written_is_read_again(tmp_path: Path) -> None:
    ledger = Ledger(source=5, generated=7, judged=2, rollout=3, trained=9, usd=0.25, seconds=1.5)
    write_ledger(tmp_path, ledger)
    assert read_ledger(tmp_path) == ledger


def test_the_sources_tokens_are_no_second_time_among_all_tokens() -> None:
    assert Ledger(source=100, generated=1, judged=2, rollout=4, trained=8).every == 15


def test_an_unknown_price_makes_the_sum_unknown_and_no_token_is_lost() -> None:
    total = together([Ledger(trained=3, usd=1.0), Ledger(trained=4, usd=None)])
    assert (total.trained, total.usd) == (7, None)


def test_a_checks_tokens_are_judged_and_all_others_generated() -> None:
    calls = {
        "generate": {"prompt_tokens": 10, "completion_tokens": 5},
        "check": {"prompt_tokens": 20, "completion_tokens": 1},
    }
    assert of_summary({"calls": calls, "usd": 0.5}) == Ledger(generated=15, judged=21, usd=0.5)


@pytest.mark.parametrize("text", [None, "[]", "{", '{"source": "many"}', '{"tokens": 3}'])
def test_what_is_no_ledger_is_told_by_its_file(tmp_path: Path, text: str | None) -> None:
    if text is not None:
        (tmp_path / LEDGER_FILE).write_text(text)
    with pytest.raises(ConfigError, match=LEDGER_FILE):
        read_ledger(tmp_path)
