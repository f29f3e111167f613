"""A scripted receptionist behind the chat-completions protocol: rules, no language model.

`Receptionist.reply` is a pure function of what any model would be sent: the system prompt (which names
today's date and the services), the conversation so far, the results of tools. It finds out what the
appointment is for, looks for times with `find_slots`, holds the chosen one with `claim_slot`, and ends with
`end_call`. It says that it is a script when asked, and never that something is held unless the tool has said
so.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from itertools import groupby
from typing import Any

from bench.simulators.replies import Call, Reply, WireMessage, WireTool
from bench.simulators.understanding import (
    EVENING,
    NOON,
    Service,
    Wish,
    edit_distance,
    plain,
    signals,
    understand,
)

# Tool calls in one turn: enough to look at a week day by day, then the caller hears something.
MAX_CALLS = 6
DAYS_LOOKED_AHEAD = 5
SCRIPTED = "I'm a scripted demo receptionist, a computer program and not a person."
CANNOT_SAY = "I'm only a scripted demo receptionist, so I can't answer that, but I can book an appointment."
ANYTHING_ELSE = "Is there anything else I can help you with?"
UNAVAILABLE = "I'm sorry, I can't reach the diary just now. Please try again a little later."
_FILLERS = frozenset({"um", "uh", "er", "erm", "hmm", "mm", "ah", "oh", "well", "so", "hello", "hi", "hey"})


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
    """Where the conversation stands. `wish` is what drives the search now, `said` the caller's last words."""

    briefing: Briefing
    tools: frozenset[str]
    said: str = ""
    turn: Wish = field(default_factory=Wish)
    wish: Wish = field(default_factory=Wish)
    offers: tuple[Offer, ...] = ()
    known: dict[str, Offer] = field(default_factory=dict)
    claimed: Offer | None = None
    held: str | None = None
    search: Mapping[str, Any] = field(default_factory=dict)
    result: tuple[str, Mapping[str, Any]] | None = None
    calls: int = 0


class Receptionist:
    """The script. Holds no state: everything is in the messages."""

    def reply(self, messages: Sequence[WireMessage], tools: Sequence[WireTool]) -> Reply:
        names = frozenset(tool["function"]["name"] for tool in tools)
        now = read_situation(messages, names)
        if now.result is not None:
            return _after_tool(now, *now.result)
        return _answer(now)


# Reading the messages.


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
    if result.get("held") is True:
        now.held = str(result.get("spoken") or "")
    offers = tuple(_offer(slot) for slot in result.get("slots") or () if isinstance(slot, Mapping))
    if offers:
        now.offers = offers
        now.known.update({offer.slot: offer for offer in offers})


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


# Answering the caller.


def _answer(now: Situation) -> Reply:
    moves = signals(now.said)
    if _says_nothing(now.said):
        return Reply(f"I'm sorry, I didn't catch that. {_pending(now)}")
    if _is_over(now, moves):
        thanks = "You're welcome." if now.held else "Thank you for calling."
        return Reply(f"{thanks} Goodbye.", (Call("end_call", {}),) if "end_call" in now.tools else ())
    return _about_the_call(now, moves) or _about_the_booking(now) or _small_talk(now, moves)


def _is_over(now: Situation, moves: frozenset[str]) -> bool:
    if now.turn.names_a_time or now.turn.other_times:
        return False
    if moves & {"goodbye", "finished"}:
        return True
    return now.held is not None and bool(moves & {"declined", "no"}) and now.turn.empty


def _about_the_call(now: Situation, moves: frozenset[str]) -> Reply | None:
    """Questions about whom the caller is speaking with, and asking to hear it again."""
    if "robot" in moves:
        return Reply(f"{SCRIPTED} {_pending(now)}")
    if "handover" in moves:
        return Reply(f"I'm sorry, I can't put you through. {SCRIPTED} {_pending(now)}")
    if "again" in moves:
        return Reply(f"Of course. {_pending(now, again=True)}")
    if "cancel" in moves and now.held:
        return Reply(f"I can't cancel it from here, but a hold lapses by itself. {ANYTHING_ELSE}")
    return None


def _about_the_booking(now: Situation) -> Reply | None:
    """Choose among the offers, or search for others; None if the turn says nothing about an appointment."""
    if now.turn.service is None and (chosen := _choose(now)):
        return chosen
    if now.turn.refused_days and not now.turn.names_a_time:
        return _without_refused_days(now)
    if now.turn.empty:
        return None
    if now.wish.service is None:
        return Reply(f"Certainly. {_ask_service(now)}")
    return _search(now)


def _small_talk(now: Situation, moves: frozenset[str]) -> Reply:
    if "question" in moves:
        return Reply(f"{CANNOT_SAY} {_pending(now)}")
    if "yes" in moves:
        return _agreed(now)
    if moves & {"no", "declined"}:
        no_offer = "What can I do for you?" if not now.offers else "Would another day suit you better?"
        return Reply(f"No problem. {no_offer}")
    if "thanks" in moves and now.held:
        return Reply(f"You're welcome. {ANYTHING_ELSE}")
    if now.wish.service is None and "booking" in moves:
        return Reply(f"Certainly. {_ask_service(now)}")
    return Reply(f"I'm sorry, I didn't catch that. {_pending(now)}")


def _agreed(now: Situation) -> Reply:
    """ "Yes": to the one time on offer, or to being helped further."""
    if now.held:
        return Reply("Certainly. What else can I do for you?")
    if len({offer.starts for offer in now.offers}) == 1:
        return _claim(now, now.offers[0])
    return Reply(f"Lovely. {_pending(now)}")


def _says_nothing(said: str) -> bool:
    words = re.findall(r"[a-z0-9']+", said.lower())
    return all(word in _FILLERS for word in words)


def _pending(now: Situation, *, again: bool = False) -> str:
    """The question that is open."""
    if now.held is not None:
        return f"I'm holding {now.held}. {ANYTHING_ELSE}" if again else ANYTHING_ELSE
    if now.offers:
        return f"I have {_listing(now.offers)}. {_which(now.offers)}"
    if now.wish.service:
        return "Which day would suit you?"
    return _ask_service(now)


def _ask_service(now: Situation) -> str:
    names = [service.name for service in now.briefing.services]
    choice = f" We have {_joined([_said_service(name) for name in names], 'and')}." if names else ""
    return f"What would you like to come in for?{choice}"


# Choosing a time that was offered.


def _choose(now: Situation) -> Reply | None:
    """Hold what the caller picked; ask again if several fit; None if nothing was picked or nothing fits."""
    if not now.offers or now.turn.other_times or now.turn.days_from:
        return None
    if now.turn.time and now.turn.time.relation != "at":
        return None
    named = _named_practitioner(now)
    picked = now.turn.names_a_time or named is not None
    fitting = [
        offer for offer in now.offers if _fits(offer, now.turn) and named in (None, offer.practitioner)
    ]
    if not picked or not fitting:
        return None
    if now.turn.pick is not None:
        if -len(fitting) <= now.turn.pick < len(fitting):
            return _claim(now, fitting[now.turn.pick])
        return Reply(f"I only have {_listing(fitting)}. {_which(fitting)}")
    if now.turn.time or len(fitting) == 1:
        return _claim(now, fitting[0])
    return Reply(f"I have {_listing(fitting)}. {_which(fitting)}")


def _fits(offer: Offer, wish: Wish) -> bool:
    if wish.day and offer.starts.date() != wish.day:
        return False
    if wish.time and not wish.time.fits(offer.minute):
        return False
    match None if wish.time else wish.part:
        case "morning":
            return offer.minute < NOON
        case "afternoon":
            return offer.minute >= NOON
        case "evening":
            return offer.minute >= EVENING
    return True


def _named_practitioner(now: Situation) -> str | None:
    words = re.findall(r"[a-z']+", plain(now.said))
    for name in dict.fromkeys(offer.practitioner for offer in now.offers):
        family = name.split()[-1].lower() if name else ""
        if len(family) > 2 and any(edit_distance(word, family) <= len(family) // 4 for word in words):
            return name
    return None


def _claim(now: Situation, offer: Offer) -> Reply:
    if now.held == offer.spoken:
        return Reply(f"Yes, {offer.spoken} is held for you. {ANYTHING_ELSE}")
    if "claim_slot" not in now.tools:
        return Reply(UNAVAILABLE)
    return Reply(calls=(Call("claim_slot", {"slot": offer.slot}),))


def _without_refused_days(now: Situation) -> Reply:
    left = [offer for offer in now.offers if offer.starts.date() not in now.turn.refused_days]
    if left:
        return Reply(f"All right. I have {_listing(left)}. {_which(left)}")
    return Reply("All right. Which day would suit you?")


# Searching.


def _search(now: Situation) -> Reply:
    day, after = _where_to_look(now)
    first = not now.search
    name = _said_service(now.wish.service or "")
    opening = f"A {name}, certainly. Let me look." if first and now.turn.service else "Let me see."
    return _find(now, day, after, opening)


def _where_to_look(now: Situation) -> tuple[date | None, str | None]:
    """Day and earliest time for the wish; other times than those offered begin behind the last of them."""
    wish = now.wish
    if now.turn.other_times and now.offers and not (wish.day or wish.time or wish.part or wish.days_from):
        last = now.offers[-1].starts + timedelta(minutes=1)
        return last.date(), f"{last:%H:%M}"
    day = wish.day or wish.days_from
    days = {offer.starts.date() for offer in now.offers}
    if day is None and (wish.time or wish.part) and len(days) == 1:
        day = days.pop()
    return day, _after(wish)


def _after(wish: Wish) -> str | None:
    if wish.time:
        minute = wish.time.minute
        return None if wish.time.relation == "before" else f"{minute // 60:02}:{minute % 60:02}"
    return {"afternoon": "12:00", "evening": "17:00"}.get(wish.part or "")


def _find(now: Situation, day: date | None, after: str | None, text: str = "") -> Reply:
    if "find_slots" not in now.tools:
        return Reply(UNAVAILABLE)
    arguments = {"service": now.wish.service, "day": day.isoformat() if day else None, "after": after}
    return Reply(text, (Call("find_slots", arguments),))


# Telling what a tool has answered.


def _after_tool(now: Situation, name: str, result: Mapping[str, Any]) -> Reply:
    match name:
        case "find_slots":
            return _tell_found(now, result)
        case "claim_slot":
            return _tell_claimed(now, result)
        case "end_call":
            return Reply("Goodbye.")
    return Reply(f"I'm sorry, something went wrong. {_pending(now)}")


def _tell_found(now: Situation, result: Mapping[str, Any]) -> Reply:
    if result.get("services"):
        now.wish = replace(now.wish, service=None)
        return Reply(f"I'm sorry, we don't offer that. {_ask_service(now)}")
    if "slots" not in result or result.get("reason"):
        return Reply(UNAVAILABLE)
    if not result["slots"]:
        return _tell_none_free(now)
    exact = [offer for offer in now.offers if now.search.get("day") and _fits(offer, now.wish)]
    if now.wish.time and now.wish.time.relation == "at" and exact:
        return _claim(now, exact[0])
    fitting = [offer for offer in now.offers if _fits(offer, _without_day(now))]
    if not fitting:
        return Reply(f"I'm sorry, nothing is free just then. {_nearest(now.offers)}")
    return Reply(f"I have {_listing(fitting)}. {_which(fitting)}")


def _without_day(now: Situation) -> Wish:
    """What still has to fit of a wish once a day has turned out full and others are offered."""
    return replace(now.wish, day=None) if not now.search.get("day") else now.wish


def _tell_none_free(now: Situation) -> Reply:
    day = now.search.get("day")
    if not day or now.calls >= MAX_CALLS:
        return Reply("I'm sorry, I found nothing free. Which other day would suit you?")
    searched = date.fromisoformat(day)
    if now.turn.other_times or now.turn.days_from:
        ahead = (searched - (now.turn.days_from or now.offers[-1].starts.date())).days + 1
        after = None if now.turn.other_times else now.search.get("after")
        if ahead <= DAYS_LOOKED_AHEAD:
            return _find(now, searched + timedelta(days=1), after)
    if now.search.get("after"):
        return _find(now, searched, None, "I'm sorry, nothing is free at that time.")
    return _find(now, None, _after(now.wish), f"I'm sorry, nothing is free on {searched:%A}.")


def _tell_claimed(now: Situation, result: Mapping[str, Any]) -> Reply:
    if result.get("held") is True:
        practitioner = now.claimed.practitioner if now.claimed else ""
        doctor = f" with {practitioner}" if practitioner else ""
        return Reply(f"I've held {now.held}{doctor} for you. {ANYTHING_ELSE}")
    if result.get("reason") == "taken" or result.get("slots"):
        if result.get("slots"):
            return Reply(f"I'm sorry, that one has just been taken. {_nearest(now.offers)}")
        return Reply("I'm sorry, that one has just been taken. Which other day would suit you?")
    return Reply(UNAVAILABLE)


def _nearest(offers: Sequence[Offer]) -> str:
    return f"The nearest I have is {_listing(offers)}. {_which(offers)}"


def _which(offers: Sequence[Offer]) -> str:
    return "Which would suit you?" if len({offer.starts for offer in offers}) > 1 else "Would that suit you?"


def _listing(offers: Sequence[Offer]) -> str:
    """ "Monday the 23rd at nine o'clock or ten o'clock, or Tuesday the 24th at noon, with Dr Patel".

    A time that two practitioners have is said once; whose it is, is said when it is held.
    """
    doctors = {offer.practitioner for offer in offers}
    times = dict.fromkeys(offer.spoken for offer in offers)
    days = []
    for day, parts in groupby(map(_day_and_time, times), key=lambda part: part[0]):
        hours = _joined([hour for _, hour in parts], "or")
        days.append(f"{day} at {hours}" if day else hours)
    doctor = f", with {doctors.pop()}" if len(doctors) == 1 and "" not in doctors else ""
    return _joined(days, "or", comma=True) + doctor


def _day_and_time(spoken: str) -> tuple[str, str]:
    day, at, hour = spoken.partition(" at ")
    return (day, hour) if at else ("", spoken)


def _joined(parts: Sequence[str], word: str, *, comma: bool = False) -> str:
    if len(parts) < 2:
        return "".join(parts)
    return f"{', '.join(parts[:-1])}{',' if comma or len(parts) > 2 else ''} {word} {parts[-1]}"


def _said_service(name: str) -> str:
    """A service's name in the middle of a sentence; abbreviations stay as they are."""
    return " ".join(word if word.isupper() else word.lower() for word in name.split())
