"""Where the parts of a prompt stand, so that a server's prefix cache finds as much of it as possible.

A server keeps what it has computed of a prompt's beginning for the next prompt that begins the same. Some eight calls
show the same document; where what stands before it differs, it is computed anew.

    instructions_first   system: the stage's instructions, examples    user: document, task
    document_first       system: a few words                           user: document, instructions, examples, task
    shared_prefix        system: the instructions of all stages        user: document, step, examples, task

The last two are files in `prompts/layouts/`: they take the sections of the stages' own prompt files apart and put them
together anew, slots with their quoting as they are. No call sees what another call answered.

Stages answered by different models share no cache: each model has a header of its own stages only. A stage that would
share with none, or whose prompt does not show the document, stays as its file has it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from webscale_rl.errors import PromptError
from webscale_rl.prompt import EXAMPLES, PROMPTS, Part, Prompt, fill

Layout = Literal["shared_prefix", "document_first", "instructions_first"]
DOCUMENT = ("document", True)


@dataclass(frozen=True)
class Sheet:
    """A stage's prompt before it is laid out. `fixed` are the slots that are the same for every record of the run."""

    stage: str
    prompt: Prompt
    layout: Layout
    model: str
    fixed: Mapping[str, str]


@dataclass(frozen=True)
class _Pieces:
    instructions: tuple[Part, ...]
    examples: tuple[Part, ...]
    task: tuple[Part, ...]


def lay_out(sheets: Sequence[Sheet]) -> list[Prompt]:
    """The prompts in their layouts, in the same order. Raises PromptError for a file that cannot be taken apart."""
    return [_laid_out(sheet, sheets) for sheet in sheets]


def _laid_out(sheet: Sheet, sheets: Sequence[Sheet]) -> Prompt:
    if sheet.layout == "instructions_first" or DOCUMENT[0] not in sheet.prompt.slots:
        return sheet.prompt
    mine = _pieces(sheet)
    if sheet.layout == "document_first":
        return _compose(sheet, mine, mine.instructions)
    together = [other for other in sheets if (other.layout, other.model) == (sheet.layout, sheet.model)]
    sharing = [other for other in together if DOCUMENT[0] in other.prompt.slots]
    if len(sharing) == 1:
        return sheet.prompt
    return _compose(sheet, mine, ("\n\n".join(_headed(other) for other in sharing),))


def _compose(sheet: Sheet, mine: _Pieces, instructions: tuple[Part, ...]) -> Prompt:
    template = Prompt.load(PROMPTS / "layouts" / f"{sheet.layout}.md")
    examples = (*mine.examples, "\n\n") if mine.examples else ()
    pieces: dict[str, tuple[Part, ...]] = {"document": (DOCUMENT,), "step": (sheet.stage,), "task": mine.task}
    pieces |= {"instructions": instructions, "examples": examples}
    sections = tuple(
        (role, _joined(pieces[piece[0]] if isinstance(piece, tuple) else (piece,) for piece in parts))
        for role, parts in template.messages
    )
    return replace(sheet.prompt, sections=sections, layout=f"{sheet.layout} {template.digest}")


def _joined(pieces: Iterable[Iterable[Part]]) -> tuple[Part, ...]:
    """All parts in a row, text that stands side by side in one."""
    joined: list[Part] = []
    for part in (part for piece in pieces for part in piece):
        if joined and isinstance(part, str) and isinstance(joined[-1], str):
            joined[-1] += part
        else:
            joined.append(part)
    return tuple(joined)


def _headed(sheet: Sheet) -> str:
    """A stage's instructions under its name, their slots filled: the same text in the calls of all stages."""
    instructions = _pieces(sheet).instructions
    varying = {part[0] for part in instructions if isinstance(part, tuple)} - set(sheet.fixed)
    if varying:
        raise PromptError(
            f"prompt {sheet.prompt.name}: {{{{{min(varying)}}}}} differs between records and stands in '# system',"
            f" which all stages share; move it under '# {EXAMPLES}' or '# user'{_or_leave(sheet)}"
        )
    return f"## Step: {sheet.stage}\n\n{fill(instructions, sheet.fixed)}"


def _pieces(sheet: Sheet) -> _Pieces:
    sections = sheet.prompt.sections
    headings = [heading for heading, _ in sections if heading != EXAMPLES]
    user = sections[-1][1]
    elsewhere = _holds_document(user[1:]) or any(_holds_document(parts) for _, parts in sections[:-1])
    if headings != ["system", "user"] or user[:1] != (DOCUMENT,) or elsewhere:
        raise PromptError(
            f"prompt {sheet.prompt.name}: cannot be laid out as {sheet.layout}; write the instructions under '# system'"
            f" and begin '# user' with {{{{document|quoted}}}}, which stands nowhere else{_or_leave(sheet)}"
        )
    task = user[1:]
    if task and isinstance(task[0], str):
        task = (task[0].lstrip(), *task[1:])
    return _Pieces(sections[0][1], dict(sections).get(EXAMPLES, ()), task)


def _or_leave(sheet: Sheet) -> str:
    return f", or set stages.{sheet.stage}.layout: instructions_first"


def _holds_document(parts: Iterable[Part]) -> bool:
    return any(isinstance(part, tuple) and part[0] == DOCUMENT[0] for part in parts)
