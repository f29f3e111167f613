"""Where a conversation with the scripted receptionist stands: all of it read from the messages."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from bench.simulators.replies import WireMessage
from bench.simulators.understanding import Service, Wish, understand


@dataclass(frozen=True, slots=True)
class Briefing:
    """What the system prompt says."""

    today: date | None
    services: tuple[Service, ...]


@dataclass(frozen=True, slots=True)
class Offer:
    """A slot that a tool returned in this call."""

    slot: str
    starts: datetime
    spoken: str
    practitioner: str

    @property
    def minute(self) -> int:
        return self.starts.hour * 60 + self.starts.minute


@dataclass(slots=True)
class Situation:
    """`wish` is what drives the search now, `said` the caller's last words.

    `held`, `booked`: the time, as it is spoken. `refused`: why the last code was not sent or not taken.
    """

    briefing: Briefing
    tools: frozenset[str]
    said: str = ""
    turn: Wish = field(default_factory=Wish)
    wish: Wish = field(default_factory=Wish)
    offers: tuple[Offer, ...] = ()
    known: dict[str, Offer] = field(default_factory=dict)
    claimed: Offer | None = None
    held: str | None = None
    awaits_code: bool = False
    booked: str | None = None
    appointment: str = ""
    refused: str = ""
    search: Mapping[str, Any] = field(default_factory=dict)
    result: tuple[str, Mapping[str, Any]] | None = None
    calls: int = 0


def read_briefing(prompt: str) -> Briefing:
    """Today's date from `Today is … 2026-11-21 …`, the services from `Services: name (also: a, b); …`."""
    today = re.search(r"Today is [^\n]*?(\d{4}-\d{2}-\d{2})", prompt)
    services = re.search(r"^Services: (.+?)\.?$", prompt, re.MULTILINE)
    return Briefing(
        today=date.fromisoformat(today[1]) if today else None,
        services=tuple(_service(part) for part in _outside_brackets(services[1])) if services else (),
    )


def _outside_brackets(line: str) -> list[str]:
    return [part.strip() for part in re.split(r";(?![^(]*\))", line) if part.strip()]


def _service(part: str) -> Service:
    name, _, bracket = part.partition("(")
    also = re.search(r"also(?: called)?:? ([^);]+)", bracket)
    return Service(name.strip(), tuple(each.strip() for each in also[1].split(",")) if also else ())


def read_situation(messages: Sequence[WireMessage], tools: frozenset[str]) -> Situation:
    """Plays the conversation back, message by message."""
    prompts = [_content(message) for message in messages if message["role"] in ("system", "developer")]
    now = Situation(read_briefing("\n".join(prompts)), tools)
    names: dict[str, str] = {}
    answered = True
    for message in messages:
        match message["role"]:
            case "user":
                _hear(now, _content(message), more=not answered)
                answered = False
            case "assistant":
                answered = True
                now.result = None
                for call in message.get("tool_calls") or ():
                    names[call["id"]] = call["function"]["name"]
                    _note_call(now, call["function"])
            case "tool":
                name = names.get(message["tool_call_id"], "")
                _note_result(now, name, _decoded(_content(message)))
    return now


def _hear(now: Situation, words: str, *, more: bool) -> None:
    """Take one caller turn; `more` if the agent has not answered the one before."""
    now.said = f"{now.said} {words}" if more else words
    now.turn = understand(now.said, now.briefing.today, now.briefing.services)
    # A wish that has been searched for is answered; one that has only led to a question is added to.
    base = Wish(service=now.wish.service) if now.calls else now.wish
    now.wish = base.then(now.turn)
    now.result, now.calls = None, 0


def _note_call(now: Situation, function: Mapping[str, Any]) -> None:
    now.calls += 1
    if function["name"] == "find_slots":
        now.search = _decoded(function["arguments"])
    if function["name"] == "claim_slot":
        now.claimed = now.known.get(str(_decoded(function["arguments"]).get("slot")))


def _note_result(now: Situation, name: str, result: Mapping[str, Any]) -> None:
    now.result = (name, result)
    match name:
        case "claim_slot":
            _note_hold(now, result)
        case "send_code" | "verify_code":
            _note_code(now, result)
        case "confirm_booking" | "cancel_booking":
            _note_booking(now, result)
    offers = tuple(_offer(slot) for slot in result.get("slots") or () if isinstance(slot, Mapping))
    if offers:
        now.offers = offers
        now.known.update({offer.slot: offer for offer in offers})


def _note_hold(now: Situation, result: Mapping[str, Any]) -> None:
    if result.get("booked") is True:
        now.booked = str(result.get("spoken") or "")
    if result.get("held") is True:
        now.held, now.awaits_code, now.refused = str(result.get("spoken") or ""), False, ""


def _note_code(now: Situation, result: Mapping[str, Any]) -> None:
    now.refused = str(result.get("reason") or "")
    if result.get("sent") is True:
        now.awaits_code = True
    if result.get("verified") is True or now.refused in ("locked", "hold_over"):
        now.awaits_code = False
    if now.refused == "hold_over":
        now.held = None


def _note_booking(now: Situation, result: Mapping[str, Any]) -> None:
    now.refused = str(result.get("reason") or "")
    now.appointment = str(result.get("appointment") or now.appointment)
    if result.get("booked") is True:
        now.booked = str(result.get("spoken") or "")
    if result.get("cancelled") is True:
        now.booked = now.held = None


def _offer(slot: Mapping[str, Any]) -> Offer:
    starts = datetime.fromisoformat(str(slot["starts"]))
    spoken = str(slot.get("spoken") or f"{starts:%A at %H:%M}")
    return Offer(str(slot["slot"]), starts, spoken, str(slot.get("practitioner") or ""))


def _content(message: WireMessage) -> str:
    content = message.get("content") or ""
    return content if isinstance(content, str) else " ".join(part["text"] for part in content)


def _decoded(text: str) -> Mapping[str, Any]:
    try:
        value = json.loads(text or "{}")
    except ValueError:
        return {"error": "unreadable"}
    return value if isinstance(value, dict) else {"error": "unreadable"}
