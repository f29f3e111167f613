"""`stop_recording()`: the caller does not want to be recorded, in whatever words they say so."""

from collections.abc import Callable, Mapping
from typing import Any

from gateway.tools.answers import answer
from gateway.tools.arguments import schema
from pipeline.ports import ToolResult, ToolSpec


class StopRecording:
    """`refuse` does it: nothing more of the call's words is kept. There is no tool for the opposite.

    A second ear beside the rules that hear a refusal as it is said; asked after them it changes nothing.
    """

    spec = ToolSpec(
        name="stop_recording",
        description=(
            "Keep nothing more of what is said in this call. Only when the caller says that they do not "
            "want this call recorded or kept; never on your own account."
        ),
        parameters=schema(),
        effectful=True,
    )

    def __init__(self, refuse: Callable[[], None]) -> None:
        self._refuse = refuse

    async def run(self, arguments: Mapping[str, Any]) -> ToolResult:
        self._refuse()
        return answer("not_recorded", {"kept": False})
