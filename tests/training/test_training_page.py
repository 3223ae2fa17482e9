from __future__ import annotations

from pathlib import Path

from webscale_rl.training.recipe import METHODS, JudgeOptions, packaged

PAGE = (Path(__file__).parents[2] / "docs" / "training.md").read_text(encoding="utf-8")


def test_every_key_of_a_recipe_is_documented_with_its_methods_and_its_own_words() -> None:
    keys = {name for kind in METHODS.values() for name in kind.model_fields} - {"method"}
    for key in keys:
        having = [method for method, kind in METHODS.items() if key in kind.model_fields]
        field = METHODS[having[0]].model_fields[key]
        methods = "all" if len(having) == len(METHODS) else ", ".join(having)
        row = next((line for line in PAGE.splitlines() if line.startswith(f"| `{key}` | {methods} | ")), None)
        assert row is not None, key
        assert row.endswith(f" | {field.description} |"), key
    for key, field in JudgeOptions.model_fields.items():
        assert f"| `judge.{key}` | grpo, reject | null | {field.description} |" in PAGE


def test_every_method_and_packaged_recipe_folder_is_documented() -> None:
    for method in METHODS:
        assert f"| `{method}` |" in PAGE
    for name in packaged():
        assert f"--recipe {name.partition('/')[0]}" in PAGE
