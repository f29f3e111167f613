"""The one decoding thread: who is served when, and what becomes of errors and cancelled requests."""

import asyncio
import threading
from collections.abc import Iterator

import numpy as np
import pytest
from numpy.typing import NDArray

from bench.simulators.offline.decoding import DecodingThread
from bench.simulators.offline.moonshine import Transcript


class GatedRecogniser:
    """Waits for its gate, then answers with the length of the audio, which tells requests apart."""

    def __init__(self) -> None:
        self.busy = threading.Event()
        self.gate = threading.Event()
        self.served: list[int] = []

    def transcribe(self, samples: NDArray[np.float32]) -> Transcript:
        self.busy.set()
        self.gate.wait(5)
        if samples.size == 0:
            raise ValueError("nothing to hear")
        self.served.append(samples.size // 2)
        return Transcript(str(samples.size // 2), 1.0)


@pytest.fixture
def recogniser() -> GatedRecogniser:
    return GatedRecogniser()


@pytest.fixture
def decoding(recogniser: GatedRecogniser) -> Iterator[DecodingThread]:
    thread = DecodingThread(recogniser)
    yield thread
    recogniser.gate.set()
    thread.close()


async def test_finals_go_first_and_a_cancelled_request_is_not_decoded(
    decoding: DecodingThread, recogniser: GatedRecogniser
) -> None:
    def ask(number: int, *, final: bool) -> asyncio.Future[Transcript]:
        return decoding.decode(np.ones(number, np.int16), final=final)

    asked = [ask(100, final=False)]
    await asyncio.to_thread(recogniser.busy.wait, 5)
    asked += [ask(200, final=False), ask(300, final=False)]
    dropped = ask(400, final=True)
    asked += [ask(500, final=True)]
    assert decoding.waiting == 4
    dropped.cancel()
    recogniser.gate.set()
    assert [(await answer).text for answer in asked] == ["100", "200", "300", "500"]
    assert recogniser.served == [100, 500, 200, 300]


async def test_an_error_reaches_who_asked_and_the_thread_goes_on(
    decoding: DecodingThread, recogniser: GatedRecogniser
) -> None:
    recogniser.gate.set()
    with pytest.raises(ValueError, match="nothing to hear"):
        await decoding.decode(np.empty(0, np.int16), final=True)
    assert (await decoding.decode(np.ones(160, np.int16), final=True)).text == "160"
