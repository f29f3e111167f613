"""Documents that answer a call or a text: TwiML as text.

Twilio docs, "TwiML <Connect>", "<Stream>", "<Say>", "<Hangup>" (read 2026-11). A stream's address takes
no query string (it is dropped before the upgrade, error 31920); what we want back travels in
`<Parameter>`.
"""

from collections.abc import Mapping
from xml.etree import ElementTree

MEDIA_TYPE = "text/xml"
_DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>'


def connect_stream(media_url: str, *, action_url: str, status_url: str, parameters: Mapping[str, str]) -> str:
    """Both directions of the call's audio to `media_url`; `action_url` is asked when the stream has ended."""
    response = ElementTree.Element("Response")
    connect = ElementTree.SubElement(response, "Connect", {"action": action_url, "method": "POST"})
    attributes = {"url": media_url, "statusCallback": status_url, "statusCallbackMethod": "POST"}
    stream = ElementTree.SubElement(connect, "Stream", attributes)
    for name, value in parameters.items():
        ElementTree.SubElement(stream, "Parameter", {"name": name, "value": value})
    return document(response)


def say_and_hang_up(sentence: str, *, language: str = "en-GB") -> str:
    """The carrier's own voice says one sentence, then the call ends."""
    response = ElementTree.Element("Response")
    ElementTree.SubElement(response, "Say", {"language": language}).text = sentence
    ElementTree.SubElement(response, "Hangup")
    return document(response)


def hang_up() -> str:
    """The call ends."""
    response = ElementTree.Element("Response")
    ElementTree.SubElement(response, "Hangup")
    return document(response)


def no_reply() -> str:
    """Nothing more is to be done."""
    return document(ElementTree.Element("Response"))


def document(response: ElementTree.Element) -> str:
    """The answer as it is sent."""
    return _DECLARATION + ElementTree.tostring(response, encoding="unicode")
