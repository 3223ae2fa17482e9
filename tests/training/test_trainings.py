"""The trainings themselves, on a model made here: `make test-training`."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

pytest.importorskip("trl")

from tests.runs import COMMAND
from tests.training.tiny import make_model, write_rows
from webscale_rl.errors import TrainingError
from webscale_rl.ledger import read_ledger
from webscale_rl.training import Trained, load_recipe, train
from webscale_rl.training.books import read_metrics

pytestmark = [
    pytest.mark.filterwarnings("ignore"),  # of torch, transformers and TRL, which are not ours to mend
    pytest.mark.timeout(300),  # a process that is killed imports torch first
]

TEMPLATE = "{% for m in messages %}{{ m['content'] }}{% if m['role'] == 'user' %}={% endif %}{% endfor %}"
COPY = [{"question": f"{a}{b}", "answer": str(a), "document_id": str(a)} for a in range(10) for b in range(10)]
"""The task: the first of two digits."""
MARGIN = 0.4
"""By so much must the mean reward of the last five steps lie above that of the first five: it is about 0.2 at first, as
the warm-up leaves it, and 0.9 in the end."""


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> None:
    import torch

    torch.set_num_threads(1)  # the smallest matrices are slower on several


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("training")


@pytest.fixture(scope="module")
def blank(place: Path) -> Path:
    """A model that has learned nothing."""
    return make_model(place / "blank", template=TEMPLATE)


@pytest.fixture(scope="module")
def plain(place: Path) -> Path:
    """The same without a chat template."""
    return make_model(place / "plain")


@pytest.fixture(scope="module")
def rows(place: Path) -> Path:
    return write_rows(place / "copy.jsonl", COPY * 4)


@pytest.fixture(scope="module")
def warm(place: Path, blank: Path) -> Path:
    """A model that answers with a digit, the right one in a fifth of all cases or a little more."""
    chance = random.Random(0)
    noisy = [
        row | {"answer": row["answer"] if chance.random() < 0.2 else str(chance.randrange(10))} for row in COPY * 4
    ]
    return learn(place, "sft", blank, write_rows(place / "noisy.jsonl", noisy), max_steps=60, learning_rate=3e-3).model


def learn(place: Path, method: str, model: Path, data: Path, name: str = "", **values: Any) -> Trained:
    recipe = load_recipe("tiny", method, **{"plots": False} | values)
    return train(recipe, model, data, place / (name or method), device="cpu")


def weights(trained: Trained | Path) -> bytes:
    model = trained if isinstance(trained, Path) else trained.model
    return (model / "model.safetensors").read_bytes()


def test_grpo_raises_the_mean_reward_by_the_margin(place: Path, warm: Path, rows: Path) -> None:
    values = {"learning_rate": 3e-3, "max_steps": 40, "max_completion_tokens": 3, "seed": 0}
    trained = learn(place, "grpo", warm, rows, plots=True, **values)
    rewards = [line["reward"] for line in read_metrics(trained.metrics) if "reward" in line]
    assert len(rewards) == 40
    first, last = sum(rewards[:5]) / 5, sum(rewards[-5:]) / 5
    assert last - first >= MARGIN, (first, last)
    assert (trained.folder / "plots" / "training.png").stat().st_size > 10_000


def test_a_finished_training_is_returned_as_it_is(place: Path, blank: Path, rows: Path) -> None:
    first = learn(place, "sft", blank, rows, "again", max_steps=2)
    written = (first.folder / "ledger.json").stat().st_mtime_ns
    again = learn(place, "sft", blank, rows, "again", max_steps=2)
    assert again == first
    assert (again.folder / "ledger.json").stat().st_mtime_ns == written


def test_the_same_seed_gives_the_same_weights_and_another_gives_others(place: Path, warm: Path, rows: Path) -> None:
    values = {"max_steps": 2, "max_completion_tokens": 3}
    one = learn(place, "grpo", warm, rows, "seed-a", **values)
    two = learn(place, "grpo", warm, rows, "seed-b", **values)
    other = learn(place, "grpo", warm, rows, "seed-c", seed=1, **values)
    assert weights(one) == weights(two) != weights(other)


@pytest.mark.parametrize(
    ("method", "values"),
    [
        ("sft", {"epochs": 12, "save_steps": 5}),
        ("grpo", {"max_completion_tokens": 3, "save_steps": 2, "max_steps": 24}),
        ("reject", {"max_completion_tokens": 3, "save_steps": 2, "epochs": 24}),
    ],
)
def test_after_kill_9_it_goes_on_to_the_same_weights_and_the_same_counts(
    place: Path, warm: Path, method: str, values: dict[str, Any]
) -> None:
    rows = write_rows(place / "few.jsonl", COPY)
    whole = learn(place, method, warm, rows, f"{method}-whole", **values)
    out = place / f"{method}-killed"
    killed = start(method, warm, rows, out, values)
    wait_for(lambda: any(out.glob("checkpoints/checkpoint-*/counts.json")), killed)
    killed.kill()
    killed.wait()
    assert not (out / "ledger.json").exists()
    again = learn(place, method, warm, rows, out.name, **values)
    assert weights(again) == weights(whole)
    for name in ("source", "generated", "judged", "rollout", "trained"):
        assert getattr(again.ledger, name) == getattr(whole.ledger, name), name
    steps = [line["step"] for line in read_metrics(again.metrics) if "loss" in line]
    assert steps == sorted(set(steps))
    assert any("goes on from step" in line.get("note", "") for line in read_metrics(again.metrics))
    assert not (out / "checkpoints").exists()


def test_a_signal_stops_it_after_a_step_with_a_checkpoint_and_exit_code_3(place: Path, warm: Path, rows: Path) -> None:
    values = {"max_completion_tokens": 3, "max_steps": 30}  # no save_steps: the signal makes the checkpoint
    whole = learn(place, "grpo", warm, rows, "signal-whole", **values)
    out = place / "signalled"
    running = start("grpo", warm, rows, out, values)
    wait_for(lambda: (out / "metrics.jsonl").exists() and '"loss"' in (out / "metrics.jsonl").read_text(), running)
    running.send_signal(signal.SIGTERM)
    _, complaint = running.communicate(timeout=60)
    assert running.returncode == 3, complaint
    assert "stopped by SIGTERM; run again to go on" in complaint
    assert weights(learn(place, "grpo", warm, rows, out.name, **values)) == weights(whole)


def test_it_may_go_on_with_fewer_sequences_in_memory_at_once(place: Path, warm: Path) -> None:
    from safetensors.torch import load_file

    rows = write_rows(place / "few.jsonl", COPY)
    values = {"max_completion_tokens": 3, "max_steps": 6, "save_steps": 2}
    whole = learn(place, "grpo", warm, rows, "memory-whole", **values)

    class Crash(Exception):
        pass

    def crash(line: Mapping[str, Any]) -> None:
        if line["step"] == 3:
            raise Crash

    recipe = load_recipe("tiny/grpo", plots=False, **values)
    with pytest.raises(Crash):
        train(recipe, warm, rows, place / "memory", device="cpu", watch=crash)
    again = learn(place, "grpo", warm, rows, "memory", micro_batch=16, gradient_checkpointing=True, **values)
    before, one, other = (load_file(model / "model.safetensors") for model in (warm, whole.model, again.model))
    moved = sum(float((one[name] - before[name]).abs().sum()) for name in one)
    assert sum(float((one[name] - other[name]).abs().sum()) for name in one) < 0.01 * moved
    assert again.ledger.trained == whole.ledger.trained


def start(method: str, model: Path, data: Path, out: Path, values: dict[str, Any]) -> subprocess.Popen[str]:
    settings = [word for key, value in ({"plots": False} | values).items() for word in ("--set", f"{key}={value}")]
    words = [method, str(data), "--model", str(model), "--out", str(out), "--recipe", "tiny", "--device", "cpu"]
    environment = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONWARNINGS": "ignore"}
    return subprocess.Popen(
        [*COMMAND, "train", *words, *settings],
        env=environment,
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def wait_for(there: Any, process: subprocess.Popen[str], seconds: float = 90.0) -> None:
    until = time.monotonic() + seconds
    while not there():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < until
        time.sleep(0.02)


def test_continue_learns_every_token_of_the_documents_once_an_epoch(place: Path, blank: Path) -> None:
    texts = [{"id": str(at), "text": f"the number {at} comes before {at + 1}."} for at in range(60)]
    data = write_rows(place / "texts.jsonl", texts)
    trained = learn(place, "continue", blank, data, epochs=2, max_tokens=32, batch=8)
    source = sum(len(row["text"]) for row in texts)
    assert trained.ledger.source == source
    ends = len(texts)
    assert source + ends - 1 <= trained.ledger.trained / 2 <= source + ends  # a last block of one token is left out
    assert (trained.ledger.rollout, trained.ledger.generated) == (0, 0)
    losses = [line["loss"] for line in read_metrics(trained.metrics) if "loss" in line]
    assert losses[-1] < losses[0]


def test_the_ledger_counts_the_tokens_that_were_sampled_and_learned(place: Path, warm: Path, rows: Path) -> None:
    trained = learn(place, "grpo", warm, rows, "counted", max_steps=2, max_completion_tokens=3)
    lines = [line for line in read_metrics(trained.metrics) if "reward" in line]
    sampled = sum(round(line["completions/mean_length"] * 64) for line in lines)
    assert trained.ledger.rollout == sampled
    prompt = len("12=")
    assert trained.ledger.trained == sampled + 2 * 64 * prompt
    assert read_ledger(trained.folder) == trained.ledger


def test_rejection_fine_tuning_learns_right_answers_only(place: Path, warm: Path, rows: Path) -> None:
    trained = learn(place, "reject", warm, rows, "rejected", max_completion_tokens=3, keep=2, epochs=4)
    learned = pq.read_table(trained.folder / "stock" / "data" / "train.parquet").to_pylist()
    for row in learned:
        assert row["completion"][0]["content"][0] == row["prompt"][0]["content"][0]
    sampled = [json.loads(line) for line in (trained.folder / "sampled.jsonl").open()]
    assert len(sampled) == len(COPY * 4)
    assert trained.ledger.rollout == sum(one["tokens"] for line in sampled for one in line["responses"])


def test_if_no_sample_is_right_there_is_nothing_to_learn(place: Path, warm: Path) -> None:
    hard = write_rows(place / "hard.jsonl", [{"question": "12", "answer": "Ann Arbor"}])
    with pytest.raises(TrainingError, match=r"none of 8 responses was right.*Warm up with SFT"):
        learn(place, "reject", warm, hard, "hopeless", max_completion_tokens=3)


def test_sft_teaches_a_model_without_a_chat_template_the_plain_form(place: Path, plain: Path) -> None:
    same = write_rows(place / "same.jsonl", [{"question": f"{at}", "answer": "yes"} for at in range(64)])
    trained = learn(place, "sft", plain, same, "plain-sft", epochs=8, learning_rate=5e-3)
    assert greedy(trained.model, "Question: 7\nAnswer:") == " yes"


def greedy(model: Path, prompt: str) -> str:
    from transformers import AutoModelForCausalLM, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(model)
    policy = AutoModelForCausalLM.from_pretrained(model)
    ids = tokenizer(prompt, return_tensors="pt").input_ids
    found = policy.generate(ids, do_sample=False, max_new_tokens=8, pad_token_id=tokenizer.pad_token_id)
    return str(tokenizer.decode(found[0, ids.shape[1] :], skip_special_tokens=True))


def test_rewards_that_are_none_for_all_rows_stop_grpo_with_one_clear_error(place: Path, warm: Path) -> None:
    unclear = [{"question": f"{at}", "answer": "x", "reference": '{"answer":" ","type":"phrase"}'} for at in range(16)]
    data = write_rows(place / "unclear.jsonl", unclear)
    with pytest.raises(TrainingError, match=r"no response of 2 steps in a row got a reward.*reference/empty \(128\)"):
        learn(place, "grpo", warm, data, "unclear", max_completion_tokens=3)


def test_a_reward_that_is_always_the_same_is_told(place: Path, warm: Path) -> None:
    data = write_rows(place / "same-reward.jsonl", [{"question": f"{at}", "answer": "Ann Arbor"} for at in range(24)])
    trained = learn(place, "grpo", warm, data, "same-reward", max_completion_tokens=2, flat_steps=2)
    (note,) = [line["note"] for line in read_metrics(trained.metrics) if "no signal" in line.get("note", "")]
    assert "for 2 steps" in note


def test_prompts_that_are_too_long_are_counted_in_the_notes(place: Path, warm: Path) -> None:
    rows = [{"question": "1" * length, "answer": "1"} for length in [2] * 8 + [200] * 3]
    trained = learn(place, "grpo", warm, write_rows(place / "long.jsonl", rows), "long", max_completion_tokens=2)
    assert read_metrics(trained.metrics)[0]["note"] == "8 of 11 rows are used; left out: 3 too_long"


def test_a_run_directory_is_trained_on_without_its_held_out_documents(place: Path, warm: Path) -> None:
    run = place / "run"
    (run / "dataset").mkdir(parents=True)
    (run / "run.yaml").write_text("config: {}\ndigests: {}\n")
    (run / "summary.json").write_text(
        json.dumps({"calls": {"generate": {"prompt_tokens": 1000, "completion_tokens": 0}}, "usd": 1.0})
    )
    texts = [row | {"pretrain_text": f"document {row['document_id']}"} for row in COPY]
    pq.write_table(pa.Table.from_pylist(texts), run / "dataset" / "part-00000.parquet")
    (run / "rationales").mkdir()
    pq.write_table(pa.Table.from_pylist([{"id": "x", "document_id": "7"}]), run / "rationales" / "held_out.parquet")
    trained = learn(place, "grpo", warm, run, "from-run", max_completion_tokens=2, batch=10)
    assert read_metrics(trained.metrics)[0]["note"] == "90 of 100 rows are used; left out: 10 held_out"
    assert (trained.ledger.generated, trained.ledger.usd) == (900, 0.9)
    assert trained.ledger.source == 9 * len("document 1")


def test_a_folder_that_is_no_model_is_one_clear_error(place: Path, rows: Path) -> None:
    (place / "empty").mkdir()
    with pytest.raises(TrainingError, match="no tokenizer could be loaded"):
        learn(place, "sft", place / "empty", rows, "from-nothing")


def test_tensorboard_is_told_if_asked_and_only_then(place: Path, blank: Path, rows: Path) -> None:
    asked = learn(place, "sft", blank, rows, "board", max_steps=1, log_to=["tensorboard"])
    silent = learn(place, "sft", blank, rows, "no-board", max_steps=1)
    assert list((asked.folder / "tensorboard").glob("events*"))
    assert not (silent.folder / "tensorboard").exists()


@pytest.mark.parametrize("method", ["continue", "sft", "grpo", "reject"])
def test_trl_itself_parses_the_stock_command(place: Path, warm: Path, rows: Path, method: str, tmp_path: Path) -> None:
    from datasets import load_dataset
    from trl.scripts import grpo, sft

    data = rows if method != "continue" else write_rows(tmp_path / "texts.jsonl", [{"text": "one two"}])
    out = learn(tmp_path, method, warm, data, max_steps=1, **({"max_completion_tokens": 2} if "r" in method else {}))
    command = next(line for line in (out.folder / "stock" / "commands.sh").read_text().splitlines() if "trl " in line)
    script = grpo if method == "grpo" else sft
    assert command.startswith(f"trl {'grpo' if method == 'grpo' else 'sft'} --config ")
    told, arguments, model, _ = script.make_parser().parse_args_and_config(
        ["--config", str(out.folder / "stock" / "trl.yaml")], fail_with_unknown_args=True
    )
    assert (model.model_name_or_path, model.dtype) == (str(warm), "float32")
    recipe = load_recipe("tiny", method)
    assert arguments.learning_rate == recipe.learning_rate
    whole = arguments.per_device_train_batch_size * arguments.gradient_accumulation_steps
    assert (whole, arguments.max_steps, arguments.bf16) == (recipe.step_sequences, 1, False)
    assert set(load_dataset(told.dataset_name)) == {told.dataset_train_split}
    if method == "grpo":
        assert told.reward_funcs == ["webscale_rl.reward.trl.reward"]
        assert (arguments.num_generations, arguments.max_completion_length) == (8, 2)


@pytest.mark.parametrize("form", ["plain", "template"])
def test_the_stock_command_learns_as_ours_does(place: Path, plain: Path, warm: Path, rows: Path, form: str) -> None:
    from safetensors.torch import load_file
    from trl.scripts import sft

    start = plain if form == "plain" else warm
    ours = learn(place, "sft", start, rows, f"ours-{form}", max_steps=3, batch=400)  # a step is all rows, in any order
    sft.main(*sft.make_parser().parse_args_and_config(["--config", str(ours.folder / "stock" / "trl.yaml")]))
    before, mine, stock = (
        load_file(path / "model.safetensors") for path in (start, ours.model, ours.folder / "stock" / "model")
    )
    moved = sum(float((mine[name] - before[name]).abs().sum()) for name in mine)
    apart = sum(float((mine[name] - stock[name]).abs().sum()) for name in mine)
    assert apart < 0.01 * moved  # sums in another order, and no more
