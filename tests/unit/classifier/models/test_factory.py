"""What no provider is made of; what is made is in the contract tests."""

import pytest

from supportbot.classifier.models.factory import make_provider
from supportbot.errors import UserError
from supportbot.spec import Model

FIELDS = {"provider": "OpenAI", "model": "gpt-6-luna", "apiKeySecretRef": {"name": "ai", "key": "openai"}}


@pytest.mark.parametrize("key", [None, ""])
def test_a_vendor_needs_a_key(key: str | None) -> None:
    with pytest.raises(UserError, match=r"gpt-6-luna of OpenAI needs an API key: set apiKeySecretRef"):
        make_provider(Model.model_validate(FIELDS), key)


@pytest.mark.parametrize("key", ["sk-á", "sk 1", "sk\n1", "“sk”"])
def test_a_key_that_cannot_stand_in_a_header_is_not_repeated(key: str) -> None:
    with pytest.raises(UserError, match="has a space or a letter that no key has") as caught:
        make_provider(Model.model_validate(FIELDS), key)
    assert key not in str(caught.value)
