"""What the stages ask of the reward: to type a ground truth once, and whether another answer means the same."""

from __future__ import annotations

import msgspec

from webscale_rl.reward import Reference, reward
from webscale_rl.reward.reference import infer
from webscale_rl.types import AnswerType, Pair

_ENCODER = msgspec.json.Encoder()
_DECODER = msgspec.json.Decoder(Reference)


def typed(answer: str, question: str, written: AnswerType) -> tuple[AnswerType, str]:
    """The type of a ground truth by its wording, and where that leaves it open as it was written; and all that the
    reward knows of it, as JSON."""
    reference = infer(answer, question, written)
    return reference.type, _ENCODER.encode(reference).decode()


def read_reference(stored: str, answer: str) -> Reference | str:
    """The ground truth as it was stored; where a stage of one's own stored none, the answer, which is typed anew."""
    return _DECODER.decode(stored) if stored else answer


def means(pair: Pair, answer: str) -> bool | None:
    """Whether a short answer means the same as the pair's ground truth; None if the rules cannot tell.

    It is tagged as the final answer that it is, so that nothing in it is taken for reasoning that leads to one.
    """
    truth = read_reference(pair.reference, pair.answer)
    score = reward(f"<answer>{answer}</answer>", truth, pair.question, pair.answer_type).score
    return None if score is None else score == 1
