"""The card mentions every column, and says what the dataset is and is not."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from webscale_rl.config import Parts, Run
from webscale_rl.dataset.card import COLUMNS, card
from webscale_rl.dataset.rows import EXAMPLE_COLUMNS
from webscale_rl.engine.finish import summarise
from webscale_rl.engine.rundir import resolved
from webscale_rl.tally import END_DROPPED, END_KEPT, Tally
from webscale_rl.types import AnswerType


def made(**values: Any) -> str:
    tally = Tally()
    tally.end("document", "", END_KEPT, count=1200)
    tally.end("document", "heuristics", END_DROPPED, "min_tokens", 34)
    tally.end("pair", "", END_KEPT, count=2345)
    run = Run.make(values)
    parts = Parts(run)
    stages = [stage.name for stage in parts.pipeline.stages]
    units = {stage.name: stage.unit for stage in parts.pipeline.stages}
    summary = summarise(tally, stages, units, ["dedup"])
    summary |= {"domain": {"Math": 2000, "Other": 345}, "answer_type": {"date": 2345}, "source": {}}
    return card(summary, resolved(run, parts))


def test_the_card_mentions_every_column_in_order() -> None:
    assert tuple(COLUMNS) == EXAMPLE_COLUMNS
    rows = [line for line in made().split("\n") if line.startswith("| ")]
    names = [row.split(" | ")[0].removeprefix("| ") for row in rows]
    at = names.index("id")
    assert tuple(names[at : at + len(EXAMPLE_COLUMNS)]) == EXAMPLE_COLUMNS


def test_the_card_mentions_every_answer_type() -> None:
    for name in AnswerType.__args__:  # type: ignore[attr-defined]
        assert name in COLUMNS["answer_type"]


def test_the_front_matter_is_yaml_that_tells_where_the_data_is() -> None:
    text = made()
    assert text.startswith("---\n")
    front = yaml.safe_load(text.split("---\n")[1])
    assert front["configs"] == [{"config_name": "default", "data_files": "part-*.parquet"}]
    assert "webscale-rl" in front["tags"]


def test_the_card_tells_what_became_of_every_record() -> None:
    text = made()
    assert "2,345 pairs from 1,234 documents" in text
    assert "| heuristics | document | 1,234 | 1,200 | 34 | 0 |" in text
    assert "| dedup | pair | 2,345 | 2,345 | 0 | 0 |" in text
    assert "| Math | 2,000 |" in text
    assert "| date | 2,345 |" in text


def test_the_card_says_who_answered_and_what_rules_cannot_do() -> None:
    assert "backend: extractive" in made()
    assert "by no language model" in made()
    paid = made(backend={"use": "openai", "model": "big-model", "base_urls": ["http://10.0.0.7/v1"]}, sieves=[])
    assert "backend: openai, model: big-model" in paid
    assert "by no language model" not in paid
    assert "then no sieve" in paid
    assert "10.0.0.7" not in paid, "where a server stands is nobody's business"


@pytest.mark.parametrize("values", [{}, {"seed": 3}])
def test_the_same_run_has_the_same_card(values: dict[str, Any]) -> None:
    assert made(**values) == made(**values, traffic={"concurrency": 7}, out="elsewhere")
    assert made(seed=3) != made()
