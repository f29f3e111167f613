"""A scripted receptionist behind the chat-completions protocol: rules, no language model.

`Receptionist.reply` is a pure function of what any model would be sent: the system prompt (which names
today's date and the services), the conversation so far, the results of tools. It finds out what the
appointment is for, looks for times with `find_slots`, holds the chosen one with `claim_slot`, books it by a
code that the caller reads out or types, and ends with `end_call`. It says that it is a script when asked, and
never that something is held or booked unless the tool has said so.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from itertools import groupby
from typing import Any

from bench.simulators import receptionist_codes as codes
from bench.simulators.receptionist_codes import ANYTHING_ELSE, ASK_CODE
from bench.simulators.receptionist_situation import Offer, Situation, read_situation
from bench.simulators.replies import Call, Reply, WireMessage, WireTool
from bench.simulators.understanding import (
    EVENING,
    NOON,
    Wish,
    edit_distance,
    plain,
    signals,
)

# Tool calls in one turn: enough to look at a week day by day, then the caller hears something.
MAX_CALLS = 6
DAYS_LOOKED_AHEAD = 5
SCRIPTED = "I'm a scripted demo receptionist, a computer program and not a person."
CANNOT_SAY = "I'm only a scripted demo receptionist, so I can't answer that, but I can book an appointment."
UNAVAILABLE = "I'm sorry, I can't reach the diary just now. Please try again a little later."
_FILLERS = frozenset({"um", "uh", "er", "erm", "hmm", "mm", "ah", "oh", "well", "so", "hello", "hi", "hey"})


class Receptionist:
    """The script. Holds no state: everything is in the messages."""

    def reply(self, messages: Sequence[WireMessage], tools: Sequence[WireTool]) -> Reply:
        names = frozenset(tool["function"]["name"] for tool in tools)
        now = read_situation(messages, names)
        if now.result is not None:
            return _after_tool(now, *now.result)
        return _answer(now)


# Answering the caller.


def _answer(now: Situation) -> Reply:
    moves = signals(now.said)
    if _says_nothing(now.said):
        return Reply(f"I'm sorry, I didn't catch that. {_pending(now)}")
    if about_code := codes.answer(now, moves):
        return about_code
    if _is_over(now, moves):
        thanks = "You're welcome." if now.held and not now.awaits_code else "Thank you for calling."
        return Reply(f"{thanks} Goodbye.", (Call("end_call", {}),) if "end_call" in now.tools else ())
    return _about_the_call(now, moves) or _about_the_booking(now) or _small_talk(now, moves)


def _is_over(now: Situation, moves: frozenset[str]) -> bool:
    if now.turn.names_a_time or now.turn.other_times:
        return False
    if moves & {"goodbye", "finished"}:
        return True
    if now.held is None or now.awaits_code:
        return False
    return bool(moves & {"declined", "no"}) and now.turn.empty


def _about_the_call(now: Situation, moves: frozenset[str]) -> Reply | None:
    """Questions about whom the caller is speaking with, and asking to hear it again."""
    if "robot" in moves:
        return Reply(f"{SCRIPTED} {_pending(now)}")
    if "handover" in moves:
        return Reply(f"I'm sorry, I can't put you through. {SCRIPTED} {_pending(now)}")
    if "again" in moves:
        return Reply(f"Of course. {_pending(now, again=True)}")
    if "cancel" in moves and (cancelling := codes.cancel(now)):
        return cancelling
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
    if now.awaits_code:
        return Reply(f"Take your time. {ASK_CODE}")
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
    if now.awaits_code:
        return ASK_CODE
    if now.booked is not None:
        return f"You are booked for {now.booked}. {ANYTHING_ELSE}" if again else ANYTHING_ELSE
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
        state = "booked" if now.booked == offer.spoken else "held"
        return Reply(f"Yes, {offer.spoken} is {state} for you. {_pending(now)}")
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
        case _ if name in codes.TOOLS:
            return codes.tell(now, name, result)
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
    if result.get("booked") is True:
        return codes.tell(now, "confirm_booking", result)
    if result.get("held") is True:
        practitioner = now.claimed.practitioner if now.claimed else ""
        doctor = f" with {practitioner}" if practitioner else ""
        held = f"I've held {now.held}{doctor} for you."
        return codes.prove(now, held) or Reply(f"{held} {ANYTHING_ELSE}")
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
