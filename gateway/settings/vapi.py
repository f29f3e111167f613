"""The organisation at Vapi."""

from dataclasses import dataclass, field
from typing import Literal

from gateway.settings.reader import Reader
from gateway.vapi.auth import VapiAuth, parse_auth


@dataclass(frozen=True, slots=True)
class Vapi:
    """What opens an organisation at Vapi, in one of its two regions. `auth` None: there is none."""

    api_key: str = field(default="", repr=False)
    auth: VapiAuth | None = None
    llm_key: str = field(default="", repr=False)
    region: Literal["us", "eu"] = "us"
    api_url: str = "https://api.vapi.ai"
    api_url_eu: str = "https://api.eu.vapi.ai"

    def url(self, region: Literal["us", "eu"]) -> str:
        """Where that region's REST is."""
        return self.api_url_eu if region == "eu" else self.api_url


def read_vapi(reader: Reader) -> Vapi:
    """The organisation, whole or not at all."""
    usual = Vapi()
    region = reader.parsed("VAPI_REGION", usual.region, _region, "be us or eu", usual.region)
    vapi = Vapi(
        api_key=reader.text("VAPI_API_KEY", "", secret=True),
        auth=_vapi_auth(reader),
        llm_key=reader.text("VAPI_LLM_KEY", "", secret=True),
        region=region,
        api_url=reader.url("VAPI_API_URL", usual.api_url, ("https", "http")),
        api_url_eu=reader.url("VAPI_API_URL_EU", usual.api_url_eu, ("https", "http")),
    )
    if bool(vapi.api_key) != (vapi.auth is not None):
        reader.faults.append("VAPI_API_KEY and VAPI_AUTH belong together")
    return vapi


def _vapi_auth(reader: Reader) -> VapiAuth | None:
    """A fault does not repeat what is given: it holds a secret."""
    text = reader.text("VAPI_AUTH", "", secret=True)
    try:
        return parse_auth(text) if text else None
    except ValueError as fault:
        reader.faults.append(f"VAPI_AUTH {fault}")
        return None


def _region(text: str) -> Literal["us", "eu"]:
    if text not in ("us", "eu"):
        raise ValueError(text)
    return "eu" if text == "eu" else "us"
