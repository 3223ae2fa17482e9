"""OpenAI's strict subset of JSON schema, written down as its guide "Structured model outputs" documents it.

Sections "Supported schemas" to "Some type-specific keywords are not yet supported", as of November 2026. Not covered:
references and recursion, which the guide allows and we do not use.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

TYPES = {"string", "number", "boolean", "integer", "object", "array", "null"}
KEYWORDS: dict[str | None, set[str]] = {
    None: {"type", "description", "enum", "const", "anyOf"},
    "string": {"pattern", "format"},
    "number": {"multipleOf", "maximum", "exclusiveMaximum", "minimum", "exclusiveMinimum"},
    "integer": {"multipleOf", "maximum", "exclusiveMaximum", "minimum", "exclusiveMinimum"},
    "array": {"items", "minItems", "maxItems"},
    "object": {"properties", "required", "additionalProperties"},
    "boolean": set(),
    "null": set(),
}
FORMATS = {"date-time", "time", "date", "duration", "email", "hostname", "ipv4", "ipv6", "uuid"}
MAX_PROPERTIES = 5_000
MAX_DEPTH = 10
MAX_NAME_CHARS = 120_000
MAX_ENUM_VALUES = 1_000
MAX_LONG_ENUM = (250, 15_000)


def violations(schema: dict[str, Any]) -> list[str]:
    """What of the schema OpenAI would refuse; nothing if it takes it."""
    found = [] if schema.get("type") == "object" and "anyOf" not in schema else ["the root is no object"]
    found += _faults(schema, "root")
    nodes = list(_nodes(schema))
    properties = [name for node in nodes for name in node.get("properties", ())]
    values = [value for node in nodes for value in node.get("enum", ())]
    sizes = (
        ("properties", len(properties), MAX_PROPERTIES),
        ("levels", _depth(schema), MAX_DEPTH),
        ("characters in names and values", len("".join(map(str, properties + values))), MAX_NAME_CHARS),
        ("values of enums", len(values), MAX_ENUM_VALUES),
    )
    found += [f"{size} {what} are more than {most}" for what, size, most in sizes if size > most]
    for node in nodes:
        chars = sum(len(value) for value in node.get("enum", ()) if isinstance(value, str))
        if len(node.get("enum", ())) > MAX_LONG_ENUM[0] and chars > MAX_LONG_ENUM[1]:
            found.append(f"a long enum of {chars} characters")
    return found


def _faults(node: dict[str, Any], where: str) -> Iterator[str]:
    types = node.get("type", [])
    types = [types] if isinstance(types, str) else types
    if not types and "anyOf" not in node:
        yield f"{where} has no type"
    if unknown := set(types) - TYPES:
        yield f"{where} is of type {unknown}"
    taken = set().union(KEYWORDS[None], *(KEYWORDS.get(kind, set()) for kind in types))
    if refused := node.keys() - taken:
        yield f"{where} has {sorted(refused)}"
    if node.get("format", "date") not in FORMATS:
        yield f"{where} has the format {node['format']}"
    if "array" in types and "items" not in node:
        yield f"{where} has no items"
    if "object" in types:
        if node.get("additionalProperties") is not False:
            yield f"{where} is open"
        if set(node.get("required", ())) != node.get("properties", {}).keys():
            yield f"{where} does not require all its properties"
    for name, child in _children(node):
        yield from _faults(child, f"{where}.{name}")


def _children(node: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    yield from node.get("properties", {}).items()
    yield from (("anyOf", choice) for choice in node.get("anyOf", ()))
    if isinstance(node.get("items"), dict):
        yield "items", node["items"]


def _nodes(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield node
    for _, child in _children(node):
        yield from _nodes(child)


def _depth(node: dict[str, Any]) -> int:
    inner = max((_depth(child) for _, child in _children(node)), default=0)
    return inner + (node.get("type") == "object")
