"""`python -m supportbot.classifier`: wiring. Any number of replicas may run; a conversation is with one at a time."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from supportbot.breaker import share_breakers
from supportbot.bus import Bus
from supportbot.cancellation import end_for_sure
from supportbot.classifier.app import create_classifier_app
from supportbot.classifier.handler import Classifier
from supportbot.classifier.labels import Labels
from supportbot.classifier.models.budget import Budget
from supportbot.classifier.models.chain import Chain
from supportbot.classifier.models.factory import make_provider
from supportbot.classifier.models.judge import ModelJudge
from supportbot.classifier.models.links import make_links
from supportbot.classifier.policy import make_policy
from supportbot.classifier.tiers import TierHealth, choose_local
from supportbot.errors import UserError
from supportbot.pipeline import run_with_bus
from supportbot.service import Service, run_service
from supportbot.settings import Settings, load_settings, read_secret
from supportbot.spec import Model, Models, load_bot
from supportbot.topology import Bucket, Stage


async def main(service: Service) -> None:
    """HTTP runs with or without a bus."""
    bot = load_bot(service.settings.spec)
    policy = make_policy(bot.spec)
    async with open_chain(service.settings, bot.spec.models) as chain:
        local = choose_local(policy)
        judge_turn = ModelJudge(policy, local=local.judge, chain=chain)
        tiers = TierHealth(service.health, local, chain, bot.spec.models.chain)
        tiers.tell()

        async def work(bus: Bus) -> None:
            labels = Labels(await bus.bucket(Bucket.LABELS))
            handler = Classifier(await bus.bucket(Bucket.MEMORY), policy, judge_turn, labels)
            if bot.spec.paused:
                await asyncio.Event().wait()
            async with asyncio.TaskGroup() as tasks:
                if chain is not None:
                    await _share(chain, bus, tasks)
                await bus.consume(Stage.CLASSIFIER, handler, lanes=service.settings.lanes)

        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(service.serve(create_classifier_app(service, policy, judge_turn, tiers)))
            tasks.create_task(tiers.watch())
            # Not a task: it is cancelled first, so that the message at hand is still finished.
            paused = bot.spec.paused
            await run_with_bus(service, bot.metadata.name, work, away="messages wait in the inbox", paused=paused)


@asynccontextmanager
async def open_chain(settings: Settings, models: Models) -> AsyncIterator[Chain | None]:
    """The chain of a spec with the keys of its models; None where it has none.

    Raises:
        UserError: A key cannot be read, all of them at once, or an SDK is not installed.
    """
    if not models.chain:
        yield None
        return
    keys = _read_keys(settings, models)
    budget = Budget(models.daily_budget) if models.daily_budget else None
    chain = Chain(make_links(models, keys.__getitem__, make_provider), budget)
    try:
        yield chain
    finally:
        await chain.close()


def _read_keys(settings: Settings, models: Models) -> dict[Model, str | None]:
    keys: dict[Model, str | None] = {}
    faults: list[str] = []
    for model in models.chain:
        ref = model.api_key_secret_ref
        try:
            keys[model] = read_secret(settings, ref.name, ref.key).get_secret_value() if ref else None
        except UserError as exc:
            faults.append(str(exc))
    if faults:
        raise UserError("\n".join(faults))
    return keys


async def _share(chain: Chain, bus: Bus, tasks: asyncio.TaskGroup) -> None:
    """Keep breakers and budget in step with the other replicas; no decision waits for it."""
    breakers, bucket = [link.breaker for link in chain.links], await bus.bucket(Bucket.BREAKERS)
    for breaker in breakers:
        breaker.bucket = bucket
    tasks.create_task(end_for_sure(share_breakers(breakers)))
    if chain.budget is not None:
        chain.budget.bucket = await bus.bucket(Bucket.USAGE)
        tasks.create_task(end_for_sure(chain.budget.share()))


if __name__ == "__main__":
    raise SystemExit(run_service("classifier", load_settings, main))
