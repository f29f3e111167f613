"""Where the commands that change the schema or a clinic find the owner's URL. The gateway never does."""

import argparse
import os
from collections.abc import Mapping
from pathlib import Path

from dotenv import dotenv_values

NAME = "DATABASE_OWNER_URL"


def add_owner_url(parser: argparse.ArgumentParser) -> None:
    """The option `--owner-url`; without it the environment decides, then `.env`."""
    parser.add_argument("--owner-url", default=owner_url(os.environ), help=f"URL of the owning role ({NAME})")


def owner_url(environ: Mapping[str, str], env_file: Path = Path(".env")) -> str | None:
    """None if neither names it."""
    beneath = dotenv_values(env_file) if env_file.is_file() else {}
    return environ.get(NAME, "").strip() or beneath.get(NAME) or None
