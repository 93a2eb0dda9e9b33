"""Parameters that a server does not take: left out once it has said so, and for good."""

from typing import Any

import pytest
from tests.contract.models.support import VENDORS, Build, Vendor, ask, fail

from supportbot.classifier.models.outcomes import OutcomeKind
from supportbot.emulators.models.server import EmulatedModels

OPENAI, ANTHROPIC, GEMINI = VENDORS


def sent(models: EmulatedModels, *path: str) -> list[Any]:
    """A field of every call's body; None where it is missing."""
    found: list[Any] = []
    for entry in models.journal:
        value = entry["body"]
        for name in path:
            value = value.get(name) if isinstance(value, dict) else None
        found.append(value)
    return found


async def test_a_parameter_is_left_out_once_and_for_good(models: EmulatedModels, build: Build) -> None:
    message = "Unsupported value: 'reasoning_effort' does not support 'none' with this model."
    models.queue("status", status=400, code="unsupported_value", message=message)
    provider = build(OPENAI)
    for _ in range(2):
        assert (await ask(provider)).opinion.kind == "incident"
    assert sent(models, "reasoning_effort") == ["none", None, None]
    assert sent(models, "store") == [False, False, False]


async def test_another_model_is_asked_with_it(models: EmulatedModels, build: Build) -> None:
    message = "Unsupported value: 'reasoning_effort' does not support 'none' with this model."
    models.queue("status", status=400, message=message)
    await ask(build(OPENAI))
    await ask(build(OPENAI, model="gpt-5.6-luna"))
    assert sent(models, "reasoning_effort") == ["none", None, "none"]


async def test_the_old_name_of_the_limit_is_tried_where_the_new_one_is_unknown(
    models: EmulatedModels, build: Build
) -> None:
    models.queue("status", status=400, message="Unrecognized request argument supplied: max_completion_tokens")
    await ask(build(OPENAI, model="gpt-4o-mini"))
    assert sent(models, "max_completion_tokens") == [512, None]
    assert sent(models, "max_tokens") == [None, 512]


REFUSALS = (
    (OPENAI, "strict", "Invalid 'response_format.json_schema.strict'."),
    (OPENAI, "schema", "Invalid schema for response_format 'opinion': additionalProperties is not permitted"),
    (OPENAI, "temperature", "temperature is deprecated for this model"),
    (OPENAI, "store", "Unknown parameter: 'store'."),
    (OPENAI, "cache", "Unrecognized request argument supplied: prompt_cache_key"),
    (ANTHROPIC, "thinking", "thinking.type: 'disabled' is not supported for this model"),
    (ANTHROPIC, "effort", "output_config.effort: Extra inputs are not permitted"),
    (ANTHROPIC, "format", "output_config.format: this model does not support structured outputs"),
    (GEMINI, "thinking", "Thinking level MINIMAL is not supported for this model."),
    (GEMINI, "schema", "Invalid JSON payload received. Unknown name \"responseJsonSchema\" at 'generation_config'"),
    (GEMINI, "mime", "JSON mode is not supported for this model."),
)


@pytest.mark.parametrize(
    ("vendor", "name", "message"), REFUSALS, ids=lambda value: getattr(value, "name", str(value)[:12])
)
async def test_whatever_optional_part_is_refused_the_answer_comes(
    vendor: Vendor, name: str, message: str, models: EmulatedModels, build: Build
) -> None:
    models.queue("status", status=400, message=message)
    fields = {"model": "gpt-4o-mini"} if name == "temperature" else {}
    provider = build(vendor, **fields)
    for _ in range(2):
        assert (await ask(provider)).opinion.kind == "incident"
    assert len(models.journal) == 3
    first, second, third = (entry["body"] for entry in models.journal)
    assert first != second == third


async def test_several_refusals_one_after_the_other(models: EmulatedModels, build: Build) -> None:
    for name in ("store", "prompt_cache_key", "reasoning_effort"):
        models.queue("status", status=400, message=f"Unknown parameter: '{name}'.")
    provider = build(OPENAI)
    await ask(provider)
    await ask(provider)
    assert len(models.journal) == 5
    assert not {"store", "prompt_cache_key", "reasoning_effort"} & models.journal[-1]["body"].keys()


async def test_a_refusal_that_names_nothing_we_sent_is_final(models: EmulatedModels, build: Build) -> None:
    models.queue("status", status=400, message="Unknown parameter: 'temperature'.", times=None)
    error = await fail(build(OPENAI))
    assert (error.outcome, len(models.journal)) == (OutcomeKind.REJECTED, 1)


async def test_a_server_that_refuses_whatever_is_sent_is_given_up(models: EmulatedModels, build: Build) -> None:
    everything = "max_tokens max_completion_tokens store reasoning_effort response_format prompt_cache_key strict"
    models.queue("status", status=400, message=f"Unknown parameters: {everything}", times=None)
    error = await fail(build(OPENAI))
    assert error.outcome is OutcomeKind.REJECTED
    assert len(models.journal) < 10
    assert models.journal[-1]["body"].keys() == {"model", "messages"}


async def test_repeats_end_at_the_deadline(models: EmulatedModels, build: Build) -> None:
    models.queue("status", status=400, message="Unknown parameter: 'store'.")
    models.queue("hang")
    error = await fail(build(OPENAI), 0.5)
    assert (error.outcome, len(models.journal)) == (OutcomeKind.RETRYABLE, 2)
