"""`python -m supportbot.classifier`: wiring. Any number of replicas may run; a conversation is with one at a time."""

import asyncio

from supportbot.bus import Bus
from supportbot.classifier.app import create_classifier_app
from supportbot.classifier.handler import Classifier
from supportbot.classifier.labels import Labels
from supportbot.classifier.policy import make_policy
from supportbot.classifier.turn import keyword_judge
from supportbot.health import Health, State
from supportbot.pipeline import run_with_bus
from supportbot.service import Service, run_service
from supportbot.settings import load_settings
from supportbot.spec import Models, load_bot
from supportbot.topology import Bucket, Stage


async def main(service: Service) -> None:
    """HTTP runs with or without a bus."""
    bot = load_bot(service.settings.spec)
    policy = make_policy(bot.spec)
    judge_turn = keyword_judge(policy)
    tell_models(service.health, bot.spec.models)

    async def work(bus: Bus) -> None:
        labels = Labels(await bus.bucket(Bucket.LABELS))
        handler = Classifier(await bus.bucket(Bucket.MEMORY), policy, judge_turn, labels)
        if bot.spec.paused:
            await asyncio.Event().wait()
        await bus.consume(Stage.CLASSIFIER, handler, lanes=service.settings.lanes)

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(service.serve(create_classifier_app(service, policy, judge_turn)))
        # Not a task: it is cancelled first, so that the message at hand is still finished.
        await run_with_bus(service, bot.metadata.name, work, away="messages wait in the inbox", paused=bot.spec.paused)


def tell_models(health: Health, models: Models) -> None:
    """Say which tier decides."""
    if models.chain:
        message = "this version does not call models yet: keywords decide, without the models of spec.models"
        health.set("models", State.DEGRADED, message, "LocalOnly")
    else:
        health.set("models", State.OK, "no models are configured: the local tiers decide", "LocalOnly")


if __name__ == "__main__":
    raise SystemExit(run_service("classifier", load_settings, main))
