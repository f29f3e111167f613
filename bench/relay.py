"""`python -m bench.relay [lookups] [cache] [streaming] [pooling]`: a bare gateway for `bench ladder` to
start from.

It does what is needed to answer a turn and nothing else: no interruption, no redaction, no journal, no
tools. With nothing switched on it goes step by step: three look-ups in Postgres, each after the other; the
whole reply; all of its speech; then audio. The recogniser streams in any case, because that is what tells
the end of a turn. Providers are spoken to by the pipeline's own adapters, so that a step of the ladder is
what its name says and not another client.

    lookups     profile and keys are asked for side by side
    cache       what was looked up is kept by the process
    streaming   the first clause is spoken while the model goes on, and heard while it is spoken
    pooling     connections to model, voice and database are kept

Addresses come by the environment under the gateway's names. Its port is printed in one line; it ends with
SIGTERM.
"""

import argparse
import asyncio
import base64
import json
import os
import signal
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any, Final, cast

import asyncpg
import uvloop
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from booking.db import open_pool
from booking.orgs import load_credentials, load_profile, resolve_number
from booking.types import Claim
from pipeline.events import AudioChunk, EndOfTurn, TextDelta
from pipeline.ports import Message
from pipeline.providers.cartesia import Cartesia, CartesiaConfig, fetch_phrase
from pipeline.providers.deepgram import Deepgram, DeepgramConfig, DeepgramSession
from pipeline.providers.llm import ChatModel
from pipeline.providers.llm_request import LlmConfig
from pipeline.sentences import ClauseSplitter

SWITCHES: Final = ("lookups", "cache", "streaming", "pooling")
NUMBER_VARIABLE: Final = "RELAY_NUMBER"
FRAME_BYTES: Final = 800
MAX_REPLY_TURNS: Final = 50


@dataclass(frozen=True, slots=True)
class Providers:
    """Where everything is."""

    database_url: str
    number: str
    stt: DeepgramConfig
    llm: LlmConfig
    tts: CartesiaConfig


def providers_of(environ: "os._Environ[str]") -> Providers:
    return Providers(
        database_url=environ["DATABASE_URL"],
        number=environ[NUMBER_VARIABLE],
        stt=DeepgramConfig(environ["DEEPGRAM_API_KEY"], url=environ["DEEPGRAM_URL"]),
        llm=LlmConfig(environ["LLM_API_KEY"], environ["LLM_MODEL"], base_url=environ["LLM_BASE_URL"]),
        tts=CartesiaConfig(
            environ["CARTESIA_API_KEY"],
            voice="00000000-0000-4000-8000-000000000001",
            url=environ["CARTESIA_URL"],
        ),
    )


@dataclass(slots=True)
class Connections:
    """To model, voice and database."""

    llm: ChatModel
    tts: Cartesia
    database: asyncpg.Pool


@asynccontextmanager
async def connected(providers: Providers) -> AsyncIterator[Connections]:
    """Open while the body runs."""
    llm, tts = ChatModel(providers.llm), Cartesia(providers.tts)
    try:
        async with await open_pool(providers.database_url, max_size=4) as database:
            yield Connections(llm, tts, database)
    finally:
        await tts.aclose()
        await llm.aclose()


class Relay:
    """Answers calls. `kept`: connections that outlive a turn, None to open them anew for each."""

    def __init__(self, providers: Providers, switches: frozenset[str], kept: Connections | None) -> None:
        self._providers = providers
        self._on = switches
        self._kept = kept
        self._known = False

    async def serve(self, socket: ServerConnection) -> None:
        """One call, to its end."""
        with suppress(ConnectionClosed):
            stream_sid = await _stream_sid(socket)
            async with Deepgram(self._providers.stt).session() as stt, asyncio.TaskGroup() as group:
                answering = group.create_task(self._answer(socket, stream_sid, stt))
                try:
                    await _listen(socket, stt)
                finally:
                    answering.cancel()

    async def _answer(self, socket: ServerConnection, stream_sid: str, stt: DeepgramSession) -> None:
        history: list[Message] = []
        async for event in stt.events():
            if isinstance(event, EndOfTurn) and event.text:
                history = [*history[-MAX_REPLY_TURNS:], Message("user", event.text)]
                with suppress(ConnectionClosed):
                    history.append(Message("assistant", await self._turn(socket, stream_sid, history)))

    async def _turn(self, socket: ServerConnection, stream_sid: str, history: Sequence[Message]) -> str:
        if self._kept is not None:
            return await self._reply(self._kept, socket, stream_sid, history)
        async with connected(self._providers) as connections:
            return await self._reply(connections, socket, stream_sid, history)

    async def _reply(
        self, connections: Connections, socket: ServerConnection, stream_sid: str, history: Sequence[Message]
    ) -> str:
        await self._look_up(connections.database)
        messages = [Message("system", "You are a clinic's receptionist."), *history]
        if "streaming" in self._on:
            return await _stream(connections, messages, socket, stream_sid)
        text = "".join([piece async for piece in _pieces(connections.llm, messages)])
        await _play(socket, stream_sid, await fetch_phrase(self._providers.tts, text))
        return text

    async def _look_up(self, database: asyncpg.Pool) -> None:
        if self._known and "cache" in self._on:
            return
        org_id = await resolve_number(database, self._providers.number)
        if org_id is None:
            raise LookupError("nobody has the number")
        claim = Claim(org_id)
        if "lookups" in self._on:
            await asyncio.gather(load_profile(database, claim), load_credentials(database, claim))
        else:
            await load_profile(database, claim)
            await load_credentials(database, claim)
        self._known = True


async def _stream(
    connections: Connections, messages: Sequence[Message], socket: ServerConnection, stream_sid: str
) -> str:
    """Clause by clause into one context, whose audio is played as it comes."""
    said: list[str] = []
    async with connections.tts.context() as speech, asyncio.TaskGroup() as group:

        async def speak() -> None:
            async for event in speech.events():
                if isinstance(event, AudioChunk):
                    await _play(socket, stream_sid, event.mulaw)

        group.create_task(speak())
        splitter = ClauseSplitter()
        async for piece in _pieces(connections.llm, messages):
            said.append(piece)
            for clause in splitter.feed(piece):
                await speech.push(clause)
        for clause in splitter.flush():
            await speech.push(clause)
        await speech.finish()
    return "".join(said)


async def _pieces(llm: ChatModel, messages: Sequence[Message]) -> AsyncIterator[str]:
    async for event in llm.reply(messages, ()):
        if isinstance(event, TextDelta):
            yield event.text


async def _stream_sid(socket: ServerConnection) -> str:
    async for message in socket:
        frame: dict[str, Any] = json.loads(message)
        if frame["event"] == "start":
            return cast("str", frame["streamSid"])
    raise ConnectionClosed(None, None)


async def _listen(socket: ServerConnection, stt: DeepgramSession) -> None:
    async for message in socket:
        frame = json.loads(message)
        if frame["event"] == "media":
            await stt.send_audio(base64.b64decode(frame["media"]["payload"]))
        elif frame["event"] == "stop":
            return


async def _play(socket: ServerConnection, stream_sid: str, mulaw: bytes) -> None:
    for at in range(0, len(mulaw), FRAME_BYTES):
        payload = base64.b64encode(mulaw[at : at + FRAME_BYTES]).decode()
        await socket.send(
            json.dumps({"event": "media", "streamSid": stream_sid, "media": {"payload": payload}})
        )


async def _serve(switches: frozenset[str]) -> None:
    ended = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    providers = providers_of(os.environ)
    if "pooling" in switches:
        async with connected(providers) as kept:
            await _until(ended, Relay(providers, switches, kept))
    else:
        await _until(ended, Relay(providers, switches, None))


async def _until(ended: asyncio.Event, relay: Relay) -> None:
    async with serve(relay.serve, "127.0.0.1", 0, compression=None, close_timeout=1) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        print(json.dumps({"url": f"ws://127.0.0.1:{port}/media"}), flush=True)
        await ended.wait()


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.relay")
    parser.add_argument("switches", nargs="*", metavar="switch", help=f"of {', '.join(SWITCHES)}")
    chosen = parser.parse_args()
    if unknown := set(chosen.switches) - set(SWITCHES):
        parser.error(f"no such switch: {', '.join(sorted(unknown))}")
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve(frozenset(chosen.switches)))


if __name__ == "__main__":
    main()
