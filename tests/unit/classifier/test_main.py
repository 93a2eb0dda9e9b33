import pytest

from supportbot.classifier.__main__ import tell_models
from supportbot.health import Health, State
from supportbot.spec import Models

MODEL = {"provider": "OpenAICompatible", "model": "qwen", "baseURL": "http://models:8000/v1"}


@pytest.mark.parametrize(("models", "state"), [({}, State.OK), ({"primary": MODEL}, State.DEGRADED)])
def test_who_decides_is_told(models: dict[str, object], state: State) -> None:
    health = Health("classifier")
    tell_models(health, Models.model_validate(models))
    check = health["models"]
    assert (check.state, check.reason, check.gates) == (state, "LocalOnly", False)
