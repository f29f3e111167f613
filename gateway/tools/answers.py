"""What a tool answers: the facts and the sentence for the model, the outcome's name for the record."""

import functools
import json
from collections.abc import Callable, Coroutine, Mapping
from typing import Any

from booking.errors import BookingError
from gateway.tools.sentences import SENTENCES, Outcome, outcome_of
from pipeline.ports import ToolResult

Run = Callable[[Any, Mapping[str, Any]], Coroutine[Any, Any, ToolResult]]


def answer(
    outcome: Outcome,
    facts: Mapping[str, Any],
    detail: Mapping[str, str] | None = None,
    **words: str,
) -> ToolResult:
    """`facts` and what may be said are the model's; `detail` is public, as pipeline.ports has it.

    `words` fill the sentence's places.
    """
    told = {**facts, "say": SENTENCES[outcome].format(**words)}
    return ToolResult(json.dumps(told, ensure_ascii=False), outcome, detail or {})


def refusal(outcome: Outcome, facts: Mapping[str, Any], **words: str) -> ToolResult:
    """Nothing was done; `reason` tells the model why."""
    return answer(outcome, {**facts, "reason": outcome}, None, **words)


def telling_failures(**facts: Any) -> Callable[[Run], Run]:
    """Around a tool's `run`: errors of booking become answers, with `facts` that say what is not so then."""

    def around(run: Run) -> Run:
        @functools.wraps(run)
        async def told(self: Any, arguments: Mapping[str, Any]) -> ToolResult:
            try:
                return await run(self, arguments)
            except BookingError as error:
                return refusal(outcome_of(error), facts)

        return told

    return around
