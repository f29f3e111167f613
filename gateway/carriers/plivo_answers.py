"""Documents that answer a call at Plivo: its XML as text.

Plivo docs, "XML: Stream", "Speak", "Wait", "Dial", "Redirect", "Hangup" (read 2026-11). A stream's address is
the element's text. With `keepCallAlive` what follows runs when the stream has ended: there we are asked what
comes next.
"""

from collections.abc import Mapping
from typing import Final
from xml.etree import ElementTree

from gateway.carriers.answers import document
from gateway.carriers.plivo import CONTENT_TYPE, SAMPLE_RATE_HZ, extra_headers

MEDIA_TYPE: Final = "application/xml"
LONGEST_S: Final = 86_400
_HOLD_S: Final = 5
_GREETING_S: Final = 30  # of a machine at most: then it is talked to without a beep


def connect_stream(media_url: str, *, after_url: str, status_url: str, parameters: Mapping[str, str]) -> str:
    """Both directions of the call's audio to `media_url`; `after_url` is asked when the stream has ended.

    Raises ValueError if the parameters are more than Plivo takes.
    """
    response = ElementTree.Element("Response")
    attributes = {
        "bidirectional": "true",
        "keepCallAlive": "true",
        "audioTrack": "inbound",
        "contentType": f"{CONTENT_TYPE};rate={SAMPLE_RATE_HZ}",
        "streamTimeout": str(LONGEST_S),
        "statusCallbackUrl": status_url,
        "statusCallbackMethod": "POST",
        "extraHeaders": extra_headers(parameters),
    }
    ElementTree.SubElement(response, "Stream", attributes).text = media_url
    ElementTree.SubElement(response, "Redirect", {"method": "POST"}).text = after_url
    return document(response)


def say_and_hang_up(sentence: str, *, language: str = "en-GB") -> str:
    """The carrier's own voice says one sentence, then the call ends."""
    response = ElementTree.Element("Response")
    ElementTree.SubElement(response, "Speak", {"language": language}).text = sentence
    ElementTree.SubElement(response, "Hangup")
    return document(response)


def say(sentence: str, *, language: str = "en-GB") -> str:
    """The carrier's own voice says one sentence, then what was under way goes on."""
    response = ElementTree.Element("Response")
    ElementTree.SubElement(response, "Speak", {"language": language}).text = sentence
    return document(response)


def hold(after_url: str) -> str:
    """Nothing is heard for a while, unless the call goes on elsewhere; then `after_url` is asked."""
    response = ElementTree.Element("Response")
    ElementTree.SubElement(response, "Wait", {"length": str(_HOLD_S)})
    ElementTree.SubElement(response, "Redirect", {"method": "POST"}).text = after_url
    return document(response)


def leave_message(sentence: str, *, language: str = "en-GB") -> str:
    """The carrier's own voice says it behind a machine's beep, then the call ends."""
    response = ElementTree.Element("Response")
    ElementTree.SubElement(response, "Wait", {"length": str(_GREETING_S), "beep": "true"})
    ElementTree.SubElement(response, "Speak", {"language": language}).text = sentence
    ElementTree.SubElement(response, "Hangup")
    return document(response)


def put_through(
    sentence: str,
    number: str,
    *,
    shown: str | None,
    over_url: str,
    whisper_url: str,
    ring_s: int,
    longest_s: int,
) -> str:
    """After one sentence the call is connected with this number, whose holder first hears what `whisper_url`
    answers; `over_url` is asked when that is over, or nobody is there. `shown`: the number that rings, None
    for the caller's. Numbers are E.164.
    """
    response = ElementTree.Element("Response")
    ElementTree.SubElement(response, "Speak", {"language": "en-GB"}).text = sentence
    limits = {"timeout": str(ring_s), "timeLimit": str(longest_s)}
    told = {"action": over_url, "method": "POST", "redirect": "true", "confirmSound": whisper_url}
    ringing = {} if shown is None else {"callerId": shown.removeprefix("+")}
    dial = ElementTree.SubElement(response, "Dial", {**told, **limits, **ringing})
    ElementTree.SubElement(dial, "Number").text = number.removeprefix("+")
    return document(response)
