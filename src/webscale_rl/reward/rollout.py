"""What the hooks of all trainers share: a rollout as trainers hand it over, read into what the reward takes.

Trainers differ in where they put the ground truth, in whether a completion is a string or messages, and in what they
do when there is no verdict. They do not differ in the verdict: every hook asks `decide`, or `decide_all` with a judge.
"""

from __future__ import annotations

import atexit
import functools
import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from webscale_rl.reward import reward
from webscale_rl.reward.verdict import Verdict

if TYPE_CHECKING:
    from webscale_rl.reward.blocking import BlockingJudge

GROUND_TRUTH = ("ground_truth", "answer", "solution", "expected_answer")
"""Where a row keeps its ground truth, in the order in which they are looked for: ours, the dataset's own column, and
the names in TRL's and NeMo-Gym's examples."""

_TEMPLATE_END = ("</s>", "<eos>", "<pad>", "<end_of_turn>", "[/INST]")
_LONGEST_MARK = 48  # "<|reserved_special_token_247|>" has 30 characters


class Rollout(NamedTuple):
    """One response and what it is graded against. `ground_truth` is anything that `reward` takes."""

    response: str
    ground_truth: Any
    question: str | None = None
    answer_type: str | None = None


class JudgeAt(NamedTuple):
    """A judge by its model and server, `$OPENAI_BASE_URL` or OpenAI's if none is given: a value that may be pickled and
    sent to workers, each of which opens a judge of its own when it needs one."""

    model: str
    base_url: str | None = None


def judge_at(model: str | None, base_url: str | None = None) -> JudgeAt | None:
    """The judge, if a model is named."""
    return JudgeAt(model, base_url) if model else None


def decide(rollout: Rollout) -> Verdict:
    """The verdict of the rules. Pure; safe in threads, processes and Ray workers."""
    return reward(rollout.response, rollout.ground_truth, rollout.question, rollout.answer_type)


def decide_all(rollouts: Sequence[Rollout], judge: JudgeAt | None = None) -> list[Verdict]:
    """The verdicts in order: by the rules, and by the judge on what they cannot tell, all at once.

    Blocks while the judge is asked, from any thread but an event loop's. What a judge's server does gives None; raises
    ConfigError or BackendError only if the judge cannot be opened at all.
    """
    verdicts = [decide(rollout) for rollout in rollouts]
    undecided = [place for place, verdict in enumerate(verdicts) if verdict.score is None] if judge else []
    if judge and undecided:
        asked = _opened(os.getpid(), judge).grade_all(rollouts[place] for place in undecided)
        for place, verdict in zip(undecided, asked, strict=True):
            verdicts[place] = verdict
    return verdicts


@functools.cache
def _opened(process: int, judge: JudgeAt) -> BlockingJudge:
    """One judge for each process: a fork has the memory of its parent's, and not its thread."""
    from webscale_rl.reward.blocking import BlockingJudge
    from webscale_rl.reward.judge import Judge

    opened = BlockingJudge(lambda: Judge.openai(judge.model, judge.base_url))
    atexit.register(lambda: opened.close() if os.getpid() == process else None)
    return opened


def ground_truth(row: Mapping[str, Any], where: str) -> Any:
    """The ground truth of a row. Raises ValueError that says what was looked for, and `where` a user puts it."""
    for name in GROUND_TRUTH:
        if row.get(name) is not None:
            return plain(row[name])
    raise ValueError(f"no ground truth: {where} has none of {', '.join(GROUND_TRUTH)}; it has {', '.join(row) or '-'}")


def text_or_none(value: Any) -> str | None:
    """A column's value if it is a text that says something."""
    return value if isinstance(value, str) and value else None


def plain(value: Any) -> Any:
    """The value without numpy: Parquet readers hand lists over as arrays. A number becomes its text, also in a list."""
    if hasattr(value, "tolist"):
        value = value.tolist()
    return [_texts(one) for one in value] if isinstance(value, list) else _texts(value)


def _texts(value: Any) -> Any:
    return str(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else value


def last_reply(completion: Any) -> str:
    """The text of a completion: a string as it is, of chat messages the last one by the assistant."""
    return completion if isinstance(completion, str) else _last(completion, "assistant")


def asked(prompt: Any) -> str | None:
    """The question in a prompt: a string as it is, of chat messages the last one by the user."""
    return text_or_none(prompt if isinstance(prompt, str) else _last(prompt, "user"))


def content(value: Any) -> str:
    """The text of a message's content: a string, parts with a `text`, or nothing (a call of a tool)."""
    if isinstance(value, str):
        return value
    if not isinstance(value, Sequence):
        return ""
    texts = [part if isinstance(part, str) else part.get("text") for part in value if isinstance(part, (str, Mapping))]
    return "".join(text for text in texts if isinstance(text, str))


def reward_of(verdict: Verdict) -> float:
    """The number for a trainer that cannot leave a rollout out: no verdict counts as 0."""
    return float(verdict.score or 0)


def without_marks(text: str) -> str:
    """The text without the chat template's marks at its end, such as "<|im_end|>".

    Marks further in stay: a model that writes them there is up to something, and the reward looks for that.
    """
    end = len(text)
    while end != (end := _mark_start(text, end)):
        pass
    return text[:end]


def _mark_start(text: str, end: int) -> int:
    """Where the text ends without its last mark or space; `end` if there is none."""
    if end and text[end - 1].isspace():
        return end - 1
    for mark in _TEMPLATE_END:
        if text.endswith(mark, 0, end):
            return end - len(mark)
    if text.endswith("|>", 0, end):
        start = text.rfind("<|", max(0, end - _LONGEST_MARK), end)
        return start if start >= 0 else end
    return end


def _last(messages: Any, role: str) -> str:
    if not isinstance(messages, Sequence):
        return ""
    for message in reversed(messages):
        if isinstance(message, Mapping) and message.get("role") == role:
            return content(message.get("content"))
    return ""


def not_installed(hook: str, install: str, error: ImportError) -> ImportError:
    """The error of a hook whose trainer is not there: says what to install, and what exactly was missing."""
    return ImportError(f"webscale_rl.reward.{hook} needs its trainer: {install} ({error})", name=error.name)
