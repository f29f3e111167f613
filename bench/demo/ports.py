"""Which TCP port the demo's gateway gets, and that nobody else is given it before the gateway listens."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager


def is_free(host: str, port: int) -> bool:
    """Whether nobody listens there now, and this user may; port 0 asks about the address alone."""
    try:
        _bound(host, port).close()
    except OSError:
        return False
    return True


@contextmanager
def reserved(host: str, preferred: int) -> Iterator[int]:
    """The preferred port, or any other if that is taken.

    While it is held, the kernel gives it neither to a connection that goes out nor to who asks for any port;
    a server that binds it by number with SO_REUSEADDR, as asyncio's do, may listen there. Raises `OSError`.
    """
    with _bound(host, preferred if is_free(host, preferred) else 0) as holder:
        yield int(holder.getsockname()[1])


def _bound(host: str, port: int) -> socket.socket:
    holder = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    try:
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        holder.bind((host, port))
    except OSError:
        holder.close()
        raise
    return holder
