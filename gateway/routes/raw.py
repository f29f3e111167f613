"""The raw audio socket, for whatever brings a call's audio without a carrier (`docs/raw-audio.md`).

Its upgrade is signed by nobody. The first frame's token admits it, issued to the clinic's own client.
"""

from starlette.datastructures import Headers

from gateway.audio_calls import MEDIA
from gateway.carriers.raw import RawCodec
from gateway.routes.media import Door
from gateway.tenancy.credentials import RawClient


def _unsigned(_client: RawClient, _url: str, _headers: Headers) -> bool:
    return True


ROUTES = Door(MEDIA, lambda edge: edge.carriers.raw, RawCodec, _unsigned).routes()
