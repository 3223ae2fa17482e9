"""What to start for `serve:`: from the command that a user wrote to one Launch for each replica. Starts nothing itself.

    vllm serve MODEL                 `--port N` is added: servers of this kind take it
    my-server --listen {port}        {port} becomes the port of the replica
    OLLAMA_HOST=127.0.0.1:{port} ollama serve       variables before the program, as in a shell
    sh -c 'cd /models && exec ./start.sh {port}'    what needs a shell asks for one

The command is not run by a shell, so nothing in it is expanded but `{port}`.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from webscale_rl.config import ServeOptions
from webscale_rl.errors import ConfigError

PORT = "{port}"
DEVICES = "CUDA_VISIBLE_DEVICES"
TAKES_PORT = ("vllm", "sglang", "llama-server", "trtllm-serve")
TAKES_PORT_AS_MODULE = ("vllm", "sglang", "llama_cpp", "tensorrt_llm")
COMMAND = "serve.command"

_ASSIGNMENT = re.compile(r"([A-Za-z_]\w*)=(.*)", re.DOTALL)
_SHELL = {"&&", "||", "|", ";", "&", ">", "<", ">>", "2>&1"}
_SECRET_NAME = re.compile(r"(?:KEY|TOKEN|SECRET|PASSWORD)S?$", re.IGNORECASE)
_SECRET_OPTION = re.compile(r"--?(?:api[-_]key|hf[-_]token)(?:=|$)")
_SHORTEST_SECRET = 8
"""A shorter value of a variable is a word like any other, and would be found in every command."""


@dataclass(frozen=True)
class Launch:
    """One replica: its number from 1, its command, what it adds to the environment, and the port that it will have."""

    number: int
    command: tuple[str, ...]
    environment: Mapping[str, str]
    port: int

    @property
    def url(self) -> str:
        """Its base URL, up to /v1."""
        return f"http://127.0.0.1:{self.port}/v1"


@dataclass(frozen=True)
class Plan:
    """What a command is: variables set before the program, the program with its arguments, the port that it names."""

    variables: Mapping[str, str]
    command: tuple[str, ...]
    port: int | None

    @property
    def program(self) -> str:
        """The program that is started."""
        return self.command[0]

    def launches(self, ports: Sequence[int], devices: Sequence[str | None]) -> list[Launch]:
        """A Launch for each port, with its share of the GPUs; None leaves them as they are."""
        found = []
        for number, (port, share) in enumerate(zip(ports, devices, strict=True), 1):
            variables = {name: value.replace(PORT, str(port)) for name, value in self.variables.items()}
            if share is not None:
                variables[DEVICES] = share
            command = tuple(token.replace(PORT, str(port)) for token in self.command)
            found.append(Launch(number, command, variables, port))
        return found


def plan(options: ServeOptions, environment: Mapping[str, str]) -> Plan:
    """What the command asks for. Raises ConfigError if it cannot be started so, or holds a secret."""
    try:
        tokens = shlex.split(options.command or "")
    except ValueError as error:
        raise ConfigError(f"{COMMAND}: cannot be read ({str(error).lower()}); mend its quotes") from None
    variables: dict[str, str] = {}
    while tokens and (found := _ASSIGNMENT.fullmatch(tokens[0])):
        variables[found[1]] = found[2]
        tokens.pop(0)
    if not tokens:
        raise ConfigError(f"{COMMAND}: names no program; write the command that starts your server")
    if operators := _SHELL.intersection(tokens):
        raise ConfigError(f"{COMMAND}: {min(operators)} needs a shell; write sh -c '...'")
    _refuse_secrets(variables, tokens, environment)
    given = _given_port(tokens)
    if not any(PORT in text for text in (*tokens, *variables.values())):
        if given is not None:
            return Plan(variables, tuple(tokens), _one_port(given, options.replicas))
        if not _takes_port(tokens):
            raise ConfigError(f"{COMMAND}: gives no port; write {PORT} where the server's port belongs")
        tokens += ["--port", PORT]
    return Plan(variables, tuple(tokens), None)


def deal(options: ServeOptions, environment: Mapping[str, str]) -> list[str | None]:
    """Each replica's CUDA_VISIBLE_DEVICES: an equal share of those that are set, or of the first ones if
    `gpus_per_replica` is; None where it is to stay as it is. Raises ConfigError if they do not go round."""
    each, replicas = options.gpus_per_replica, options.replicas
    devices = [device.strip() for device in environment.get(DEVICES, "").split(",") if device.strip()]
    if each == 0 or (each is None and (replicas == 1 or not devices)):
        return [None] * replicas
    if each is None:
        each, left = divmod(len(devices), replicas)
        if left or not each:
            raise ConfigError(
                f"serve.replicas: {len(devices)} devices in {DEVICES} cannot be dealt out to {replicas} replicas;"
                " set serve.gpus_per_replica (0: all of them see all)"
            )
    devices = devices or [str(number) for number in range(each * replicas)]
    if len(devices) < each * replicas:
        raise ConfigError(
            f"serve.gpus_per_replica: {replicas} replicas with {each} GPUs need {each * replicas},"
            f" and {DEVICES} names {len(devices)}"
        )
    return [",".join(devices[at * each : (at + 1) * each]) for at in range(replicas)]


def secrets(environment: Mapping[str, str], key_variable: str) -> list[str]:
    """The values in the environment that must reach no file and no message: keys, tokens, passwords. Longest first,
    so that none is cut by another that is part of it."""
    found = {
        value
        for name, value in environment.items()
        if (name == key_variable or _SECRET_NAME.search(name)) and len(value) >= _SHORTEST_SECRET
    }
    return sorted(found, key=lambda value: (-len(value), value))


def _refuse_secrets(variables: Mapping[str, str], tokens: Sequence[str], environment: Mapping[str, str]) -> None:
    """The command is written to run.yaml and stands in the list of processes: no place for a key."""
    named = [name for name in variables if _SECRET_NAME.search(name)]
    named += [token.split("=")[0] for token in tokens if _SECRET_OPTION.match(token)]
    every = " ".join([*tokens, *variables.values()])
    if not named and not any(secret in every for secret in secrets(environment, "")):
        return
    what = f"sets {named[0]}" if named else "holds a key or token of the environment"
    raise ConfigError(
        f"{COMMAND}: {what}, which must not stand in a file; let the server read it from its environment,"
        " which is that of this command (vLLM: VLLM_API_KEY, llama-server: LLAMA_API_KEY)"
    )


def _given_port(tokens: Sequence[str]) -> str | None:
    for at, token in enumerate(tokens):
        if token == "--port" and at + 1 < len(tokens):
            return tokens[at + 1]
        if token.startswith("--port="):
            return token.removeprefix("--port=")
    return None


def _one_port(given: str, replicas: int) -> int:
    if not given.isascii() or not given.isdigit() or not 0 < int(given) < 65536:
        raise ConfigError(f"{COMMAND}: --port {given[:20]!r} is no port; write a number up to 65535, or {PORT}")
    if replicas > 1:
        raise ConfigError(f"{COMMAND}: {replicas} replicas cannot share port {given}; write --port {PORT}")
    return int(given)


def _takes_port(tokens: Sequence[str]) -> bool:
    program = tokens[0].rpartition("/")[2]
    if re.fullmatch(r"python[\d.]*", program) and "-m" in tokens[:-1]:
        return tokens[tokens.index("-m") + 1].split(".")[0] in TAKES_PORT_AS_MODULE
    return program in TAKES_PORT
