"""The answer document, parsed and validated as strictly as Twilio's schema (docs "TwiML", "TwiML <Stream>",
read 2026-11).

Only the verbs that a media gateway answers with are known; any other verb, attribute or nesting is refused
(12200), so that a document which passes here is one that Twilio plays.
"""

from collections.abc import Mapping
from types import MappingProxyType
from urllib.parse import urljoin, urlsplit
from xml.etree import ElementTree

from bench.carrier.errors import AnswerRejected
from bench.carrier.markup import check_attributes, response_of, socket_url
from bench.carrier.steps import ConnectStream, Hangup, Pause, Redirect, Reject, Say, Step
from bench.carrier.twilio.rules import ADDRESS, HANDSHAKE, SCHEMA, SCHEME, UNREADABLE

MAX_PARAMETER_CHARS = 500

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


def parse_twiml(document: bytes, base_url: str) -> list[Step]:
    """The document's verbs in order. `base_url` is the webhook's address: relative ones are taken from it.

    Raises `AnswerRejected`.
    """
    root = response_of(document, UNREADABLE)
    _check(root)
    return [_verb(element, base_url) for element in root]


def _verb(element: ElementTree.Element, base_url: str) -> Step:
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
    raise AnswerRejected(SCHEMA, f"<{element.tag}> is empty, misplaced or has a wrong value")


def _check(element: ElementTree.Element) -> None:
    check_attributes(element, _ATTRIBUTES, SCHEMA)
    if (
        element.tag in ("Response", "Connect", "Stream", "Parameter", "Hangup")
        and (element.text or "").strip()
    ):
        raise AnswerRejected(SCHEMA, f"text inside <{element.tag}>")


def _connect(element: ElementTree.Element, base_url: str) -> ConnectStream:
    if [child.tag for child in element] != ["Stream"]:
        raise AnswerRejected(SCHEMA, "<Connect> holds exactly one <Stream> here")
    stream = element[0]
    _check(stream)
    if stream.get("track", "inbound_track") != "inbound_track":
        raise AnswerRejected(SCHEMA, "a <Connect> stream carries the inbound track only")
    return ConnectStream(
        url=_stream_url(stream.get("url"), base_url),
        parameters=_parameters(stream),
        name=stream.get("name"),
        action=_absolute(element.get("action"), base_url),
        status_callback=_callback(stream.get("statusCallback")),
    )


def _stream_url(url: str | None, base_url: str) -> str:
    if not url:
        raise AnswerRejected(SCHEMA, "<Stream> has no url")
    whole = socket_url(url, malformed=ADDRESS, scheme=SCHEME, base_url=base_url)
    parts = urlsplit(whole)
    if parts.query or parts.fragment:
        # Twilio drops the query before the upgrade: whatever was meant by it never arrives (error page
        # 31920).
        raise AnswerRejected(HANDSHAKE, "the stream url has a query string")
    return whole


def _parameters(stream: ElementTree.Element) -> dict[str, str]:
    parameters: dict[str, str] = {}
    for child in stream:
        _check(child)
        name, value = child.get("name"), child.get("value")
        if child.tag != "Parameter" or not name or value is None:
            raise AnswerRejected(SCHEMA, "<Stream> holds <Parameter name value> only")
        if len(name) + len(value) >= MAX_PARAMETER_CHARS:
            raise AnswerRejected(
                SCHEMA, f"parameter {name!r} is longer than {MAX_PARAMETER_CHARS} characters"
            )
        if name in parameters:
            raise AnswerRejected(SCHEMA, f"parameter {name!r} is given twice")
        parameters[name] = value
    return parameters


def _absolute(url: str | None, base_url: str) -> str | None:
    return urljoin(base_url, url) if url else None


def _callback(url: str | None) -> str | None:
    if url is not None and urlsplit(url).scheme not in ("http", "https"):
        raise AnswerRejected(SCHEMA, "statusCallback is not an absolute http(s) address")
    return url
