"""The vendors of models in a cluster, emulated, and a bot that asks them all."""

from tests.cluster.support.cluster import Cluster, Object
from tests.cluster.support.objects import make_pod, with_probe

from supportbot.emulators.models.app import KEYS

MODELS_PORT = 4991
CHAIN = (
    ("openai", "OpenAI", "gpt-6-luna", "/v1"),
    ("anthropic", "Anthropic", "claude-haiku-5-5", ""),
    ("gemini", "Gemini", "gemini-3.5-flash-lite", ""),
)
"""Vendors as the emulator calls them, and the models of a bot that asks them in this order."""


def run_models(cluster: Cluster, namespace: str) -> None:
    """The emulated vendors, as `service/models`."""
    command = ["python", "-m", "supportbot.emulators.models", "--host=0.0.0.0", "--expose", f"--port={MODELS_PORT}"]
    pod = with_probe(make_pod("models", cluster.image, command), {"tcpSocket": {"port": MODELS_PORT}})
    service = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "models"},
        "spec": {"selector": {"app": "models"}, "ports": [{"port": MODELS_PORT}]},
    }
    cluster.apply(pod, service, namespace=namespace)
    cluster.wait("pod/models", "condition=Ready", namespace=namespace)


def chain_bot(namespace: str) -> tuple[Object, Object]:
    """The Secret and the bot `cadena`, which asks every vendor."""
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "ai"}, "stringData": dict(KEYS)}
    models = [
        {
            "provider": provider,
            "model": model,
            "baseURL": f"http://models.{namespace}.svc:{MODELS_PORT}{path}",
            "apiKeySecretRef": {"name": "ai", "key": vendor},
        }
        for vendor, provider, model, path in CHAIN
    ]
    bot = {
        "apiVersion": "supportbot.dev/v1alpha1",
        "kind": "SupportBot",
        "metadata": {"name": "cadena"},
        "spec": {
            "mode": "Shadow",
            "whatsapp": {"gateway": "Simulator", "groups": [{"jid": "120363000000000003@g.us"}]},
            "models": {"primary": models[0], "fallbacks": models[1:]},
        },
    }
    return secret, bot
