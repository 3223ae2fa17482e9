"""A tokenizer of single characters: printable ASCII and the end of a line, so that a token is a character."""

from __future__ import annotations

from pathlib import Path
from typing import Any

PAD, START, END, UNKNOWN = "<pad>", "<s>", "</s>", "<unk>"
SPECIAL = (PAD, START, END, UNKNOWN)
CHARACTERS = "\n" + "".join(chr(code) for code in range(32, 127))
VOCABULARY = {token: number for number, token in enumerate((*SPECIAL, *CHARACTERS))}
CONTEXT = 256


def make_tokenizer() -> Any:
    """The tokenizer, with a start token before every text, as `transformers` takes it. Nothing is downloaded."""
    from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast

    core = Tokenizer(models.WordLevel(VOCABULARY, unk_token=UNKNOWN))
    core.pre_tokenizer = pre_tokenizers.Split(Regex(r"[\s\S]"), behavior="isolated")
    core.decoder = decoders.Fuse()
    core.post_processor = processors.TemplateProcessing(
        single=f"{START} $A", special_tokens=[(START, VOCABULARY[START])]
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=core,
        pad_token=PAD,
        bos_token=START,
        eos_token=END,
        unk_token=UNKNOWN,
        model_max_length=CONTEXT,
        clean_up_tokenization_spaces=False,
    )


def save_tokenizer(folder: Path) -> None:
    """Write its files into the folder."""
    make_tokenizer().save_pretrained(folder)
