"""What other packages offer as a reward function, each as its own documentation or code calls it.

    VENV/bin/python graders.py < requests.jsonl > verdicts.jsonl

A request is {"grader", "responses": [...], "truths": [[...], ...]}, a verdict {"scores": [...], "seconds"} or
{"missing"}. Needs the standard library alone, and in its environment what a grader wants. verl's own `__init__` imports
a training stack; its graders are files that do without, so they are imported as such.
"""

from __future__ import annotations

import contextlib
import importlib
import io
import json
import logging
import sys
import time
import types
from collections.abc import Callable, Sequence
from importlib.machinery import PathFinder
from pathlib import Path
from typing import Any

Grader = Callable[[str, str], bool]


def math_verify() -> Grader:
    """As its README has it: both sides parsed with the default extraction, the reference in a box."""
    module: Any = importlib.import_module("math_verify")
    logging.disable(logging.ERROR)
    return lambda response, truth: bool(module.verify(module.parse(f"\\boxed{{{truth}}}"), module.parse(response)))


def verl(name: str, call: Callable[[Any, str, str], object]) -> Grader:
    """A module of `verl.utils.reward_score`, without what the packages above it import."""
    spec = PathFinder.find_spec("verl", sys.path)
    if spec is None or not spec.submodule_search_locations:
        raise ImportError("verl")
    root = Path(next(iter(spec.submodule_search_locations)))
    for package in ("verl", "verl.utils", "verl.utils.reward_score"):
        if package not in sys.modules:
            shell = types.ModuleType(package)
            shell.__path__ = [str(root.joinpath(*package.split(".")[1:]))]
            sys.modules[package] = shell
    # a module beside prime_math's time limit takes a class from a package of torch's; no grader uses it
    metric = sys.modules.setdefault("verl.utils.metric", types.ModuleType("verl.utils.metric"))
    metric.Metric = object  # type: ignore[attr-defined]
    module = importlib.import_module(f"verl.utils.reward_score.{name}")

    def grade(response: str, truth: str) -> bool:
        found = call(module, response, truth)
        if isinstance(found, dict):
            found = found["acc"]
        elif isinstance(found, tuple):
            found = found[0]
        return found is True or (isinstance(found, float | int) and found > 0.5)

    return grade


GRADERS: dict[str, Callable[[], Grader]] = {
    "Math-Verify": math_verify,
    "verl math_reward": lambda: verl("math_reward", lambda m, r, t: m.compute_score(r, t)),
    "verl math_dapo": lambda: verl("math_dapo", lambda m, r, t: m.compute_score(r, t)),
    "verl prime_math": lambda: verl("prime_math", lambda m, r, t: m.compute_score(r, t)),
    "verl gsm8k": lambda: verl("gsm8k", lambda m, r, t: m.compute_score(r, t, "flexible")),
    "verl search_r1 EM": lambda: verl("search_r1_like_qa_em", lambda m, r, t: m.compute_score(r, {"target": [t]})),
}


def scored(grader: Grader, responses: Sequence[str], truths: Sequence[Sequence[str]]) -> tuple[list[int], float]:
    """A verdict for each response, any of its truths, and the CPU time that all took."""
    scores = []
    began = time.process_time()
    for response, several in zip(responses, truths, strict=True):
        score = 0
        for truth in several:
            # a grader that raises on an answer has not called it right
            with contextlib.suppress(Exception), contextlib.redirect_stdout(io.StringIO()):
                score = score or int(grader(response, truth))
        scores.append(score)
    return scores, time.process_time() - began


def main() -> None:
    """Requests from standard input, verdicts to standard output."""
    for line in sys.stdin:
        asked = json.loads(line)
        try:
            grader = GRADERS[asked["grader"]]()
        except ImportError as error:
            answer: dict[str, Any] = {"missing": str(error)}
        else:
            with contextlib.redirect_stdout(io.StringIO()):
                scored(grader, asked["responses"][:3], asked["truths"][:3])  # what is imported late
                scores, seconds = scored(grader, asked["responses"], asked["truths"])
            answer = {"scores": scores, "seconds": seconds}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
