"""The simulated prefix cache does what vLLM's does, on sequences that can be counted by hand."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from benchmarks import prefix_cache as benchmark
from benchmarks.llm_server.prefix_cache import PrefixCache, chat_tokens, tokenize

PROSE = (
    "The Danube is 2,850 kilometres long and flows through ten countries. Its source lies in the Black Forest, and it\n"
    "empties into the Black Sea. In 1856 the Treaty of Paris opened the river to ships of all nations.\n"
)


def test_whole_blocks_with_the_same_beginning_are_cached() -> None:
    cache = PrefixCache(100, block_tokens=4)
    assert cache.prefill(range(10)) == 0
    assert cache.prefill(range(10)) == 8
    assert cache.prefill([0, 1, 2, 3, 4, 5, 6, 99]) == 4
    assert cache.prefill([99, 1, 2, 3, 4, 5, 6, 7]) == 0
    assert len(cache) == 2 + 1 + 2


def test_a_block_counts_only_behind_the_blocks_it_was_computed_behind() -> None:
    cache = PrefixCache(100, block_tokens=2)
    cache.prefill([1, 2, 3, 4, 5, 6])
    assert cache.prefill([3, 4, 5, 6, 0]) == 0
    assert cache.prefill([1, 2, 9, 9, 5, 6, 0]) == 2


def test_the_last_token_is_always_computed() -> None:
    cache = PrefixCache(100, block_tokens=4)
    cache.prefill(range(8))
    assert cache.prefill(range(8)) == 4
    assert cache.prefill(range(9)) == 8
    assert cache.prefill([]) == 0


def test_the_prompt_used_longest_ago_goes_first_and_its_end_before_its_beginning() -> None:
    cache = PrefixCache(4, block_tokens=1)
    cache.prefill([1, 2])
    cache.prefill([3, 4])
    cache.prefill([1, 2])
    cache.prefill([5])
    assert len(cache) == 4
    assert cache.prefill([3, 4, 0]) == 1
    tight = PrefixCache(3, block_tokens=1)
    assert tight.prefill(range(5)) == 0
    assert tight.prefill(range(5)) == 3


@given(st.lists(st.lists(st.integers(0, 2), max_size=12), max_size=20), st.integers(1, 4))
def test_a_cache_with_room_for_all_finds_the_longest_common_beginning(prompts: list[list[int]], size: int) -> None:
    cache = PrefixCache(10_000, size)
    for number, prompt in enumerate(prompts):
        longest = 0
        for earlier in prompts[:number]:
            whole = len(earlier) // size * size
            same = next((i for i in range(min(whole, len(prompt))) if earlier[i] != prompt[i]), min(whole, len(prompt)))
            longest = max(longest, same // size)
        assert cache.prefill(prompt) == max(0, min(longest, (len(prompt) - 1) // size)) * size


def test_english_prose_has_about_four_characters_a_token() -> None:
    assert 3.5 < len(PROSE) / len(tokenize(PROSE)) < 5


@given(st.text(max_size=80), st.text(max_size=80))
def test_what_follows_a_line_does_not_change_its_tokens(first: str, second: str) -> None:
    head = tokenize(f"{first}\n")
    assert tokenize(f"{first}\na{second}")[: len(head)] == head


def test_a_message_begins_where_its_role_says_and_not_where_its_text_does() -> None:
    one = chat_tokens([{"role": "user", "content": "a b"}])
    two = chat_tokens([{"role": "user", "content": "a"}, {"role": "user", "content": " b"}])
    other = chat_tokens([{"role": "system", "content": "a b"}])
    assert len(two) == len(one) + 3
    assert len(other) == len(one)
    assert other != one
    assert chat_tokens([], "schema")[: len(tokenize("schema"))] == tokenize("schema")


def test_the_layouts_rank_as_the_documentation_says(tmp_path: Path) -> None:
    corpus = list(benchmark.documents(["sample:"], 24, 2000))
    naive, stage, shared = (
        benchmark.measure(layout, corpus, [400_000], tmp_path / layout)
        for layout in ("naive", "instructions_first", "shared_prefix")
    )
    assert naive.pairs == stage.pairs == shared.pairs > 24
    assert shared.computed[0] < stage.computed[0] / 2 < naive.computed[0] / 4
    assert shared.prompt > stage.prompt
