"""The offline voice: one speaking process for all calls, fed one text after the other.

A process and not a thread, because the engine holds the GIL: in a thread it made a 20 ms ticker up to 170 ms
late, in a process 2 ms. It speaks a hundred times faster than the words sound, so that one is enough.
"""

import asyncio
import itertools
import os
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncGenerator
from typing import Self

import msgspec
import numpy as np

from bench.simulators.offline.speaker import LENGTH, Answer, Made, Ready, Speak, Spoken
from bench.simulators.sound import Sound, VoiceFailed, Word
from bench.tree import of_this_tree

START_S = 60.0  # loading the model, on a machine that is busy starting everything else
STOP_S = 5.0
# Sounds of one text that its reader has not taken yet: a sentence each, so the bound only stops a runaway.
_WAITING_SOUNDS = 1024

_DECODER: msgspec.msgpack.Decoder[Answer] = msgspec.msgpack.Decoder(Answer)
_Sounds = asyncio.Queue[Made | Spoken]


class OfflineVoice:
    """An async context manager; `speak` may be called by any number of tasks. `engine` names what speaks.

    Raises `VoiceFailed` if no engine starts, and from `speak` if the process has died.
    """

    def __init__(self) -> None:
        self.engine = ""
        self.reason = ""
        self._ids = itertools.count()
        self._readers: dict[int, _Sounds] = {}
        self._process: Process | None = None
        self._reading: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "bench.simulators.offline.speaker",
            stdin=PIPE,
            stdout=PIPE,
            # Ctrl-C in the terminal is for its parent, which ends it through its stdin.
            start_new_session=True,
            env=of_this_tree(os.environ),
        )
        try:
            async with asyncio.timeout(START_S):
                ready = await self._read_answer()
        except BaseException as error:
            await self._stop()
            if isinstance(error, (TimeoutError, EOFError)):
                raise VoiceFailed("no speech engine has started") from None
            raise
        assert isinstance(ready, Ready)  # noqa: S101 - the process says this first
        self.engine, self.reason = ready.engine, ready.reason
        self._reading = asyncio.create_task(self._read())
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stop()

    async def speak(self, text: str) -> AsyncGenerator[Sound, None]:
        """The sentences of `text`, each as soon as it is made."""
        if self._process is None or self._process.stdin is None or self._process.returncode is not None:
            raise VoiceFailed("the speaking process has ended")
        request = Speak(next(self._ids), text)
        sounds = self._readers[request.id] = _Sounds(_WAITING_SOUNDS)
        document = msgspec.msgpack.encode(request)
        self._process.stdin.write(LENGTH.pack(len(document)) + document)
        try:
            await self._process.stdin.drain()
            while isinstance(made := await sounds.get(), Made):
                yield _sound(made)
            if made.failed:
                raise VoiceFailed("the engine could not speak this text")
        except ConnectionError:
            raise VoiceFailed("the speaking process has ended") from None
        finally:
            del self._readers[request.id]

    async def _read(self) -> None:
        try:
            while True:
                answer = await self._read_answer()
                # A text whose reader has gone is spoken to its end all the same, for nobody.
                if isinstance(answer, (Made, Spoken)) and (reader := self._readers.get(answer.id)):
                    await reader.put(answer)
        except EOFError:
            for request_id, reader in self._readers.items():
                reader.put_nowait(Spoken(request_id, failed=True))

    async def _read_answer(self) -> Answer:
        assert self._process is not None  # noqa: S101
        assert self._process.stdout is not None  # noqa: S101
        head = await self._process.stdout.readexactly(LENGTH.size)
        document = await self._process.stdout.readexactly(LENGTH.unpack(head)[0])
        answer: Answer = _DECODER.decode(document)
        return answer

    async def _stop(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        if process.stdin is not None:
            process.stdin.close()
        try:
            await asyncio.wait_for(process.wait(), STOP_S)
        except TimeoutError:
            process.kill()
            await process.wait()
        if self._reading is not None:
            self._reading.cancel()
            await asyncio.wait([self._reading])


def _sound(made: Made) -> Sound:
    samples = np.frombuffer(made.samples, "<f4").astype(np.float32)
    return Sound(samples, made.rate_hz, tuple(Word(*word) for word in made.words))
