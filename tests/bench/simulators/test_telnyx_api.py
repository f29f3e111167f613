"""The strict Telnyx, asked by Telnyx's own package for all that putting a caller through takes."""

from collections.abc import AsyncIterator
from importlib import import_module
from typing import Any

import pytest

from bench.simulators.telnyx_api import TelnyxApiSimulator, TelnyxCall

CALLER, FROM, TO = "v3:caller", "+442079460018", "+442071838999"
TONE = "https://gw.example.com/telnyx/ringing.wav"


@pytest.fixture
async def api() -> AsyncIterator[TelnyxApiSimulator]:
    async with TelnyxApiSimulator(api_key="KEY") as simulator:
        simulator.calls[CALLER] = TelnyxCall("answered", is_streamed=True)
        simulator.numbers[FROM] = "1684641123236054244"
        yield simulator


@pytest.fixture
async def client(api: TelnyxApiSimulator) -> AsyncIterator[Any]:
    package = import_module("telnyx")
    async with package.AsyncTelnyx(api_key="KEY", base_url=f"{api.url}/v2", max_retries=0) as opened:
        yield opened


async def dialled(client: Any, **more: Any) -> str:
    made = await client.calls.dial(
        connection_id="1684641123236054244", to=TO, from_=FROM, timeout_secs=20, time_limit_secs=900, **more
    )
    return str(made.data.call_control_id)


async def test_a_leg_is_dialled_waited_for_and_bridged(client: Any, api: TelnyxApiSimulator) -> None:
    orders = client.calls.actions
    person = await dialled(client, link_to=CALLER, command_id="1")
    assert await dialled(client, link_to=CALLER, command_id="1") == person
    await orders.stop_streaming(CALLER)
    await orders.start_playback(CALLER, audio_url=TONE, audio_type="wav", loop="infinity")
    assert api.calls[CALLER].is_played_to
    api.calls[person].state = "answered"
    await orders.stop_playback(CALLER)
    await orders.bridge(person, call_control_id_to_bridge_with=CALLER, client_state="e30=")
    assert (api.calls[person].bridged, api.calls[CALLER].bridged) == (CALLER, person)
    assert [each.action for each in api.commands] == [
        "streaming_stop", "playback_start", "playback_stop", "bridge",
    ]  # fmt: skip


async def test_what_telnyx_would_refuse_is_refused(client: Any, api: TelnyxApiSimulator) -> None:
    refused, orders = import_module("telnyx").UnprocessableEntityError, client.calls.actions
    person = await dialled(client)
    with pytest.raises(refused, match="90034"):  # it rings
        await orders.bridge(person, call_control_id_to_bridge_with=CALLER)
    with pytest.raises(refused, match="90034"):
        await orders.speak(person, payload="Hello.", voice="Telnyx.KokoroTTS.af")
    with pytest.raises(refused, match="90034"):  # nothing is played
        await orders.stop_playback(CALLER)
    with pytest.raises(refused, match="audio_url"):
        await orders.start_playback(CALLER, loop="infinity")
    with pytest.raises(refused, match="loop"):
        await orders.start_playback(CALLER, audio_url=TONE, loop=101)
    with pytest.raises(refused, match="link_to"):
        await dialled(client, link_to="v3:never")
    with pytest.raises(refused, match="stream_bidirectional_sampling_rate"):
        await orders.answer(person, extra_body={"stream_bidirectional_sampling_rate": 8000.0})
    api.calls[person].state = "ended"
    for there, other in ((CALLER, person), (person, CALLER)):
        with pytest.raises(refused, match="90018"):
            await orders.bridge(there, call_control_id_to_bridge_with=other)
    assert api.commands == []
