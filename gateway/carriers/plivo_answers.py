"""Documents that answer a call at Plivo: its XML as text.

Plivo docs, "XML: Stream", "Speak", "Redirect", "Hangup" (read 2026-11). A stream's address is the element's
text. With `keepCallAlive` what follows runs when the stream has ended: there we are asked what comes next.
"""

from collections.abc import Mapping
from typing import Final
from xml.etree import ElementTree

from gateway.carriers.answers import document
from gateway.carriers.plivo import CONTENT_TYPE, SAMPLE_RATE_HZ, extra_headers

MEDIA_TYPE: Final = "application/xml"
LONGEST_S: Final = 86_400


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
