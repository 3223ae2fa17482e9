"""The engines that make a model keep to a JSON schema: given a schema, each says of a text whether it may be written.

All of them read bytes, one token each, so that no tokenizer has to be fetched.

    llguidance   vLLM, SGLang
    xgrammar     vLLM, SGLang
    llama.cpp    the converter from JSON schema to GBNF, in llama-cpp-python's Python, and llama.cpp's grammar sampler
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.engines import tiny_model

Accepts = Callable[[str], bool]
Compile = Callable[[dict[str, Any]], Accepts]
EOS = 256
HOW = "needs the package {}: make test-engines"


def need(package: str) -> Any:
    """The package, or the test is skipped with the command that runs it."""
    return pytest.importorskip(package, reason=HOW.format(package))


def llguidance(schema: dict[str, Any]) -> Accepts:
    engine = need("llguidance")

    class Bytes:
        eos_token_id = EOS
        bos_token_id = None
        tokens = (*(bytes([byte]) for byte in range(256)), b"<eos>")
        special_token_ids = (EOS,)

        def __call__(self, text: bytes) -> list[int]:
            return list(text)

    tokenizer = engine.LLTokenizer(engine.TokenizerWrapper(Bytes()))
    grammar = engine.LLMatcher.grammar_from_json_schema(json.dumps(schema))
    _, said = engine.LLMatcher.validate_grammar_with_warnings(grammar, tokenizer)
    assert not said, said

    def accepts(text: str) -> bool:
        matcher = engine.LLMatcher(tokenizer, grammar, log_level=0)
        written = list(text.encode())
        return matcher.try_consume_tokens(written) == len(written) and matcher.is_accepting()

    return accepts


def xgrammar(schema: dict[str, Any]) -> Accepts:
    engine = need("xgrammar")
    vocabulary = [*(bytes([byte]) for byte in range(256)), b"<eos>"]
    tokens = engine.TokenizerInfo(vocabulary, engine.VocabType.RAW, stop_token_ids=[EOS])
    compiled = engine.GrammarCompiler(tokens, max_threads=1).compile_json_schema(json.dumps(schema))

    def accepts(text: str) -> bool:
        matcher = engine.GrammarMatcher(compiled)
        return all(matcher.accept_token(byte) for byte in text.encode()) and matcher.accept_token(EOS)

    return accepts


def llama_cpp(schema: dict[str, Any], folder: Path) -> Accepts:
    """A vocabulary comes with a model: the tiny one is written into the folder."""
    engine, converter = need("llama_cpp"), need("llama_cpp.llama_grammar")
    need("gguf")
    model = engine.Llama(str(tiny_model.write(folder / "tiny.gguf")), vocab_only=True, verbose=False)
    vocabulary = engine.llama_model_get_vocab(model.model)
    gbnf = converter.json_schema_to_gbnf(json.dumps(schema)).encode()

    def accepts(text: str, model: Any = model) -> bool:  # the vocabulary lives as long as its model
        sampler = engine.llama_sampler_init_grammar(vocabulary, gbnf, b"root")
        assert sampler, "llama.cpp does not read the grammar that its converter wrote"
        try:
            for token in [*(tiny_model.token(byte) for byte in text.encode()), tiny_model.EOS]:
                data = (engine.llama_token_data * 1)(engine.llama_token_data(token, 0.0, 0.0))
                candidates = engine.llama_token_data_array(data, 1, -1, False)
                engine.llama_sampler_apply(sampler, candidates)
                if data[0].logit == float("-inf"):
                    return False
                if token != tiny_model.EOS:
                    engine.llama_sampler_accept(sampler, token)
            return True
        finally:
            engine.llama_sampler_free(sampler)

    return accepts
