"""OpenRLHF's contract: tensors for each query, from queries that hold prompt, response and marks in one text."""

from __future__ import annotations

import inspect
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.reward.hooks.trainers import TORCH, hook, need
from webscale_rl.reward import openrlhf
from webscale_rl.reward.pool import Scorer

PROMPT = "<|im_start|>user\nWhat is 6 times 7?<|im_end|>\n<|im_start|>assistant\n"


def query(reply: str) -> str:
    return f"{PROMPT}{reply}<|im_end|>"


def test_rewards_scores_and_logs_are_tensors_as_long_as_the_queries() -> None:
    queries = [query("The answer is 42."), query("The answer is 41."), query("It is 42.")]
    with hook("openrlhf", {"torch": TORCH}) as module:
        told = module.reward_func(queries, [PROMPT] * 3, ["42", "42", " "])
    assert told["rewards"].tolist() == [1.0, 0.0, 0.0]
    assert (told["scores"].tolist(), told["extra_logs"]["undecided"].tolist()) == ([1.0, 0.0, 0.0], [0.0, 0.0, 1.0])
    assert told["scores"] is not told["rewards"]


@pytest.mark.parametrize(
    ("given", "prompt", "response"),
    [
        (query("42."), PROMPT, "42."),
        ("<s> " + query("42.").replace("\n", " "), PROMPT, " 42."),  # a tokenizer's own spaces and marks
        (query("42.")[30:], PROMPT, None),  # the prompt's end alone is too short to be sure
        (("x" * 400 + query("42."))[100:], "x" * 400 + PROMPT, "42."),  # a long prompt, cut off
        ("another prompt: 42.", PROMPT, None),
        (query(PROMPT + "42."), PROMPT, PROMPT + "42."),  # the prompt written again is the response's
    ],
)
def test_the_response_begins_where_the_prompt_first_ends(given: str, prompt: str, response: str | None) -> None:
    found = openrlhf.response_of(given, prompt)
    assert (found if found is None else found.strip()) == (response if response is None else response.strip())


def test_a_query_without_its_prompt_is_undecided_rather_than_graded_with_the_prompt() -> None:
    few_shot = "Q: 1 + 1? Answer: 2. Q: 6 times 7? "
    assert openrlhf.rollouts(["Q: 1 + 1? Answer: 42"], [few_shot], ["42"]) == [None]


def test_a_missing_label_is_an_error_that_names_the_option() -> None:
    with pytest.raises(ValueError, match=r"--data\.label_key"):
        openrlhf.rollouts([query("42.")], [PROMPT], [None])


class Tokenizer:
    """One token for each character."""

    def __call__(self, text: str, **_: Any) -> dict[str, Any]:
        torch = need("torch")
        return {"input_ids": torch.tensor([[ord(char) for char in text]])}

    def decode(self, ids: list[int], skip_special_tokens: bool) -> str:
        return "".join(map(chr, ids))


class Engine:
    """Answers what it was told to, as vLLM's engine does."""

    def __init__(self, reply: str) -> None:
        self.reply = reply

    async def generate(self, *_: Any, **__: Any) -> Any:
        ids = [ord(char) for char in self.reply + "<|im_end|>"]
        return SimpleNamespace(outputs=[SimpleNamespace(token_ids=ids, finish_reason="stop", logprobs=None)])


def agent(url: str) -> Any:
    """OpenRLHF's single-turn executor, of the package's own file: the package imports a GPU's libraries."""
    import importlib.util

    need("aiohttp")
    found = importlib.util.find_spec("openrlhf")
    if found is None or not found.submodule_search_locations:
        pytest.skip("needs the package openrlhf: make test-trainers")
    import sys
    from logging import getLogger
    from types import ModuleType

    logs = ModuleType("openrlhf.utils.logging_utils")
    logs.init_logger = getLogger  # type: ignore[attr-defined]
    stand_ins = {"openrlhf.utils.logging_utils": logs}
    file = Path(found.submodule_search_locations[0]) / "utils" / "agent.py"
    spec = importlib.util.spec_from_file_location("openrlhf_agent", file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    before = {name: sys.modules.get(name) for name in stand_ins}
    sys.modules.update(stand_ins)
    try:
        spec.loader.exec_module(module)
    finally:
        for name, was in before.items():
            sys.modules.pop(name)
            if was is not None:
                sys.modules[name] = was
    return module.SingleTurnAgentExecutor(url)


async def rewarded(url: str, reply: str, label: str) -> Any:
    sampling = SimpleNamespace(max_tokens=100, logprobs=None)
    return await agent(url).execute(PROMPT, label, sampling, 4096, Tokenizer(), Engine(reply))


@pytest.mark.parametrize(("reply", "label", "score"), [("It is 42.", "42", 1), ("41", "42", 0), ("?", " ", 0)])
async def test_openrlhf_calls_it_by_its_file(reply: str, label: str, score: int) -> None:
    need("torch")
    told = await rewarded(inspect.getfile(openrlhf), reply, label)
    assert float(told["reward"]) == float(told["scores"]) == score
    assert float(told["extra_logs"]["undecided"]) == (label == " ")


async def test_openrlhf_asks_the_reward_server() -> None:
    need("torch")
    need("openrlhf")
    from webscale_rl.reward.server import serving

    async with Scorer(1) as scorer, serving(scorer, "127.0.0.1", 0) as url:
        told = await rewarded(f"{url}/get_reward", "It is 42.", "42")
    assert (told["reward"], told["scores"], told["extra_logs"]) == ([1.0], [1.0], {"undecided": [0.0]})
