"""A port that the demo looked for is still its own when its gateway starts, seconds later."""

import asyncio
import socket

from bench.demo.ports import is_free, reserved

HOST = "127.0.0.1"


async def test_a_server_may_listen_on_what_is_reserved() -> None:
    with reserved(HOST, 0) as port:
        server = await asyncio.start_server(lambda _, writer: writer.close(), HOST, port)
        async with server:
            assert not is_free(HOST, port)
            reader, writer = await asyncio.open_connection(HOST, port)
            assert await reader.read() == b""
            writer.close()
            await writer.wait_closed()


def test_a_reserved_port_is_nobody_elses_to_get_by_chance() -> None:
    with reserved(HOST, 0) as port, socket.create_server((HOST, 0)) as listener:
        others = [socket.socket() for _ in range(200)]
        try:
            for other in others:
                other.bind((HOST, 0))
            given = {other.getsockname()[1] for other in others} | {listener.getsockname()[1]}
        finally:
            for other in others:
                other.close()
    assert port not in given


def test_another_port_where_the_preferred_one_is_taken() -> None:
    with socket.create_server((HOST, 0)) as listener, reserved(HOST, listener.getsockname()[1]) as port:
        assert port != listener.getsockname()[1]
