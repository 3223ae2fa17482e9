"""What the stages ask of the reward: to type a ground truth once, and whether another answer means the same."""

from __future__ import annotations

from webscale_rl.reward import infer, reward, to_json
from webscale_rl.types import AnswerType, Pair


def typed(answer: str, question: str, written: AnswerType) -> tuple[AnswerType, str]:
    """The type of a ground truth, and all that the reward knows of it, as JSON. The writer's word is believed where the
    wording bears it out; "phrase" is what a writer says of anything, so there the wording decides alone."""
    reference = infer(answer, question, None if written == "phrase" else written)
    return reference.type, to_json(reference)


def means(pair: Pair, answer: str) -> bool | None:
    """Whether a short answer means the same as the pair's ground truth; None if the rules cannot tell.

    It is tagged as the final answer that it is, so that nothing in it is taken for reasoning that leads to one. Where a
    stage of one's own stored no reference, the ground truth is typed anew.
    """
    score = reward(f"<answer>{answer}</answer>", pair.reference or pair.answer, pair.question, pair.answer_type).score
    return None if score is None else score == 1
