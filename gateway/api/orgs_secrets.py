"""A clinic's secrets for its providers: put in, tried, taken away, never shown."""

from collections.abc import Mapping
from typing import Annotated, Literal

import msgspec

from booking.clinic_upkeep import load_clinic
from gateway.api.operations import Answer, Asked, Operation
from gateway.api.problems import INVALID, NOT_FOUND, Refused
from gateway.api.reach import ORG_PATH
from gateway.api.views import AwareTime
from gateway.errors import SecretInvalid, SecretUnknown
from gateway.tenancy.secrets import KEPT, MAX_CHARACTERS
from gateway.tenancy.trials import Verdict, try_secret

_ALL, _ONE = ORG_PATH + "/credentials", ORG_PATH + "/credentials/{provider}"


class SecretForm(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A key; for `twilio` JSON with account_sid and auth_token, for `plivo` with auth_id and auth_token, for
    `telnyx` with api_key and public_key, for `vonage` with application_id, private_key (PEM) and
    signature_secret, for `vapi` with api_key and auth; for `google_calendar` a key file's text.
    """

    secret: Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_CHARACTERS)]

    def __repr__(self) -> str:
        return "SecretForm()"


class CredentialView(msgspec.Struct, kw_only=True):
    """That there is a secret for the provider, and since when this one."""

    provider: str
    since: AwareTime


class CredentialList(msgspec.Struct, kw_only=True):
    """Providers without one use the process-wide one, the calendar none."""

    items: list[CredentialView]


class TrialView(msgspec.Struct, kw_only=True):
    """What the provider said. `refused`: it does not take the secret; `unavailable`: it did not tell."""

    verdict: Verdict
    status: int | None


async def list_credentials(asked: Asked) -> Answer:
    await load_clinic(asked.api.pool, asked.claim)
    kept: Mapping[str, AwareTime] = await asked.api.secrets.kept(asked.claim)
    items = [CredentialView(provider=provider, since=since) for provider, since in kept.items()]
    return Answer(200, CredentialList(items=items))


async def put_credential(asked: Asked) -> Answer:
    form: SecretForm = asked.body
    try:
        await asked.api.secrets.keep(asked.claim, _provider(asked), form.secret, actor=asked.actor)
    except SecretInvalid as invalid:
        raise Refused(INVALID, pointer="$.secret", detail=str(invalid)) from None
    await asked.api.memory.forget_secrets(asked.principal.org_id)
    return Answer(204)


async def delete_credential(asked: Asked) -> Answer:
    """One that there is not is no fault."""
    await asked.api.secrets.remove(asked.claim, _provider(asked), actor=asked.actor)
    await asked.api.memory.forget_secrets(asked.principal.org_id)
    return Answer(204)


async def try_credential(asked: Asked) -> Answer:
    provider = _provider(asked)
    try:
        secret = await asked.api.secrets.opened(asked.claim, provider)
    except SecretUnknown:
        raise Refused(NOT_FOUND, detail="credentials") from None
    trial = await try_secret(asked.api.settings, provider, secret)
    return Answer(200, TrialView(verdict=trial.verdict, status=trial.status))


def _provider(
    asked: Asked,
) -> Literal["deepgram", "llm", "cartesia", "twilio", "plivo", "telnyx", "vonage", "vapi", "google_calendar"]:
    for known in KEPT:
        if asked.path["provider"] == known:
            return known
    raise Refused(NOT_FOUND, detail="provider")


OPERATIONS = (
    Operation(
        name="listCredentials",
        method="GET",
        path=_ALL,
        scope="org:read",
        summary="For which providers the clinic has secrets of its own",
        handler=list_credentials,
        answers={200: CredentialList},
    ),
    Operation(
        name="putCredential",
        method="PUT",
        path=_ONE,
        scope="secrets:write",
        summary="Seal a secret, in place of the one before",
        handler=put_credential,
        body=SecretForm,
        answers={204: None},
    ),
    Operation(
        name="deleteCredential",
        method="DELETE",
        path=_ONE,
        scope="secrets:write",
        summary="Go back to the process-wide secret",
        handler=delete_credential,
        answers={204: None},
    ),
    Operation(
        name="testCredential",
        method="POST",
        path=_ONE + "/test",
        scope="secrets:write",
        summary="Try the secret at its provider, by a request that costs nothing",
        handler=try_credential,
        answers={200: TrialView},
    ),
)
