"""A call's media, as the socket of any carrier has them."""

from collections.abc import AsyncIterator
from typing import Final, Protocol, assert_never

from gateway.caller import Ends
from gateway.carriers.events import CallEnded, CallerAudio, CallStarted, CarrierEvent, Dtmf, MarkReached
from gateway.handover import HandOver
from gateway.outbound import SocketLine
from gateway.recording.recorders import CallRecorder
from pipeline.runner import CallRunner

CALLER_HUNG_UP: Final = "caller_hung_up"


class Media(Protocol):
    """A call's accepted media socket. `ended` says why `events` ended, "" as long as they go on;
    `hand_over` has the carrier put the caller through, if it can.
    """

    @property
    def line(self) -> SocketLine: ...

    @property
    def ends(self) -> Ends: ...

    @property
    def ended(self) -> str: ...

    @property
    def hand_over(self) -> HandOver | None: ...

    def events(self) -> AsyncIterator[CarrierEvent]: ...


async def hear(media: Media, runner: CallRunner, recorder: CallRecorder | None) -> None:
    """Hand the carrier's events to the conversation until there are no more."""
    async for event in media.events():
        match event:
            case CallerAudio():
                if recorder is not None:
                    recorder.caller(event.mulaw, event.timestamp_ms)
                await runner.caller_audio(event.mulaw)
            case Dtmf():
                runner.dtmf(event.digit)
            case MarkReached():
                runner.mark_reached(event.name)
            case CallStarted() | CallEnded():
                break
            case _:
                assert_never(event)
    media.line.no_more(media.ended)
    runner.line_closed(media.ended)
