"""The XML of answer documents, read without anything that a document could do to its reader."""

from collections.abc import Mapping
from urllib.parse import urljoin, urlsplit
from xml.etree import ElementTree

from bench.carrier.errors import AnswerRejected, Rule

MAX_DOCUMENT_BYTES = 64 * 1024
LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


def response_of(document: bytes, rule: Rule) -> ElementTree.Element:
    """The root, which is `<Response>`. Raises `AnswerRejected` by that rule."""
    if len(document) > MAX_DOCUMENT_BYTES:
        raise AnswerRejected(rule, f"document of {len(document)} bytes")
    if b"<!" in document.replace(b"<!--", b""):
        raise AnswerRejected(rule, "document type declarations and CDATA are not read")
    try:
        root = ElementTree.fromstring(document)  # noqa: S314 - no declarations pass, so no entity can expand
    except ElementTree.ParseError as error:
        raise AnswerRejected(rule, f"not well-formed: {error}") from None
    if root.tag != "Response":
        raise AnswerRejected(rule, f"the root is <{root.tag}>, not <Response>")
    return root


def check_attributes(element: ElementTree.Element, known: Mapping[str, frozenset[str]], rule: Rule) -> None:
    """Raises `AnswerRejected` for an element or attribute that is not known."""
    allowed = known.get(element.tag)
    if allowed is None:
        raise AnswerRejected(rule, f"unknown verb <{element.tag}>")
    unknown = set(element.attrib) - allowed
    if unknown:
        raise AnswerRejected(rule, f"<{element.tag}> has no attribute {sorted(unknown)[0]}")


def socket_url(url: str, *, malformed: Rule, scheme: Rule, base_url: str = "") -> str:
    """A stream's address, which is wss, or ws on this machine; a relative one is taken from `base_url`.

    Raises `AnswerRejected`.
    """
    try:
        parts = urlsplit(urljoin(base_url.replace("http", "ws", 1), url))
        host = parts.hostname
    except ValueError:
        raise AnswerRejected(malformed, "the stream url is malformed") from None
    if parts.scheme != "wss" and not (parts.scheme == "ws" and host in LOOPBACK):
        raise AnswerRejected(scheme, f"the stream url's scheme is {parts.scheme!r}, not wss")
    return parts.geturl()
