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


def say(sentence: str, *, language: str = "en-GB") -> str:
    """The carrier's own voice says one sentence, then what was under way goes on."""
    response = ElementTree.Element("Response")
    ElementTree.SubElement(response, "Say", {"language": language}).text = sentence
    return document(response)


def put_through(
    sentence: str, number: str, *, over_url: str, whisper_url: str, ring_s: int, longest_s: int
) -> str:
    """After one sentence the call is connected with this number (E.164), whose holder first hears what
    `whisper_url` answers; `over_url` is asked when that is over, or nobody is there.

    Twilio docs, "TwiML <Dial>", "<Number>" (read 2026-11).
    """
    response = ElementTree.Element("Response")
    ElementTree.SubElement(response, "Say", {"language": "en-GB"}).text = sentence
    limits = {"timeout": str(ring_s), "timeLimit": str(longest_s), "answerOnBridge": "true"}
    dial = ElementTree.SubElement(response, "Dial", {"action": over_url, "method": "POST", **limits})
    whisper = {"url": whisper_url, "method": "POST"}
    ElementTree.SubElement(dial, "Number", whisper).text = number
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
