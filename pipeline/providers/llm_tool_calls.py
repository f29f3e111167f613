"""Putting streamed tool calls together, whichever server cut them. Pure.

Servers disagree: `index` may be missing, or 0 for every parallel call (vLLM, Gemini, sglang); `id` may come
once, on every piece, or empty on later ones; the whole call may come in one piece (Groq, Ollama). Public
trackers, read 2026-11.
"""

from dataclasses import dataclass
from uuid import uuid4

import msgspec

from pipeline.events import ToolCall
from pipeline.providers.llm_chunks import FunctionPiece, ToolCallPiece


@dataclass(slots=True)
class _Slot:
    id: str = ""
    name: str = ""
    arguments: str = ""

    @property
    def is_complete(self) -> bool:
        try:
            msgspec.json.decode(self.arguments)
        except msgspec.DecodeError:
            return False
        return True


class ToolCalls:
    """Pieces in, whole calls out, in the order in which they were begun."""

    def __init__(self) -> None:
        self._slots: list[_Slot] = []
        self._by_index: dict[int, _Slot] = {}

    def add(self, piece: ToolCallPiece) -> None:
        function = piece.function or FunctionPiece()
        slot = self._slot_for(piece, function)
        slot.id = slot.id or piece.id or ""
        slot.name = slot.name or function.name or ""
        slot.arguments += function.json

    def finish(self) -> list[ToolCall]:
        """All calls. One without a name cannot be made and is left out; a missing id is invented."""
        return [
            ToolCall(slot.id or f"call_{uuid4().hex[:12]}", slot.name, slot.arguments)
            for slot in self._slots
            if slot.name
        ]

    def _slot_for(self, piece: ToolCallPiece, function: FunctionPiece) -> _Slot:
        slot = self._current(piece.index)
        if slot is None or _begins_another(slot, piece, function):
            slot = _Slot()
            self._slots.append(slot)
        if piece.index is not None:
            self._by_index[piece.index] = slot
        return slot

    def _current(self, index: int | None) -> _Slot | None:
        if index is None:
            return self._slots[-1] if self._slots else None
        return self._by_index.get(index)


def _begins_another(slot: _Slot, piece: ToolCallPiece, function: FunctionPiece) -> bool:
    if piece.id and slot.id:
        return piece.id != slot.id
    return bool(function.name) and bool(slot.name) and slot.is_complete
