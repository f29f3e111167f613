"""Makes Vapi know an org: looks at what stands there of it, and puts right what differs.

What is ours is found again: the assistant by the id that was stored, else by the org and webhook in its
metadata; credentials by their names; tools by name and webhook; a number by its digits. So whatever broke
off is taken up where it ended, and what is right is left alone. Credentials are told to Vapi anew each time,
as it never tells their secrets.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from booking.types import OrgProfile
from booking.vapi_setups import VapiSetup
from gateway.errors import VapiSetupRefused
from gateway.tenancy.credentials import VapiAccount
from gateway.vapi.api import Json, Kind, VapiObjects
from gateway.vapi.assistant import (
    Addresses,
    Choices,
    CredentialIds,
    Tools,
    assistant_payload,
    phone_number_payload,
    standing_instructions,
    tool_payloads,
)
from gateway.vapi.credentials import (
    MODEL_KIND,
    SERVER_KIND,
    credential_name,
    model_credential,
    server_credential,
)
from gateway.vapi.differences import differing
from gateway.vapi.tools import BESIDES, specs_at_vapi

Done = Literal["created", "updated", "sent again", "as it was"]
# What an update may not name: it cannot change.
_FIXED: Final = ("provider", "type")


@dataclass(frozen=True, slots=True)
class Step:
    """One object at Vapi and what was done about it, or would have been. `sent`: the fields that Vapi was
    told.
    """

    kind: Kind
    name: str
    done: Done
    sent: Mapping[str, Any] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Org:
    """Whom Vapi is told of. `public_url`, `token_url`: where Vapi reaches the gateway; `stored`: by which
    ids it did before.
    """

    profile: OrgProfile
    account: VapiAccount
    public_url: str
    token_url: str
    stored: VapiSetup | None

    @property
    def addresses(self) -> Addresses:
        return Addresses.under(self.public_url, self.profile.org_id)


class Setup:
    """One run. `dry`: Vapi is only looked at, and what is new has no id yet."""

    def __init__(self, objects: VapiObjects, org: Org, choices: Choices, *, dry: bool) -> None:
        self._objects = objects
        self._org = org
        self._choices = choices
        self._dry = dry
        self.steps: list[Step] = []

    async def apply(self, numbers: Sequence[str]) -> VapiSetup:
        """All of it. Raises `VapiSetupRefused`, `SecretInvalid`, `VapiRefused`, `VapiUnavailable`."""
        found = await self._numbers(numbers)
        credentials = await self._credentials()
        assistant_id = await self._assistant(credentials)
        for number in found:
            payload = phone_number_payload(self._org.addresses, credentials, self._choices)
            await self._put("phone-number", str(number["number"]), payload, number)
        return VapiSetup(
            assistant_id=assistant_id,
            credential_id=credentials.server or "",
            model_credential_id=credentials.model,
            choices=self._choices.told(),
        )

    async def _numbers(self, numbers: Sequence[str]) -> list[Json]:
        """First of all: who has mistyped one is told before anything is changed."""
        kept = await self._objects.every("phone-number") if numbers else []
        by_number = {each.get("number"): each for each in kept}
        if missing := [each for each in numbers if each not in by_number]:
            raise VapiSetupRefused(f"Vapi does not have {', '.join(missing)}: buy or import it there first")
        return [by_number[each] for each in dict.fromkeys(numbers)]

    async def _credentials(self) -> CredentialIds:
        account, kept = self._org.account, await self._objects.every("credential")
        name = credential_name("webhook", self._org.public_url)
        wanted = [server_credential(account.auth, name=name, token_url=self._org.token_url)]
        if self._choices.serves_llm:
            name = credential_name("llm", self._org.public_url)
            wanted.append(model_credential(account.auth, account.llm_key, name=name))
        ids = {each["provider"]: await self._credential(each, kept) for each in wanted}
        return CredentialIds(server=ids[SERVER_KIND], model=ids.get(MODEL_KIND))

    async def _credential(self, payload: Json, kept: Sequence[Json]) -> str:
        name, provider = payload["name"], payload["provider"]
        found = self._only(
            "credential",
            name,
            [each for each in kept if each.get("name") == name and each.get("provider") == provider],
        )
        if found is None:
            return await self._create("credential", name, payload)
        await self._update("credential", name, found["id"], payload, "sent again")
        return str(found["id"])

    async def _assistant(self, credentials: CredentialIds) -> str:
        org = self._org
        tools = Tools() if self._choices.serves_llm else Tools(ids=await self._tools(credentials))
        payload = assistant_payload(
            org.profile,
            org.addresses,
            credentials,
            self._choices,
            instructions="" if self._choices.serves_llm else standing_instructions(org.profile, BESIDES),
            tools=tools,
        )
        return await self._put("assistant", payload["name"], payload, await self._known_assistant(payload))

    async def _known_assistant(self, payload: Json) -> Json | None:
        if self._org.stored is not None:
            found = await self._objects.get("assistant", self._org.stored.assistant_id)
            if found is not None:
                return found
        kept = await self._objects.every("assistant")
        ours = [each for each in kept if _mentions(each.get("metadata"), payload["metadata"])]
        return self._only("assistant", payload["name"], ours)

    async def _tools(self, credentials: CredentialIds) -> list[str]:
        org = self._org
        kept = await self._objects.every("tool")
        wanted = tool_payloads(specs_at_vapi(org.profile), org.addresses, credentials, self._choices)
        return [await self._tool(each, kept) for each in wanted]

    async def _tool(self, payload: Json, kept: Sequence[Json]) -> str:
        name, url = payload["function"]["name"], payload["server"]["url"]
        ours = [
            each for each in kept if _mentions(each, {"function": {"name": name}, "server": {"url": url}})
        ]
        return await self._put("tool", name, payload, self._only("tool", name, ours))

    def _only(self, kind: Kind, name: str, ours: Sequence[Json]) -> Json | None:
        if len(ours) > 1:
            ids = ", ".join(str(each["id"]) for each in ours)
            raise VapiSetupRefused(f"Vapi has several of {kind} {name}: delete all but one of {ids}")
        return ours[0] if ours else None

    async def _put(self, kind: Kind, name: str, payload: Json, found: Json | None) -> str:
        if found is None:
            return await self._create(kind, name, payload)
        changed = differing(payload, found)
        if changed:
            await self._update(kind, name, found["id"], changed, "updated")
        else:
            self.steps.append(Step(kind, name, "as it was", {}))
        return str(found["id"])

    async def _create(self, kind: Kind, name: str, payload: Json) -> str:
        made = {"id": f"(of {kind} {name})"} if self._dry else await self._objects.create(kind, payload)
        self.steps.append(Step(kind, name, "created", payload))
        return str(made["id"])

    async def _update(self, kind: Kind, name: str, object_id: str, changed: Json, done: Done) -> None:
        told = {key: value for key, value in changed.items() if key not in _FIXED}
        if not self._dry:
            await self._objects.update(kind, object_id, told)
        self.steps.append(Step(kind, name, done, told))


def _mentions(found: Any, wanted: Mapping[str, Any]) -> bool:
    return isinstance(found, Mapping) and not differing(wanted, found)
