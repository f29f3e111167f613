"""The carriers' accounts of the process."""

from dataclasses import dataclass, field

from gateway.ed25519 import parse_public_key
from gateway.settings.reader import Reader
from gateway.vonage_key import parse_private_key, require_application_id


@dataclass(frozen=True, slots=True)
class Twilio:
    """The account whose numbers ring here; its primary auth token signs webhooks and sockets."""

    account_sid: str
    auth_token: str = field(repr=False)
    api_url: str


@dataclass(frozen=True, slots=True)
class Plivo:
    """The same of a Plivo account, for all orgs without one of their own; "" if there is none."""

    auth_id: str
    auth_token: str = field(repr=False)
    api_url: str


@dataclass(frozen=True, slots=True)
class Telnyx:
    """The same of a Telnyx account: what opens its REST, and the public key of what it signs."""

    api_key: str = field(repr=False)
    public_key: str
    api_url: str


@dataclass(frozen=True, slots=True)
class Vonage:
    """The same of a Vonage application: the key (PEM) that opens its REST, what its account signs with."""

    application_id: str
    private_key: str = field(repr=False)
    signature_secret: str = field(repr=False)
    api_url: str


def read_twilio(reader: Reader, local_bench: bool) -> Twilio:
    """The account; without one only where carrier checks are off."""
    absent = "" if local_bench else None  # without them a call could be neither verified nor hung up
    return Twilio(
        account_sid=reader.text("TWILIO_ACCOUNT_SID", absent),
        auth_token=reader.text("TWILIO_AUTH_TOKEN", absent, secret=True),
        api_url=reader.url("TWILIO_API_URL", "https://api.twilio.com", ("https", "http")),
    )


def read_plivo(reader: Reader) -> Plivo:
    """The account, whole or not at all."""
    plivo = Plivo(
        auth_id=reader.text("PLIVO_AUTH_ID", ""),
        auth_token=reader.text("PLIVO_AUTH_TOKEN", "", secret=True),
        api_url=reader.url("PLIVO_API_URL", "https://api.plivo.com", ("https", "http")),
    )
    if bool(plivo.auth_id) != bool(plivo.auth_token):
        reader.faults.append("PLIVO_AUTH_ID and PLIVO_AUTH_TOKEN belong together")
    return plivo


def read_telnyx(reader: Reader) -> Telnyx:
    """The account, whole or not at all."""
    telnyx = Telnyx(
        api_key=reader.text("TELNYX_API_KEY", "", secret=True),
        public_key=reader.parsed("TELNYX_PUBLIC_KEY", "", _public_key, "be 32 bytes in base64", ""),
        api_url=reader.url("TELNYX_API_URL", "https://api.telnyx.com", ("https", "http")),
    )
    if bool(telnyx.api_key) != bool(telnyx.public_key):
        reader.faults.append("TELNYX_API_KEY and TELNYX_PUBLIC_KEY belong together")
    return telnyx


def _public_key(text: str) -> str:
    if text:
        parse_public_key(text)
    return text


def read_vonage(reader: Reader) -> Vonage:
    """The application, whole or not at all."""
    uuid = "be a UUID in small letters"
    application_id = reader.parsed("VONAGE_APPLICATION_ID", "", require_application_id, uuid, "")
    private_key = reader.text("VONAGE_PRIVATE_KEY", "", secret=True).replace("\\n", "\n")
    vonage = Vonage(
        application_id=application_id,
        private_key=private_key,
        signature_secret=reader.text("VONAGE_SIGNATURE_SECRET", "", secret=True),
        api_url=reader.url("VONAGE_API_URL", "https://api.nexmo.com", ("https", "http")),
    )
    given = (bool(application_id), bool(private_key), bool(vonage.signature_secret))
    if len(set(given)) > 1:
        reader.faults.append(
            "VONAGE_APPLICATION_ID, VONAGE_PRIVATE_KEY and VONAGE_SIGNATURE_SECRET belong together"
        )
    if private_key:
        _require_private_key(reader, private_key)
    return vonage


def _require_private_key(reader: Reader, private_key: str) -> None:
    try:
        parse_private_key(private_key)
    except ValueError as fault:
        reader.faults.append(f"VONAGE_PRIVATE_KEY: {fault}")
