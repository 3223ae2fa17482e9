"""Training on what a run made: continual pretraining, SFT, GRPO and rejection fine-tuning, thin over TRL.

    from webscale_rl.training import load_recipe, train

    trained = train(load_recipe("tiny/grpo", max_steps=50), "MODEL", Path("runs/wiki"), Path("runs/wiki-grpo"))
    trained.model                                    # a Hugging Face model folder, with its tokenizer

Nothing heavy is imported until `train` is called: recipes are read and checked without torch.
"""

from __future__ import annotations

from webscale_rl.training.recipe import METHODS, Recipe, load_recipe
from webscale_rl.training.session import Trained, train

__all__ = ["METHODS", "Recipe", "Trained", "load_recipe", "train"]
