"""What calls cost: configured prices first, then a vendor's own list price, never a guess by a model's name."""

from __future__ import annotations

import os
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import genai_prices
import pytest

from tests.runs import configured
from webscale_rl import Run
from webscale_rl.backend import Usage
from webscale_rl.config import Parts
from webscale_rl.errors import ConfigError
from webscale_rl.prices import ANY_MODEL, Price, Prices

OPENAI = "https://api.openai.com/v1"
GOOGLE = "https://generativelanguage.googleapis.com/v1beta/openai"
USAGE = Usage(prompt_tokens=10_000, completion_tokens=500, cached_tokens=4_000, reasoning_tokens=300)


def vendor_says(model: str, url: str, usage: Usage) -> Decimal:
    """The same by the price package's own arithmetic."""
    theirs = genai_prices.Usage(
        input_tokens=usage.prompt_tokens, cache_read_tokens=usage.cached_tokens, output_tokens=usage.completion_tokens
    )
    return genai_prices.calc_price(theirs, model, provider_api_url=url).total_price


@pytest.mark.parametrize(
    ("model", "url"),
    [
        ("gpt-4o-mini", OPENAI),
        ("gpt-4o-2024-08-06", OPENAI),
        ("openai/gpt-4o", "https://openrouter.ai/api/v1"),
        ("gemini-2.5-pro", GOOGLE),
    ],
)
@pytest.mark.parametrize("prompt_tokens", [0, 10_000, 200_000, 200_001, 900_000])
def test_a_vendors_model_costs_what_the_price_table_says(model: str, url: str, prompt_tokens: int) -> None:
    usage = Usage(prompt_tokens, completion_tokens=500, cached_tokens=prompt_tokens // 3)
    assert Prices({}, base_urls=[url]).usd(model, usage) == pytest.approx(float(vendor_says(model, url, usage)))


def test_cached_tokens_are_part_of_the_prompt_and_reasoning_tokens_of_the_completion() -> None:
    prices = Prices({ANY_MODEL: Price(input=2, cached=0.5, output=8)})
    assert prices.usd("m", USAGE) == pytest.approx((6_000 * 2 + 4_000 * 0.5 + 500 * 8) / 1e6)
    assert Prices({ANY_MODEL: Price(input=2, output=8)}).usd("m", USAGE) == pytest.approx((10_000 * 2 + 500 * 8) / 1e6)


@pytest.mark.parametrize(
    "url", ["http://localhost:8000/v1", "https://gpu7.example.org/v1", "http://api.openai.com.evil/"]
)
def test_a_vendors_name_on_another_server_has_no_price(url: str) -> None:
    assert Prices({}, base_urls=[url]).usd("gpt-4o", USAGE) is None


def test_a_model_that_the_vendor_does_not_list_has_no_price() -> None:
    assert Prices({}, base_urls=[OPENAI]).usd("no-such-model", USAGE) is None


def test_servers_that_charge_differently_have_no_common_price() -> None:
    both = Prices({}, base_urls=[OPENAI, "http://localhost:8000/v1"])
    assert both.usd("gpt-4o", USAGE) is None


def test_a_configured_price_goes_before_the_list_price_and_its_model_before_all_models() -> None:
    prices = Prices({"gpt-4o": Price(input=1, output=1), ANY_MODEL: Price(input=3, output=3)}, base_urls=[OPENAI])
    assert prices.usd("gpt-4o", Usage(1_000_000)) == pytest.approx(1)
    assert prices.usd("gpt-4o-mini", Usage(1_000_000)) == pytest.approx(3)


def test_a_backend_at_half_price_and_one_that_is_free() -> None:
    price = {ANY_MODEL: Price(input=2, output=8)}
    assert Prices(price, factor=0.5).usd("m", Usage(1_000_000)) == pytest.approx(1)
    assert Prices({}, free=True).usd("m", USAGE) == 0.0


def test_a_cap_without_a_price_says_what_to_add() -> None:
    prices = Prices({"known": Price(input=1, output=1)})
    prices.require(["known"], "max_usd")
    with pytest.raises(ConfigError, match=r"(?s)^max_usd: no price is known for a, b .*price:.*  a: \{input: .*  b: "):
        prices.require(["b", "known", "a"], "max_usd")


def test_the_configuration_takes_one_price_or_one_for_each_model(tmp_path: Path) -> None:
    one = configured("sample:", tmp_path, "http://localhost:1/v1", price={"input": 2, "output": 8})
    assert Parts(one).prices.usd("anything", Usage(1_000_000)) == pytest.approx(2)
    each = configured("sample:", tmp_path, "http://localhost:1/v1", price={"m": {"input": 2, "cached": 1, "output": 8}})
    assert Parts(each).prices.usd("m", Usage(1_000_000, cached_tokens=1_000_000)) == pytest.approx(1)
    assert Parts(each).prices.missing(["m", "n"]) == ["n"]
    assert Parts(configured("sample:", tmp_path)).prices.usd("extractive", USAGE) == 0.0


@pytest.mark.parametrize(
    ("price", "told"),
    [
        ({"m": {"inputs": 1, "output": 2}}, r"price\.m\.inputs: unknown key; did you mean 'input'"),
        ({"input": 1}, r"price\.\*\.output: field required"),
        ({"m": {"input": -1, "output": 2}}, r"price\.m\.input: .*greater than or equal to 0"),
        ({"m": {"input": "inf", "output": 2}}, r"price\.m\.input: .*finite"),
    ],
)
def test_a_wrong_price_is_refused(price: dict[str, object], told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        Run.make({"price": price})


def test_nothing_is_fetched_and_the_table_is_loaded_only_for_a_vendor() -> None:
    code = (
        "import socket, sys\n"
        "def refuse(*_): raise AssertionError('asked the network')\n"
        "socket.socket.connect = socket.getaddrinfo = refuse\n"
        "from webscale_rl.backend import Usage\n"
        "from webscale_rl.prices import Prices\n"
        "assert Prices({}, base_urls=['http://localhost:8000/v1']).usd('gpt-4o', Usage(1)) is None\n"
        "assert 'genai_prices' not in sys.modules\n"
        f"assert Prices({{}}, base_urls=['{OPENAI}']).usd('gpt-4o', Usage(1_000_000)) > 0\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=os.environ, timeout=60)
    assert done.returncode == 0, done.stderr
