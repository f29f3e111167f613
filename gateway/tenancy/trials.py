"""Tries an org's secret at its provider, by the cheapest request that only a good one is answered.

Nothing is changed there, nor billed. Sources (read 2026-11): Deepgram docs, "List Projects"; Twilio docs,
"REST API: Accounts"; Plivo docs, "Retrieve account details"; Telnyx docs, "Retrieve user balance details";
Vonage docs, "List calls"; Vapi docs, "List Assistants"; the others as in the adapters.
"""

import time
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Final, Literal

import aiohttp

from booking.calendar import GoogleCalendars
from booking.errors import CalendarRefused, CalendarUnavailable
from gateway.settings import Settings
from gateway.tenancy.credentials import (
    parse_plivo,
    parse_telnyx,
    parse_twilio,
    parse_vapi,
    parse_vonage,
)
from gateway.vonage_key import application_token
from pipeline.providers.cartesia_wire import API_VERSION

Verdict = Literal["works", "refused", "unavailable"]
TRIAL_S: Final = 10.0
_REFUSED: Final = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN})


@dataclass(frozen=True, slots=True)
class Trial:
    """`refused`: the provider does not take the secret. `unavailable`: that cannot be told now.

    `status`: the provider's HTTP status, None if there was none.
    """

    verdict: Verdict
    status: int | None = None


@dataclass(frozen=True, slots=True)
class _Request:
    url: str
    headers: dict[str, str] = field(repr=False)


async def try_secret(settings: Settings, provider: str, secret: str) -> Trial:
    """What the provider says to the secret, which has the form that `secrets.require_secret` asks for."""
    if provider == "google_calendar":
        return await _try_google(settings, secret)
    return await _asked(_request(settings, provider, secret))


def _request(settings: Settings, provider: str, secret: str) -> _Request:
    match provider:
        case "deepgram":
            return _Request(_http(settings.stt.url) + "/v1/projects", {"Authorization": f"Token {secret}"})
        case "cartesia":
            headers = {"Authorization": f"Bearer {secret}", "Cartesia-Version": API_VERSION}
            return _Request(_http(settings.tts.url) + "/voices?limit=1", headers)
        case "twilio":
            account = parse_twilio(secret)
            basic = aiohttp.encode_basic_auth(account.account_sid, account.auth_token)
            url = f"{settings.twilio.api_url}/2010-04-01/Accounts/{account.account_sid}.json"
            return _Request(url, {"Authorization": basic})
        case "plivo":
            owner = parse_plivo(secret)
            basic = aiohttp.encode_basic_auth(owner.auth_id, owner.auth_token)
            url = f"{settings.plivo.api_url}/v1/Account/{owner.auth_id}/"
            return _Request(url, {"Authorization": basic})
        case "telnyx":
            headers = {"Authorization": f"Bearer {parse_telnyx(secret).api_key}"}
            return _Request(f"{settings.telnyx.api_url}/v2/balance", headers)
        case "vonage":
            app = parse_vonage(secret)
            token = application_token(app.application_id, app.private_key, now_s=time.time())
            url = f"{settings.vonage.api_url}/v1/calls?page_size=1"
            return _Request(url, {"Authorization": f"Bearer {token}"})
        case "vapi":
            customer = parse_vapi(secret)
            headers = {"Authorization": f"Bearer {customer.api_key}"}
            return _Request(settings.vapi.url(customer.region) + "/assistant?limit=1", headers)
        case _:
            return _Request(_http(settings.llm.url) + "/models", {"Authorization": f"Bearer {secret}"})


def _http(url: str) -> str:
    """A vendor's base may be set as that of its sockets."""
    return "http" + url.removeprefix("ws") if url.startswith("ws") else url


async def _asked(request: _Request) -> Trial:
    """No redirect is followed: it would carry the secret elsewhere."""
    timeout = aiohttp.ClientTimeout(total=TRIAL_S)
    try:
        async with (
            aiohttp.ClientSession(timeout=timeout) as http,
            http.get(request.url, headers=request.headers, allow_redirects=False) as answer,
        ):
            status = answer.status
    except (aiohttp.ClientError, TimeoutError, OSError):
        return Trial("unavailable")
    if status in _REFUSED:
        return Trial("refused", status)
    return Trial("works" if status == HTTPStatus.OK else "unavailable", status)


async def _try_google(settings: Settings, secret: str) -> Trial:
    """A token for the service account; whether a calendar is shared with it shows at its first use."""
    jobs = settings.jobs
    calendars = GoogleCalendars(
        api_url=jobs.calendar_url, token_url=jobs.calendar_token_url, timeout_s=TRIAL_S
    )
    async with calendars:
        try:
            await calendars.calendar(secret.encode()).sign_in()
        except CalendarRefused as refusal:
            return Trial("refused", refusal.status)
        except CalendarUnavailable:
            return Trial("unavailable")
    return Trial("works", HTTPStatus.OK)
