"""The trainers' packages as the tests see them: the real one, or stand-ins with the few names that a hook takes of it.

A contract is tested twice: its shapes with stand-ins, always and in milliseconds; and against the real package where
that is installed, by `make test-trainers` in a virtual environment for each.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType, SimpleNamespace
from typing import Any, NamedTuple

import numpy as np
import pytest

IN_OTHER_WORDS = "Answer: they use sunlight to build glucose", "by turning light into sugar"
"""A response and a ground truth of which the rules cannot tell: a judge's case."""
HOW = "needs the package {}: make test-trainers"


def need(package: str) -> Any:
    """The package, or the test is skipped with the command that runs it."""
    return pytest.importorskip(package, reason=HOW.format(package))


@contextmanager
def hook(name: str, stand_ins: dict[str, dict[str, Any]]) -> Iterator[Any]:
    """A hook's module, imported anew with stand-ins for what its trainer's modules hold."""
    module = f"webscale_rl.reward.{name}"
    names = {".".join(path.split(".")[:end]) for path in stand_ins for end in range(1, path.count(".") + 2)}
    before = {path: sys.modules.get(path) for path in {*names, module}}
    for path in sorted(names):
        made = sys.modules[path] = ModuleType(path)
        made.__dict__.update(stand_ins.get(path, {}))
        if "." in path:
            parent, _, last = path.rpartition(".")
            setattr(sys.modules[parent], last, made)
    sys.modules.pop(module, None)
    try:
        yield importlib.import_module(module)
    finally:
        for path, was in before.items():
            sys.modules.pop(path, None)
            if was is not None:
                sys.modules[path] = was
        vars(sys.modules["webscale_rl.reward"]).pop(name, None)
        if before[module] is not None:
            setattr(sys.modules["webscale_rl.reward"], name, before[module])


TORCH = {
    "float32": np.float32,
    "tensor": lambda values, dtype: np.array(values, dtype),
    "ones_like": np.ones_like,
    "Tensor": np.ndarray,
}


class EnvironmentReturn(NamedTuple):
    """NeMo RL's, field by field."""

    observations: Any
    metadata: Any
    next_stop_strings: Any
    rewards: Any
    terminateds: Any
    answers: Any = None


class Verifier:
    """open-instruct's base class of verifiers."""

    def __init__(self, name: str, weight: float = 1.0, verifier_config: Any = None) -> None:
        self.name, self.weight, self.verifier_config = name, weight, verifier_config


class TextEnv:
    """skyrl-gym's base class."""

    def __init__(self) -> None:
        self.turns, self.max_turns = 0, 1


NEMO_RL = {
    "torch": TORCH,
    "ray": {"remote": lambda cls: SimpleNamespace(remote=cls)},
    "nemo_rl.environments.interfaces": {"EnvironmentInterface": object, "EnvironmentReturn": EnvironmentReturn},
    "nemo_rl.environments.utils": {
        "ENV_REGISTRY": (registered := {}),
        "register_env": lambda name, actor: registered.update({name: actor}),
    },
    "nemo_rl.distributed.ray_actor_environment_registry": {"ACTOR_ENVIRONMENT_REGISTRY": {}},
    "nemo_rl.distributed.virtual_cluster": {"PY_EXECUTABLES": SimpleNamespace(SYSTEM="python")},
}
OPEN_INSTRUCT = {
    "open_instruct.ground_truth_utils": {"VerifierFunction": Verifier, "VerificationResult": SimpleNamespace}
}
SKYRL = {"skyrl_gym.envs.base_text_env": {"BaseTextEnv": TextEnv, "BaseTextEnvStepOutput": dict}}
