"""`python -m bench.simulators`: one process, real engines, one ready line."""

import asyncio
import json
import signal
import sys
from asyncio.subprocess import PIPE

import pytest
from cartesia import AsyncCartesia
from openai import AsyncOpenAI

from bench.simulators.__main__ import parse


async def test_it_serves_what_was_asked_for_and_ends_on_sigterm() -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bench.simulators", "cartesia", "llm", "--key", "k", stdout=PIPE
    )
    assert process.stdout is not None
    try:
        async with asyncio.timeout(60):
            ready = json.loads(await process.stdout.readline())
        assert ready.keys() == {"cartesia", "voice", "llm"}
        async with AsyncOpenAI(api_key="k", base_url=ready["llm"]) as chat:
            answer = await chat.chat.completions.create(
                model="scripted-receptionist", messages=[{"role": "user", "content": "Are you a robot?"}]
            )
        assert "scripted" in str(answer.choices[0].message.content)
        async with AsyncCartesia(api_key="k", base_url=ready["cartesia"]) as speech:
            sound = await speech.tts.generate(
                model_id="sonic-3",
                transcript="One moment.",
                voice={"mode": "id", "id": "v"},
                output_format={"container": "raw", "encoding": "pcm_mulaw", "sample_rate": 8000},
            )
            assert len(await sound.read()) > 4000
    finally:
        process.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(process.wait(), 20) == 0


def test_an_unknown_provider_is_refused() -> None:
    with pytest.raises(SystemExit):
        parse(["whisper"])
    assert parse([]).providers == ["deepgram", "cartesia", "llm"]
