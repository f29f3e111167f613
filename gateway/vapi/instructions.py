"""What our model is told of a call at Vapi: the clinic's instructions first, then Vapi's messages. Pure.

The clinic's own prompt stands first and for itself, as in our own calls. What the assistant's configuration
at Vapi says comes behind it, named for what it is; a system message that Vapi puts in later keeps its place.
Our own prompt, told to Vapi for a model of Vapi's, is not said twice.
"""

from collections.abc import Sequence
from itertools import takewhile
from typing import Final

from pipeline.ports import Message

_SET_AT_VAPI: Final = (
    "Set for this assistant where the call is carried. Follow it as far as it goes with the rules above,"
    " which stand.\n"
)


def instructed(system_prompt: str, history: Sequence[Message]) -> list[Message]:
    """The history under our prompt."""
    leading = list(takewhile(lambda message: message.role == "system", history))
    others = [each.content for each in leading if _first_line(each.content) != _first_line(system_prompt)]
    told = [Message("system", _SET_AT_VAPI + "\n".join(others))] if others else []
    return [Message("system", system_prompt), *told, *history[len(leading) :]]


def _first_line(text: str) -> str:
    """By which our prompt is known again: below it stands the time of day."""
    return text.strip().partition("\n")[0]
