"""The classifier's wiring: what it opens for a spec, and what stops its start."""

from pathlib import Path
from typing import Any

import pytest

from supportbot.classifier.__main__ import open_chain
from supportbot.errors import UserError
from supportbot.settings import Settings
from supportbot.spec import Models


def make_settings(folder: Path, **keys: str) -> Settings:
    (folder / "ai").mkdir()
    for name, value in keys.items():
        (folder / "ai" / name).write_text(f"{value}\n")
    (folder / "spec.yaml").write_text("")
    (folder / "install.key").write_text("00" * 32)
    return Settings(spec=folder / "spec.yaml", secrets=folder, install_key_file=folder / "install.key")


def make_models(**budget: Any) -> Models:
    def model(provider: str, name: str, key: str) -> dict[str, Any]:
        return {"provider": provider, "model": name, "apiKeySecretRef": {"name": "ai", "key": key}}

    compatible = {"provider": "OpenAICompatible", "model": "qwen", "baseURL": "http://models:8000/v1"}
    fallbacks = [model("OpenAI", "gpt-4o-mini", "second"), compatible]
    values = {"primary": model("OpenAI", "gpt-6-luna", "openai"), "fallbacks": fallbacks}
    return Models.model_validate({**values, **({"dailyBudget": budget} if budget else {})})


async def test_a_chain_is_opened_with_its_keys_and_its_budget(tmp_path: Path) -> None:
    settings = make_settings(tmp_path, openai="sk-1", second="sk-2")
    async with open_chain(settings, make_models(tokens=1000)) as chain:
        assert chain is not None
        names = ["openai/gpt-6-luna", "openai/gpt-4o-mini", "openai-compatible/qwen"]
        assert [link.name for link in chain.links] == names
        assert [link.price is not None for link in chain.links] == [True, True, False]
        assert chain.budget is not None
        assert len({link.breaker.key for link in chain.links}) == 3
    async with open_chain(settings, make_models()) as chain:
        assert chain is not None
        assert chain.budget is None
    async with open_chain(settings, Models()) as chain:
        assert chain is None


async def test_all_keys_that_are_missing_are_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(UserError) as refused:
        async with open_chain(make_settings(tmp_path), make_models()):
            pass
    assert [line.split(":")[0] for line in str(refused.value).splitlines()] == [
        "secret 'ai' has no readable key 'openai'",
        "secret 'ai' has no readable key 'second'",
    ]
