"""A recipe in TRL's words: the arguments of `SFTConfig` and `GRPOConfig`, for us and for the stock command."""

from __future__ import annotations

from typing import Any

from webscale_rl.training.recipe import ContinueRecipe, GrpoRecipe, Recipe


def common(recipe: Recipe, cuda: bool) -> dict[str, Any]:
    """What every method says to transformers' Trainer."""
    micro = recipe.micro_batch or recipe.step_sequences
    precision = ("mixed" if cuda else "float32") if recipe.precision == "auto" else recipe.precision
    return {
        "seed": recipe.seed,
        "per_device_train_batch_size": micro,
        "gradient_accumulation_steps": recipe.step_sequences // micro,
        "num_train_epochs": recipe.epochs,
        "max_steps": recipe.max_steps or -1,
        "learning_rate": recipe.learning_rate,
        "lr_scheduler_type": "constant_with_warmup" if recipe.schedule == "constant" else recipe.schedule,
        "warmup_steps": recipe.warmup_steps,
        "weight_decay": recipe.weight_decay,
        "adam_beta1": recipe.betas[0],
        "adam_beta2": recipe.betas[1],
        "max_grad_norm": recipe.max_grad_norm,
        "optim": recipe.optimizer,
        "bf16": precision == "mixed",
        "gradient_checkpointing": recipe.gradient_checkpointing,
        "logging_steps": recipe.log_steps,
        "use_cpu": not cuda,
        "model_init_kwargs": {"dtype": "bfloat16" if precision == "bfloat16" else "float32"},
    }


def of_sft(recipe: Recipe, cuda: bool) -> dict[str, Any]:
    """SFTConfig's arguments, for `continue`, `sft` and the learning of `reject`."""
    told = common(recipe, cuda) | {"max_length": getattr(recipe, "max_tokens", None)}
    if isinstance(recipe, ContinueRecipe):
        return told | {"packing": True, "packing_strategy": "wrapped"}
    return told | {"completion_only_loss": True}


def of_grpo(recipe: GrpoRecipe, cuda: bool, vllm: bool = False) -> dict[str, Any]:
    """GRPOConfig's arguments."""
    told = common(recipe, cuda) | {
        "num_generations": recipe.samples,
        "max_completion_length": recipe.max_completion_tokens,
        "temperature": recipe.temperature,
        "top_p": recipe.top_p,
        "beta": recipe.beta,
        "epsilon": recipe.epsilon,
        "loss_type": recipe.loss,
        "scale_rewards": recipe.scale_rewards,
        "mask_truncated_completions": recipe.mask_truncated,
    }
    if vllm:
        told |= {
            "use_vllm": True,
            "vllm_mode": "colocate",
            "vllm_gpu_memory_utilization": recipe.vllm_memory,
            "vllm_max_model_length": recipe.max_prompt_tokens + recipe.max_completion_tokens,
        }
    return told
