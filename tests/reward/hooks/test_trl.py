"""TRL's contract of reward functions: one number or None for each completion, whatever its form."""

from __future__ import annotations

import inspect
import json
import pickle
from pathlib import Path
from typing import Any

import pytest

from benchmarks.llm_server import LLMServer
from tests.reward.hooks.trainers import IN_OTHER_WORDS, need
from webscale_rl.reward import trl

PROMPTS = ["What is 6 times 7?"] * 3
REPLIES = ["The answer is 42.", "The answer is 41.", "Answer: 42"]


def messages(text: str) -> list[dict[str, str]]:
    return [{"role": "assistant", "content": text}]


def test_a_reward_is_one_zero_or_none_for_each_completion() -> None:
    assert trl.reward(PROMPTS, REPLIES, ground_truth=["42", "42", " "]) == [1.0, 0.0, None]


def test_messages_are_graded_like_strings() -> None:
    prompts = [[{"role": "user", "content": prompt}] for prompt in PROMPTS]
    completions = [messages(reply) for reply in REPLIES]
    assert trl.reward(prompts, completions, answer=["42"] * 3) == [1.0, 0.0, 1.0]


def test_a_row_of_another_task_is_skipped() -> None:
    assert trl.reward(PROMPTS, REPLIES, solution=["42", None, None]) == [1.0, None, None]


def test_question_and_type_come_from_their_columns_else_from_the_prompt() -> None:
    given: dict[str, Any] = {"answer": ["a", "b"], "question": ["q1", None], "answer_type": ["number", None]}
    rows = trl.rollouts(["p1", [{"role": "user", "content": "p2"}]], ["x", "y"], given)
    assert [(row.question, row.answer_type) for row in rows if row] == [("q1", "number"), ("p2", None)]


def test_without_a_column_of_ground_truths_the_error_says_what_was_passed() -> None:
    with pytest.raises(ValueError, match=r"needs a column ground_truth, answer, .*; TRL passed domain"):
        trl.reward(PROMPTS, REPLIES, domain=["x"] * 3)


def test_what_was_read_and_the_share_of_undecided_are_logged() -> None:
    extra: dict[str, list[str]] = {}
    metrics: dict[str, float] = {}
    trl.reward(
        PROMPTS,
        REPLIES,
        completion_ids=[[1], [2], [3]],
        trainer_state=object(),
        ground_truth=["42", None, " "],
        log_extra=extra.__setitem__,
        log_metric=metrics.__setitem__,
        environments=None,
    )
    assert "42" in extra["extracted"][0]
    assert extra["how"][1:] == ["row/no_ground_truth", "reference/empty"]
    assert metrics == {"rewards/undecided": pytest.approx(1 / 3)}


async def test_the_judge_decides_what_the_rules_cannot_and_may_be_pickled() -> None:
    with LLMServer() as server:
        judged = pickle.loads(pickle.dumps(trl.judged("judge", server.url)))
        assert judged.__name__ == "judged_reward"
        assert inspect.iscoroutinefunction(judged)
        reply, truth = IN_OTHER_WORDS
        rewards = await judged(PROMPTS, [*REPLIES[:2], reply], ground_truth=["42", None, truth])
        assert trl.reward(PROMPTS[:1], [reply], ground_truth=[truth]) == [None]
    assert rewards[:2] == [1.0, None]
    assert rewards[2] in (0.0, 1.0)


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model of 30,000 weights that knows nothing, and its tokenizer, made here."""
    transformers, tokenizers = need("transformers"), need("tokenizers")
    folder = tmp_path_factory.mktemp("tiny")
    words = {word: place for place, word in enumerate(["<eos>", "<unk>", "42", "41", "answer", "capital"])}
    tokenizer = tokenizers.Tokenizer(tokenizers.models.WordLevel(words, unk_token="<unk>"))
    tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.Whitespace()
    fast = transformers.PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, eos_token="<eos>", unk_token="<unk>", pad_token="<eos>"
    )
    fast.chat_template = "{% for m in messages %}{{ m['content'] }} {% endfor %}"
    fast.save_pretrained(folder)
    config = transformers.LlamaConfig(
        vocab_size=len(words),
        hidden_size=32,
        intermediate_size=32,
        num_hidden_layers=1,
        num_attention_heads=2,
        num_key_value_heads=2,
        max_position_embeddings=64,
        eos_token_id=0,
        pad_token_id=0,
        bos_token_id=0,
    )
    transformers.LlamaForCausalLM(config).save_pretrained(folder)
    return folder


@pytest.mark.filterwarnings("default")
@pytest.mark.parametrize("judged", [False, True])
def test_trl_trains_with_it(tiny: Path, tmp_path: Path, judged: bool) -> None:
    grpo, datasets = need("trl"), need("datasets")
    rows = [{"prompt": [{"role": "user", "content": "capital"}], "answer": truth} for truth in ("42", " ")] * 2
    with LLMServer() as server:
        trainer = grpo.GRPOTrainer(
            model=str(tiny),
            reward_funcs=trl.judged("judge", server.url) if judged else trl.reward,
            args=grpo.GRPOConfig(
                output_dir=str(tmp_path),
                per_device_train_batch_size=4,
                num_generations=2,
                max_completion_length=4,
                max_steps=2,
                logging_steps=1,
                use_cpu=True,
                bf16=False,
                report_to="none",
                save_strategy="no",
            ),
            train_dataset=datasets.Dataset.from_list(rows),
        )
        trainer.train()
    mean = f"rewards/{'judged_reward' if judged else 'reward'}/mean"
    logged = [entry for entry in trainer.state.log_history if mean in entry]
    assert logged
    assert all(0.0 <= entry[mean] <= 1.0 for entry in logged)
    assert judged or any(entry["rewards/undecided"] > 0 for entry in logged)


@pytest.mark.filterwarnings("default")
def test_trls_command_line_finds_it_by_its_dotted_path(tiny: Path, tmp_path: Path) -> None:
    need("trl")
    from trl.scripts.grpo import main, make_parser

    (tmp_path / "rows.jsonl").write_text(
        "".join(json.dumps({"prompt": "capital", "answer": "42"}) + "\n" for _ in range(4)), encoding="utf-8"
    )
    given = f"""--model_name_or_path {tiny} --dataset_name {tmp_path} --reward_funcs webscale_rl.reward.trl.reward
        --output_dir {tmp_path}/out --per_device_train_batch_size 4 --num_generations 2 --max_completion_length 4
        --max_steps 1 --use_cpu --bf16 False --report_to none --save_strategy no --eval_strategy no"""
    parsed = make_parser().parse_args_and_config(args=given.split())
    main(*parsed)
