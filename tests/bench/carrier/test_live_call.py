"""A call over real sockets: webhook, media, marks, status callbacks, and every way it can end."""

import base64
import json

import pytest

from bench.carrier import (
    AnswerRejected,
    CallOver,
    Carrier,
    LineFaults,
    PlivoAccount,
    StreamFault,
    TelnyxAccount,
    TwilioAccount,
    UpgradeRefused,
    WebhookFailed,
)
from bench.carrier.faults import Signing
from bench.carrier.record import ClearCame, MarkWentBack
from tests.bench.carrier.gateway import STREAM, TOKEN, Gateway, Media, gateway

DIALLED = "+442079460018"
VOICE = bytes([0x20, 0xA0]) * 80


def payload(mulaw: bytes) -> dict[str, str]:
    return {"payload": base64.b64encode(mulaw).decode()}


def carrier(served: Gateway) -> Carrier:
    return Carrier(served.url, TwilioAccount(auth_token=TOKEN), pace=10)


async def listen(media: Media) -> None:
    await media.until("stop")


async def speak_and_listen(media: Media) -> None:
    await media.send("media", media=payload(VOICE * 10))
    await media.send("mark", mark={"name": "end"})
    await media.until("stop")


async def test_call_is_signed_from_webhook_to_status() -> None:
    async with (
        gateway(listen) as served,
        carrier(served) as twilio,
        twilio.call(DIALLED, caller="+447700900123") as call,
    ):
        await call.say(VOICE * 3)
        call.hang_up()
        record = await call.ended()
    assert served.unsigned == []
    assert record.end_reason == "caller_hung_up"
    paths = [path for path, _ in served.posts]
    assert paths == ["/twilio/voice", "/twilio/status", "/twilio/status", "/twilio/status"]
    assert served.posts[0][1]["To"] == DIALLED
    assert served.posts[0][1]["CallStatus"] == "ringing"
    assert [fields.get("StreamEvent") for _, fields in served.posts[1:]] == [
        "stream-started",
        "stream-stopped",
        None,
    ]
    assert served.posts[-1][1]["CallStatus"] == "completed"


async def test_caller_audio_arrives_whole_and_numbered() -> None:
    async with gateway(listen) as served, carrier(served) as twilio, twilio.call(DIALLED) as call:
        await call.say(VOICE * 5 + b"\x11" * 40)
    frames = served.media[0].received
    assert frames[0]["event"] == "connected"
    numbered = [frame["sequenceNumber"] for frame in frames[1:]]
    assert numbered == [str(n + 1) for n in range(len(numbered))]
    media = [frame["media"] for frame in frames if frame["event"] == "media"]
    assert [frame["chunk"] for frame in media] == [str(n + 1) for n in range(len(media))]
    assert [frame["timestamp"] for frame in media] == [str(n * 20) for n in range(len(media))]
    heard = b"".join(base64.b64decode(frame["payload"]) for frame in media)
    assert VOICE * 5 + b"\x11" * 40 in heard
    assert heard == bytes(call.record.caller_channel[: len(heard)])


async def test_agent_audio_is_played_in_real_time_and_marked() -> None:
    async with gateway(speak_and_listen) as served, carrier(served) as twilio, twilio.call(DIALLED) as call:
        await call.until(lambda record: any(isinstance(e, MarkWentBack) for e in record.wire))
        await call.agent_quiet(100)
        call.hang_up()
        record = await call.ended()
    assert bytes(record.agent_channel).strip(b"\xff") == VOICE * 10
    assert len(record.agent_channel) == len(record.caller_channel)
    assert record.agent_audible_ms == 200
    (mark,) = [event for event in record.wire if isinstance(event, MarkWentBack)]
    assert mark.at_ms >= 200
    assert not mark.flushed
    assert {"name": "end"} in [frame.get("mark") for frame in served.media[0].received]


async def test_clear_drops_the_queue_and_flushes_marks() -> None:
    async def barge(media: Media) -> None:
        await media.send("media", media=payload(VOICE * 500))
        await media.send("mark", mark={"name": "a"})
        await media.send("mark", mark={"name": "b"})
        await media.until("dtmf")
        await media.send("clear")
        await media.until("stop")

    async with gateway(barge) as served, carrier(served) as twilio, twilio.call(DIALLED) as call:
        await call.agent_speaks(100)
        await call.press("5")
        await call.agent_quiet(60)
    (clear,) = [event for event in call.record.wire if isinstance(event, ClearCame)]
    assert clear.dropped_ms > 9_000
    flushed = [event.name for event in call.record.wire if isinstance(event, MarkWentBack) and event.flushed]
    assert flushed == ["a", "b"]
    assert [frame["dtmf"]["digit"] for frame in served.media[0].received if "dtmf" in frame] == ["5"]


async def test_gateway_that_closes_is_asked_what_follows() -> None:
    async def close(media: Media) -> None:
        await media.socket.close()

    async with (
        gateway(close) as served,
        carrier(served) as twilio,
        twilio.call(DIALLED, wait_for_stream=False) as call,
    ):
        record = await call.ended()
    assert record.end_reason == "answer_ended"
    assert "/twilio/after" in [path for path, _ in served.posts]


async def test_rest_completion_stops_the_stream_without_asking() -> None:
    async with gateway(listen) as served, carrier(served) as twilio, twilio.call(DIALLED) as call:
        assert twilio.complete(call.plan.call_id)
        with pytest.raises(CallOver):
            await call.say(VOICE * 500)
        record = await call.ended()
        assert not twilio.complete(call.plan.call_id)
    assert record.end_reason == "rest_completed"
    assert "/twilio/after" not in [path for path, _ in served.posts]
    assert served.media[0].received[-1]["event"] == "stop"


async def test_dropped_connection_says_no_stop() -> None:
    async with gateway(listen) as served, carrier(served) as twilio, twilio.call(DIALLED) as call:
        call.drop()
        await call.ended()
    assert "stop" not in [frame["event"] for frame in served.media[0].received]
    assert "/twilio/after" in [path for path, _ in served.posts]


async def test_malformed_order_ends_the_stream() -> None:
    async def babble(media: Media) -> None:
        await media.send("media", media={"payload": "not base64!"})
        await media.until("stop")

    async with gateway(babble) as served, carrier(served) as twilio:
        with pytest.raises(StreamFault):
            async with twilio.call(DIALLED) as call:
                await call.ended()
    assert [fields.get("StreamEvent") for _, fields in served.posts][-2:] == ["stream-error", None]


async def test_any_message_can_be_put_on_the_socket() -> None:
    seen: list[str] = []

    async def collect(media: Media) -> None:
        seen.extend([m.data async for m in media.socket if "event" not in json.loads(m.data)])

    async with gateway(collect) as served, carrier(served) as twilio, twilio.call(DIALLED) as call:
        await call.send_raw('{"nonsense": 1}')
        await call.until(lambda record: record.now_ms > 200)
    assert seen == ['{"nonsense": 1}']


async def test_refusals_are_raised_to_the_caller() -> None:
    async with gateway(listen, "<Response><Dance/></Response>") as served, carrier(served) as twilio:
        with pytest.raises(AnswerRejected):
            async with twilio.call(DIALLED):
                pass
    elsewhere = STREAM.replace('url="/twilio/media"', 'url="/nowhere"')
    async with gateway(listen, elsewhere) as served, carrier(served) as twilio:
        with pytest.raises(UpgradeRefused) as refusal:
            async with twilio.call(DIALLED):
                pass
    assert refusal.value.status == 405
    async with Carrier("http://127.0.0.1:9") as twilio:
        with pytest.raises(WebhookFailed):
            async with twilio.call(DIALLED):
                pass


async def test_spoken_sentence_without_a_stream() -> None:
    sorry = "<Response><Say>This number is not in use.</Say><Hangup/></Response>"
    async with (
        gateway(listen, sorry) as served,
        carrier(served) as twilio,
        twilio.call(DIALLED, wait_for_stream=False) as call,
    ):
        record = await call.ended()
    assert record.spoken_by_carrier == ["This number is not in use."]
    assert record.end_reason == "answer_ended"


async def test_a_half_dead_line_keeps_the_socket_and_says_nothing() -> None:
    async with (
        gateway(listen) as served,
        carrier(served) as twilio,
        twilio.call(DIALLED, faults=LineFaults(half_dead=200)) as call,
    ):
        await call.until(lambda record: record.now_ms > 400)
        call.hang_up()
        await call.ended()
    events = [frame["event"] for frame in served.media[0].received]
    assert events == ["connected", "start", *["media"] * 10]
    assert call.record.struck["half_dead"] == 1


async def test_a_deaf_line_returns_no_mark() -> None:
    async def mark_late(media: Media) -> None:
        await media.until("dtmf")
        await media.send("mark", mark={"name": "one"})
        await media.send("mark", mark={"name": "two"})
        await media.until("stop")

    async with (
        gateway(mark_late) as served,
        carrier(served) as twilio,
        twilio.call(DIALLED, faults=LineFaults(deaf=100)) as call,
    ):
        await call.until(lambda record: record.now_ms > 200)
        await call.press("1")
        await call.until(lambda record: record.now_ms > 600)
    assert not [event for event in call.record.wire if isinstance(event, MarkWentBack)]
    assert call.record.struck["deaf"] == 1


async def test_garbage_comes_between_proper_frames() -> None:
    texts: list[str] = []

    async def collect(media: Media) -> None:
        texts.extend([str(m.data) async for m in media.socket])

    bad_line = LineFaults(malformed=0.3, loss=0.1)
    async with (
        gateway(collect) as served,
        carrier(served) as twilio,
        twilio.call(DIALLED, faults=bad_line) as call,
    ):
        await call.until(lambda record: record.now_ms > 1000)
        call.hang_up()
        record = await call.ended()
    proper = [text for text in texts if text.startswith('{"event": "media"') and text.endswith("}}")]
    assert record.struck["malformed"] > 3
    assert record.struck["loss"] > 0
    assert len(texts) - len(proper) - 1 == record.struck["malformed"]  # but for the stop
    numbers = [int(json.loads(text)["sequenceNumber"]) for text in proper]
    assert numbers == sorted(set(numbers))


async def test_a_torn_stream_is_asked_for_again() -> None:
    async with gateway(listen) as served, carrier(served) as twilio:
        served.after = served.twiml
        async with twilio.call(DIALLED, faults=LineFaults(close=100, webhook_doubled=1)) as call:
            await call.until(lambda record: record.streams == 2 and record.now_ms > 200)
    paths = [path for path, _ in served.posts]
    assert paths.count("/twilio/voice") == paths.count("/twilio/after") == 1
    assert paths.count("/twilio/status") == 2 * 5
    assert "stop" not in [frame["event"] for frame in served.media[0].received]
    assert served.unsigned == []


@pytest.mark.parametrize("way", ["bad", "missing"])
async def test_forged_requests_are_forged_throughout(way: Signing) -> None:
    async with (
        gateway(listen) as served,
        carrier(served) as twilio,
        twilio.call(DIALLED, faults=LineFaults(signature=way)),
    ):
        pass
    assert served.unsigned == ["/twilio/voice", "/twilio/media", *["/twilio/status"] * 3]


async def test_plivo_tries_a_refused_socket_twice_again_and_goes_on() -> None:
    document = (
        '<Response><Stream bidirectional="true" keepCallAlive="true" contentType="audio/x-mulaw;rate=8000">'
        "{url}/nowhere</Stream><Speak>Sorry.</Speak></Response>"
    )
    async with gateway(listen) as served:
        served.after = document.replace("{url}", served.url.replace("http", "ws"))
        async with (
            Carrier(served.url, PlivoAccount(), voice_url=f"{served.url}/plivo/voice") as plivo,
            plivo.call(DIALLED, strict=False, wait_for_stream=False) as call,
        ):
            record = await call.ended()
    assert [type(fault) for fault in record.faults] == [UpgradeRefused] * 3
    assert record.spoken_by_carrier == ["Sorry."]
    assert record.end_reason == "answer_ended"


async def test_telnyx_says_what_it_refuses_and_goes_on() -> None:
    async def babble(media: Media) -> None:
        await media.socket.send_str('{"event":"dance"}')
        await media.socket.send_str('{"event":"mark","mark":{"name":"m"}}')
        await media.until("stop")

    async with gateway(babble) as served:
        media_url = served.url.replace("http", "ws") + "/telnyx/media"
        async with (
            Carrier(served.url, TelnyxAccount(), media_url=media_url, pace=10) as telnyx,
            telnyx.call(DIALLED, strict=False) as call,
        ):
            await call.until(lambda record: any(isinstance(e, MarkWentBack) for e in record.wire))
            call.hang_up()
            record = await call.ended()
    assert [fault.code for fault in record.faults] == [100003]
    assert served.posts == []
    assert record.end_reason == "caller_hung_up"
    told = {frame["event"] for frame in served.media[0].received}
    assert {"connected", "start", "error", "mark", "stop"} <= told
