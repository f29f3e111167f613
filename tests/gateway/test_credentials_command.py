"""The command for an org's own secrets: what it seals, the gateway opens; nothing is ever shown."""

import asyncio
import io
import json
import os
import sys
from collections.abc import AsyncIterator
from dataclasses import asdict
from functools import partial
from uuid import uuid4

import asyncpg
import pytest

from bench.simulators.cartesia import CartesiaSimulator
from bench.simulators.chat import ChatSimulator
from bench.simulators.deepgram import DeepgramSimulator
from bench.simulators.deepgram_hearing import Script
from bench.simulators.google_calendar import GoogleCalendarSimulator
from bench.simulators.google_tokens import Account
from bench.simulators.offline.tone import ToneVoice
from bench.simulators.plivo_api import PlivoApiSimulator
from bench.simulators.replies import ScriptedModel
from bench.simulators.telnyx_api import TelnyxApiSimulator
from bench.simulators.twilio_api import TwilioApiSimulator
from bench.simulators.vapi_api import VapiApiSimulator
from bench.simulators.vonage_api import VonageApiSimulator
from booking.audit import page_of_records
from booking.orgs import load_credentials
from booking.types import OPERATOR
from compliance.vault import MasterKey, Vault
from gateway.credentials import main
from gateway.errors import SecretUnknown
from gateway.tenancy.credentials import OrgKeys, TwilioAccount, open_keys
from gateway.tenancy.secrets import KEPT, OrgSecrets
from tests.commands import run_inside
from tests.conftest import Clinic, Stack
from tests.gateway import running
from tests.gateway.running import Gateway
from tests.gateway.vonage_application import OURS, PUBLIC_KEY

SECRET = "deepgram-key-of-the-org"
ACCOUNT = f'{{"account_sid": "AC{"6" * 32}", "auth_token": "{SECRET}"}}'
AT_TELNYX = f'{{"api_key": "{SECRET}", "public_key": "A6EHv/POEL4dcN0Y50vAmWfk1jCbpQ1fHdyGZBJVMbg="}}'
AT_VONAGE = json.dumps({**asdict(OURS), "signature_secret": SECRET})
AT_VAPI = f'{{"api_key": "{SECRET}", "auth": {{"kind": "hmac", "secret_key": "signing"}}, "region": "eu"}}'
AT_PLIVO = f'{{"auth_id": "MA{"6" * 18}", "auth_token": "{SECRET}"}}'


async def run(stack: Stack, *arguments: str, stdin: str = "", **changes: str) -> tuple[int, str]:
    """Exit status and all that was written."""
    command = partial(main, stdin=io.StringIO(stdin))
    status, told = await run_inside(command, *arguments, environ=running.environment(stack, **changes))
    assert SECRET not in told
    return status, told


async def test_it_runs_as_a_process_too(stack: Stack, clinic: Clinic) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "gateway.credentials", "set",
        *("--org", str(clinic.claim.org_id), "--provider", "llm"),
        env={**os.environ, **running.environment(stack)},
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    async with asyncio.timeout(60):
        told, _ = await process.communicate(SECRET.encode())
    assert (process.returncode, told) == (0, b"llm: stored\n")


async def test_what_is_set_is_used_at_once_and_gone_once_removed(
    stack: Stack, gateway: Gateway, pool: asyncpg.Pool, clinic: Clinic
) -> None:
    desk, org = gateway.edge.desk, clinic.claim.org_id
    about = ("--org", str(org), "--provider", "deepgram")

    async def until_used(expected: OrgKeys) -> None:
        async with asyncio.timeout(2):  # less than the gateway would go on with what it remembers
            while await open_keys(desk.credentials, desk.vault, org) != expected:  # noqa: ASYNC110
                await asyncio.sleep(0.005)

    await until_used(OrgKeys())  # and memory and Redis now say that there are none
    assert await run(stack, "set", *about, stdin=SECRET + "\n") == (0, "deepgram: stored\n")
    await until_used(OrgKeys(deepgram=SECRET))
    assert SECRET.encode() not in (await load_credentials(pool, clinic.claim))["deepgram"]
    status, told = await run(stack, "list", "--org", str(org))
    assert (status, told.startswith("deepgram\t"), told.count("\n")) == (0, True, 1)
    assert await run(stack, "remove", *about) == (0, "deepgram: removed\n")
    await until_used(OrgKeys())
    assert (await run(stack, "remove", *about))[0] == 1


async def test_a_twilio_account_without_redis(stack: Stack, gateway: Gateway, clinic: Clinic) -> None:
    org = clinic.claim.org_id
    about = ("--org", str(org), "--provider", "twilio")
    status, told = await run(stack, "set", *about, stdin=ACCOUNT, REDIS_URL="redis://127.0.0.1:9")
    assert (status, "Redis does not answer" in told) == (0, True)
    desk = gateway.edge.desk
    keys = await open_keys(desk.credentials, desk.vault, org)
    assert keys.twilio == TwilioAccount("AC" + "6" * 32, SECRET)
    assert SECRET not in repr(keys)


@pytest.fixture
async def providers(google_account: Account) -> AsyncIterator[dict[str, str]]:
    """All vendors, where they take this org's secrets and no others."""
    keys = frozenset({SECRET})
    async with (
        DeepgramSimulator(Script([]).hearing, keys=keys) as deepgram,
        ChatSimulator(ScriptedModel([], otherwise="Very well."), keys=keys) as chat,
        CartesiaSimulator(ToneVoice(), keys=keys) as cartesia,
        TwilioApiSimulator(account_sid="AC" + "6" * 32, auth_token=SECRET) as twilio,
        PlivoApiSimulator(auth_id="MA" + "6" * 18, auth_token=SECRET) as plivo,
        TelnyxApiSimulator(api_key=SECRET) as telnyx,
        VapiApiSimulator(api_key=SECRET) as vapi,
        VonageApiSimulator(application_id=OURS.application_id, public_key=PUBLIC_KEY) as vonage,
        GoogleCalendarSimulator() as google,
    ):
        google.tokens.accounts[google_account.email] = google_account
        yield {
            "DEEPGRAM_URL": deepgram.url,
            "LLM_BASE_URL": chat.url,
            "CARTESIA_URL": cartesia.url,
            "TWILIO_API_URL": twilio.url,
            "PLIVO_API_URL": plivo.url,
            "TELNYX_API_URL": telnyx.url,
            "VAPI_API_URL_EU": vapi.url,
            "VONAGE_API_URL": vonage.url,
            "GOOGLE_CALENDAR_URL": google.url,
            "GOOGLE_TOKEN_URL": google.url + "/token",
        }


@pytest.fixture(scope="module")
def google_account() -> Account:
    return Account.generate("gateway@clinic.iam.gserviceaccount.com")


@pytest.fixture(scope="module")
def strange_account() -> Account:
    return Account.generate("gateway@clinic.iam.gserviceaccount.com")


@pytest.mark.parametrize("provider", KEPT)
async def test_a_secret_is_tried_and_rotated_only_to_a_good_one(
    stack: Stack, pool: asyncpg.Pool, clinic: Clinic, providers: dict[str, str], provider: str,
    google_account: Account, strange_account: Account,
) -> None:  # fmt: skip
    good, bad = SECRET, SECRET + "x"
    if account := {"twilio": ACCOUNT, "plivo": AT_PLIVO, "telnyx": AT_TELNYX, "vapi": AT_VAPI}.get(provider):
        good, bad = account, account.replace(SECRET, SECRET + "x")
    if provider == "vonage":
        good, bad = AT_VONAGE, AT_VONAGE.replace(OURS.application_id, str(uuid4()))
    if provider == "google_calendar":
        good, bad = google_account.key_file().decode(), strange_account.key_file().decode()
    about = ("--org", str(clinic.claim.org_id), "--provider", provider)

    assert (await run(stack, "rotate", *about, stdin=good, **providers))[0] == 1
    assert await run(stack, "set", *about, stdin=bad) == (0, f"{provider}: stored\n")
    status, told = await run(stack, "test", *about, **providers)
    assert (status, "refuses the secret" in told) == (1, True)
    assert await run(stack, "rotate", *about, stdin=good, **providers) == (0, f"{provider}: rotated\n")
    assert await run(stack, "test", *about, **providers) == (0, f"{provider}: works\n")
    kept = (await load_credentials(pool, clinic.claim))[provider]
    status, told = await run(stack, "rotate", *about, stdin=bad, **providers)
    assert (status, "the old one stays" in told) == (1, True)
    assert (await load_credentials(pool, clinic.claim))[provider] == kept
    away = dict.fromkeys(providers, "http://127.0.0.1:9")
    status, told = await run(stack, "test", *about, **away)
    assert (status, "no answer" in told) == (1, True)
    records = [
        (each.action, each.subject_kind) for each in await page_of_records(pool, clinic.claim, limit=9)
    ]
    kind = f"{provider}_credentials"
    assert records == [("credentials_rotated", kind), ("credentials_set", kind)]


async def test_what_an_older_master_key_sealed_is_sealed_anew(pool: asyncpg.Pool, clinic: Clinic) -> None:
    old, new = MasterKey.generate(), MasterKey.generate()
    before = OrgSecrets(pool, Vault([old]))
    for provider, secret in (("deepgram", SECRET), ("twilio", ACCOUNT)):
        assert not await before.keep(clinic.claim, provider, secret, actor=OPERATOR)
    both = OrgSecrets(pool, Vault([new, old]))
    assert await both.reseal(clinic.claim, actor=OPERATOR) == ["deepgram", "twilio"]
    assert await both.reseal(clinic.claim, actor=OPERATOR) == []
    after = OrgSecrets(pool, Vault([new]))
    assert await after.opened(clinic.claim, "twilio") == ACCOUNT
    with pytest.raises(SecretUnknown, match="KeyUnknown"):
        await before.opened(clinic.claim, "deepgram")
    with pytest.raises(SecretUnknown, match="there is no"):
        await after.opened(clinic.claim, "llm")


@pytest.mark.parametrize(
    ("provider", "secret"),
    [("google_calendar", SECRET), ("google_calendar", '{"type": "authorized_user"}'),
     ("llm", ""), ("llm", "two words"), ("llm", "key\nX-Header: 1"), ("twilio", SECRET),
     ("twilio", ACCOUNT.replace(SECRET, "")), ("twilio", ACCOUNT.replace("AC6", "XX6")),
     ("vonage", ACCOUNT), ("vonage", AT_VONAGE.replace("PRIVATE KEY", "PUBLIC KEY")),
     ("vonage", AT_VONAGE.replace(SECRET, "")), ("vonage", AT_VONAGE.replace("aaaaaaaa", "a")),
     ("vapi", AT_TELNYX), ("vapi", AT_VAPI.replace("signing", "")), ("vapi", AT_VAPI.replace("eu", "moon")),
     ("plivo", ACCOUNT), ("plivo", AT_PLIVO.replace(SECRET, "")), ("plivo", AT_PLIVO.replace("MA6", "XX6"))],
    ids=["no key file", "another kind", "empty", "space", "header", "no JSON", "empty token", "odd account",
         "another's", "no private key", "no signature secret", "odd application",
         "telnyx's", "vapi empty secret", "vapi nowhere", "twilio's", "plivo empty token",
         "plivo odd account"],
)  # fmt: skip
async def test_what_is_no_secret_is_refused(stack: Stack, clinic: Clinic, provider: str, secret: str) -> None:
    org = str(clinic.claim.org_id)
    assert (await run(stack, "set", "--org", org, "--provider", provider, stdin=secret))[0] == 1
    assert await run(stack, "list", "--org", org) == (0, "")


async def test_unknown_org_and_secret_on_the_command_line_are_refused(stack: Stack, clinic: Clinic) -> None:
    stranger = ("set", "--org", str(uuid4()), "--provider", "llm")
    assert (await run(stack, *stranger, stdin=SECRET))[0] == 1
    known = ("set", "--org", str(clinic.claim.org_id), "--provider", "llm", "--secret", "x")
    assert (await run(stack, *known))[0] == 2
