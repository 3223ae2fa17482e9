"""The page on refining names every reason, option, column and field."""

from __future__ import annotations

import re

import pytest

from tests.docs.pages import ROOT
from webscale_rl import registry
from webscale_rl.refine.chunks import NOTHING_LEFT
from webscale_rl.refine.conclude import refined_schema
from webscale_rl.refine.launch import PIPELINES
from webscale_rl.stage import PromptedOptions


@pytest.mark.parametrize("method", PIPELINES)
def test_the_page_names_everything_that_a_method_says_and_can_be_told(method: str) -> None:
    code = " ".join(re.findall(r"`[^`\n]+`|^```yaml\n.*?^```$", (ROOT / "docs/refine.md").read_text(), re.M | re.S))
    sought = {*refined_schema(method).names, NOTHING_LEFT}
    for path in PIPELINES[method]:
        stage = registry.load("stages", f"webscale_rl.refine.{path}", "takes")
        options = set(stage.Options.model_fields) - set(PromptedOptions.model_fields) | {stage.name}
        if path == "chunks:Chunks":
            options.add("max_tokens")
        sought |= options | stage.reasons
    assert [name for name in sorted(sought) if not re.search(rf"\b{name}\b", code)] == []
