"""The base of every part of the spec: camelCase fields, the API server's reading of null, rules across fields."""

import functools
from collections.abc import Callable, Iterator, Mapping
from typing import Any, ClassVar, Self

from pydantic import BaseModel, ConfigDict, ModelWrapValidatorHandler, ValidationError, model_validator
from pydantic_core import ErrorDetails, InitErrorDetails

from supportbot.spec.faults import explain, line_error, shown

ACRONYMS = {"id": "ID", "url": "URL", "qr": "QR"}

Rule = Callable[[Mapping[str, Any]], Iterator[InitErrorDetails]]
"""Looks at a part as it stands in the file (camelCase, unchecked values) and yields what it breaks.

Rules see the file and not the finished model, so that they speak up beside other faults and all are listed at once.
"""


def camel(name: str) -> str:
    """`organization_id` as `organizationID`: the name in the resource."""
    first, *rest = name.split("_")
    return first + "".join(ACRONYMS.get(word, word.capitalize()) for word in rest)


class Part(BaseModel):
    """A frozen piece of the spec that accepts and refuses what the CRD does, and says why in plain words."""

    model_config = ConfigDict(frozen=True, extra="forbid", alias_generator=camel, use_attribute_docstrings=True)

    RULES: ClassVar[tuple[Rule, ...]] = ()
    DROPPED: ClassVar[frozenset[str]] = frozenset()
    """Fields that the API server writes itself: allowed in a file, and ignored."""

    @model_validator(mode="wrap")
    @classmethod
    def _check(cls, data: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        if not isinstance(data, Mapping):
            return cls._handle(data, handler)
        # The API server prunes nulls of fields that are not nullable before it defaults and validates.
        known = cls._fields()
        given = {k: v for k, v in data.items() if not (v is None and k in known) and k not in cls.DROPPED}
        broken = [error for rule in cls.RULES for error in rule(given)]
        return cls._handle(given, handler, broken)

    @classmethod
    def _handle(
        cls, data: object, handler: ModelWrapValidatorHandler[Self], broken: list[InitErrorDetails] | None = None
    ) -> Self:
        errors = list(broken or ())
        try:
            part = handler(data)
        except ValidationError as error:
            every = error.errors(include_url=False)
            unknown = {detail["loc"][:-1] for detail in every if detail["loc"][-1:] == ("[key]",)}
            details = [detail for detail in every if not _echoes(detail, unknown)]
            errors = [*map(cls._translate, details), *errors]
            raise ValidationError.from_exception_data(cls.__name__, errors) from None
        if errors:
            raise ValidationError.from_exception_data(cls.__name__, errors)
        return part

    @classmethod
    def _translate(cls, detail: ErrorDetails) -> InitErrorDetails:
        message = detail["msg"] if detail["type"] == "fault" else explain(detail, fields=cls._fields())
        # Of a key that is not allowed, pydantic says so below the key.
        place = detail["loc"][:-1] if detail["loc"][-1:] == ("[key]",) else detail["loc"]
        return line_error(message, *place)

    @classmethod
    @functools.cache
    def _fields(cls) -> dict[str, str]:
        """Each field's name in the resource with the first sentence of its description."""
        fields = {field.alias or name: field.description or "" for name, field in cls.model_fields.items()}
        return {name: text.split("\n\n")[0].replace("\n", " ").rstrip(".") for name, text in fields.items()}


def _echoes(detail: ErrorDetails, unknown: set[tuple[int | str, ...]]) -> bool:
    """Whether it says nothing new: a list too short once its bad entries are left out, a value under an unknown key."""
    if detail["type"] == "too_short" and len(detail["input"]) >= detail["ctx"]["min_length"]:
        return True
    return any(detail["loc"][: len(key)] == key and detail["loc"] != (*key, "[key]") for key in unknown)


def requires(field: str, *, unless: Callable[[Mapping[str, Any]], bool], message: str) -> Rule:
    """The rule that `field` must be there unless the part says otherwise."""

    def rule(part: Mapping[str, Any]) -> Iterator[InitErrorDetails]:
        if part.get(field) is None and not unless(part):
            yield line_error(message, field)

    return rule


def unique(field: str, *, key: str | None = None) -> Rule:
    """The rule that no two entries of the list `field` are the same, or have the same `key`."""

    def rule(part: Mapping[str, Any]) -> Iterator[InitErrorDetails]:
        entries = part.get(field)
        seen: set[object] = set()
        for index, entry in enumerate(entries if isinstance(entries, list | tuple) else ()):
            value = entry.get(key) if key and isinstance(entry, Mapping) else entry
            if not isinstance(value, str):
                continue
            if value in seen:
                yield line_error(f"is listed before: {shown(value)} may appear once", field, index)
            seen.add(value)

    return rule
