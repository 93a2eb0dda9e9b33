"""`python -m supportbot_operator.demo_bot`: the bot of the demo profile, applied after the chart is installed.

It cannot be in the release that brings its own kind. It belongs to the demo's Deployment, so that `helm uninstall`
takes it along.
"""

import argparse
import asyncio
import sys
from importlib.resources import files
from typing import Any

from supportbot.cli.demo.command import with_staff
from supportbot.cli.demo.script import load_script
from supportbot.errors import PermanentError, TemporaryError
from supportbot.spec import parse_bot_file
from supportbot_operator.kube import Cluster, NotFoundError, Object, connect

TIMEOUT_S = 120.0
RETRY_S = 2.0


def demo_objects(namespace: str, owner: Object) -> list[Object]:
    """The Secret and the SupportBot of `supportbot demo`, in a namespace, owned by the demo's Deployment."""
    text = files("supportbot.cli.demo").joinpath("bot.yaml").read_text(encoding="utf-8")
    file = parse_bot_file(text, source="the demo's bot.yaml")
    bot = with_staff(file.bot, load_script().staff_phones)
    document: dict[str, Any] = bot.model_dump(mode="json", by_alias=True, exclude_unset=True)
    secret_name = f"{bot.metadata.name}-zoho"
    document["spec"]["zoho"]["credentialsSecretRef"] = {"name": secret_name}
    (values,) = file.secrets.values()
    reference = {
        "apiVersion": owner["apiVersion"],
        "kind": owner["kind"],
        "name": owner["metadata"]["name"],
        "uid": owner["metadata"]["uid"],
    }
    secret: Object = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": secret_name}}
    secret["stringData"] = dict(values)
    for one in (secret, document):
        one["metadata"] |= {"namespace": namespace, "ownerReferences": [reference]}
    return [secret, document]


async def apply_demo(cluster: Cluster, namespace: str, owner: str) -> None:
    """Apply the bot; waits for the kind. Raises TimeoutError, PermanentError."""
    deployment = await cluster.get("apps/v1", "Deployment", namespace, owner)
    deployment |= {"apiVersion": "apps/v1", "kind": "Deployment"}
    async with asyncio.timeout(TIMEOUT_S):
        for obj in demo_objects(namespace, deployment):
            while True:
                try:
                    await cluster.apply(obj)
                    break
                except (TemporaryError, NotFoundError) as exc:
                    sys.stderr.write(f"waiting: {exc}\n")
                await asyncio.sleep(RETRY_S)


async def _run(namespace: str, owner: str) -> None:
    async with connect() as cluster:
        await apply_demo(cluster, namespace, owner)


def main() -> int:
    """The exit code."""
    parser = argparse.ArgumentParser(prog="python -m supportbot_operator.demo_bot", description=__doc__)
    parser.add_argument("--namespace", required=True, help="where the bot goes")
    parser.add_argument("--owner", required=True, help="name of the Deployment that it belongs to")
    options = parser.parse_args()
    try:
        asyncio.run(_run(options.namespace, options.owner))
    except (PermanentError, TemporaryError, TimeoutError) as exc:
        sys.stderr.write(f"the demo's bot could not be made: {exc or 'not in time'}\n")
        return 1
    sys.stdout.write(f"the bot demo is in namespace {options.namespace}; `kubectl get sbot` tells how it is\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
