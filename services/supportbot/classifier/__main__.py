"""`python -m supportbot.classifier`: wiring. Any number of replicas may run; a conversation is with one at a time."""

import asyncio

from supportbot.bus import Bus
from supportbot.classifier.app import create_classifier_app
from supportbot.classifier.handler import Classifier, Judge, keyword_judge
from supportbot.classifier.policy import make_policy
from supportbot.classifier.scene import Policy
from supportbot.errors import UnavailableError
from supportbot.health import Health, State
from supportbot.service import Service, run_service
from supportbot.settings import load_settings
from supportbot.spec import SupportBot, load_bot
from supportbot.topology import Stage

WATCH_INTERVAL_S = 1.0


async def main(service: Service) -> None:
    """HTTP runs with or without a bus."""
    bot = load_bot(service.settings.spec)
    policy = make_policy(bot.spec)
    judge_text = keyword_judge(policy)
    service.health.declare("bus", gates=True)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(service.serve(create_classifier_app(service, policy, judge_text)))
        # Not a task: it is cancelled first, so that the message at hand is still finished.
        await _run_pipeline(service, bot, policy, judge_text)


async def _run_pipeline(service: Service, bot: SupportBot, policy: Policy, judge_text: Judge) -> None:
    """Classify as soon as there is a bus; until cancelled."""
    while True:
        try:
            async with Bus.connect(service.settings.nats_url, bot=bot.metadata.name, service="classifier") as bus:
                handler = Classifier(await bus.bucket("memory"), policy, judge_text)
                async with asyncio.TaskGroup() as tasks:
                    tasks.create_task(_watch_bus(service.health, bus))
                    tasks.create_task(service.health.report(await bus.bucket("state")))
                    if not bot.spec.paused:
                        tasks.create_task(bus.consume(Stage.CLASSIFIER, handler, lanes=service.settings.lanes))
        except UnavailableError as exc:
            service.health.set("bus", State.DOWN, str(exc))
            await asyncio.sleep(WATCH_INTERVAL_S)


async def _watch_bus(health: Health, bus: Bus) -> None:
    """Report the state of the bus, until cancelled."""
    while True:
        if bus.is_ready:
            health.set("bus", State.OK)
        else:
            health.set("bus", State.DOWN, "NATS does not answer; messages wait in the inbox")
        await asyncio.sleep(WATCH_INTERVAL_S)


if __name__ == "__main__":
    raise SystemExit(run_service("classifier", load_settings, main))
