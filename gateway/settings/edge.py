"""Where the process listens, and how the world reaches it."""

from urllib.parse import urlsplit
from uuid import UUID

from gateway.settings.parsers import address, is_loopback, is_url
from gateway.settings.reader import Reader


def read_host(reader: Reader, local_bench: bool) -> str:
    """Where to listen. With carrier checks off only this machine may come."""
    host = reader.parsed("HOST", "127.0.0.1", address, "be an address or a host's name", "127.0.0.1")
    if local_bench and not is_loopback(host):
        reader.faults.append("GATEWAY_LOCAL_BENCH turns carrier checks off and needs a loopback HOST")
    return host


def read_public_url(reader: Reader, local_bench: bool) -> str:
    """The address that carriers know."""
    url = reader.url("PUBLIC_URL", None, ("https", "http"))
    if not url or not is_url(url, ("https", "http")):
        return url
    parts = urlsplit(url)
    if parts.query or parts.fragment or parts.username:
        reader.faults.append("PUBLIC_URL must be scheme, host and path alone")
    if not is_loopback(parts.hostname or ""):
        if local_bench:
            reader.faults.append(
                "GATEWAY_LOCAL_BENCH turns carrier checks off and needs a loopback PUBLIC_URL"
            )
        elif parts.scheme != "https":
            reader.faults.append("PUBLIC_URL must be https: carriers stream over wss only")
    return url


def read_default_org(reader: Reader, local_bench: bool) -> UUID | None:
    """Who an unknown number belongs to, with carrier checks off."""
    org = reader.parsed("DEFAULT_ORG", "", UUID, "be an org's id (UUID)", None)
    if org is not None and not local_bench:
        reader.faults.append("DEFAULT_ORG stands in for an unknown number under GATEWAY_LOCAL_BENCH alone")
    return org
