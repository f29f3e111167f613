"""The model's tool calls, carried out: side by side, in limited time, each with an answer for the model.

A tool without effect is dropped with the reply that asked for it. One with an effect, once begun, runs to its
end whatever the caller does; its result goes into the history then, and the next reply waits for it. Behind
a closed gate it is not begun.
"""

import asyncio
import json
from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import Any, Final

from pipeline.conversation import Step
from pipeline.errors import ToolArgumentError
from pipeline.events import ToolCall, ToolFinished
from pipeline.gate import Gate
from pipeline.ports import Clock, Journal, Remembers, Tool, ToolResult, ToolSpec
from pipeline.settings import ConversationSettings

END_CALL: Final = ToolSpec(
    name="end_call",
    description="Hang up. Call it together with your spoken goodbye, once the caller wants nothing more.",
    parameters={"type": "object", "properties": {}, "additionalProperties": False},
    effectful=False,
)

SAY: Final[Mapping[str, str]] = {
    "bad_arguments": "I'm sorry, I didn't quite get that. Could you say it once more?",
    "unknown_tool": "I'm sorry, that is nothing that I can do from here.",
    "timed_out": "I'm sorry, that is taking too long, and I can't tell yet whether it worked.",
    "failed": "I'm sorry, that didn't work.",
}
"""What may be said of each call that came to no result of its tool's own."""

Spawn = Callable[[Coroutine[Any, Any, None]], "asyncio.Task[None]"]


class Toolbox:
    """One call's tools. `spawn` starts a task in the call's group."""

    def __init__(
        self,
        tools: Sequence[Tool],
        settings: ConversationSettings,
        clock: Clock,
        journal: Journal,
        spawn: Spawn,
    ) -> None:
        self._tools = {tool.spec.name: tool for tool in tools}
        self._settings = settings
        self._clock = clock
        self._journal = journal
        self._spawn = spawn
        self._effects: set[asyncio.Task[None]] = set()
        self.specs: tuple[ToolSpec, ...] = (*(tool.spec for tool in tools), END_CALL)

    async def use(self, turn: int, step: Step, gate: Gate) -> None:
        """Run the calls of a step; returns when each has its result in the step.

        Those with an effect begin once the gate is open: the turn is committed. Cancelling it cancels the
        tools without effect; the others go on.
        """
        calls = [call for call in step.calls if call.name != END_CALL.name]
        effects = [call for call in calls if self._has_effect(call)]
        put_back = [] if gate.is_open else self._memories()
        begun = [self._begin(turn, step, call, gate) for call in calls if call not in effects]
        gate.otherwise(lambda: self._undo(begun, put_back))
        try:
            if effects:
                await gate.opened()
                begun += [self._begin(turn, step, call, gate) for call in effects]
            if begun:
                await asyncio.wait(begun)
        finally:
            for task in begun:
                if task not in self._effects:
                    task.cancel()

    def _memories(self) -> list[Callable[[], None]]:
        return [tool.memory() for tool in self._tools.values() if isinstance(tool, Remembers)]

    def _undo(self, begun: Sequence[asyncio.Task[None]], put_back: Sequence[Callable[[], None]]) -> None:
        """Tools without effect, used on a wrong guess: as if they never had been."""
        for task in begun:
            task.cancel()
        for put in put_back:
            put()

    async def settled(self) -> None:
        """Returns when no effect is running; each has its own limit. Cancelling it touches none."""
        if self._effects:
            await asyncio.wait(set(self._effects))

    def _has_effect(self, call: ToolCall) -> bool:
        tool = self._tools.get(call.name)
        return tool is not None and tool.spec.effectful

    def _begin(self, turn: int, step: Step, call: ToolCall, gate: Gate) -> asyncio.Task[None]:
        task = self._spawn(self._answer(turn, step, call, gate))
        if self._has_effect(call):
            step.running.add(call.id)
            self._effects.add(task)
            task.add_done_callback(self._effects.discard)
        return task

    async def _answer(self, turn: int, step: Step, call: ToolCall, gate: Gate) -> None:
        tool = self._tools.get(call.name)
        began_s = self._clock.now_s()
        result = ToolResult("", "cancelled")
        try:
            result = (
                _error("unknown_tool", "there is no such tool")
                if tool is None
                else await self._run(tool, call)
            )
            step.results[call.id] = result.content
        finally:
            step.running.discard(call.id)
            took_ms = (self._clock.now_s() - began_s) * 1000
            name = call.name if tool is not None else "unknown"
            finished = ToolFinished(turn, name, result.outcome, took_ms, result.detail)
            gate.then(lambda: self._journal.record(finished))

    async def _run(self, tool: Tool, call: ToolCall) -> ToolResult:
        arguments = _parsed(call.arguments)
        if arguments is None:
            return _error("bad_arguments", "the arguments are not a JSON object")
        limit_s = self._settings.effect_s if tool.spec.effectful else self._settings.tool_s
        try:
            async with asyncio.timeout(limit_s):
                return await tool.run(arguments)
        except ToolArgumentError as error:
            return _error("bad_arguments", str(error))
        except TimeoutError:
            return _error("timed_out", "no answer in time; whether it was done is not known")
        except Exception as error:  # noqa: BLE001 - a broken tool is the model's to explain, not the call's end
            return _error("failed", "the tool failed", {"error": type(error).__name__})


def _parsed(arguments: str) -> Mapping[str, Any] | None:
    try:
        parsed = json.loads(arguments or "{}")
    except ValueError:
        return None
    return parsed if isinstance(parsed, dict) else None


def _error(outcome: str, message: str, detail: Mapping[str, str] | None = None) -> ToolResult:
    return ToolResult(json.dumps({"error": message, "say": SAY[outcome]}), outcome, detail or {})
