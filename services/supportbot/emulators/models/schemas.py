"""The vendors' rules for JSON schemas, and making values that fit a schema or do not. Pure."""

import json
from collections.abc import Iterator
from typing import Any

from .call import Record

_OPENAI_UNSUPPORTED = frozenset(
    {"default", "allOf", "not", "if", "then", "else", "dependentRequired", "dependentSchemas", "patternProperties"}
)
_ANTHROPIC_UNSUPPORTED = frozenset(
    {"minimum", "maximum", "multipleOf", "minLength", "maxLength", "maxItems", "minProperties", "maxProperties"}
)


def openai_fault(schema: Any, *, strict: bool) -> str | None:
    """Why OpenAI does not take a schema: https://platform.openai.com/docs/guides/structured-outputs."""
    if not isinstance(schema, dict) or schema.get("type") != "object":
        return 'schema must be a JSON Schema of type "object"'
    if not strict:
        return None
    for path, node in _nodes(schema):
        where = f"In context={path}"
        if unsupported := _OPENAI_UNSUPPORTED & node.keys():
            return f"{where}, '{min(unsupported)}' is not permitted."
        if node.get("type") != "object":
            continue
        if node.get("additionalProperties") is not False:
            return f"{where}, 'additionalProperties' is required to be supplied and to be false."
        missing = set(node.get("properties", {})) - set(node.get("required", []))
        if missing:
            return (
                f"{where}, 'required' is required to be supplied and to be an array including every key in properties."
                f" Missing '{min(missing)}'."
            )
    return None


def anthropic_fault(schema: Any) -> str | None:
    """Why Anthropic does not take a schema: its guide to structured outputs."""
    if not isinstance(schema, dict):
        return "Input should be a valid dictionary"
    for _, node in _nodes(schema):
        if unsupported := _ANTHROPIC_UNSUPPORTED & node.keys():
            return f"For '{node.get('type')}' type, property '{min(unsupported)}' is not supported"
        if node.get("type") == "object" and node.get("additionalProperties") is not False:
            return "For 'object' type, 'additionalProperties' must be explicitly set to false"
    return None


def _nodes(schema: Record, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Record]]:
    yield path, schema
    for name, child in schema.get("properties", {}).items():
        yield from _nodes(child, (*path, "properties", name))
    for word in ("anyOf", "oneOf"):
        for number, child in enumerate(schema.get(word, [])):
            yield from _nodes(child, (*path, word, str(number)))
    if isinstance(schema.get("items"), dict):
        yield from _nodes(schema["items"], (*path, "items"))
    for name, child in schema.get("$defs", {}).items():
        yield from _nodes(child, ("$defs", name))


def schema_in_words(text: str) -> Record | None:
    """The schema that a system text ends with: a model that is not held to one can still read it."""
    start = text.rfind('\n{"')
    try:
        schema = json.loads(text[start:]) if start >= 0 else None
    except ValueError:
        return None
    return schema if isinstance(schema, dict) else None


def example_of(schema: Record) -> Any:
    """The dullest value that fits a closed schema."""
    if "enum" in schema:
        return schema["enum"][0]
    if "const" in schema:
        return schema["const"]
    if "anyOf" in schema:
        kinds = [option for option in schema["anyOf"] if option.get("type") != "null"]
        return None if len(kinds) < len(schema["anyOf"]) else example_of(kinds[0])
    match schema.get("type"):
        case "object":
            return {name: example_of(child) for name, child in schema.get("properties", {}).items()}
        case "array":
            return []
        case "number" | "integer":
            return 0
        case "boolean":
            return False
        case "string":
            return ""
    return None
