"""What is wrong with a spec, in words for the person who wrote it: where it is, and what would be allowed."""

import difflib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import TypeAdapter, ValidationError
from pydantic_core import ErrorDetails, InitErrorDetails, PydanticCustomError

from supportbot.errors import UserError

SHOWN_CHARS = 40
"""A longer value is cut when a message quotes it."""

PLACEHOLDER = "REPLACE_ME"
"""`supportbot init` writes values that begin with this word where it does not know better; they are never valid."""

TYPE_NAMES = {str: "text", bool: "true or false", int: "a number", float: "a number", dict: "an object", list: "a list"}
"""How the messages call what YAML and JSON hold."""


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong."""

    path: str
    """Where, such as `spec.whatsapp.groups[0].jid`; empty when it is the file as a whole."""
    message: str
    """What, and what would be allowed."""

    def __str__(self) -> str:
        return f"{self.path}: {self.message}" if self.path else self.message


class SpecError(UserError):
    """A bot's file is refused; `faults` lists everything that is wrong with it."""

    def __init__(self, faults: Iterable[Fault], *, source: str) -> None:
        self.faults = tuple(faults)
        count = "1 fault" if len(self.faults) == 1 else f"{len(self.faults)} faults"
        super().__init__("\n  ".join([f"{source} has {count}:", *map(str, self.faults)]))


def path_text(location: Sequence[str | int]) -> str:
    """`("spec", "groups", 0, "jid")` as `spec.groups[0].jid`."""
    steps = (f"[{step}]" if isinstance(step, int) else f".{step}" for step in location)
    return "".join(steps).removeprefix(".")


def shown(value: object) -> str:
    """A value as a message quotes it; never used for values that may be secret."""
    text = str(value)
    return repr(text if len(text) <= SHOWN_CHARS else text[: SHOWN_CHARS - 1] + "…")


def type_name(value: object) -> str:
    """What a YAML or JSON value is, such as `a list`."""
    return "nothing" if value is None else TYPE_NAMES.get(type(value), "something else")


def line_error(message: str, *location: str | int) -> InitErrorDetails:
    """A pydantic error that carries a message of ours, at a location below the value being validated."""
    return InitErrorDetails(
        type=PydanticCustomError("fault", "{message}", {"message": message}), loc=location, input=None
    )


def explain(error: ErrorDetails, *, fields: Mapping[str, str]) -> str:
    """Pydantic's error as a sentence that says what is allowed.

    Args:
        error: One of `ValidationError.errors()`.
        fields: The fields of the model that the error's location is in, each with its description.
    """
    kind, context, value = error["type"], error.get("ctx", {}), error["input"]
    name = str(error["loc"][-1]) if error["loc"] else ""
    match kind:
        case "missing":
            return f"is required: {fields.get(name, '')}".rstrip(": ")
        case "extra_forbidden":
            return _unknown(name, fields)
        case "enum" | "literal_error":
            return f"must be {_choices(context)}; it is {_value(value)}"
        case "string_too_short":
            return "must not be empty"
        case "string_too_long":
            return f"must be at most {context['max_length']} characters long; it has {len(value)}"
        case "too_short":
            return f"must have at least {_count(context['min_length'], 'entry')}"
        case "too_long":
            return f"must have at most {_count(context['max_length'], 'entry')}; it has {len(value)}"
        case "greater_than_equal":
            return f"must be at least {context['ge']}; it is {value}"
        case "less_than_equal":
            return f"must be at most {context['le']}; it is {value}"
        case "string_type":
            return f"must be text; it is {_value(value)}{_quoting(value)}"
        case "int_type" | "int_from_float":
            return f"must be a whole number; it is {_value(value)}"
        case "bool_type":
            return f"must be true or false; it is {_value(value)}"
        case "dict_type":
            return f"must be an object; it is {type_name(value)}"
        case "model_type" | "model_attributes_type":
            return f"must be an object{_with_fields(fields)}; it is {type_name(value)}"
        case "tuple_type":
            return f"must be a list; it is {type_name(value)}"
        case _:
            return error["msg"].removeprefix("Value error, ")


def fault_of(kind: Any, value: object) -> str | None:
    """Why `value` is no `kind` (one of the types in `scalars`), or None when it is one."""
    try:
        TypeAdapter[Any](kind).validate_python(value)
    except ValidationError as error:
        return explain(error.errors(include_url=False)[0], fields={})
    return None


def _unknown(name: str, fields: Mapping[str, str]) -> str:
    close = difflib.get_close_matches(name.lower(), {field.lower(): field for field in fields}, n=1)
    meant = [field for field in fields if close and field.lower() == close[0]]
    hint = f"; did you mean {meant[0]}?" if meant else ""
    return f"is not a field; allowed here: {', '.join(fields)}{hint}"


def _choices(context: Mapping[str, Any]) -> str:
    return "one of " + str(context["expected"]).replace(" or ", ", ").replace("'", "")


def _value(value: object) -> str:
    """The value where it is short and harmless, its type otherwise."""
    return type_name(value) if value is None or isinstance(value, dict | list) else shown(value)


def _quoting(value: object) -> str:
    if isinstance(value, bool):
        return " (YAML reads yes, no, on and off as true and false: put the value in quotes)"
    return " (a number: put it in quotes)" if isinstance(value, int | float) else ""


def _with_fields(fields: Mapping[str, str]) -> str:
    return f" with {', '.join(fields)}" if fields else ""


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun.removesuffix('y')}ies"
