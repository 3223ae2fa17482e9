"""The engines of real servers compile the reply schemas of all stages, and hold a model to them byte by byte."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import msgspec
import pytest

from tests.engines import grammars
from tests.engines.samples import PROMPTED, VALID, invalid, reply_type, schema, valid
from webscale_rl.backend import reply_schema

ENGINES = ("llguidance", "xgrammar", "llama_cpp")


@pytest.fixture(params=ENGINES)
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> grammars.Compile:
    compilers: dict[str, grammars.Compile] = {
        "llguidance": grammars.llguidance,
        "xgrammar": grammars.xgrammar,
        "llama_cpp": lambda of: grammars.llama_cpp(of, tmp_path),
    }
    return compilers[request.param]


def test_there_are_replies_for_every_stage_that_asks() -> None:
    assert VALID.keys() == set(PROMPTED)
    for name in PROMPTED:
        for text in valid(name):
            msgspec.json.decode(text, type=reply_type(name))


@pytest.mark.parametrize("name", PROMPTED)
def test_what_a_stage_can_use_can_be_written_and_nothing_else(engine: grammars.Compile, name: str) -> None:
    accepts = engine(schema(name))
    assert [text for text in valid(name) if not accepts(text)] == []
    assert [text for text in invalid(name) if accepts(text)] == []


class Part(msgspec.Struct):
    size: int | None
    kind: Literal["a", "b", None]


class Own(msgspec.Struct):
    """What a stage of a user's own may ask for besides."""

    parts: Annotated[list[Part], msgspec.Meta(max_length=2)]
    share: float
    note: Annotated[str, msgspec.Meta(max_length=4)]


def test_bounds_of_a_reply_type_of_ones_own_are_kept_to(engine: grammars.Compile) -> None:
    accepts = engine(reply_schema(Own))
    part = '{"size":1,"kind":"a"}'
    bare = '{"size":null,"kind":null}'
    assert accepts(f'{{"parts":[{part},{bare}],"share":0.25,"note":"four"}}')
    assert not accepts(f'{{"parts":[{part},{part},{part}],"share":0.25,"note":"four"}}')
    assert not accepts('{"parts":[],"share":0.25,"note":"fives"}')
    assert not accepts('{"parts":[{"size":1,"kind":"c"}],"share":0.25,"note":""}')
