"""Reads the recorded vendor messages of this folder; each file names its source."""

import json
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent


def messages(case: str) -> list[Any]:
    """The messages of a JSON case, decoded."""
    recorded: list[Any] = json.loads((HERE / f"{case}.json").read_text())["messages"]
    return recorded


def frames(case: str) -> list[bytes]:
    """The messages of a JSON case as they came over the socket."""
    return [json.dumps(message).encode() for message in messages(case)]


def body(case: str) -> bytes:
    """The body of an event stream."""
    return (HERE / f"{case}.sse").read_bytes()
