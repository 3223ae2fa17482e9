"""Prompts are data: Markdown files with chat roles and slots, rendered in one strict pass.

    # system
    Instructions, and {{trusted}} slots.
    # examples
    {{examples}}
    # user
    {{document|quoted}}

A line that is just `# system`, `# user` or `# assistant` opens a message. `# examples`, after `# system`, opens what
is the same for some documents only: as the file has it, it ends the system message; a layout may put it elsewhere
(`layout.py`). `{{name}}` takes text of our own making as it is. `{{name|quoted}}` takes text that nobody vouches for
(documents, and whatever a model made of them) and fences it with a tag that carries a digest of the text, so that no
text can close its own fence.

Guards against text that would add a message, fill a slot or end its quotation. Does not guard against a model that
obeys what it reads: for that the instructions say what a quotation is, and the checks come after.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path

from webscale_rl.errors import PromptError

PROMPTS = Path(__file__).parent / "prompts"

EXAMPLES = "examples"

_ROLE = re.compile(rf"^# (system|{EXAMPLES}|user|assistant)[ \t]*$", re.MULTILINE)
_SLOT = re.compile(r"\{\{([a-z_]+)(\|quoted)?\}\}")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
_NEXT_LINE = "\x85"
# What tokenizers of open models turn into control tokens wherever it stands. A space after the first character makes it
# plain text again; "|>" needs none, and is a pipe in R, Elixir and F#.
_CHAT_TOKEN = re.compile(
    r"<(?=[|｜][^\s|｜>])"  # <|im_start|>, <|eot_id|>, <|START_OF_TURN_TOKEN|>; DeepSeek's full-width bars
    r"|<(?=/?(?:s|bos|eos|pad|unk|cls|sep|mask|sop|eop|think|tools?|tool_calls?|tool_responses?|(?:start|end)_of_\w{1,30}"
    r"|(?:bos|eos|eop|mask|unk|pad)_token|seed:\w{1,30}|fim_\w{1,30}|(?:extra_id_|special_|reserved_|unused)\d{1,6})>)"
    r"|<(?=<?/?SYS>)"  # Llama 2
    r"|\[(?-i:(?=/?(?:INST|SYSTEM_PROMPT|MODEL_SETTINGS|AVAILABLE_TOOLS|TOOL_(?:CALLS|RESULTS|CONTENT)|ARGS|CALL_ID"
    r"|THINK|IMG|IMG_BREAK|IMG_END|AUDIO|BEGIN_AUDIO|PREFIX|MIDDLE|SUFFIX)\]))"  # Mistral
    r"|\[(?-i:(?=(?:[gs]?MASK|CLS|SEP|PAD|UNK|BOS|EOS)\]))"  # GLM and others
    r"|\[(?=\|\w{1,30}\|\])"  # EXAONE
    r"|\](?=~!?b[\[\]])|\[(?=e~\[)",  # MiniMax
    re.IGNORECASE,
)


Part = str | tuple[str, bool]
"""Text as it stands, or a slot: its name, and whether what fills it is quoted."""


@dataclass(frozen=True)
class Prompt:
    """A compiled prompt file. `digest` is of its text: an edited prompt is another prompt.

    `sections` are the file's, by heading; `layout` says who put them in another order, and is empty if nobody did.
    """

    name: str
    digest: str
    sections: tuple[tuple[str, tuple[Part, ...]], ...]
    layout: str = ""

    @classmethod
    def load(cls, name_or_path: str | Path) -> Prompt:
        """The packaged prompt of that name, or the file at that path. Raises PromptError."""
        path = Path(name_or_path)
        if path.suffix != ".md":
            path = PROMPTS / f"{name_or_path}.md"
        try:
            text = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise PromptError(f"{path}: cannot read this prompt file ({error})") from error
        return cls.parse(path.stem, text)

    @classmethod
    def parse(cls, name: str, text: str) -> Prompt:
        """Compile the text of a prompt file. Raises PromptError."""
        pieces = _ROLE.split(text)
        if pieces[0].strip():
            raise PromptError(f"prompt {name}: begins with text; the first line must be '# system' or '# user'")
        if len(pieces) < 3:
            raise PromptError(f"prompt {name}: has no message; write '# user' on a line of its own above the text")
        headings = pieces[1::2]
        if EXAMPLES in headings and (headings.count(EXAMPLES) > 1 or headings[:2] != ["system", EXAMPLES]):
            raise PromptError(f"prompt {name}: '# {EXAMPLES}' stands once, right after '# system'")
        sections = []
        for role, body in zip(pieces[1::2], pieces[2::2], strict=True):
            stripped = _SLOT.sub("", body)
            if "{{" in stripped or "}}" in stripped:
                raise PromptError(f"prompt {name}: stray braces in the {role} message; a slot is {{{{name}}}}")
            sections.append((role, _compile(body.strip())))
        return cls(name, hashlib.blake2b(text.encode(), digest_size=16).hexdigest(), tuple(sections))

    @cached_property
    def messages(self) -> tuple[tuple[str, tuple[Part, ...]], ...]:
        """Roles and what their messages are made of."""
        messages: list[tuple[str, tuple[Part, ...]]] = []
        for heading, parts in self.sections:
            if heading != EXAMPLES:
                messages.append((heading, parts))
            elif parts:
                messages[-1] = (messages[-1][0], (*messages[-1][1], "\n\n", *parts))
        return tuple(messages)

    @cached_property
    def opens_fixed(self) -> bool:
        """Whether the first message has no slot: it is the same in all calls."""
        return all(isinstance(part, str) for part in self.messages[0][1])

    @cached_property
    def slots(self) -> frozenset[str]:
        """The names that a render must fill."""
        return frozenset(part[0] for _, parts in self.messages for part in parts if isinstance(part, tuple))

    def require(self, available: Iterable[str], trusted: Iterable[str] = ()) -> None:
        """Raises PromptError if the prompt asks for a slot that its stage does not fill, or takes one that holds what
        nobody vouches for without quoting it."""
        unknown = self.slots - set(available)
        if unknown:
            raise PromptError(
                f"prompt {self.name}: unknown slot {{{{{min(unknown)}}}}}; this stage fills:"
                f" {', '.join(sorted(available))}"
            )
        bare = {part[0] for _, parts in self.messages for part in parts if isinstance(part, tuple) and not part[1]}
        if exposed := bare - set(trusted):
            name = min(exposed)
            raise PromptError(f"prompt {self.name}: {{{{{name}}}}} holds untrusted text; write {{{{{name}|quoted}}}}")

    def render(self, slots: Mapping[str, str]) -> list[dict[str, str]]:
        """Chat messages, with every slot filled in one pass. Raises PromptError for a missing slot."""
        try:
            return [{"role": role, "content": fill(parts, slots)} for role, parts in self.messages]
        except KeyError as missing:
            raise PromptError(f"prompt {self.name}: slot {missing} was not filled") from None


def fill(parts: Iterable[Part], slots: Mapping[str, str]) -> str:
    """The text of these parts, each slot filled or quoted once. Raises KeyError for a missing slot."""
    texts = [
        part if isinstance(part, str) else quote(part[0], slots[part[0]]) if part[1] else slots[part[0]]
        for part in parts
    ]
    return "".join(texts)


def _compile(body: str) -> tuple[Part, ...]:
    pieces = _SLOT.split(body)
    parts: list[Part] = [pieces[0]]
    for name, quoted, literal in zip(pieces[1::3], pieces[2::3], pieces[3::3], strict=True):
        parts += [(name, quoted is not None), literal]
    return tuple(part for part in parts if part)


def defuse(text: str) -> str:
    """The text without control characters and with chat-template tokens broken by a space."""
    text = _CONTROL.sub("", text.replace(_NEXT_LINE, "\n"))
    if "<" not in text and "[" not in text and "]" not in text:
        return text
    return _CHAT_TOKEN.sub(r"\g<0> ", text)


@lru_cache(maxsize=512)  # all calls of a document quote the same text
def quote(name: str, text: str) -> str:
    """The text between tags that it cannot contain: their number is a digest of the text itself."""
    digest = hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=6).hexdigest()
    safe = defuse(text).encode("utf-8", "replace").decode()
    return f"<{name} {digest}>\n{safe}\n</{name} {digest}>"
