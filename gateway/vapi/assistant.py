"""What Vapi is told of an org: its assistant, the assistant's tools, its numbers. Pure.

Field names and bounds are those of Vapi's OpenAPI document (read 2026-11); what is not in it is refused.
An update leaves alone what it does not name and replaces whole what it names, so all that we decide is always
told, and each part in full.

Vapi is asked to keep as little as it can. No sound is recorded there, no packets captured, no log of a call
kept, no summary made: whoever refuses in the middle of a call is obeyed by us and could not be by Vapi. Its
transcript is for orgs whose calls are kept in writing without being asked first.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Final, Self
from urllib.parse import quote
from uuid import UUID

import msgspec

from booking.types import OrgProfile
from booking.values import E164
from gateway.errors import VapiSetupRefused
from gateway.prompt import clinic_prompt
from pipeline.ports import ToolSpec

WEBHOOK: Final = "/webhooks/vapi"
VOICE: Final = "/vapi/voice"
LLM: Final = "/vapi/llm"
TRANSCRIBER: Final = "/vapi/transcriber"
OAUTH: Final = "/vapi/token"

SERVER_MESSAGES: Final = (
    "status-update",
    "end-of-call-report",
    "hang",
    "tool-calls",
    "transfer-destination-request",
)
"""Left out, Vapi would send eleven kinds, among them the whole conversation at every turn."""
MOST_NAME: Final = 40
LEAST_CALL_S: Final = 10
MOST_CALL_S: Final = 43_200
_DAY: Final = "%A, %d %B %Y (%Y-%m-%d)"
_TIME: Final = "%H:%M"
_DAY_HERE, _TIME_HERE = (
    "\x00day\x00",
    "\x00time\x00",
)  # in no clinic's words: Postgres keeps no such character
_LLM_NAME: Final = "voice-gateway"
_KEYPAD_S: Final = 3
# Our answer would be the same again: what is refused for good is not sent twice.
_FINAL: Final = (400, 401, 403, 404, 413, 422)


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where Vapi reaches the gateway. `llm` is a base: Vapi posts to `/chat/completions` below it."""

    webhook: str
    voice: str
    llm: str
    transcriber: str

    @classmethod
    def under(cls, public_url: str, org_id: UUID | None) -> Self:
        """Below `PUBLIC_URL`, which ends in no slash. `org_id` None: the org shows in what is sent there."""
        whose = "" if org_id is None else f"/{org_id}"
        return cls(
            webhook=public_url + WEBHOOK + whose,
            voice=public_url + VOICE + whose,
            llm=public_url + LLM + whose,
            transcriber="ws" + public_url.removeprefix("http") + TRANSCRIBER + whose,
        )

    def of_call(self, vapi_id: str) -> Self:
        """For one call alone: nothing but its address tells the transcriber whose words it hears."""
        return replace(self, transcriber=f"{self.transcriber}?call={quote(vapi_id, safe='')}")


@dataclass(frozen=True, slots=True)
class CredentialIds:
    """By which of its credentials Vapi shows who it is; None: by none.

    `server`: at webhooks, voice and transcriber. `model`: at the LLM, which takes a kind of its own.
    """

    server: str | None = None
    model: str | None = None


@dataclass(frozen=True, slots=True)
class Choices:
    """Which parts of a call the gateway serves, and what stands in for those that it leaves to Vapi.

    `hipaa`, `pci`: Vapi stores as HIPAA asks, or neither logs nor transcripts; both allow few vendors.
    `fallback`: where a call goes that the gateway does not answer in time, E.164; None: it ends.
    """

    serves_llm: bool = True
    serves_voice: bool = True
    serves_transcriber: bool = True
    openai_model: str = "gpt-4.1-mini"
    vapi_voice: str = "Elliot"
    deepgram_model: str = "nova-3"
    language: str = "en"
    hipaa: bool = False
    pci: bool = False
    fallback: str | None = None
    longest_call_s: int = 1_800
    server_s: int = 20
    tool_s: int = 15
    temperature: float = 0.3
    max_tokens: int = 300

    @classmethod
    def chosen(cls, told: Mapping[str, Any]) -> Self:
        """Those that `told` wrote, or an operator gave; what is not among them has its usual value.

        Raises `VapiSetupRefused`.
        """
        try:
            choices = msgspec.convert(dict(told), cls)
        except msgspec.ValidationError as fault:
            raise VapiSetupRefused(f"of what is chosen: {fault}") from None
        if not LEAST_CALL_S <= choices.longest_call_s <= MOST_CALL_S:
            raise VapiSetupRefused(f"a call's longest time is {LEAST_CALL_S} to {MOST_CALL_S} seconds")
        if choices.fallback is not None and not E164.fullmatch(choices.fallback):
            raise VapiSetupRefused("the fallback must be a number in E.164, as +442079460018")
        return choices

    def told(self) -> dict[str, Any]:
        """What of them is not as usual, as JSON may hold it: the usual may be another one day."""
        usual = asdict(type(self)())
        return {name: value for name, value in asdict(self).items() if value != usual[name]}


@dataclass(frozen=True, slots=True)
class Tools:
    """What a model that is Vapi's may call: tools told whole, or ids of such as are kept there."""

    told: Sequence[Mapping[str, Any]] = ()
    ids: Sequence[str] = ()


def assistant_payload(
    profile: OrgProfile,
    addresses: Addresses,
    credentials: CredentialIds,
    choices: Choices,
    *,
    instructions: str = "",
    tools: Tools = Tools(),
    transfers: bool = False,
) -> dict[str, Any]:
    """The org's assistant, for `POST /assistant` and as the `assistant` that answers an assistant-request.

    `instructions` and `tools` are for a model of Vapi's: ours knows its own, and runs its tools itself.
    `transfers`: the call may be put through; to whom, our webhook is asked when it comes to that.
    """
    return {
        "name": profile.name[:MOST_NAME],
        "firstMessage": as_said(profile.greeting),
        "firstMessageMode": "assistant-speaks-first",
        "firstMessageInterruptionsEnabled": True,
        "model": _model(addresses, choices, instructions, tools, transfers=transfers),
        "voice": _voice(addresses, credentials, choices),
        "transcriber": _transcriber(addresses, credentials, choices),
        "server": webhook_server(addresses, credentials, choices),
        "serverMessages": list(SERVER_MESSAGES),
        "credentialIds": [each for each in (credentials.server, credentials.model) if each is not None],
        "metadata": {"org": str(profile.org_id), "webhook": addresses.webhook},
        "maxDurationSeconds": choices.longest_call_s,
        "backgroundSound": "off",
        "voicemailDetection": "off",
        "keypadInputPlan": {"enabled": True, "timeoutSeconds": _KEYPAD_S},
        "compliancePlan": {"hipaaEnabled": choices.hipaa, "pciEnabled": choices.pci},
        "artifactPlan": _artifacts(profile),
        "analysisPlan": {
            "summaryPlan": {"enabled": False},
            "structuredDataPlan": {"enabled": False},
            "successEvaluationPlan": {"enabled": False},
        },
        "monitorPlan": {"listenEnabled": False, "controlEnabled": False},
    }


def tool_payloads(
    specs: Sequence[ToolSpec], addresses: Addresses, credentials: CredentialIds, choices: Choices
) -> list[dict[str, Any]]:
    """Our tools as Vapi's, for `POST /tool` and `model.tools`; the webhook serves them, for any org."""
    server = {
        **_server(addresses.webhook, credentials, choices.tool_s),
        "backoffPlan": _backoff("fixed", retries=1, delay_s=0),
    }
    return [
        {
            "type": "function",
            "async": False,
            "function": {
                "name": spec.name,
                "description": spec.description,
                "parameters": _parameters(spec.parameters),
            },
            "server": server,
            "messages": [
                {"type": "request-start", "blocking": False, "content": ""},
                {
                    "type": "request-response-delayed",
                    "timingMilliseconds": 2_000,
                    "content": "One moment, please.",
                },
            ],
        }
        for spec in specs
    ]


def phone_number_payload(
    addresses: Addresses, credentials: CredentialIds, choices: Choices
) -> dict[str, Any]:
    """A number's settings, for `PATCH /phone-number/…`: nothing is attached to it, so that we are asked."""
    to = choices.fallback
    return {
        "assistantId": None,
        "squadId": None,
        "workflowId": None,
        "server": webhook_server(addresses, credentials, choices),
        "fallbackDestination": None if to is None else {"type": "number", "number": to, "message": ""},
    }


def webhook_server(addresses: Addresses, credentials: CredentialIds, choices: Choices) -> dict[str, Any]:
    """Our webhook. Without a plan for it Vapi would send each report once, whether or not it arrives."""
    return {
        **_server(addresses.webhook, credentials, choices.server_s),
        "backoffPlan": _backoff("exponential", retries=5, delay_s=1),
    }


def standing_instructions(profile: OrgProfile, besides: str = "") -> str:
    """Our system prompt for an assistant that is kept at Vapi, which puts in date and time at each call.

    `besides`: what it is told behind that.
    """
    day, time = (f'{{{{"now" | date: "{form}", "{profile.time_zone}"}}}}' for form in (_DAY, _TIME))
    said = instructions_said(clinic_prompt(profile, today=_DAY_HERE, time=_TIME_HERE) + besides)
    return said.replace(_DAY_HERE, day).replace(_TIME_HERE, time)


def instructions_said(prompt: str) -> str:
    """A system prompt of ours for a model of Vapi's, whose way to hang up has another name."""
    return as_said(prompt).replace("end_call", "endCall")


def as_said(text: str) -> str:
    """The clinic's own words, of which Vapi, which reads Liquid in them, makes no variable."""
    return text.replace("{{", "{ {").replace("{%", "{ %")


def _model(
    addresses: Addresses, choices: Choices, instructions: str, tools: Tools, *, transfers: bool
) -> dict[str, Any]:
    said = {"temperature": choices.temperature, "maxTokens": choices.max_tokens}
    theirs = [{"type": "endCall"}, *([{"type": "transferCall", "destinations": []}] if transfers else [])]
    if choices.serves_llm:
        return {
            "provider": "custom-llm",
            "url": addresses.llm,
            "model": _LLM_NAME,
            "metadataSendMode": "variable",
            "timeoutSeconds": choices.server_s,
            "tools": theirs,
            **said,
        }
    return {
        "provider": "openai",
        "model": choices.openai_model,
        "messages": [{"role": "system", "content": instructions}],
        "tools": [*theirs, *tools.told],
        "toolIds": list(tools.ids),
        **said,
    }


def _voice(addresses: Addresses, credentials: CredentialIds, choices: Choices) -> dict[str, Any]:
    """Never cached: what is said holds names and times."""
    if not choices.serves_voice:
        return {"provider": "vapi", "voiceId": choices.vapi_voice, "cachingEnabled": False}
    return {
        "provider": "custom-voice",
        "cachingEnabled": False,
        "server": _server(addresses.voice, credentials, choices.server_s),
    }


def _transcriber(addresses: Addresses, credentials: CredentialIds, choices: Choices) -> dict[str, Any]:
    if not choices.serves_transcriber:
        return {"provider": "deepgram", "model": choices.deepgram_model, "language": choices.language}
    return {
        "provider": "custom-transcriber",
        "server": _server(addresses.transcriber, credentials, choices.server_s),
    }


def _artifacts(profile: OrgProfile) -> dict[str, Any]:
    """What Vapi keeps of a call: all that is left out here it would keep."""
    return {
        "recordingEnabled": False,
        "videoRecordingEnabled": False,
        "pcapEnabled": False,
        "loggingEnabled": False,
        "fullMessageHistoryEnabled": False,
        "transcriptPlan": {"enabled": profile.keeps_unasked},
    }


def _server(url: str, credentials: CredentialIds, timeout_s: int) -> dict[str, Any]:
    shows = {} if credentials.server is None else {"credentialId": credentials.server}
    return {"url": url, "timeoutSeconds": timeout_s, **shows}


def _backoff(kind: str, *, retries: int, delay_s: int) -> dict[str, Any]:
    return {
        "type": kind,
        "maxRetries": retries,
        "baseDelaySeconds": delay_s,
        "excludedStatusCodes": list(_FINAL),
    }


def _parameters(schema: Mapping[str, Any]) -> dict[str, Any]:
    """Arguments in the part of JSON Schema that Vapi takes: one type each; what may be null is left out."""
    properties = {name: _property(each) for name, each in schema["properties"].items()}
    required = [name for name in schema.get("required", ()) if not _may_be_null(schema["properties"][name])]
    return {"type": "object", "properties": properties, "required": required}


def _property(schema: Mapping[str, Any]) -> dict[str, Any]:
    kinds = schema["type"]
    kind = kinds if isinstance(kinds, str) else next(each for each in kinds if each != "null")
    return {**schema, "type": kind}


def _may_be_null(schema: Mapping[str, Any]) -> bool:
    return not isinstance(schema["type"], str) and "null" in schema["type"]
