"""A recipe: all that decides how a model is trained, but for the model, the data and the machine.

One class for each method. A recipe is a YAML file, a packaged one (`paper/grpo`, `tiny/sft`) or a user's; unknown keys
are refused with the nearest known one. Nothing here needs torch.
"""

from __future__ import annotations

from importlib import resources
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from webscale_rl.config import explain, merge, read_yaml
from webscale_rl.errors import ConfigError

Precision = Literal["auto", "float32", "mixed", "bfloat16"]
Schedule = Literal["constant", "linear", "cosine"]
Share = Annotated[float, Field(ge=0, le=1)]

OPERATIONAL = frozenset({"log_to", "log_steps", "save_steps", "plots", "vllm", "vllm_memory"})
"""Keys that may differ when a training goes on: they change what is told and kept, not what is learned. Rollouts by
vLLM are not those of transformers, token by token; they are samples of the same policy."""


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class JudgeOptions(_Section):
    """A model that is asked where the rules cannot tell, at any OpenAI-compatible server."""

    model: str = Field(min_length=1, description="the judge")
    base_url: str | None = Field(None, description="its server; default: $OPENAI_BASE_URL, or OpenAI's")


class Recipe(_Section):
    """What all methods have. The defaults are the project's own; the packaged recipes name their sources."""

    method: str
    seed: int = Field(0, description="seeds the order of the rows, sampling and dropout")
    batch: int = Field(8, ge=1, description="rows of one optimiser step")
    micro_batch: int | None = Field(
        None, ge=1, description="sequences in memory at once; must divide those of a step; default: all of them"
    )
    epochs: float = Field(1.0, gt=0, description="passes over the data, unless `max_steps` is set")
    max_steps: int | None = Field(None, ge=1, description="optimiser steps, whatever the size of the data")
    learning_rate: float = Field(1e-5, gt=0, description="of AdamW, at its peak")
    schedule: Schedule = Field("constant", description="of the learning rate, after the warm-up")
    warmup_steps: int = Field(0, ge=0, description="steps in which the learning rate rises from 0")
    weight_decay: float = Field(0.0, ge=0, description="of AdamW")
    betas: tuple[Share, Share] = Field((0.9, 0.999), description="of AdamW")
    max_grad_norm: float = Field(1.0, gt=0, description="longer gradients are scaled down to it")
    optimizer: str = Field("adamw_torch", description="AdamW in any form that transformers knows")
    precision: Precision = Field(
        "auto",
        description="float32, mixed (weights in float32, arithmetic in bfloat16), bfloat16 (both);"
        " auto: mixed on cuda, float32 on a CPU",
    )
    gradient_checkpointing: bool = Field(False, description="less memory for about a fifth more time")
    system_prompt: str | None = Field(None, min_length=1, description="stands before every question")
    log_steps: int = Field(1, ge=1, description="a line of metrics.jsonl for so many steps")
    log_to: tuple[Literal["tensorboard", "wandb"], ...] = Field((), description="tell these too")
    save_steps: int | None = Field(None, ge=1, description="a checkpoint every so many steps; default: none")
    plots: bool = Field(True, description="draw curves, if matplotlib is there")

    sequences: ClassVar[str] = "batch"

    @property
    def step_sequences(self) -> int:
        """Sequences that one optimiser step learns from."""
        return self.batch

    @model_validator(mode="after")
    def _divides(self) -> Recipe:
        whole, part = self.step_sequences, self.micro_batch
        if part is not None and whole % part:
            raise ValueError(f"micro_batch: {part} does not divide the {whole} sequences of a step")
        return self


class _Learned(Recipe):
    max_tokens: int = Field(1024, ge=8, description="longest sequence, prompt and completion together")


class ContinueRecipe(_Learned):
    """Continual pretraining: documents, joined and cut into blocks of `max_tokens`."""

    method: Literal["continue"] = "continue"


class SftRecipe(_Learned):
    """Supervised fine-tuning: the loss is the completion's alone."""

    method: Literal["sft"] = "sft"


class _Asked(Recipe):
    samples: int = Field(8, ge=1, description="responses to each question")
    temperature: float = Field(1.0, gt=0, description="of sampling")
    top_p: float = Field(1.0, gt=0, le=1, description="of sampling")
    max_prompt_tokens: int = Field(512, ge=1, description="longer questions are left out, and counted")
    max_completion_tokens: int = Field(512, ge=1, description="a response is cut there")
    difficulty: tuple[Share, Share] | None = Field(
        None, description="only questions solved that often, from and to, as `webscale-rl difficulty` measured it"
    )
    judge: JudgeOptions | None = Field(None, description="asked where the rules cannot tell")
    vllm: Literal["auto", "off"] = Field("auto", description="auto: sample with vLLM if it is there and on cuda")
    vllm_memory: float = Field(0.3, gt=0, lt=1, description="share of the card's memory that vLLM takes")


class GrpoRecipe(_Asked):
    """GRPO on the reward of this package. A step samples `samples` responses to each of `batch` questions."""

    method: Literal["grpo"] = "grpo"
    samples: int = Field(8, ge=2, description="responses to each question: one group")
    beta: float = Field(0.0, ge=0, description="weight of the distance (KL) to the model at the start")
    epsilon: float = Field(0.2, gt=0, description="how far a token's ratio may go before it is clipped")
    loss: Literal["grpo", "dapo", "dr_grpo", "bnpo"] = Field("dapo", description="TRL's word for how tokens add up")
    scale_rewards: Literal["group", "batch", "none"] = Field(
        "group", description="advantages are divided by this spread"
    )
    mask_truncated: bool = Field(False, description="learn nothing from responses that were cut")
    undecided_steps: int = Field(2, ge=1, description="stop when for so many steps no response got a reward")
    flat_steps: int = Field(20, ge=1, description="warn when for so many steps all rewards of each group were equal")

    @property
    def step_sequences(self) -> int:
        """Sequences that one optimiser step learns from."""
        return self.batch * self.samples


class RejectRecipe(_Asked, _Learned):
    """Rejection fine-tuning: sample, keep what the reward scores 1, learn that as SFT does."""

    method: Literal["reject"] = "reject"
    keep: int = Field(4, ge=1, description="most different right responses to a question that are learned")
    sample_batch: int = Field(64, ge=1, description="responses that are sampled at once")


METHODS: dict[str, type[Recipe]] = {
    "continue": ContinueRecipe,
    "sft": SftRecipe,
    "grpo": GrpoRecipe,
    "reject": RejectRecipe,
}


def load_recipe(name_or_path: str, method: str | None = None, **overrides: Any) -> Recipe:
    """A packaged recipe ("tiny/grpo"; "tiny" with a method), or a YAML file, with values laid over it.

    Raises ConfigError: no such recipe, another method's, an unknown key or a value out of its range.
    """
    values, origin = _read(name_or_path, method)
    own = values.get("method", method)
    if own is None:
        raise ConfigError(f"{origin}: method: missing; one of {', '.join(METHODS)}")
    if method is not None and own != method:
        raise ConfigError(f"{origin}: is a recipe for {own}, not for {method}")
    kind = METHODS.get(str(own))
    if kind is None:
        raise ConfigError(f"{origin}: method: {own!r} is none; one of {', '.join(METHODS)}")
    try:
        return kind.model_validate(merge(values | {"method": own}, overrides))
    except ValidationError as error:
        raise ConfigError(explain(error, kind, origin)) from None


def packaged() -> list[str]:
    """The names of the packaged recipes."""
    root = resources.files("webscale_rl") / "recipes"
    found = ((folder.name, file.name) for folder in root.iterdir() if folder.is_dir() for file in folder.iterdir())
    return sorted(f"{folder}/{file.removesuffix('.yaml')}" for folder, file in found if file.endswith(".yaml"))


def _read(name: str, method: str | None) -> tuple[dict[str, Any], str]:
    if name.endswith((".yaml", ".yml")) or Path(name).is_file():
        return read_yaml(name), name
    known = packaged()
    wanted = name if name in known or method is None else f"{name}/{method}"
    if wanted not in known:
        raise ConfigError(f"{name}: no such recipe; packaged: {', '.join(known)}; or name a .yaml file")
    with resources.as_file(resources.files("webscale_rl") / "recipes" / f"{wanted}.yaml") as path:
        return read_yaml(path), wanted
