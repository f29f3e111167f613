"""What Vapi is told of an org: as Vapi's schema takes it, keeping as little there as can be."""

import hmac
from collections.abc import Iterator, Mapping
from dataclasses import replace
from importlib import import_module
from itertools import product
from typing import Any
from uuid import UUID

import pytest
from starlette.datastructures import Headers

from bench.simulators.vapi_rules import faults_of
from booking.types import OrgProfile, Practitioner, Recording, Service
from gateway.errors import SecretInvalid, VapiSetupRefused
from gateway.tools import tool_specs
from gateway.vapi.assistant import (
    Addresses,
    Choices,
    CredentialIds,
    Tools,
    assistant_payload,
    instructions_said,
    phone_number_payload,
    standing_instructions,
    tool_payloads,
)
from gateway.vapi.auth import Arrived, Bearer, Hmac, OAuthClient, SharedSecret, VapiAuth, is_signed
from gateway.vapi.credentials import credential_name, model_credential, server_credential, without_secrets
from gateway.vapi.differences import differing

ORG = UUID("9f3b0c3e-6a55-4c0e-9f0a-1d6f0f7b2a11")
PROFILE = OrgProfile(
    org_id=ORG,
    name="The Harley Street Clinic for Aesthetic Medicine",
    time_zone="Europe/London",
    greeting="Hello, Harley Street Clinic. How can I help?",
    agent_name="Alice",
    voice=None,
    services=(Service(UUID(int=1), "Rhinoplasty consultation", ("nose job",), 30),),
    practitioners=(Practitioner(UUID(int=2), "Dr Patel"),),
)
ADDRESSES = Addresses.under("https://gw.example.com", ORG)
IDS = CredentialIds(server="6a0f", model="7b1e")
SECRET = "a-shared-secret"
KEYS: tuple[VapiAuth, ...] = (
    SharedSecret(SECRET),
    Bearer(SECRET, header="X-Key", prefix=False),
    OAuthClient("client", SECRET),
    Hmac(SECRET, signature_prefix="sha256="),
)

ALL_VAPIS = Choices(serves_llm=False, serves_voice=False, serves_transcriber=False, fallback="+442079460100")


def choices_of_all_kinds() -> Iterator[Choices]:
    for llm, voice, transcriber, hipaa in product((True, False), repeat=4):
        yield Choices(
            serves_llm=llm,
            serves_voice=voice,
            serves_transcriber=transcriber,
            hipaa=hipaa,
            fallback="+442079460100" if hipaa else None,
        )


def payloads(choices: Choices) -> Iterator[tuple[str, dict[str, Any]]]:
    """All that Vapi is told, with the schema that it is to fit."""
    told = tool_payloads(tool_specs(PROFILE), ADDRESSES, IDS, choices)
    yield from (("CreateFunctionToolDTO", each) for each in told)
    for tools, ids in product((Tools(told=told), Tools(ids=["t1", "t2"])), (IDS, CredentialIds())):
        said = standing_instructions(PROFILE)
        yield (
            "CreateAssistantDTO",
            assistant_payload(
                PROFILE, ADDRESSES, ids, choices, instructions=said, tools=tools, transfers=bool(ids.server)
            ),
        )
    yield "UpdateVapiPhoneNumberDTO", phone_number_payload(ADDRESSES, IDS, choices)
    for auth in KEYS:
        credential = server_credential(auth, name="gateway webhook", token_url="https://gw.example.com/t")
        yield "CreateCustomCredentialDTO", credential
        yield "CreateCustomLLMCredentialDTO", model_credential(auth, "llm-key", name="gateway llm")


@pytest.mark.parametrize("choices", list(choices_of_all_kinds()), ids=str)
def test_all_of_it_is_as_vapis_schema_has_it(choices: Choices) -> None:
    wrong = {schema: faults for schema, each in payloads(choices) if (faults := faults_of(schema, each))}
    assert wrong == {}


def unknown_fields(model: Any, path: str = "") -> Iterator[str]:
    """What the package's models do not know, however deep."""
    if isinstance(model, list):
        for each in model:
            yield from unknown_fields(each, path)
    if not hasattr(model, "model_extra"):
        return
    yield from (f"{path}.{name}" for name in model.model_extra or {})
    for name in type(model).model_fields:
        yield from unknown_fields(getattr(model, name), f"{path}.{name}")


def test_vapis_own_package_reads_it_without_a_rest() -> None:
    """But for backoff plans: their kind, a word in Vapi's guides, is an object there by mistake."""
    vapi = import_module("vapi")
    models = {
        "CreateAssistantDTO": vapi.CreateAssistantDto,
        "CreateFunctionToolDTO": vapi.tools.CreateToolsRequest_Function,
        "UpdateVapiPhoneNumberDTO": vapi.phone_numbers.UpdatePhoneNumbersRequestBody_Vapi,
    }
    read = [
        models[schema].model_validate(without_backoff(payload))
        for choices in (Choices(), ALL_VAPIS)
        for schema, payload in payloads(choices)
        if schema in models
    ]
    assert {field for each in read for field in unknown_fields(each)} == set()
    odd = vapi.CreateAssistantDto.model_validate({"hipaaEnabled": True, "server": {"secret": "s"}})
    assert set(unknown_fields(odd)) == {".hipaaEnabled", ".server.secret"}


def without_backoff(value: Any) -> Any:
    if isinstance(value, list):
        return [without_backoff(each) for each in value]
    if not isinstance(value, Mapping):
        return value
    return {key: without_backoff(each) for key, each in value.items() if key != "backoffPlan"}


def test_what_is_ours_is_called_at_the_orgs_addresses_and_shows_the_credential() -> None:
    told = assistant_payload(PROFILE, ADDRESSES, IDS, Choices())
    assert told["server"]["url"] == f"https://gw.example.com/webhooks/vapi/{ORG}"
    assert told["voice"]["server"]["url"] == f"https://gw.example.com/vapi/voice/{ORG}"
    assert told["transcriber"]["server"]["url"] == f"wss://gw.example.com/vapi/transcriber/{ORG}"
    assert told["model"]["url"] == f"https://gw.example.com/vapi/llm/{ORG}"
    assert [told[part]["server"]["credentialId"] for part in ("voice", "transcriber")] == ["6a0f", "6a0f"]
    assert told["credentialIds"] == ["6a0f", "7b1e"]
    assert told["metadata"] == {"org": str(ORG), "webhook": told["server"]["url"]}
    assert told["voice"]["cachingEnabled"] is False
    assert told["name"] == "The Harley Street Clinic for Aesthetic M"
    assert (
        Addresses.under("http://localhost:8080", None).transcriber == "ws://localhost:8080/vapi/transcriber"
    )


def test_reports_are_sent_again_and_only_what_we_want_is_sent() -> None:
    told = assistant_payload(PROFILE, ADDRESSES, IDS, Choices())
    assert told["server"]["backoffPlan"]["maxRetries"] == 5
    assert 401 in told["server"]["backoffPlan"]["excludedStatusCodes"]
    assert "end-of-call-report" in told["serverMessages"]
    assert not {"conversation-update", "transcript", "model-output"} & set(told["serverMessages"])


@pytest.mark.parametrize(
    ("recording", "transcript"), [("kept", True), ("announced", True), ("asked", False), ("off", False)]
)
def test_vapi_keeps_as_little_as_it_can(recording: Recording, transcript: bool) -> None:
    told = assistant_payload(replace(PROFILE, recording=recording), ADDRESSES, IDS, Choices())
    kept = told["artifactPlan"]
    assert kept.pop("transcriptPlan") == {"enabled": transcript}
    assert set(kept.values()) == {False}
    assert {"recordingEnabled", "pcapEnabled", "loggingEnabled"} <= kept.keys()
    assert {plan["enabled"] for plan in told["analysisPlan"].values()} == {False}
    assert set(told["monitorPlan"].values()) == {False}


def test_tools_take_one_type_each_and_what_may_be_null_is_optional() -> None:
    told = tool_payloads(tool_specs(PROFILE), ADDRESSES, IDS, Choices())
    assert len(told) == 10
    find = next(each for each in told if each["function"]["name"] == "find_slots")
    assert find["function"]["parameters"]["required"] == ["service"]
    assert find["function"]["parameters"]["properties"]["day"]["type"] == "string"
    assert "Rhinoplasty" in find["function"]["description"]
    assert {each["server"]["url"] for each in told} == {ADDRESSES.webhook}


def test_a_number_has_nothing_attached_so_that_we_are_asked() -> None:
    told = phone_number_payload(ADDRESSES, IDS, Choices(fallback="+442079460100"))
    assert [told[key] for key in ("assistantId", "squadId", "workflowId")] == [None] * 3
    assert told["fallbackDestination"]["number"] == "+442079460100"


def test_the_clinics_words_are_no_variables_of_vapis() -> None:
    sly = replace(PROFILE, greeting="{{customer.number}} {% raw %}", agent_name="{{now}}")
    assert (
        assistant_payload(sly, ADDRESSES, IDS, Choices())["firstMessage"] == "{ {customer.number}} { % raw %}"
    )
    said = standing_instructions(sly)
    assert said.count("{{") == 2
    assert '{{"now" | date: "%H:%M", "Europe/London"}}' in said
    assert "endCall" in said
    assert "end_call" not in said
    assert "\x00" not in said
    assert instructions_said("{{x}} end_call") == "{ {x}} endCall"


def test_a_model_of_vapis_has_the_instructions_and_the_tools() -> None:
    choices = Choices(serves_llm=False, openai_model="gpt-4.1")
    tools = Tools(ids=["t1"])
    told = assistant_payload(PROFILE, ADDRESSES, IDS, choices, instructions="Be brief.", tools=tools)
    model = told["model"]
    assert (model["provider"], model["model"], model["toolIds"]) == ("openai", "gpt-4.1", ["t1"])
    assert model["messages"] == [{"role": "system", "content": "Be brief."}]
    assert {"type": "endCall"} in model["tools"]


@pytest.mark.parametrize("auth", KEYS, ids=lambda auth: type(auth).__name__)
def test_a_credential_says_how_vapi_signs_and_is_shown_without_its_secret(auth: VapiAuth) -> None:
    credential = server_credential(auth, name="n", token_url="https://gw.example.com/vapi/token")
    assert SECRET in str(credential)
    assert SECRET not in str(without_secrets([credential]))
    plan = credential["authenticationPlan"]
    match auth:
        case SharedSecret():
            assert (plan["headerName"], plan["bearerPrefixEnabled"]) == ("X-Vapi-Secret", False)
        case OAuthClient():
            assert plan["url"] == "https://gw.example.com/vapi/token"
        case Hmac():
            assert (plan["payloadFormat"], plan["signaturePrefix"]) == ("{timestamp}.{body}", "sha256=")
        case Bearer():
            assert plan["headerName"] == "X-Key"


def shown_by(plan: Mapping[str, Any], body: bytes, at_s: int) -> dict[str, str]:
    """What Vapi sends under such a plan, by its guide "Server authentication"."""
    if plan["type"] == "hmac":
        signed = plan["payloadFormat"].format(timestamp=at_s, body=body.decode())
        digest = hmac.new(plan["secretKey"].encode(), signed.encode(), plan["algorithm"]).hexdigest()
        return {
            plan["timestampHeader"]: str(at_s),
            plan["signatureHeader"]: plan.get("signaturePrefix", "") + digest,
        }
    prefix = "Bearer " if plan["bearerPrefixEnabled"] else ""
    return {plan["headerName"]: prefix + plan["token"]}


@pytest.mark.parametrize(
    "auth",
    [*(each for each in KEYS if not isinstance(each, OAuthClient)), Bearer(SECRET)],
    ids=lambda auth: type(auth).__name__,
)
def test_what_vapi_sends_under_our_credential_is_taken_for_vapis(auth: VapiAuth) -> None:
    at_s, body = 1_700_000_000, b"hang"
    plan = server_credential(auth, name="n", token_url="")["authenticationPlan"]
    url = ADDRESSES.webhook

    def taken(headers: Mapping[str, str]) -> bool:
        return is_signed(auth, Arrived("POST", url, Headers(headers), body, float(at_s)))

    assert taken(shown_by(plan, body, at_s))
    assert not taken(shown_by({**plan, "token": "x", "secretKey": "x"}, body, at_s))


def test_the_llm_needs_a_bearer_token() -> None:
    assert model_credential(SharedSecret(SECRET), "", name="n")["apiKey"] == SECRET
    assert model_credential(Hmac(SECRET), "other", name="n")["apiKey"] == "other"
    for auth in (Hmac(SECRET), OAuthClient("c", SECRET)):
        with pytest.raises(SecretInvalid, match="llm_key") as refused:
            model_credential(auth, "", name="n")
        assert SECRET not in str(refused.value)


def test_gateways_that_share_an_account_find_their_own_credentials() -> None:
    names = {credential_name("webhook", f"https://{host}.example.com") for host in ("a", "b", "c")}
    assert len(names) == 3
    assert max(map(len, names)) <= 40


@pytest.mark.parametrize(
    ("wanted", "found", "changed"),
    [
        ({"a": 1}, {"a": 1, "b": 2}, {}),
        ({"a": {"b": 1}}, {"a": {"b": 1, "c": 2}}, {}),
        ({"a": {"b": 1, "d": 2}}, {"a": {"b": 0, "c": 2, "d": 2}}, {"a": {"b": 1, "d": 2}}),
        ({"a": None, "b": []}, {}, {}),
        ({"a": None}, {"a": "x"}, {"a": None}),
        ({"a": [1, 2]}, {"a": [1]}, {"a": [1, 2]}),
        ({"a": [{"b": 1}]}, {"a": [{"b": 1, "c": 2}]}, {}),
        ({"a": "xy"}, {"a": ["x", "y"]}, {"a": "xy"}),
        ({"a": ["x"]}, {"a": "x"}, {"a": ["x"]}),
        ({"a": {"b": 1}}, {"a": 1}, {"a": {"b": 1}}),
    ],
)
def test_an_update_names_what_differs_in_full(
    wanted: dict[str, Any], found: dict[str, Any], changed: dict[str, Any]
) -> None:
    assert differing(wanted, found) == changed


def test_choices_are_remembered_and_nonsense_is_refused() -> None:
    choices = Choices(serves_voice=False, fallback="+442079460100", longest_call_s=600)
    assert Choices.chosen(choices.told()) == choices
    assert Choices().told() == {}
    assert Choices.chosen({"of_a_newer_gateway": 1}) == Choices()
    for wrong in ({"longest_call_s": 9}, {"fallback": "020 7946"}, {"openai_model": 4}):
        with pytest.raises(VapiSetupRefused):
            Choices.chosen(wrong)
