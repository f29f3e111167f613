"""The way to a booking over HTTP, step by step."""

import re
from typing import Any

from bench.simulators.twilio_api import TwilioApiSimulator
from tests.conftest import Clinic
from tests.gateway.api.client import Client

PHONE = "+447700900123"
PERSON = {"phone": PHONE, "name": "Anna Smith", "email": "anna.smith@example.com"}


async def free_slots(client: Client, clinic: Clinic, limit: int = 5) -> list[dict[str, Any]]:
    page = await client.get("/slots", service_id=clinic.service_ids[0], limit=limit)
    items: list[dict[str, Any]] = page.json()["items"]
    return items


async def held(client: Client, clinic: Clinic) -> dict[str, Any]:
    """A hold on the soonest free slot."""
    slot, *_ = await free_slots(client, clinic)
    made = await client.post("/holds", {"slot_id": slot["id"]})
    assert made.status_code == 201, made.text
    hold: dict[str, Any] = made.json()
    return hold


def code_sent(twilio: TwilioApiSimulator, to: str = PHONE) -> str:
    """The code that was texted last."""
    found = re.search(r"\b[0-9]{6}\b", twilio.messages.to(to)[-1].body)
    assert found is not None
    return found[0]


def other_than(code: str) -> str:
    return f"{(int(code) + 1) % 10**6:06d}"


async def verified(client: Client, clinic: Clinic, twilio: TwilioApiSimulator) -> dict[str, Any]:
    """A hold whose code was sent and given back."""
    hold = await held(client, clinic)
    sent = await client.post(f"/holds/{hold['id']}/otp", {"phone": PHONE})
    assert sent.status_code == 202, sent.text
    checked = await client.post(f"/holds/{hold['id']}/otp/check", {"code": code_sent(twilio)})
    assert checked.status_code == 200, checked.text
    return hold


async def booked(client: Client, clinic: Clinic, twilio: TwilioApiSimulator) -> dict[str, Any]:
    hold = await verified(client, clinic, twilio)
    made = await client.post("/bookings", {"hold_id": hold["id"], "contact": PERSON})
    assert made.status_code == 201, made.text
    booking: dict[str, Any] = made.json()
    return booking
