"""Personal facts of a whole call are searched for wherever something is kept or shown."""

import asyncio
import io
import logging
import re
import subprocess
from base64 import b64encode
from collections.abc import Iterator, Sequence
from urllib.parse import quote, quote_plus

import asyncpg
import pytest
import structlog
from redis.asyncio import Redis

from bench.simulators.replies import Call, Reply, WireMessage, WireTool
from bench.stack import postgres
from gateway import logs
from tests.calls.conftest import Calling
from tests.calls.rig import CLAIM, OFFER, Rig, ask
from tests.conftest import Stack

LINES = [
    "I'd like a rhinoplasty's price, my glaucoma's worse.",
    "My number is oh seven seven double oh nine hundred one two three.",
    "It's quillfeather at example dot org, I live near ZE1 9QX.",
    "Or write to quillfeather@example.org.",
]
KEYS = "839174026518"
CANARIES = (
    "rhinoplasty's",
    "glaucoma",
    "seven seven double oh",
    "07700900123",
    "quillfeather",
    "ze1 9qx",
    "ze19qx",
    KEYS,
)
_COLUMNS = """
select table_schema, table_name, column_name, data_type from information_schema.columns
join information_schema.tables using (table_schema, table_name)
where table_type = 'BASE TABLE' and table_schema not in ('pg_catalog', 'information_schema')
"""


def found_in(text: str, canaries: Sequence[str] = CANARIES) -> list[str]:
    """Those that stand there as they are, percent-encoded, in hexadecimal or in base64."""
    folded = text.casefold()
    return [canary for canary in canaries if any(form in folded for form in forms(canary))]


def forms(canary: str) -> set[str]:
    """Base64 has three, by where in a group of three bytes the canary begins; its ends depend on the rest."""
    plain = canary.encode()
    encoded = {b64encode(b"\0" * shift + plain).decode()[4 if shift else 0 : -4] for shift in range(3)}
    longest = {form.casefold() for form in encoded if len(form) > 7}
    return {canary, quote(canary), quote_plus(canary), plain.hex(), *longest}


@pytest.fixture
def logged() -> Iterator[io.StringIO]:
    """All that is logged, from debug up, as the gateway writes it."""
    root, gateway = logging.getLogger(), logging.getLogger("gateway")
    before = root.handlers, root.level, gateway.level
    stream = io.StringIO()
    logs.configure("debug", stream)
    yield stream
    root.handlers, level, gateway_level = before
    root.setLevel(level)
    gateway.setLevel(gateway_level)
    structlog.reset_defaults()


async def every_column(admin_url: str) -> dict[str, str]:
    """The contents of every column of every table, by its full name."""
    contents: dict[str, str] = {}
    connection = await asyncpg.connect(admin_url)
    try:
        for schema, table, column, kind in await connection.fetch(_COLUMNS):
            shown = f"encode(\"{column}\", 'escape')" if kind == "bytea" else f'"{column}"::text'
            query = f'select {shown} from "{schema}"."{table}"'
            values = await connection.fetch(query)
            contents[f"{schema}.{table}.{column}"] = "\n".join(str(value[0]) for value in values)
    finally:
        await connection.close()
    return contents


def server_logs(stack: Stack) -> dict[str, str]:
    """What the servers themselves have logged, by file."""
    return {path.name: path.read_text(errors="replace") for path in stack.folder.glob("*/*.log")}


async def dumped(stack: Stack) -> str:
    """The whole database as `pg_dump` writes it: what is no column of a table too."""
    command = [str(postgres._binaries() / "pg_dump"), stack.admin]
    run = await asyncio.to_thread(subprocess.run, command, capture_output=True, text=True, check=True)
    return run.stdout


async def every_key(redis_url: str) -> dict[str, str]:
    """Every key's value, as it reads."""
    async with Redis.from_url(redis_url) as redis:
        return {str(key): await _value(redis, key) for key in await redis.keys("*")}


async def _value(redis: Redis, key: bytes) -> str:
    readers = {
        b"string": lambda: redis.get(key),
        b"hash": lambda: redis.hgetall(key),
        b"list": lambda: redis.lrange(key, 0, -1),
        b"set": lambda: redis.smembers(key),
        b"zset": lambda: redis.zrange(key, 0, -1),
        b"stream": lambda: redis.xrange(key),
    }
    kind = await redis.type(key)
    return "" if kind == b"none" else str(await readers[kind]())


async def shown(made: Rig, stack: Stack, logged: io.StringIO) -> dict[str, str]:
    """Everything that is kept or shown of the call, by where it was found."""
    metrics = await made.gateway.http.get(made.gateway.url + "/metrics")
    keys = await every_key(stack.redis)
    assert metrics.status_code == 200
    return {
        "logs": logged.getvalue(),
        "feed": str(made.feed),
        "metrics": metrics.text,
        "redis": str(keys),
        **server_logs(stack),
        **await every_column(stack.admin),
    }


async def test_nothing_personal_is_found_anywhere(
    calling: Calling, stack: Stack, logged: io.StringIO
) -> None:
    replies = ["Very well, noted."] * (len(LINES) + 1)
    async with calling(LINES, replies, LOG_LEVEL="debug") as made:
        async with made.call() as live:
            await live.agent_answers(500)
            for _ in LINES:
                await ask(live)
            await live.press(f"{KEYS}#")
            await live.agent_answers(500)
        await made.events("TurnFinished", len(LINES) + 1)
        places = {"dump": await dumped(stack), **await shown(made, stack, logged)}
        heard = " ".join(str(request.messages) for request in made.chat.requests).casefold()

    assert [
        canary for canary in ("glaucoma", "double oh", "quillfeather", "ze1 9qx") if canary not in heard
    ] == []
    assert KEYS in heard
    assert len([event for event in made.feed if event["type"] == "CallerSaid"]) >= len(LINES)
    assert places["logs"]
    assert {"postgres.log", "redis.log"} <= places.keys()
    assert all("[REDACTED: MEDICAL]" in places[where] for where in ("public.call_turns.said", "dump"))
    assert {where: found for where, text in places.items() if (found := found_in(text))} == {}


DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
CALLER = "+447700900123"


def pass_on(messages: Sequence[WireMessage], _tools: Sequence[WireTool]) -> Reply:
    """What the caller said last, as a code to be checked."""
    return Reply("", (Call("verify_code", {"code": messages[-1]["content"]}),))


async def test_a_code_is_found_nowhere_however_it_was_said(
    calling: Calling, stack: Stack, logged: io.StringIO
) -> None:
    """In pieces, then whole but wrong, then typed; the message itself is sealed."""
    send = Call("send_code", {"number": None})
    replies = [Reply("", (OFFER,)), "Which one?", Reply("", (CLAIM, send)), "I have texted you."]
    replies += [pass_on, "All six, please.", pass_on, "Try again, please.", pass_on, "That is right."]
    async with calling(["A nose job.", "The first one."], replies, LOG_LEVEL="debug") as made:
        async with made.call(caller=CALLER) as live:
            await live.agent_answers(500)
            await ask(live)
            await ask(live)
            code = made.code(CALLER)
            words = " ".join(DIGITS[int(digit)] for digit in code)
            made.script.add(words.rsplit(" ", 3)[0])
            await ask(live)
            made.script.add(f"{words} {words.split()[0]}")
            await ask(live, 0.8)
            await live.press(f"{code}#")
            await live.agent_answers(500)
            made.keeps_hold(live)
        await made.events("TurnFinished", 5)
        assert [outcome for _, outcome in made.tools()[-3:]] == ["malformed", "malformed", "verified"]
        places = await shown(made, stack, logged)
        heard = " ".join(str(request.messages) for request in made.chat.requests)

    assert words in heard
    assert code in heard
    # Six digits stand by chance in times and ids; as a word of their own they do not.
    alone = re.compile(rf"(?<![\w.:+-]){code}(?![\w.:-])")
    pieces = (words, words.rsplit(" ", 3)[0], words.split(" ", 3)[3])
    found = {
        where: [piece for piece in pieces if piece in text.casefold()] + alone.findall(text)
        for where, text in places.items()
    }
    assert {where: pieces for where, pieces in found.items() if pieces} == {}
    assert places["logs"].count("verify_code") >= 3
