"""`python -m gateway.vapi`: set an org up at Vapi.

    python -m gateway.vapi apply --org 9f… --number +442079460018
    python -m gateway.vapi apply --org 9f… --number +442079460018 --dry-run
    python -m gateway.vapi apply --org 9f… --llm vapi --voice vapi --fallback +442079460100
    python -m gateway.vapi show --org 9f…
    python -m gateway.vapi forget --org 9f… --call 0b1c…

`apply` makes the org's credentials, tools and assistant at Vapi what they are to be, points the numbers at
the gateway, and says what it did; repeated, it changes nothing. What is chosen is remembered: left out, it
stays as it was. With `--dry-run` Vapi is only looked at, and what it would be sent is printed, without the
secrets.

`forget` has Vapi delete what it keeps of one of the org's calls, by Vapi's id of it: records are erased here
without it. It stands in the audit log, as `apply` does.

The account is the org's own (`python -m gateway.credentials set --org … --provider vapi`), else that of
VAPI_API_KEY and VAPI_AUTH. Numbers are bought at Vapi or imported there beforehand, and belong to the
clinic's file.

Exit status: 0 when done, 1 if it could not be done, 2 for settings or arguments that make no sense.
"""

import argparse
import asyncio
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields
from typing import Any, Final
from uuid import UUID

import asyncpg

from booking.audit import record
from booking.db import open_pool
from booking.errors import BookingError
from booking.orgs import load_profile, resolve_number
from booking.types import OPERATOR, Claim
from booking.vapi_setups import VapiSetup, load_vapi_setup, store_vapi_setup
from gateway.errors import (
    SecretInvalid,
    SecretUnknown,
    SettingsInvalid,
    VapiRefused,
    VapiSetupRefused,
    VapiUnavailable,
)
from gateway.sealing import open_vault
from gateway.settings import Settings, load
from gateway.tenancy.credentials import VapiAccount, parse_vapi
from gateway.tenancy.secrets import OrgSecrets
from gateway.vapi.api import VapiApi
from gateway.vapi.assistant import OAUTH, Choices
from gateway.vapi.credentials import without_secrets
from gateway.vapi.setup import Org, Setup, Step

_OURS_OR_VAPIS: Final = ("ours", "vapi")


def main(arguments: list[str] | None = None) -> int:
    """See the module."""
    chosen = _parser().parse_args(arguments)
    try:
        settings = load()
    except SettingsInvalid as fault:
        sys.stderr.write(f"gateway.vapi: {fault}\n")
        return 2
    try:
        told = asyncio.run(_act(settings, chosen))
    except VapiRefused as refusal:
        sys.stderr.write(_refused(refusal))
        return 1
    except (VapiSetupRefused, VapiUnavailable, SecretInvalid, SecretUnknown, BookingError) as error:
        sys.stderr.write(f"gateway.vapi: {error}\n")
        return 1
    sys.stdout.write(told)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m gateway.vapi", description="Set an org up at Vapi.", allow_abbrev=False
    )
    actions = parser.add_subparsers(dest="action", required=True)
    apply = actions.add_parser("apply", help="make Vapi what it is to be for the org", allow_abbrev=False)
    show = actions.add_parser("show", help="how the org is set up there", allow_abbrev=False)
    forget = actions.add_parser("forget", help="have a call deleted there", allow_abbrev=False)
    forget.add_argument("--call", required=True, help="Vapi's id of it")
    for action in (apply, show, forget):
        action.add_argument("--org", type=UUID, required=True, help="the org's id")
    apply.add_argument("--dry-run", action="store_true", help="say what would be done, and do nothing")
    apply.add_argument(
        "--number",
        action="append",
        default=[],
        help="point this number (E.164) at the gateway; may be repeated",
    )
    _add_choices(apply)
    return parser


def _add_choices(apply: argparse.ArgumentParser) -> None:
    """Each is None unless it is given."""
    usual = Choices()
    for part in ("llm", "voice", "transcriber"):
        apply.add_argument(
            f"--{part}", dest=f"serves_{part}", choices=_OURS_OR_VAPIS, help=f"whose {part}; at first ours"
        )
    for name, does in (
        ("openai-model", "with Vapi's LLM: which of OpenAI's"),
        ("vapi-voice", "with Vapi's voice: which"),
        ("deepgram-model", "with Vapi's transcriber: which of Deepgram's"),
        ("language", "with Vapi's transcriber: what is spoken"),
    ):
        apply.add_argument(f"--{name}", help=f"{does}; at first {getattr(usual, name.replace('-', '_'))}")
    apply.add_argument(
        "--fallback", help="where a call goes that the gateway does not answer, E.164; an empty one: nowhere"
    )
    apply.add_argument("--longest-call-s", type=int, help=f"at first {usual.longest_call_s}")
    for name, does in (("hipaa", "HIPAA"), ("pci", "PCI")):
        apply.add_argument(f"--{name}", action=argparse.BooleanOptionalAction, help=f"Vapi's {does} mode")


async def _act(settings: Settings, chosen: argparse.Namespace) -> str:
    async with await open_pool(settings.database_url, max_size=1) as pool:
        claim = Claim(chosen.org)
        profile = await load_profile(pool, claim)
        if profile is None:
            raise VapiSetupRefused("there is no such org")
        stored = await load_vapi_setup(pool, claim)
        if chosen.action == "show":
            return _shown(stored)
        if chosen.action == "forget":
            return await _forget(settings, pool, claim, stored, chosen.call)
        choices = _choices(stored, chosen)
        await _require_own(pool, claim, chosen.number)
        account, whose = await _account(settings, pool, claim)
        org = Org(profile, account, settings.public_url, settings.public(OAUTH + whose), stored)
        return await _apply(settings, pool, org, choices, chosen)


async def _forget(
    settings: Settings, pool: asyncpg.Pool, claim: Claim, stored: VapiSetup | None, call_id: str
) -> str:
    """Only a call that its assistant shows to be this org's: in the process-wide account there are others."""
    account, _ = await _account(settings, pool, claim)
    async with VapiApi(settings.vapi) as api:
        objects = api.of(account)
        call = await objects.call(call_id)
        if call is None or not _is_of(call, claim.org_id, stored):
            raise VapiSetupRefused("Vapi has no such call of this org")
        await objects.forget_call(call_id)
    await record(pool, claim, actor=OPERATOR, action="vapi_call_forgotten", subject_kind="call")
    return "deleted at Vapi\n"


def _is_of(call: Mapping[str, Any], org_id: UUID, stored: VapiSetup | None) -> bool:
    if stored is not None and call.get("assistantId") == stored.assistant_id:
        return True
    told = call.get("assistant")
    metadata = told.get("metadata") if isinstance(told, Mapping) else None
    return isinstance(metadata, Mapping) and metadata.get("org") == str(org_id)


async def _apply(
    settings: Settings, pool: asyncpg.Pool, org: Org, choices: Choices, chosen: argparse.Namespace
) -> str:
    """What was done is told even where the rest could not be."""
    async with VapiApi(settings.vapi) as api:
        setup = Setup(api.of(org.account), org, choices, dry=chosen.dry_run)
        try:
            made = await setup.apply(chosen.number)
        except (VapiRefused, VapiUnavailable, VapiSetupRefused):
            sys.stdout.write(_told(setup.steps, dry=chosen.dry_run))
            raise
    told = _told(setup.steps, dry=chosen.dry_run)
    if chosen.dry_run:
        return told
    await store_vapi_setup(pool, Claim(org.profile.org_id), made, actor=OPERATOR)
    return told


async def _account(settings: Settings, pool: asyncpg.Pool, claim: Claim) -> tuple[VapiAccount, str]:
    """The org's own, else the process-wide one; and how an address ends that is whose."""
    secrets = OrgSecrets(pool, open_vault(settings))
    if "vapi" not in await secrets.kept(claim):
        return _process_account(settings), ""
    return parse_vapi(await secrets.opened(claim, "vapi")), f"/{claim.org_id}"


def _process_account(settings: Settings) -> VapiAccount:
    vapi = settings.vapi
    if vapi.auth is None:
        raise VapiSetupRefused(
            "there is no account: set VAPI_API_KEY and VAPI_AUTH, or the org's own with gateway.credentials"
        )
    return VapiAccount(vapi.api_key, vapi.auth, vapi.llm_key, vapi.region)


async def _require_own(pool: asyncpg.Pool, claim: Claim, numbers: Sequence[str]) -> None:
    """A call to a number of nobody's, or of another org's, would not reach this one."""
    for number in numbers:
        if await resolve_number(pool, number) != claim.org_id:
            raise VapiSetupRefused(f"{number} is no number of this org: add it to the clinic's file first")


def _choices(stored: VapiSetup | None, chosen: argparse.Namespace) -> Choices:
    given: dict[str, Any] = {
        each.name: getattr(chosen, each.name)
        for each in fields(Choices)
        if getattr(chosen, each.name, None) is not None
    }
    for name in given.keys() & {"serves_llm", "serves_voice", "serves_transcriber"}:
        given[name] = given[name] == "ours"
    if "fallback" in given:
        given["fallback"] = given["fallback"] or None
    return Choices.chosen({**({} if stored is None else stored.choices), **given})


def _told(steps: Sequence[Step], *, dry: bool) -> str:
    return "".join(_line(step, dry=dry) for step in steps)


def _line(step: Step, *, dry: bool) -> str:
    about = f"{step.kind} {step.name}: "
    if dry and step.done != "as it was":
        payload = json.dumps(without_secrets(step.sent), indent=2, ensure_ascii=False)
        return f"{about}would be {step.done}\n{payload}\n"
    named = f" ({', '.join(step.sent)})" if step.done == "updated" else ""
    return f"{about}{step.done}{named}\n"


def _shown(stored: VapiSetup | None) -> str:
    if stored is None or stored.applied_at is None:
        raise VapiSetupRefused("the org is not set up at Vapi: apply")
    facts = {
        "applied": f"{stored.applied_at:%Y-%m-%d %H:%M} UTC",
        "assistant": stored.assistant_id,
        "credential": stored.credential_id,
        "llm credential": stored.model_credential_id or "-",
        **asdict(Choices.chosen(stored.choices)),
    }
    return "".join(f"{name}\t{'-' if value is None else value}\n" for name, value in facts.items())


def _refused(refusal: VapiRefused) -> str:
    faults = "".join(f"  {fault}\n" for fault in refusal.faults)
    return f"gateway.vapi: {refusal}\n{faults}"


if __name__ == "__main__":
    sys.exit(main())
