"""The loop itself: TRL's trainers on what was encoded, counted, logged, checkpointed, and stopped by a signal.

Everything heavy is imported here, when it is called.
"""

from __future__ import annotations

import logging
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from webscale_rl.errors import TrainingError
from webscale_rl.training import terms
from webscale_rl.training.books import CHECKPOINTS, Books
from webscale_rl.training.encode import Encoded
from webscale_rl.training.recipe import GrpoRecipe, Recipe
from webscale_rl.training.stop import Interrupt
from webscale_rl.training.watch import WatchedReward

_QUIET = ("transformers", "trl", "accelerate", "datasets", "torch")


class Policy(NamedTuple):
    """A model and its tokenizer."""

    model: Any
    tokenizer: Any


class Job(NamedTuple):
    """One training: who learns what by which recipe, and where it stands."""

    recipe: Recipe
    policy: Policy
    encoded: Encoded
    folder: Path
    books: Books
    interrupt: Interrupt
    cuda: bool


def require() -> None:
    """Raises TrainingError if what trains is not installed."""
    for name in ("torch", "transformers", "trl", "datasets"):
        try:
            __import__(name)
        except ImportError as error:
            raise TrainingError(f"training needs {name}: pip install 'webscale-rl[train]' ({error})") from error


def on_cuda(device: str) -> bool:
    """Whether to train on a GPU. Raises TrainingError if there is none and one was asked for."""
    import torch

    if device == "cpu":
        return False
    if device not in ("auto", "cuda"):
        raise TrainingError(f"device: {device!r}; one of auto, cpu, cuda")
    there = torch.cuda.is_available()
    if device == "cuda" and not there:
        raise TrainingError("device: no CUDA device is visible to torch; use --device cpu")
    if int(os.environ.get("WORLD_SIZE", "1")) > 1 or (there and torch.cuda.device_count() > 1):
        raise TrainingError(
            "this trains in one process on one GPU: set CUDA_VISIBLE_DEVICES to one;"
            " for several, launch the stock command in DIR/stock with accelerate"
        )
    return there


def load_tokenizer(model: str) -> Any:
    """The model's tokenizer. Raises TrainingError."""
    from transformers import AutoTokenizer

    try:
        tokenizer = AutoTokenizer.from_pretrained(model)
    except (OSError, ValueError, KeyError) as error:
        raise TrainingError(f"{model}: no tokenizer could be loaded ({_line(error)})") from error
    if tokenizer.pad_token_id is None and tokenizer.eos_token_id is not None:
        tokenizer.pad_token = tokenizer.eos_token
    return tokenizer


def load_model(model: str, recipe: Recipe, cuda: bool) -> Any:
    """The model, in the recipe's precision. Raises TrainingError."""
    import torch
    from transformers import AutoModelForCausalLM

    kind = terms.common(recipe, cuda)["model_init_kwargs"]["dtype"]
    try:
        loaded = AutoModelForCausalLM.from_pretrained(model, dtype=getattr(torch, kind))
    except (OSError, ValueError, KeyError) as error:
        raise TrainingError(f"{model}: no model could be loaded ({_line(error)})") from error
    return loaded.to("cuda") if cuda else loaded


@contextmanager
def quiet() -> Iterator[None]:
    """Keep the libraries' logs and progress bars off the terminal: what people must know, we say ourselves."""
    import datasets
    from transformers.utils import logging as theirs

    before = {name: logging.getLogger(name).level for name in _QUIET}
    bars = theirs.is_progress_bar_enabled(), datasets.utils.are_progress_bars_disabled()
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.ERROR)
    theirs.disable_progress_bar()
    datasets.disable_progress_bars()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for name, level in before.items():
            logging.getLogger(name).setLevel(level)
        if bars[0]:
            theirs.enable_progress_bar()
        if not bars[1]:
            datasets.enable_progress_bars()


def learn(job: Job, reward: WatchedReward | None = None) -> None:
    """Train until the last step, or raise RunStopped with a checkpoint behind it."""
    from transformers.trainer_callback import PrinterCallback

    trainer = _grpo(job, reward) if isinstance(job.recipe, GrpoRecipe) and reward is not None else _sft(job)
    trainer.remove_callback(PrinterCallback)
    trainer.add_callback(_recorder(job))
    checkpoint = job.books.checkpoint
    job.interrupt.check()
    trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)
    job.books.reckon(trainer.state.global_step)
    job.interrupt.check()


def _settings(job: Job) -> dict[str, Any]:
    """What is the same for every trainer and no matter of the recipe's learning."""
    return {
        "output_dir": str(job.folder / CHECKPOINTS),
        "report_to": list(job.recipe.log_to) or "none",
        "disable_tqdm": True,
        "save_strategy": "steps" if job.recipe.save_steps else "no",
        "save_steps": job.recipe.save_steps or 500,
        "dataloader_pin_memory": job.cuda,
        "model_init_kwargs": None,
    }


def _sft(job: Job) -> Any:
    from datasets import Dataset
    from trl import SFTConfig, SFTTrainer

    told = terms.of_sft(job.recipe, job.cuda) | _settings(job)
    for name in ("packing", "packing_strategy", "completion_only_loss"):
        told.pop(name, None)  # it is packed, and its labels are set
    told |= {"dataset_kwargs": {"skip_prepare_dataset": True}, "max_length": None}
    return _counting(SFTTrainer, job)(
        model=job.policy.model,
        args=SFTConfig(**told),
        train_dataset=Dataset.from_dict(job.encoded.columns),
        processing_class=job.policy.tokenizer,
    )


def _grpo(job: Job, reward: WatchedReward) -> Any:
    from datasets import Dataset
    from trl import GRPOConfig, GRPOTrainer

    assert isinstance(job.recipe, GrpoRecipe)
    told = terms.of_grpo(job.recipe, job.cuda, vllm=use_vllm(job.recipe, job.cuda)) | _settings(job)
    return _counting(GRPOTrainer, job)(
        model=job.policy.model,
        reward_funcs=reward,
        args=GRPOConfig(**told),
        train_dataset=Dataset.from_dict(job.encoded.columns),
        processing_class=job.policy.tokenizer,
    )


def use_vllm(recipe: Recipe, cuda: bool) -> bool:
    """Whether rollouts are sampled by vLLM: on a GPU, if it is there and the recipe does not say otherwise."""
    from importlib.util import find_spec

    return cuda and getattr(recipe, "vllm", "off") == "auto" and find_spec("vllm") is not None


def _counting(base: type[Any], job: Job) -> type[Any]:
    """The trainer, counting the tokens that go forward and backward: each that is no padding."""
    counts = job.books.counts

    class Counted(base):  # type: ignore[misc]  # a class that is known when TRL is imported
        def compute_loss(self, model: Any, inputs: Any, *args: Any, **keywords: Any) -> Any:
            if model.training:
                masks = [
                    inputs[name] for name in ("attention_mask", "prompt_mask", "completion_mask") if name in inputs
                ]
                counts.trained += sum(int(mask.sum()) for mask in masks)
            return super().compute_loss(model, inputs, *args, **keywords)

    return Counted


def _recorder(job: Job) -> Any:
    from transformers import TrainerCallback

    class Recorder(TrainerCallback):  # type: ignore[misc]  # as above
        def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **_: Any) -> None:
            if "train_runtime" not in logs:  # the summary at the end, which the ledger has
                job.books.log(state.global_step, logs)

        def on_save(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            job.books.mark(state.global_step)

        def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            if job.interrupt.reason is not None:
                control.should_save = control.should_training_stop = True

    return Recorder()


def _line(error: BaseException) -> str:
    """An error of a library as one line."""
    return " ".join(str(error).split())[:200]
