"""What is imported for which provider, seen from a fresh process: each SDK costs 50 to 80 MB and a second."""

import json
import subprocess
import sys
from collections.abc import Iterable

import pytest

SDKS = {"openai", "anthropic", "google.genai"}

BUILD = """
import json, sys
{before}
import supportbot.classifier.__main__, supportbot.classifier.app, supportbot.classifier.handler
assert not {sdks!r} & sys.modules.keys()
from supportbot.classifier.models.factory import make_provider
from supportbot.errors import UserError
from supportbot.spec import Model
told = []
for provider in {providers!r}:
    fields = dict(provider=provider, model="m", baseURL="http://127.0.0.1:9/v1")
    fields |= dict(apiKeySecretRef=dict(name="a", key="b"))
    try:
        make_provider(Model.model_validate(fields), "key")
    except UserError as exc:
        told.append(str(exc))
print(json.dumps([told, sorted({sdks!r} & sys.modules.keys())]))
"""


def built(providers: Iterable[str], before: str = "") -> tuple[list[str], set[str]]:
    """The errors of building these providers, and the SDKs that are then imported."""
    code = BUILD.format(providers=list(providers), sdks=SDKS, before=before)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    told, imported = json.loads(done.stdout.splitlines()[-1])
    return told, set(imported)


@pytest.mark.parametrize(
    ("providers", "imported"),
    [(["OpenAI", "OpenAICompatible"], "openai"), (["Anthropic"], "anthropic"), (["Gemini"], "google.genai")],
)
def test_only_the_configured_sdk_is_imported(providers: list[str], imported: str) -> None:
    assert built(providers) == ([], {imported})


def test_a_missing_sdk_names_the_extra() -> None:
    without = f"""
class Absent:
    def find_spec(self, name, path=None, target=None):
        if name in {SDKS!r}:
            raise ModuleNotFoundError("No module named " + repr(name), name=name)
sys.meta_path.insert(0, Absent())
"""
    told, imported = built(["OpenAI", "Anthropic", "Gemini"], without)
    assert imported == set()
    assert told == [
        f"the model m of {provider} needs the Python package {package!r}: install supportbot[models]"
        for provider, package in (("OpenAI", "openai"), ("Anthropic", "anthropic"), ("Gemini", "google.genai"))
    ]
