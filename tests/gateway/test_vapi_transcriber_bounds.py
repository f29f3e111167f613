"""What the custom transcriber takes no more of: frames too long, and audio much faster than speech."""

import json
from collections.abc import AsyncIterator
from contextlib import suppress

import pytest
from websockets.exceptions import ConnectionClosed

from tests.conftest import Stack
from tests.gateway import running
from tests.gateway.at_vapi import environment
from tests.gateway.test_vapi_transcriber import START, at, ended, served

_SECOND = b"\0" * 16_000 * 2


@pytest.fixture
async def gateway(stack: Stack, vendors: running.Vendors) -> AsyncIterator[running.Gateway]:
    bounds = {"MEDIA_FRAMES_PER_S": "60", "MEDIA_FRAME_BYTES": "65536"}
    async with running.gateway(environment(stack, vendors, **bounds)) as served:
        yield served


async def test_audio_much_faster_than_speech_is_not_paid_for(
    gateway: running.Gateway, vendors: running.Vendors
) -> None:
    """A minute of it at once, in frames of two seconds: so few that their number alone tells nothing."""
    async with at(gateway) as socket:
        await socket.send(json.dumps(START | {"channels": 1}))
        with suppress(ConnectionClosed):
            for _ in range(30):
                await socket.send(_SECOND * 2)
        assert await ended(socket) == ([{"type": "error", "error": "too_many_frames"}], 1008)
    await served(gateway, cut=1)
    assert sum(len(session.audio) for session in vendors.deepgram.sessions) < 20 * len(_SECOND)


async def test_a_frame_beyond_measure_is_refused_and_counted(gateway: running.Gateway) -> None:
    async with at(gateway) as socket:
        await socket.send(json.dumps(START))
        await socket.send(b"\0" * 70_000)
        assert await ended(socket) == ([], 1009)
    await served(gateway, cut=1)
    assert gateway.counted("gateway_bad_frames_total", reason="oversized") == 1
