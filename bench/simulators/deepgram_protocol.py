"""The two protocols around their machines: control messages in, vendor messages out.

Not documented by the vendor, and chosen here: 1008 closes a `/v2` stream after a message that it cannot
parse, 1000 any stream after CloseStream; `/v1` goes on after a SchemaError.
"""

import json
from collections.abc import AsyncIterator, Sequence, Set
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any, Final

from bench.simulators.deepgram_flux import Flux
from bench.simulators.deepgram_nova import Nova

Message = dict[str, Any]

_V1_TYPES: Final = frozenset({"KeepAlive", "Finalize", "CloseStream", "Configure"})
_V2_TYPES: Final = frozenset({"CloseStream", "ForceEndTurn", "Configure"})
_MODEL_INFO: Final = {"version": "2026-10-01.0", "arch": "simulated"}
_NOTHING: Final[tuple[Message, ...]] = ()


class EndStream(Exception):
    """The stream is over: close with this code once what was yielded before is sent."""

    def __init__(self, code: int, reason: str = "") -> None:
        super().__init__(code, reason)
        self.code, self.reason = code, reason


class NovaStream:
    """`/v1/listen` messages around `Nova`."""

    def __init__(self, nova: Nova, request_id: str) -> None:
        self._nova = nova
        self._request_id = request_id
        self._digest = sha256()
        self._duration_s = 0.0
        self.hear = nova.hear

    def took(self, data: bytes, duration_s: float) -> None:
        self._digest.update(data)
        self._duration_s += duration_s

    def opened(self) -> Sequence[Message]:
        return ()

    async def control(self, text: str) -> AsyncIterator[Message]:
        message = _control(text, _V1_TYPES)
        if message is None or not _well_formed_v1(message):
            yield _schema_error(text)
            return
        match message["type"]:
            case "Finalize":
                async for answer in self._nova.finalize():
                    yield answer
            case "Configure":
                yield self._nova.configure(message) | {"request_id": self._request_id}
            case "CloseStream":
                async for answer in self.empty():
                    yield answer

    async def empty(self) -> AsyncIterator[Message]:
        async for answer in self._nova.finish():
            yield answer
        yield {
            "type": "Metadata",
            "transaction_key": "deprecated",
            "request_id": self._request_id,
            "sha256": self._digest.hexdigest(),
            "created": datetime.now(UTC).isoformat(),
            "duration": round(self._duration_s, 3),
            "channels": 1,
        }
        raise EndStream(1000)

    def idle(self) -> Message | None:
        return None

    def outgoing(self, message: Message) -> Message:
        if message["type"] != "Results":
            return message
        info = {"name": self._nova.settings.model, **_MODEL_INFO}
        uuid = sha256(self._nova.settings.model.encode()).hexdigest()[:32]
        metadata = {"request_id": self._request_id, "model_uuid": uuid, "model_info": info}
        return message | {"metadata": metadata}


class FluxStream:
    """`/v2/listen` messages around `Flux`."""

    def __init__(self, flux: Flux, request_id: str) -> None:
        self._flux = flux
        self._request_id = request_id
        self._sequence = 0
        self.hear = flux.hear

    def took(self, data: bytes, duration_s: float) -> None:
        """Flux accounts for nothing at its end."""

    def opened(self) -> Sequence[Message]:
        return ({"type": "Connected"},)

    async def control(self, text: str) -> AsyncIterator[Message]:
        message = _control(text, _V2_TYPES)
        if message is None:
            description = "Text message received from client did not match any of the formats we expect."
            yield _fatal("UNPARSABLE_CLIENT_MESSAGE", description)
            raise EndStream(1008, "UNPARSABLE_CLIENT_MESSAGE")
        match message["type"]:
            case "ForceEndTurn":
                async for answer in self._flux.force_end():
                    yield answer
            case "Configure":
                yield self._flux.configure(message)
            case "CloseStream":
                async for answer in self._flux.finish():
                    yield answer
                raise EndStream(1000)

    async def empty(self) -> AsyncIterator[Message]:
        """Flux is not documented to end by an empty frame; it is noted and nothing comes of it."""
        for message in _NOTHING:
            yield message

    def idle(self) -> Message | None:
        return _fatal("NET-0001", "No audio or message was received within the timeout window.")

    def outgoing(self, message: Message) -> Message:
        message = message | {"sequence_id": self._sequence}
        self._sequence += 1
        return message if message["type"] == "Error" else message | {"request_id": self._request_id}


Stream = NovaStream | FluxStream


def _control(text: str, known: Set[str]) -> Message | None:
    """A control message, or None for text that is none."""
    try:
        message = json.loads(text)
    except ValueError:
        return None
    return message if isinstance(message, dict) and message.get("type") in known else None


def _well_formed_v1(message: Message) -> bool:
    keyterms, features = message.get("keyterms"), message.get("features")
    lists = keyterms is None or (isinstance(keyterms, list) and all(isinstance(k, str) for k in keyterms))
    flags = features is None or (
        isinstance(features, dict) and all(isinstance(flag, bool) for flag in features.values())
    )
    return lists and flags


def _schema_error(text: str) -> Message:
    return {
        "type": "Error",
        "variant": "SchemaError",
        "description": "Could not deserialize last text message.",
        "message": text,
    }


def _fatal(code: str, description: str) -> Message:
    return {"type": "Error", "code": code, "description": description}
