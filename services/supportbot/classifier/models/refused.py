"""The optional parameters that a model's server did not take: left out of every further call of the process.

Servers differ more than any table can say: gateways, self-hosted servers, models of tomorrow.
"""

import json
import re
from collections.abc import Collection, Mapping
from typing import Any

import structlog

_log = structlog.get_logger(__name__)

_NOT_TAKEN = re.compile(
    r"not support|unsupported|unknown|unrecogni[sz]ed|extra|not permitted|not allowed|not accept|deprecated|removed"
    r"|unexpected|cannot find|invalid|must be|should be|does not exist|no longer",
    re.IGNORECASE,
)


class RefusedParameters:
    """What one provider has learned about its server.

    Args:
        provider: For the log.
        model: For the log.
        marks: A pattern by parameter that finds it in the words of a refusal; the first that fits is meant.
    """

    def __init__(self, provider: str, model: str, marks: Mapping[str, str]) -> None:
        self._provider, self._model = provider, model
        self._marks = {name: re.compile(mark, re.IGNORECASE) for name, mark in marks.items()}
        self._refused: set[str] = set()

    def __contains__(self, name: object) -> bool:
        return name in self._refused

    def learn(self, refusal: str, sent: Collection[str]) -> bool:
        """Whether the refusal names an optional parameter of the call; it is sent no more, so the call may be repeated.

        Args:
            refusal: The body of a 400 or 422.
            sent: The optional parameters of the refused call.
        """
        if not _NOT_TAKEN.search(refusal):
            return False
        named = next((name for name, mark in self._marks.items() if name in sent and mark.search(refusal)), None)
        if named is None:
            return False
        if named not in self._refused:
            _log.warning("model_parameter_refused", provider=self._provider, model=self._model, parameter=named)
        self._refused.add(named)
        return True


def say_schema(schema: Mapping[str, Any]) -> str:
    """The schema of the answer in words, for servers that take none as a parameter."""
    text = json.dumps(schema, ensure_ascii=False)
    return f"Answer with one JSON object and nothing else. Its JSON schema:\n{text}"
