"""The same training as a command of a stock trainer, for those who want it: DIR/stock.

    data/train.parquet   the rows that were used, as TRL takes them
    trl.yaml             the arguments of `trl sft` or `trl grpo`
    verl/train.parquet   for GRPO, the rows as verl takes them
    commands.sh          the commands

The stock command has none of the guards, and reads the data as its trainer does: documents are packed by TRL, and a
sequence that is too long is cut there, where ours is left out (the rows written here are those that fit).
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from webscale_rl.files import write_text
from webscale_rl.training import terms
from webscale_rl.training.data import Question, Text, Turn
from webscale_rl.training.encode import Encoded
from webscale_rl.training.prompting import completion_of, has_template, prompt_of
from webscale_rl.training.recipe import GrpoRecipe, Recipe

FOLDER = "stock"
HOOK = "webscale_rl.reward.trl.reward"
DATA_SOURCE = "webscale_rl"
_HEAD = "#!/bin/sh\n# The same training by a stock trainer. The paths are those of the machine that wrote this.\n"
_VERL_LOSS = {"dapo": "token-mean", "grpo": "seq-mean-token-mean", "dr_grpo": "seq-mean-token-sum-norm"}
_NO_JUDGE = "# Without the judge: for it, name a function of your own that is webscale_rl.reward.trl.judged(MODEL)."


def write_stock(folder: Path, recipe: Recipe, model: str, encoded: Encoded, tokenizer: Any, cuda: bool) -> None:
    """Write DIR/stock."""
    place = (folder / FOLDER).resolve()
    (place / "data").mkdir(parents=True, exist_ok=True)
    _table(rows_for_trl(encoded.rows, tokenizer), place / "data" / "train.parquet")
    arguments = trl_arguments(recipe, model, place, cuda)
    write_text(place / "trl.yaml", yaml.safe_dump(arguments, sort_keys=False))
    lines = [
        f"trl {'grpo' if isinstance(recipe, GrpoRecipe) else 'sft'} --config {shlex.quote(str(place / 'trl.yaml'))}"
    ]
    if isinstance(recipe, GrpoRecipe):
        if recipe.judge.model is not None:
            lines.insert(0, _NO_JUDGE)
        lines += ["", *_verl(recipe, model, place, encoded, tokenizer)]
    write_text(place / "commands.sh", _HEAD + "\n".join(lines) + "\n")


def trl_arguments(recipe: Recipe, model: str, place: Path, cuda: bool) -> dict[str, Any]:
    """The arguments file of `trl sft` or `trl grpo`."""
    grpo = isinstance(recipe, GrpoRecipe)
    told = terms.of_grpo(recipe, cuda) if isinstance(recipe, GrpoRecipe) else terms.of_sft(recipe, cuda)
    kind = told.pop("model_init_kwargs")["dtype"]
    named = {"model_name_or_path": model, "dtype": kind, "dataset_name": str(place / "data")}
    kept = {"output_dir": str(place / "model"), "report_to": list(recipe.log_to) or "none", "save_strategy": "no"}
    return named | ({"reward_funcs": [HOOK]} if grpo else {}) | kept | told


def rows_for_trl(rows: Sequence[Any], tokenizer: Any) -> list[dict[str, Any]]:
    """The rows as TRL's trainers read them."""
    if isinstance(rows[0], Text):
        return [{"text": row.text} for row in rows]
    chat = has_template(tokenizer)
    if isinstance(rows[0], Turn):
        return [_turn(row, tokenizer) for row in rows]
    truths = _alike([row.truth for row in rows])
    return [
        {
            "prompt": [dict(turn) for turn in row.asked] if chat else prompt_of(row.asked),
            "question": row.question,
            "ground_truth": truth,
            "answer_type": row.answer_type,
        }
        for row, truth in zip(rows, truths, strict=True)
    ]


def _turn(row: Turn, tokenizer: Any) -> dict[str, Any]:
    text, ended = completion_of(row.asked, row.answer, tokenizer)
    if not has_template(tokenizer):
        return {"prompt": prompt_of(row.asked), "completion": text}  # TRL ends it
    answer = row.answer if ended else row.answer + tokenizer.eos_token  # TRL leaves the end to the template
    return {"prompt": [dict(turn) for turn in row.asked], "completion": [{"role": "assistant", "content": answer}]}


def rows_for_verl(rows: Sequence[Question]) -> list[dict[str, Any]]:
    """The rows as verl's RLHF dataset and our hook for it read them."""
    truths = _alike([row.truth for row in rows])
    return [
        {
            "data_source": DATA_SOURCE,
            "prompt": [dict(turn) for turn in row.asked],
            "ability": "qa",
            "reward_model": {"style": "rule", "ground_truth": truth},
            "extra_info": {"index": index, "question": row.question, "answer_type": row.answer_type},
        }
        for index, (row, truth) in enumerate(zip(rows, truths, strict=True))
    ]


def verl_overrides(recipe: GrpoRecipe, model: str, place: Path) -> dict[str, Any]:
    """What verl's `main_ppo` is told, by the keys of its configuration."""
    file = str(place / "verl" / "train.parquet")
    micro = max(1, min(8, recipe.micro_batch or 8))
    actor, rollout = "actor_rollout_ref.actor", "actor_rollout_ref.rollout"
    told: dict[str, Any] = {
        "algorithm.adv_estimator": "grpo",
        "algorithm.norm_adv_by_std_in_grpo": recipe.scale_rewards != "none",
        "data.train_files": file,
        "data.val_files": file,
        "data.train_batch_size": recipe.batch,
        "data.max_prompt_length": recipe.max_prompt_tokens,
        "data.max_response_length": recipe.max_completion_tokens,
        "data.seed": recipe.seed,
        "actor_rollout_ref.model.path": model,
        "actor_rollout_ref.model.enable_gradient_checkpointing": recipe.gradient_checkpointing,
        f"{actor}.optim.lr": recipe.learning_rate,
        f"{actor}.optim.lr_scheduler_type": recipe.schedule,
        f"{actor}.optim.lr_warmup_steps": recipe.warmup_steps,
        f"{actor}.optim.weight_decay": recipe.weight_decay,
        f"{actor}.optim.betas": list(recipe.betas),
        f"{actor}.optim.clip_grad": recipe.max_grad_norm,
        f"{actor}.ppo_mini_batch_size": recipe.batch,
        f"{actor}.ppo_micro_batch_size_per_gpu": micro,
        f"{actor}.clip_ratio": recipe.epsilon,
        f"{actor}.clip_ratio_low": recipe.epsilon,
        f"{actor}.clip_ratio_high": recipe.epsilon,
        f"{actor}.loss_agg_mode": _VERL_LOSS[recipe.loss],
        f"{actor}.use_kl_loss": recipe.beta > 0,
        f"{actor}.kl_loss_coef": recipe.beta,
        f"{rollout}.name": "vllm",
        f"{rollout}.n": recipe.samples,
        f"{rollout}.temperature": recipe.temperature,
        f"{rollout}.top_p": recipe.top_p,
        f"{rollout}.gpu_memory_utilization": recipe.vllm_memory,
        f"{rollout}.tensor_model_parallel_size": 1,
        f"{rollout}.log_prob_micro_batch_size_per_gpu": micro,
        "reward.custom_reward_function.path": "pkg://webscale_rl.reward.verl",
        "reward.custom_reward_function.name": "compute_score",
        "trainer.n_gpus_per_node": 1,
        "trainer.nnodes": 1,
        "trainer.total_epochs": recipe.epochs,
        "trainer.total_training_steps": recipe.max_steps,
        "trainer.val_before_train": False,
        "trainer.logger": ["console", *recipe.log_to],
        "trainer.default_local_dir": str(place / "verl" / "checkpoints"),
    }
    if recipe.beta > 0:
        told["actor_rollout_ref.ref.log_prob_micro_batch_size_per_gpu"] = micro
    if recipe.judge.model is not None:  # a `+` adds a key that verl's file does not have
        told["+reward.custom_reward_function.reward_kwargs.judge_model"] = recipe.judge.model
        told["+reward.custom_reward_function.reward_kwargs.judge_base_url"] = recipe.judge.base_url
    return told


def _verl(recipe: GrpoRecipe, model: str, place: Path, encoded: Encoded, tokenizer: Any) -> list[str]:
    if not has_template(tokenizer):
        return ["# verl asks by a chat template, and this model's tokenizer has none"]
    if recipe.schedule == "linear":
        return ["# verl has no linear schedule; take constant or cosine"]
    (place / "verl").mkdir(exist_ok=True)
    _table(rows_for_verl(encoded.rows), place / "verl" / "train.parquet")
    told = verl_overrides(recipe, model, place)
    words = [shlex.quote(f"{key}={hydra(value)}") for key, value in told.items()]
    return [" \\\n    ".join(["python -m verl.trainer.main_ppo", *words])]


def hydra(value: Any) -> str:
    """A value as the command line of Hydra reads it."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (list, tuple)):
        return f"[{','.join(map(hydra, value))}]"
    if isinstance(value, str) and not value.replace("_", "").isalnum():
        return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"
    return str(value)


def _alike(truths: Sequence[Any]) -> list[Any]:
    """Ground truths of one type, as a column needs it: texts, or else lists of texts."""
    if all(isinstance(truth, str) for truth in truths):
        return list(truths)
    return [list(truth) if isinstance(truth, (list, tuple)) else [truth] for truth in truths]


def _table(rows: Sequence[Mapping[str, Any]], path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    pq.write_table(pa.Table.from_pylist([dict(row) for row in rows]), path)
