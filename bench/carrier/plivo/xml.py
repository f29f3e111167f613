"""Plivo's answer document, parsed and validated: "XML: Stream", "Speak", "Wait", "Dial", "Redirect", "Hangup"
(Plivo docs, read 2026-11).

Only the elements that a media gateway answers with are known; any other element, attribute or value is
refused, and so is what Plivo would take but what leaves the caller in silence: a stream that plays nothing,
a call that ends beside its stream. Whoever is dialled does not answer: what comes of it is asked at once.
"""

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final
from urllib.parse import urljoin, urlsplit
from xml.etree import ElementTree

from bench.carrier.errors import AnswerRejected
from bench.carrier.markup import check_attributes, response_of, socket_url
from bench.carrier.plivo.rules import (
    ADDRESS,
    BOTH_WAYS,
    CONTENT_TYPE,
    EXTRA_HEADERS,
    KEPT,
    SCHEMA,
    TIMEOUT,
    UNREADABLE,
)
from bench.carrier.steps import ConnectStream, Hangup, Pause, Redirect, Reject, Say, Step

MOST_EXTRA_BYTES: Final = 512
MULAW: Final = "audio/x-mulaw;rate=8000"
_CONTENT_TYPES: Final = frozenset({MULAW, "audio/x-l16;rate=8000", "audio/x-l16;rate=16000"})
_NUMBER: Final = re.compile(r"\+?[1-9][0-9]{6,14}")
_PAIR: Final = re.compile(r"[A-Za-z0-9]+=[A-Za-z0-9]*")
_ATTRIBUTES: Final[Mapping[str, frozenset[str]]] = MappingProxyType(
    {
        "Response": frozenset(),
        "Stream": frozenset(
            {
                "bidirectional",
                "audioTrack",
                "streamTimeout",
                "statusCallbackUrl",
                "statusCallbackMethod",
                "contentType",
                "extraHeaders",
                "keepCallAlive",
                "noiseCancellation",
                "noiseCancellationLevel",
            }
        ),
        "Speak": frozenset({"voice", "language", "loop"}),
        "Wait": frozenset({"length", "silence", "minSilence", "beep"}),
        "Dial": frozenset(
            {
                *("action", "method", "redirect", "timeout", "timeLimit", "hangupOnStar", "callerId"),
                *("callerName", "confirmSound", "confirmKey", "confirmTimeout", "dialMusic", "callbackUrl"),
                *("callbackMethod", "digitsMatch", "digitsMatchBLeg", "sipHeaders"),
            }
        ),
        "Number": frozenset({"sendDigits", "sendOnPreanswer"}),
        "Redirect": frozenset({"method"}),
        "Hangup": frozenset({"reason", "schedule"}),
    }
)


def parse_plivo_xml(document: bytes, base_url: str) -> list[Step]:
    """The document's elements in order; relative addresses are taken from `base_url`. Raises
    `AnswerRejected`.
    """
    root = response_of(document, UNREADABLE)
    _check(root)
    return [_step(element, base_url) for element in root]


def _check(element: ElementTree.Element) -> None:
    check_attributes(element, _ATTRIBUTES, SCHEMA)
    if element.tag in ("Response", "Hangup", "Wait") and (element.text or "").strip():
        raise AnswerRejected(SCHEMA, f"text inside <{element.tag}>")
    if element.tag not in ("Response", "Dial") and len(element):
        raise AnswerRejected(SCHEMA, f"<{element.tag}> holds no elements here")


def _step(element: ElementTree.Element, base_url: str) -> Step:
    _check(element)
    text = (element.text or "").strip()
    match element.tag:
        case "Stream":
            return _stream(element, text)
        case "Speak" if text:
            return Say(text)
        case "Wait" if element.get("length", "1").isdecimal():
            return Pause(int(element.get("length", "1")))
        case "Dial":
            return _dial(element, base_url)
        case "Redirect" if text:
            return Redirect(urljoin(base_url, text))
        case "Hangup" if "reason" in element.attrib:
            return Reject("busy" if element.get("reason") == "busy" else "rejected")
        case "Hangup":
            return Hangup()
    raise AnswerRejected(SCHEMA, f"<{element.tag}> is empty, misplaced or has a wrong value")


def _dial(element: ElementTree.Element, base_url: str) -> Step:
    for person in element:
        _check(person)
        if person.tag != "Number" or not _NUMBER.fullmatch((person.text or "").strip()):
            raise AnswerRejected(SCHEMA, "<Dial> holds what is no <Number>")
    if not len(element):
        raise AnswerRejected(SCHEMA, "<Dial> dials nobody")
    for name in ("timeout", "timeLimit"):
        if not element.get(name, "1").isdecimal():
            raise AnswerRejected(SCHEMA, f"{name} of <Dial> is no number")
    for name in ("action", "confirmSound", "callbackUrl", "dialMusic"):
        _callback(element.get(name), name)
    if element.get("redirect", "true") != "true" or "action" not in element.attrib:
        return Pause(0)
    return Redirect(urljoin(base_url, element.get("action", "")))


def _stream(element: ElementTree.Element, text: str) -> ConnectStream:
    _check_direction(element)
    content_type = element.get("contentType", "audio/x-l16;rate=8000")
    if content_type not in _CONTENT_TYPES:
        raise AnswerRejected(CONTENT_TYPE, f"contentType {content_type:.40}")
    if content_type != MULAW:
        raise AnswerRejected(
            CONTENT_TYPE, "PCM, whose byte order Plivo's text does not say, is not spoken here"
        )
    if not element.get("streamTimeout", "86400").isdecimal():
        raise AnswerRejected(TIMEOUT, "streamTimeout is no number")
    if not text:
        raise AnswerRejected(ADDRESS, "<Stream> has no address")
    return ConnectStream(
        url=socket_url(text, malformed=ADDRESS, scheme=ADDRESS),
        parameters=_extra_headers(element.get("extraHeaders", "")),
        status_callback=_callback(element.get("statusCallbackUrl"), "statusCallbackUrl"),
    )


def _check_direction(element: ElementTree.Element) -> None:
    if element.get("bidirectional", "false") != "true":
        raise AnswerRejected(BOTH_WAYS, "<Stream> listens only")
    if element.get("audioTrack", "inbound") != "inbound":
        raise AnswerRejected(BOTH_WAYS, "<Stream> asks for another track than the inbound")
    if element.get("keepCallAlive", "false") != "true":
        raise AnswerRejected(KEPT, "<Stream> does not keep the call")


def _extra_headers(text: str) -> dict[str, str]:
    if len(text.encode()) > MOST_EXTRA_BYTES:
        raise AnswerRejected(EXTRA_HEADERS, f"{len(text.encode())} bytes of extraHeaders")
    pairs = [each for each in text.split(",") if each]
    for pair in pairs:
        if not _PAIR.fullmatch(pair):
            raise AnswerRejected(EXTRA_HEADERS, "extraHeaders hold more than letters and digits")
    return dict(pair.split("=", 1) for pair in pairs)


def _callback(url: str | None, name: str) -> str | None:
    if url is not None and urlsplit(url).scheme not in ("http", "https"):
        raise AnswerRejected(SCHEMA, f"{name} is not an absolute http(s) address")
    return url
