"""A strict local server for Deepgram's streaming speech-to-text, `/v1/listen` (Nova) and `/v2/listen` (Flux)."""

from collections.abc import Callable, Set
from dataclasses import dataclass, field
from typing import Any, Self

from bench.simulators.deepgram_hearing import Hearing
from bench.simulators.faults import Faults


@dataclass(slots=True)
class Session:
    """What one connection received and was sent, for tests to look at."""

    path: str
    params: dict[str, list[str]]
    request_id: str
    audio: bytearray = field(default_factory=bytearray)
    texts: list[dict[str, Any]] = field(default_factory=list)  # control messages received, in order
    sent: list[dict[str, Any]] = field(default_factory=list)  # messages sent, in order
    notes: list[str] = field(default_factory=list)  # what the vendor tolerates but frowns upon
    close_code: int | None = None
    close_reason: str = ""


class DeepgramSimulator:
    """`async with DeepgramSimulator(Script(["hello"]).hearing) as deepgram: deepgram.url`"""

    def __init__(
        self,
        hearing: Callable[[], Hearing],
        *,
        keys: Set[str] = frozenset({"test-key"}),
        faults: Faults | None = None,
        host: str = "127.0.0.1",
        port: int = 0,
        idle_s: float = 10.0,
        burst_s: float = 5.0,
    ) -> None:
        self.faults = faults or Faults()
        self.sessions: list[Session] = []
        self.url = ""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        return None
