"""What a carrier has to say of one call: was it taken, was anything heard, which rules were broken. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, assert_never

from bench.carrier.errors import CarrierFault, Rule, UpgradeRefused, WebhookFailed
from bench.carrier.faults import LineFaults
from bench.carrier.record import (
    CallRecord,
    ClearCame,
    KeysCame,
    MarkCame,
    MarkWentBack,
    MediaCame,
    WireEvent,
)
from bench.carrier.steps import ConnectStream, Say, Step
from bench.harness.sound import gaps_s, heard_after

SCHEMA: Final = "clinic-voice-gateway/carrier/1"
LONGEST_GAP_S: Final = 0.5
"""A longer silence is a pause between two utterances."""
_FORBIDDEN: Final = frozenset({401, 403})

UNSIGNED: Final = Rule(
    "signature", "a request that the account has not signed is refused (401 or 403)", "every carrier's docs"
)
NOT_TAKEN: Final = Rule("not-taken", "a call is connected to a media stream", "what the call is for")
SILENT: Final = Rule("silent", "a caller who is connected hears something", "what the call is for")


@dataclass(frozen=True, slots=True)
class Violation:
    """A rule, and how it was broken. `at_ms`: of stream time, None for what is of no instant."""

    rule: Rule
    fact: str
    at_ms: int | None = None

    def as_json(self) -> dict[str, Any]:
        rule = self.rule
        told = {"code": rule.code, "fact": self.fact, "at_ms": self.at_ms}
        return {**told, "rule": rule.says, "source": rule.source}


@dataclass(frozen=True, slots=True)
class Report:
    """`taken`: the media stream ran. Instants are milliseconds: of the answer since dialling, of the stream
    since dialling, of the first audible sample since the stream's begin; None for what never was.
    """

    carrier: str
    call_id: str
    taken: bool
    end_reason: str | None
    close_codes: Sequence[int | None]
    answered_ms: float | None
    streamed_ms: float | None
    first_audio_ms: float | None
    caller_ms: int
    agent_audible_ms: int
    streams: int
    steps: Sequence[Mapping[str, Any]]
    marks_sent: int
    marks_returned: int
    marks_flushed: int
    clears: Sequence[float]
    gaps_ms: Sequence[float]
    answers_ms: Sequence[int]
    faults_struck: Mapping[str, int]
    timeline: Sequence[Mapping[str, Any]]
    violations: Sequence[Violation] = field(default_factory=tuple)

    @property
    def is_good(self) -> bool:
        return not self.violations

    def as_json(self) -> dict[str, Any]:
        told = {name: getattr(self, name) for name in self.__slots__ if name != "violations"}
        violations = [each.as_json() for each in self.violations]
        return {"schema": SCHEMA, "good": self.is_good, **told, "violations": violations}


def report_of(carrier: str, record: CallRecord, faults: LineFaults, answers_ms: Sequence[int] = ()) -> Report:
    """`answers_ms`: how long each of the caller's turns waited for its answer."""
    heard = heard_after(record.wire, 0.0, marked=False)
    back = [event for event in record.wire if isinstance(event, MarkWentBack)]
    return Report(
        carrier=carrier,
        call_id=record.call_id,
        taken=record.streams > 0,
        end_reason=record.end_reason,
        close_codes=list(record.close_codes),
        answered_ms=_ms(record.dialled_s, record.answered_s),
        streamed_ms=_ms(record.dialled_s, record.streamed_s),
        first_audio_ms=_ms(record.streamed_s, heard.first_s),
        caller_ms=record.now_ms,
        agent_audible_ms=record.agent_audible_ms,
        streams=record.streams,
        steps=[described(step) for step in record.steps],
        marks_sent=sum(isinstance(event, MarkCame) for event in record.wire),
        marks_returned=len(back),
        marks_flushed=sum(event.flushed for event in back),
        clears=[event.dropped_ms for event in record.wire if isinstance(event, ClearCame)],
        gaps_ms=_gaps_ms(record.wire),
        answers_ms=list(answers_ms),
        faults_struck={name: count for name, count in sorted(record.struck.items()) if count},
        timeline=timeline(record.wire),
        violations=tuple(violations(record, faults)),
    )


def violations(record: CallRecord, faults: LineFaults) -> list[Violation]:
    """What was wrong with the gateway's side, given what was done to it."""
    refused = [fault for fault in record.faults if _forbids(fault)]
    if faults.signature != "good" and refused:
        return [_violation(fault) for fault in record.faults if fault not in refused]
    found = [_violation(fault) for fault in record.faults]
    if faults.signature != "good":
        found.append(Violation(UNSIGNED, f"a call whose signature was {faults.signature} was taken"))
    elif not record.streams:
        found.append(Violation(NOT_TAKEN, "no media stream ran"))
    elif not record.agent_audible_ms and not _is_cut_short(faults):
        found.append(Violation(SILENT, "nothing audible came"))
    return found


def timeline(wire: Sequence[WireEvent]) -> list[dict[str, Any]]:
    """What came and went, by milliseconds of stream time; audio that came in a row is one entry."""
    told: list[dict[str, Any]] = []
    for event in wire:
        match event:
            case MediaCame(at_ms, length_ms) if told and told[-1]["what"] == "media":
                told[-1] |= {"ms": told[-1]["ms"] + length_ms, "until_ms": at_ms}
            case MediaCame(at_ms, length_ms):
                told.append({"at_ms": at_ms, "what": "media", "ms": length_ms, "until_ms": at_ms})
            case MarkCame(at_ms, name):
                told.append({"at_ms": at_ms, "what": "mark", "name": name})
            case ClearCame(at_ms, dropped_ms):
                told.append({"at_ms": at_ms, "what": "clear", "dropped_ms": dropped_ms})
            case MarkWentBack(at_ms, name, flushed):
                told.append({"at_ms": at_ms, "what": "mark_back", "name": name, "flushed": flushed})
            case KeysCame(at_ms, digits):
                told.append({"at_ms": at_ms, "what": "keys", "count": len(digits)})
            case _:
                assert_never(event)
    return told


def described(step: Step) -> dict[str, Any]:
    """A step without what only the gateway and its own socket are to know."""
    told: dict[str, Any] = {"step": type(step).__name__}
    if isinstance(step, ConnectStream):
        told |= {"url": step.url, "parameters": sorted(step.parameters), "rate_hz": step.rate_hz}
    elif isinstance(step, Say):
        told["text"] = step.text
    return told


def _violation(fault: CarrierFault) -> Violation:
    return Violation(fault.rule, fault.fact, fault.at_ms)


def _forbids(fault: CarrierFault) -> bool:
    return isinstance(fault, WebhookFailed | UpgradeRefused) and fault.status in _FORBIDDEN


def _is_cut_short(faults: LineFaults) -> bool:
    return any(each is not None for each in (faults.half_dead, faults.deaf, faults.close))


def _gaps_ms(wire: Sequence[WireEvent]) -> list[float]:
    pieces = [event for event in wire if isinstance(event, MediaCame)]
    if not pieces:
        return []
    holes = gaps_s(wire, pieces[0].came_s, pieces[-1].came_s + 1.0)
    return [round(hole * 1000, 1) for hole in holes if hole <= LONGEST_GAP_S]


def _ms(from_s: float | None, to_s: float | None) -> float | None:
    return None if from_s is None or to_s is None else round((to_s - from_s) * 1000, 1)
