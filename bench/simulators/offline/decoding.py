"""One thread that decodes speech for all connections.

onnxruntime releases the GIL, so a thread keeps the event loop free: a 20 ms ticker stays within a few
milliseconds. Each connection has at most one request under way, so first come, first served is fair among
them; finals, which a caller waits for, go before previews.
"""

import asyncio
import contextlib
import itertools
import queue
import threading
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

import numpy as np
import soxr
from numpy.typing import NDArray

from bench.simulators.deepgram_hearing import RATE_HZ, Samples
from bench.simulators.offline import moonshine
from bench.simulators.offline.moonshine import Transcript

_FINAL, _PREVIEW, _STOP = 0, 1, 2


@dataclass(order=True, slots=True)
class _Job:
    rank: int
    number: int
    samples: Samples = field(compare=False)
    result: "asyncio.Future[Transcript] | None" = field(compare=False, default=None)


class Recogniser(Protocol):
    """What decodes; `Moonshine` is one."""

    def transcribe(self, samples: NDArray[np.float32]) -> Transcript:
        """Recognise one utterance: mono, 16 kHz, -1 to 1. Blocks; called from the decoding thread."""


class DecodingThread:
    """A recogniser behind a queue. Made and closed by one owner, used from one event loop."""

    def __init__(self, model: Recogniser) -> None:
        self._model: Final = model
        self._jobs: queue.PriorityQueue[_Job] = queue.PriorityQueue()
        self._numbers = itertools.count()
        self._thread = threading.Thread(target=self._work, name="decoding", daemon=True)
        self._thread.start()

    @property
    def waiting(self) -> int:
        """How many requests stand in the queue."""
        return self._jobs.qsize()

    def decode(self, samples: Samples, *, final: bool) -> "asyncio.Future[Transcript]":
        """Recognise int16 mono 8 kHz. Cancelling drops the request unless it is being decoded already."""
        result: asyncio.Future[Transcript] = asyncio.get_running_loop().create_future()
        self._jobs.put(_Job(_FINAL if final else _PREVIEW, next(self._numbers), samples, result))
        return result

    def close(self) -> None:
        """Stop once the queue is empty, and wait for that."""
        self._jobs.put(_Job(_STOP, next(self._numbers), np.empty(0, np.int16)))
        self._thread.join()

    def _work(self) -> None:
        while (job := self._jobs.get()).result is not None:
            if not job.result.cancelled():
                self._answer(job.result, job.samples)

    def _answer(self, result: "asyncio.Future[Transcript]", samples: Samples) -> None:
        transcript: Transcript | None = None
        error: Exception | None = None
        try:
            transcript = self._model.transcribe(upsample(samples))
        except Exception as caught:  # noqa: BLE001 - the edge of a worker: the requester raises it
            error = caught
        with contextlib.suppress(RuntimeError):  # the loop of who asked has been closed since
            result.get_loop().call_soon_threadsafe(_settle, result, transcript, error)


def _settle(result: "asyncio.Future[Any]", value: Transcript | None, error: Exception | None) -> None:
    if result.done():
        return
    if error is not None:
        result.set_exception(error)
    else:
        result.set_result(value)


def upsample(samples: Samples) -> NDArray[np.float32]:
    """int16 at 8 kHz to float32, -1 to 1, at the recogniser's rate."""
    resampled: NDArray[np.float32] = soxr.resample(
        samples.astype(np.float32) / 32768.0, RATE_HZ, moonshine.RATE_HZ
    )
    return resampled
