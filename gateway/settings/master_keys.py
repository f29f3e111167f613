"""The keys that everything secret is sealed under."""

import base64
import binascii
import re
from pathlib import Path

from gateway.settings.reader import Reader

MASTER_KEY_BYTES = 32
_KEY_COMMENT = re.compile(r"#.*")


def read_master_keys(reader: Reader) -> tuple[bytes, ...]:
    """Newest first, from the environment or a file; never none, so that what is built on them may be."""
    path = reader.text("MASTER_KEY_FILE", "")
    inline = reader.text("MASTER_KEY", "" if path else None, secret=True)
    if path and inline:
        reader.faults.append("MASTER_KEY and MASTER_KEY_FILE are both given")
    try:
        written = _KEY_COMMENT.sub("", Path(path).read_text("ascii")) if path else inline
    except (OSError, UnicodeDecodeError) as fault:
        reader.faults.append(f"MASTER_KEY_FILE cannot be read: {type(fault).__name__}")
        return (b"",)
    keys = [_master_key(text) for text in written.replace(",", " ").split()]
    if path and not keys:
        reader.faults.append("MASTER_KEY_FILE holds no key")
    if b"" in keys or len(set(keys)) < len(keys):
        name = "MASTER_KEY_FILE" if path else "MASTER_KEY"
        twice = "" if b"" in keys else ", each given once"
        reader.faults.append(
            f"{name} must be {MASTER_KEY_BYTES} bytes in base64 (openssl rand -base64 32){twice}"
        )
    return tuple(keys) or (b"",)


def _master_key(text: str) -> bytes:
    """Empty if it is none."""
    try:
        key = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return b""
    return key if len(key) == MASTER_KEY_BYTES else b""
