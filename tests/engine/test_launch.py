"""From the command of a user to one command for each replica, before anything is started."""

from __future__ import annotations

from typing import Any

import pytest

from webscale_rl.config import ServeOptions
from webscale_rl.engine.launch import deal, plan, secrets
from webscale_rl.errors import ConfigError

PORTS = [21_001, 21_002]


def options(command: str, **values: Any) -> ServeOptions:
    return ServeOptions(command=command, **values)


def commands(command: str) -> list[str]:
    """The commands of two replicas."""
    found = plan(options(command, replicas=2), {}).launches(PORTS, [None, None])
    return [" ".join(one.command) for one in found]


@pytest.mark.parametrize(
    "command",
    [
        "vllm serve org/model --max-model-len 8192",
        "/opt/venv/bin/vllm serve m",
        "sglang serve --model-path m",
        "llama-server -m file.gguf",
        "trtllm-serve m",
        "python -m vllm.entrypoints.openai.api_server --model m",
        "python3.12 -u -m sglang.launch_server --model-path m",
        "/usr/bin/python3 -m llama_cpp.server --model file.gguf",
    ],
)
def test_a_server_that_takes_port_by_convention_is_given_one(command: str) -> None:
    assert commands(command) == [f"{command} --port 21001", f"{command} --port 21002"]


def test_the_port_stands_wherever_the_command_has_a_place_for_it() -> None:
    assert commands("serve-me --listen 127.0.0.1:{port} --log {port}.txt")[1] == (
        "serve-me --listen 127.0.0.1:21002 --log 21002.txt"
    )
    assert commands("vllm serve m --port {port} --seed 1")[0] == "vllm serve m --port 21001 --seed 1"


def test_braces_and_quotes_of_the_user_s_own_are_left_alone() -> None:
    made = plan(options("""vllm serve m --override '{"temperature": 0.5, "x": "{y}"}'"""), {}).command
    assert made == ("vllm", "serve", "m", "--override", '{"temperature": 0.5, "x": "{y}"}', "--port", "{port}")


def test_variables_before_the_program_are_set_as_in_a_shell() -> None:
    one, _ = plan(options("HOST=127.0.0.1:{port} MODE= ollama serve", replicas=2), {}).launches(PORTS, [None, "3"])
    assert one.command == ("ollama", "serve")
    assert one.environment == {"HOST": "127.0.0.1:21001", "MODE": ""}
    assert one.url == "http://127.0.0.1:21001/v1"


@pytest.mark.parametrize("command", ["vllm serve m --port 8123", "vllm serve m --port=8123", "mine --port 8123"])
def test_a_port_that_is_given_is_used(command: str) -> None:
    made = plan(options(command), {})
    assert made.port == 8123
    assert " ".join(made.command) == command


@pytest.mark.parametrize(
    ("command", "values", "said"),
    [
        ("", {}, "names no program"),
        ("A=b", {}, "names no program"),
        ("vllm 'serve", {}, "mend its quotes"),
        ("my-server model", {}, r"gives no port; write \{port\}"),
        ("python -m my_server", {}, r"gives no port; write \{port\}"),
        ("python -m", {}, r"gives no port; write \{port\}"),
        ("vllm serve m --port 8000", {"replicas": 2}, "2 replicas cannot share port 8000"),
        ("vllm serve m --port none", {}, "'none' is no port"),
        ("vllm serve m --port 70000", {}, "'70000' is no port"),
        ("cd /models && vllm serve m", {}, "&& needs a shell; write sh -c"),
        ("vllm serve m | tee log", {}, r"\| needs a shell"),
        ("HF_TOKEN=x vllm serve m", {}, "sets HF_TOKEN, which must not stand in a file"),
        ("vllm serve m --api-key x", {}, "sets --api-key, which must not stand in a file"),
        ("llama-server -m m --api-key=x", {}, "sets --api-key, which must not stand in a file"),
    ],
)
def test_a_command_that_cannot_be_started_so_is_refused(command: str, values: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError, match=f"^serve.command: .*{said}"):
        plan(options(command, **values), {})


def test_a_secret_of_the_environment_is_not_taken_into_a_command_nor_told() -> None:
    """A shell that expands "$HF_TOKEN" hands us its value; run.yaml and the list of processes would show it."""
    environment = {"HF_TOKEN": "hf-secret-value", "PASSWORD": "short", "HOME": "/home/someone"}
    with pytest.raises(ConfigError, match="holds a key or token") as refused:
        plan(options("vllm serve m --header Bearer:hf-secret-value"), environment)
    assert "hf-secret-value" not in str(refused.value)
    assert plan(options("vllm serve short --dir /home/someone"), environment).program == "vllm"


def test_secrets_are_the_longest_first() -> None:
    environment = {"MY_KEY": "12345678", "X_TOKEN": "1234567890", "MINE": "abcdefgh", "PATH": "/usr/bin:/bin"}
    assert secrets(environment, "MINE") == ["1234567890", "12345678", "abcdefgh"]


@pytest.mark.parametrize(
    ("replicas", "each", "visible", "dealt"),
    [
        (1, None, "", [None]),
        (1, None, "0,1", [None]),
        (2, None, "", [None, None]),
        (2, None, "0,1,2,3", ["0,1", "2,3"]),
        (2, 1, "", ["0", "1"]),
        (2, 2, "", ["0,1", "2,3"]),
        (2, 1, "5,GPU-ab,7", ["5", "GPU-ab"]),
        (1, 1, "4,5", ["4"]),
        (3, 0, "0,1", [None, None, None]),
    ],
)
def test_gpus_are_dealt_out(replicas: int, each: int | None, visible: str, dealt: list[str | None]) -> None:
    made = options("x", replicas=replicas, gpus_per_replica=each)
    assert deal(made, {"CUDA_VISIBLE_DEVICES": visible}) == dealt


@pytest.mark.parametrize(
    ("replicas", "each", "visible", "said"),
    [
        (2, None, "0", "1 devices in CUDA_VISIBLE_DEVICES cannot be dealt out to 2 replicas"),
        (2, None, "0,1,2", "3 devices"),
        (2, 2, "0,1,2", "need 4, and CUDA_VISIBLE_DEVICES names 3"),
    ],
)
def test_gpus_that_do_not_go_round_are_told(replicas: int, each: int | None, visible: str, said: str) -> None:
    made = options("x", replicas=replicas, gpus_per_replica=each)
    with pytest.raises(ConfigError, match=said):
        deal(made, {"CUDA_VISIBLE_DEVICES": visible})
