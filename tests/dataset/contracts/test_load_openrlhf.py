"""OpenRLHF loads the export with its own dataset, and its labels are what the reward takes."""

from __future__ import annotations

import re
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.dataset.contracts.tiny_chat import tokenizer
from tests.dataset.exported import HOSTILE, SYSTEM, exported, words
from tests.reward.hooks.trainers import need

pytestmark = pytest.mark.filterwarnings("default")


def test_openrlhfs_dataset_takes_every_row_and_the_reward_its_labels(tmp_path: Path) -> None:
    need("openrlhf")
    from openrlhf.datasets.prompts_dataset import PromptDataset
    from openrlhf.datasets.utils import blending_datasets

    from webscale_rl.reward.openrlhf import reward_func

    written = exported(tmp_path, "openrlhf")
    given = dict(zip(words(written)[3::2], words(written)[4::2], strict=False))
    data = SimpleNamespace(input_key="prompt", label_key="ground_truth", apply_chat_template=True)
    strategy = SimpleNamespace(args=SimpleNamespace(data=data), is_rank_0=lambda: True, print=print)
    hostile = 0
    for name, path in written.files.paths.items():
        rows = blending_datasets(str(path), None, strategy, dataset_split="train")
        prompts = PromptDataset(rows, tokenizer(), strategy)
        assert len(prompts) == written.files.rows[name]
        sources, texts, labels, images = prompts.collate_fn([prompts[at] for at in range(len(prompts))])
        assert set(sources) == {"webscale"}
        assert set(images) == {None}
        assert all(text.startswith(f"<|system|>{SYSTEM}<|end|><|user|>") for text in texts)
        answers = [f"{text}Answer: {row['answer']}<|end|>" for text, row in zip(texts, rows, strict=True)]
        graded = reward_func(answers, texts, labels)
        asked = [row["question"] for row in rows]
        right = [question for question, score in zip(asked, graded["rewards"].tolist(), strict=True) if score == 1.0]
        assert [question for question in asked if question not in right] == []
        hostile += HOSTILE in asked
        assert not any("'type': 'image'" in text for text in texts), "no picture is made of a question's words"
    assert hostile == 1
    assert given["--data.prompt_dataset"] == str(written.files.train_path)


def test_openrlhfs_command_line_has_every_option_of_the_command(tmp_path: Path) -> None:
    openrlhf = need("openrlhf")
    command = words(exported(tmp_path, "openrlhf"))
    assert command[:3] == ["python", "-m", "openrlhf.cli.train_ppo_ray"]
    script = Path(openrlhf.__file__).parent / "cli" / "train_ppo_ray.py"  # its parser is made where it runs, with Ray
    known = set(re.findall(r'"(--[a-z_.]+)"', script.read_text(encoding="utf-8")))
    assert [word for word in command if word.startswith("--") and word not in known] == []
