"""From a question to the text that a model continues, and back: the same words in training, sampling and evaluation.

With a chat template, that is what stands: system prompt and question as messages, rendered by the tokenizer. Without
one, a plain form that a base model continues:

    {system prompt}

    Question: {question}
    Answer:

Nothing here imports transformers: a tokenizer is whatever has `chat_template` and `apply_chat_template`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

Message = Mapping[str, str]
_ASKED, _ANSWERED = "Question:", "Answer:"
_NEXT = f"\n{_ASKED}"


def messages(question: str, system_prompt: str | None = None) -> list[dict[str, str]]:
    """The conversation that asks the question."""
    asked = [{"role": "user", "content": question}]
    return [{"role": "system", "content": system_prompt}, *asked] if system_prompt else asked


def prompt(question: str, system_prompt: str | None = None, tokenizer: Any = None) -> str:
    """The text that a model continues with its answer."""
    return prompt_of(messages(question, system_prompt), tokenizer)


def prompt_of(asked: Sequence[Message], tokenizer: Any = None) -> str:
    """The text of a conversation that a model continues as the assistant."""
    if has_template(tokenizer):
        rendered: str = tokenizer.apply_chat_template(list(asked), tokenize=False, add_generation_prompt=True)
        return rendered
    told = [_plain(message) for message in asked]
    return "".join(told) + _ANSWERED


def completion_of(asked: Sequence[Message], answer: str, tokenizer: Any = None) -> tuple[str, bool]:
    """What follows `prompt_of` when the model answers this, and whether the template ended the turn itself. Without a
    template the answer stands after a space."""
    if not has_template(tokenizer):
        return f" {answer.strip()}", False
    whole: str = tokenizer.apply_chat_template([*asked, {"role": "assistant", "content": answer}], tokenize=False)
    before = prompt_of(asked, tokenizer)
    if not whole.startswith(before):  # a template that shows past turns otherwise than the one it asks for
        return answer, False
    rest = whole[len(before) :]
    return rest, rest.strip() != answer.strip()


def response(continued: str, tokenizer: Any = None) -> str:
    """The response in what a model wrote. In the plain form a base model may go on with a question of its own, which is
    none of its answer."""
    return (continued if has_template(tokenizer) else continued.split(_NEXT, 1)[0]).strip()


def has_template(tokenizer: Any) -> bool:
    """Whether the tokenizer has a chat template."""
    return bool(getattr(tokenizer, "chat_template", None))


def _plain(message: Message) -> str:
    role, content = message["role"], message["content"]
    if role == "system":
        return f"{content}\n\n"
    if role == "assistant":
        return f"{_ANSWERED} {content.strip()}\n\n"
    return f"{_ASKED} {content}\n"
