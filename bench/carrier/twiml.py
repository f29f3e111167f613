"""The answer document, parsed and validated as strictly as Twilio's schema (docs "TwiML", "TwiML <Stream>",
read 2026-11).

Only the verbs that a media gateway answers with are known; any other verb, attribute or nesting is refused
(12200), so that a document which passes here is one that Twilio plays.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal
from urllib.parse import urljoin, urlsplit
from xml.etree import ElementTree

from bench.carrier.errors import TwimlRejected

MAX_DOCUMENT_BYTES = 64 * 1024
MAX_PARAMETER_CHARS = 500
LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})

_ATTRIBUTES: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "Response": frozenset(),
        "Connect": frozenset({"action", "method"}),
        "Stream": frozenset({"url", "name", "track", "statusCallback", "statusCallbackMethod"}),
        "Parameter": frozenset({"name", "value"}),
        "Say": frozenset({"voice", "language", "loop"}),
        "Pause": frozenset({"length"}),
        "Redirect": frozenset({"method"}),
        "Hangup": frozenset(),
        "Reject": frozenset({"reason"}),
    }
)


@dataclass(frozen=True, slots=True)
class ConnectStream:
    """`<Connect><Stream>`: a two-way media stream; the document stands still until its socket ends."""

    url: str
    parameters: Mapping[str, str] = field(default_factory=dict)
    name: str | None = None
    action: str | None = None
    status_callback: str | None = None


@dataclass(frozen=True, slots=True)
class Say:
    """A sentence spoken by the carrier itself."""

    text: str


@dataclass(frozen=True, slots=True)
class Pause:
    length_s: int


@dataclass(frozen=True, slots=True)
class Redirect:
    """Go on with the document at another address."""

    url: str


@dataclass(frozen=True, slots=True)
class Hangup:
    pass


@dataclass(frozen=True, slots=True)
class Reject:
    reason: Literal["rejected", "busy"]


Verb = ConnectStream | Say | Pause | Redirect | Hangup | Reject


def parse_twiml(document: bytes, base_url: str) -> list[Verb]:
    """The document's verbs in order. `base_url` is the webhook's address: relative ones are taken from it.

    Raises `TwimlRejected`.
    """
    if len(document) > MAX_DOCUMENT_BYTES:
        raise TwimlRejected(12100, f"document of {len(document)} bytes")
    if b"<!" in document.replace(b"<!--", b""):
        raise TwimlRejected(12100, "document type declarations and CDATA are not read")
    try:
        root = ElementTree.fromstring(document)  # noqa: S314 - no declarations pass, so no entity can expand
    except ElementTree.ParseError as error:
        raise TwimlRejected(12100, f"not well-formed: {error}") from None
    if root.tag != "Response":
        raise TwimlRejected(12100, f"the root is <{root.tag}>, not <Response>")
    _check(root)
    return [_verb(element, base_url) for element in root]


def _verb(element: ElementTree.Element, base_url: str) -> Verb:
    _check(element)
    text = (element.text or "").strip()
    match element.tag:
        case "Connect":
            return _connect(element, base_url)
        case "Say" if text:
            return Say(text)
        case "Pause":
            return Pause(int(element.get("length", "1")))
        case "Redirect" if text:
            return Redirect(urljoin(base_url, text))
        case "Hangup":
            return Hangup()
        case "Reject" if element.get("reason", "rejected") in ("rejected", "busy"):
            return Reject("busy" if element.get("reason") == "busy" else "rejected")
    raise TwimlRejected(12200, f"<{element.tag}> is empty, misplaced or has a wrong value")


def _check(element: ElementTree.Element) -> None:
    allowed = _ATTRIBUTES.get(element.tag)
    if allowed is None:
        raise TwimlRejected(12200, f"unknown verb <{element.tag}>")
    unknown = set(element.attrib) - allowed
    if unknown:
        raise TwimlRejected(12200, f"<{element.tag}> has no attribute {sorted(unknown)[0]}")
    if (
        element.tag in ("Response", "Connect", "Stream", "Parameter", "Hangup")
        and (element.text or "").strip()
    ):
        raise TwimlRejected(12200, f"text inside <{element.tag}>")


def _connect(element: ElementTree.Element, base_url: str) -> ConnectStream:
    if [child.tag for child in element] != ["Stream"]:
        raise TwimlRejected(12200, "<Connect> holds exactly one <Stream> here")
    stream = element[0]
    _check(stream)
    if stream.get("track", "inbound_track") != "inbound_track":
        raise TwimlRejected(12200, "a <Connect> stream carries the inbound track only")
    return ConnectStream(
        url=_stream_url(stream.get("url"), base_url),
        parameters=_parameters(stream),
        name=stream.get("name"),
        action=_absolute(element.get("action"), base_url),
        status_callback=_callback(stream.get("statusCallback")),
    )


def _stream_url(url: str | None, base_url: str) -> str:
    if not url:
        raise TwimlRejected(12200, "<Stream> has no url")
    try:
        parts = urlsplit(urljoin(base_url.replace("http", "ws", 1), url))
    except ValueError:
        raise TwimlRejected(31923, "the stream url is malformed") from None
    if parts.scheme != "wss" and not (parts.scheme == "ws" and parts.hostname in LOOPBACK):
        raise TwimlRejected(31922, f"the stream url's scheme is {parts.scheme!r}, not wss")
    if parts.query or parts.fragment:
        # Twilio drops the query before the upgrade: whatever was meant by it never arrives (error page
        # 31920).
        raise TwimlRejected(31920, "the stream url has a query string")
    return parts.geturl()


def _parameters(stream: ElementTree.Element) -> dict[str, str]:
    parameters: dict[str, str] = {}
    for child in stream:
        _check(child)
        name, value = child.get("name"), child.get("value")
        if child.tag != "Parameter" or not name or value is None:
            raise TwimlRejected(12200, "<Stream> holds <Parameter name value> only")
        if len(name) + len(value) >= MAX_PARAMETER_CHARS:
            raise TwimlRejected(12200, f"parameter {name!r} is longer than {MAX_PARAMETER_CHARS} characters")
        if name in parameters:
            raise TwimlRejected(12200, f"parameter {name!r} is given twice")
        parameters[name] = value
    return parameters


def _absolute(url: str | None, base_url: str) -> str | None:
    return urljoin(base_url, url) if url else None


def _callback(url: str | None) -> str | None:
    if url is not None and urlsplit(url).scheme not in ("http", "https"):
        raise TwimlRejected(12200, "statusCallback is not an absolute http(s) address")
    return url
