"""What is said of a call: figures from its record, and what is the gateway's fault under which plan."""

import pytest

from bench.carrier.errors import Rule, StreamFault, UpgradeRefused, WebhookFailed
from bench.carrier.faults import NO_FAULTS, LineFaults
from bench.carrier.record import CallRecord, ClearCame, KeysCame, MarkCame, MarkWentBack, MediaCame
from bench.carrier.report import SCHEMA, report_of, timeline
from bench.carrier.steps import ConnectStream, Say

RULE = Rule("rule", "what is demanded", "where it is written")
VOICE = bytes([0x20, 0xA0]) * 80


def heard() -> CallRecord:
    """One stream of a second: 200 ms of the agent, a hole of 100 ms, 200 ms more, a clear."""
    record = CallRecord("call-1", streams=1, dialled_s=10.0, answered_s=10.05, streamed_s=10.1)
    record.steps.append(ConnectStream("wss://gw.example.com/m", {"token": "secret"}))
    for _ in range(50):
        record.add_frame(b"\xff" * 160, VOICE)
    record.wire += [
        MediaCame(0, 200, VOICE * 10, 11.0, 0.0),
        MarkCame(0, "a"),
        MarkWentBack(200, "a", flushed=False),
        MediaCame(300, 200, VOICE * 10, 11.3, 0.0),
        MarkCame(300, "b"),
        ClearCame(400, 100.0, 11.4),
        MarkWentBack(400, "b", flushed=True),
    ]
    record.end_reason = "caller_hung_up"
    return record


def test_figures() -> None:
    report = report_of("twilio", heard(), NO_FAULTS, [640])
    assert report.is_good
    assert (report.answered_ms, report.streamed_ms, report.first_audio_ms) == (50.0, 100.0, 900.0)
    assert (report.caller_ms, report.agent_audible_ms) == (1000, 1000)
    assert (report.marks_sent, report.marks_returned, report.marks_flushed) == (2, 2, 1)
    assert report.clears == [100.0]
    assert report.gaps_ms == [pytest.approx(100.0)]
    told = report.as_json()
    assert told["schema"] == SCHEMA
    assert told["answers_ms"] == [640]
    assert "secret" not in str(told)


def test_timeline() -> None:
    wire = [
        MediaCame(0, 200),
        MediaCame(20, 100),
        *heard().wire[1:3],
        KeysCame(240, "12"),
        ClearCame(400, 9.0),
    ]
    assert timeline(wire) == [
        {"at_ms": 0, "what": "media", "ms": 300, "until_ms": 20},
        {"at_ms": 0, "what": "mark", "name": "a"},
        {"at_ms": 200, "what": "mark_back", "name": "a", "flushed": False},
        {"at_ms": 240, "what": "keys", "count": 2},
        {"at_ms": 400, "what": "clear", "dropped_ms": 9.0},
    ]


def test_a_broken_rule_is_told_with_its_source() -> None:
    record = heard()
    record.add_fault(StreamFault(RULE, "the gateway sent nonsense"))
    report = report_of("twilio", record, NO_FAULTS)
    assert not report.is_good
    assert report.as_json()["violations"] == [
        {
            "code": "rule",
            "fact": "the gateway sent nonsense",
            "at_ms": 1000,
            "rule": "what is demanded",
            "source": "where it is written",
        }
    ]


def codes(record: CallRecord, faults: LineFaults = NO_FAULTS) -> list[int | str]:
    return [each.rule.code for each in report_of("twilio", record, faults).violations]


def test_a_call_that_is_not_connected_or_silent() -> None:
    nobody = CallRecord("call-1")
    nobody.steps.append(Say("This number is not in service."))
    assert codes(nobody) == ["not-taken"]
    silent = CallRecord("call-1", streams=1)
    assert codes(silent) == ["silent"]
    assert codes(silent, LineFaults(deaf=0)) == codes(silent, LineFaults(close=0)) == []


def test_a_forged_call_is_to_be_refused() -> None:
    forged = LineFaults(signature="bad")
    refused = CallRecord("call-1")
    refused.add_fault(WebhookFailed(RULE, "answered 403", 403))
    assert codes(refused, forged) == []
    assert codes(refused) == ["rule", "not-taken"]
    at_the_socket = CallRecord("call-1")
    at_the_socket.add_fault(UpgradeRefused(RULE, "answered 401", 401))
    assert codes(at_the_socket, forged) == []
    broken = CallRecord("call-1")
    broken.add_fault(WebhookFailed(RULE, "answered 500", 500))
    assert codes(broken, forged) == ["rule", "signature"]
    assert codes(heard(), forged) == ["signature"]
