"""Makes the provider of one model of the spec. Only the SDK that it needs is imported: each costs 50 to 80 MB."""

from collections.abc import Callable

from supportbot import spec
from supportbot.classifier.models.port import Provider
from supportbot.errors import UserError


def make_provider(model: spec.Model, api_key: str | None) -> Provider:
    """The provider of a model; opens no connection yet.

    Args:
        model: Of the spec.
        api_key: The value of its secret; None only for OpenAICompatible.

    Raises:
        UserError: The SDK is not installed, or the key cannot be one.
    """
    _check_key(model, api_key)
    try:
        return _MAKERS[model.provider](model, api_key or "")
    except ModuleNotFoundError as exc:
        if (exc.name or "").partition(".")[0] == "supportbot":
            raise
        raise UserError(
            f"the model {model.model} of {model.provider} needs the Python package {exc.name!r}:"
            " install supportbot[models]"
        ) from exc


def _check_key(model: spec.Model, api_key: str | None) -> None:
    if not api_key and model.provider is not spec.Provider.OPENAI_COMPATIBLE:
        raise UserError(f"the model {model.model} of {model.provider} needs an API key: set apiKeySecretRef")
    # It goes into a header; what cannot stand there is a mistake in the secret, such as a key pasted with its quotes.
    if api_key and not (api_key.isascii() and api_key.isprintable() and " " not in api_key):
        raise UserError(f"the API key of the model {model.model} has a space or a letter that no key has")


def _make_openai(model: spec.Model, api_key: str) -> Provider:
    from supportbot.classifier.models.openai import OpenAIProvider

    return OpenAIProvider(model, api_key)


def _make_anthropic(model: spec.Model, api_key: str) -> Provider:
    from supportbot.classifier.models.anthropic import AnthropicProvider

    return AnthropicProvider(model, api_key)


def _make_gemini(model: spec.Model, api_key: str) -> Provider:
    from supportbot.classifier.models.gemini import GeminiProvider

    return GeminiProvider(model, api_key)


_MAKERS: dict[spec.Provider, Callable[[spec.Model, str], Provider]] = {
    spec.Provider.OPENAI: _make_openai,
    spec.Provider.OPENAI_COMPATIBLE: _make_openai,
    spec.Provider.ANTHROPIC: _make_anthropic,
    spec.Provider.GEMINI: _make_gemini,
}
