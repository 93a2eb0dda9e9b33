"""What the chain needs of a language model, whoever serves it."""

from typing import Protocol

from supportbot.classifier.models.request import Reply, Request


class Provider(Protocol):
    """One model of one vendor."""

    @property
    def name(self) -> str:
        """`openai`, `anthropic` or `gemini`, as in the `gen_ai` span attributes."""
        ...

    @property
    def model(self) -> str:
        """The vendor's name of the model, as it stands in the spec."""
        ...

    async def classify(self, request: Request, deadline: float) -> Reply:
        """Ask the model once; ends by `deadline`, whatever the other side does.

        Args:
            request: The question.
            deadline: In the running loop's time (`asyncio.get_running_loop().time()`).

        Raises:
            ProviderError: There is no opinion; its `outcome` says why. Cancellation is never turned into it.
        """
        ...

    async def close(self) -> None:
        """Close the connections; the provider is not used afterwards."""
        ...
