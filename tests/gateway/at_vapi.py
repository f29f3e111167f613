"""Requests as Vapi makes them of its custom services: signed, and full of what is nobody's business."""

from typing import Any

from tests.conftest import Stack
from tests.gateway import running

SECRET = "vapi-secret-of-the-tests"
LLM_KEY = "vapi-llm-key-of-the-tests"
HEADERS = {"X-Vapi-Secret": SECRET}
CANARY = "canary7f3a"
"""Stands in every value that is not to be told on."""
CALL = "0195aa00-7c5e-7000-8000-000000000001"


def environment(stack: Stack, vendors: running.Vendors, **changes: str) -> dict[str, str]:
    """Of a gateway with a process-wide account at Vapi."""
    account = {
        "VAPI_API_KEY": "vapi-api-key",
        "VAPI_AUTH": f'{{"kind": "secret", "secret": "{SECRET}"}}',
        "VAPI_LLM_KEY": LLM_KEY,
    }
    return running.environment(stack, **vendors.environment(), **account, **changes)


def envelope(number: str, call_id: str = CALL, caller: str = "+447700900111") -> dict[str, Any]:
    """What stands beside every message, secrets included."""
    return {
        "call": {"id": call_id, "orgId": "o", "monitor": {"controlUrl": f"https://x/{CANARY}/control"}},
        "phoneNumber": {"id": "p", "number": number, "twilioAuthToken": CANARY},
        "customer": {"number": caller},
        "assistant": {"server": {"secret": CANARY}},
    }


def voice_request(text: str, rate_hz: float, number: str) -> dict[str, Any]:
    told = {"type": "voice-request", "text": text, "sampleRate": rate_hz, "timestamp": 1_760_000_000_000}
    return {"message": told | envelope(number)}
