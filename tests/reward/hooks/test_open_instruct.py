"""open-instruct's contract: a verifier that is built from its class, and called with tokens, text, label and query."""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from tests.reward.hooks.trainers import OPEN_INSTRUCT, hook, need
from webscale_rl.reward.rollout import JudgeAt


@pytest.fixture
def module() -> Iterator[Any]:
    with hook("open_instruct", OPEN_INSTRUCT) as module:
        yield module


def test_without_open_instruct_the_error_says_what_to_install() -> None:
    with (
        pytest.raises(ImportError, match=r"clone github\.com/allenai/open-instruct"),
        hook("open_instruct", {"open_instruct": {}}),
    ):
        raise AssertionError("the import went through")


def test_a_verifier_is_named_and_gives_a_score(module: Any) -> None:
    verifier = module.WebscaleVerifier(None)
    assert (verifier.name, verifier.weight) == ("webscale", 1.0)
    told = [
        verifier([1], f"The answer is {x}.<|im_end|>", "42", "What is 6 times 7?", rollout_state=None) for x in (42, 41)
    ]
    assert [one.score for one in told] == [1.0, 0.0]
    assert told[0].reasoning
    assert verifier([], "42", " ").score == 0.0


def test_the_judge_travels_with_the_verifier(module: Any) -> None:
    module.WebscaleVerifier.judge = JudgeAt("judge")
    made = module.WebscaleVerifier()
    module.WebscaleVerifier.judge = None
    assert pickle.loads(pickle.dumps(made)).judge == JudgeAt("judge")


async def test_open_instruct_builds_it_with_its_own() -> None:
    truth = need("open_instruct.ground_truth_utils")
    from webscale_rl.reward.open_instruct import WebscaleVerifier

    assert WebscaleVerifier in truth.VerifierFunction.__subclasses__()
    verifier = WebscaleVerifier(WebscaleVerifier.get_config_class().from_args(SimpleNamespace()))
    told = await verifier.async_call([1], "The answer is 42.", "42", "What is 6 times 7?")
    assert isinstance(told, truth.VerificationResult)
    assert (told.score, told.cost) == (1.0, 0.0)
