"""What a model says in this process is what it would say alone, whatever stands beside it in the batch."""

from __future__ import annotations

from typing import Any

import pytest

pytest.importorskip("torch")
pytest.importorskip("transformers")

from tests.evaluation.tiny import tiny
from webscale_rl.errors import TrainingError
from webscale_rl.evaluation.local import grade
from webscale_rl.evaluation.sampling import Sampler, complete
from webscale_rl.training import prompting


@pytest.fixture(scope="module")
def made() -> Any:
    return tiny(width=32, layers=2, context=128)


PROMPTS = ["2 + 2 =", "x", "The capital of France is", "12345678901234567890 minus 1 is", "b"]


def test_a_completion_does_not_depend_on_its_batch(made: Any) -> None:
    model, tokenizer = made
    alone = [complete(model, tokenizer, [one], Sampler(max_tokens=8), special=True)[0] for one in PROMPTS]
    for size in (2, 64):
        assert complete(model, tokenizer, PROMPTS, Sampler(max_tokens=8, batch_size=size), special=True) == alone
    assert all(1 <= one.tokens <= 8 for one in alone)


def test_samples_are_drawn_by_the_seed_and_leave_the_callers_random_state(made: Any) -> None:
    import torch

    model, tokenizer = made
    sampler = Sampler(samples=4, max_tokens=6, seed=1)
    torch.manual_seed(5)
    before = torch.get_rng_state()
    model.train()
    first = complete(model, tokenizer, PROMPTS, sampler, special=True)
    assert model.training
    assert torch.equal(torch.get_rng_state(), before)
    assert first == complete(model, tokenizer, PROMPTS, sampler, special=True)
    assert first != complete(model, tokenizer, PROMPTS, Sampler(samples=4, max_tokens=6, seed=2), special=True)
    assert len({one.text for one in first[:4]}) > 1, "four samples of one question differ"
    assert len(first) == 4 * len(PROMPTS)


def test_an_answer_ends_where_the_model_ends_it(made: Any) -> None:
    import torch

    model, tokenizer = tiny(width=32, layers=1, context=64)
    with torch.no_grad():
        model.lm_head.weight[1] = 100 * model.lm_head.weight[1]  # the end of the text, whatever came before
    ends = complete(model, tokenizer, PROMPTS, Sampler(samples=8, temperature=5.0, max_tokens=8), special=True)
    stopped = [one for one in ends if not one.cut]
    assert stopped
    assert all(len(one.text) < one.tokens for one in stopped), "the end is sampled, and is no text"
    assert all(one.tokens == 8 for one in ends if one.cut)


def test_what_does_not_fit_the_context_is_told_or_loses_its_beginning(made: Any) -> None:
    model, tokenizer = made
    with pytest.raises(TrainingError, match="context has 128 tokens, and an answer may take 128"):
        complete(model, tokenizer, PROMPTS, Sampler(max_tokens=128), special=True)
    long = "z" * 300 + PROMPTS[0]
    (cut,) = complete(model, tokenizer, [long], Sampler(max_tokens=100), special=True)
    (short,) = complete(model, tokenizer, [long[-28:]], Sampler(max_tokens=100), special=True)
    assert cut == short


def test_a_model_that_knows_its_answers_is_graded_right() -> None:
    import torch

    model, tokenizer = tiny(width=64, layers=2, context=96)
    rows = [{"question": f"What is {n} plus 1?", "answer": str(n + 1)} for n in range(8)]
    texts = [prompting.prompt(row["question"]) + f" {row['answer']}<eos>" for row in rows]
    batch = tokenizer(texts, return_tensors="pt", padding=True)
    labels = batch["input_ids"].masked_fill(batch["attention_mask"] == 0, -100)
    optimiser = torch.optim.AdamW(model.parameters(), lr=3e-3)
    before = grade(model, tokenizer, rows, Sampler(max_tokens=4))
    for _ in range(60):
        loss = model(**batch, labels=labels).loss
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    after = grade(model, tokenizer, rows, Sampler(max_tokens=4))
    assert before.score < 0.5
    assert after.score == 1.0, [answer.response for answer in after.answers]
    assert not any(answer.cut for answer in after.answers)


@pytest.mark.parametrize(
    ("sampler", "why"),
    [
        (Sampler(samples=0), "samples: at least 1"),
        (Sampler(samples=2, temperature=0.0), "at temperature 0 all are the same"),
        (Sampler(temperature=-1.0), "temperature: at least 0"),
    ],
)
def test_settings_that_cannot_be_are_refused(made: Any, sampler: Sampler, why: str) -> None:
    with pytest.raises(TrainingError, match=why):
        complete(*made, PROMPTS, sampler, special=True)
