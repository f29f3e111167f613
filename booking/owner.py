"""Where commands find a role's URL: the owner's, which the gateway never reads, and the worker's."""

import argparse
import os
from collections.abc import Mapping
from pathlib import Path

from dotenv import dotenv_values

NAME = "DATABASE_OWNER_URL"


def add_owner_url(parser: argparse.ArgumentParser) -> None:
    """The option `--owner-url`; without it the environment decides, then `.env`."""
    add_url(parser, "--owner-url", NAME, "URL of the owning role")


def add_url(parser: argparse.ArgumentParser, option: str, name: str, meaning: str) -> None:
    """An option for a role's URL; without it the environment's `name` decides, then `.env`."""
    parser.add_argument(option, default=named_url(name, os.environ), help=f"{meaning} ({name})")


def owner_url(environ: Mapping[str, str], env_file: Path = Path(".env")) -> str | None:
    """None if neither names it."""
    return named_url(NAME, environ, env_file)


def named_url(name: str, environ: Mapping[str, str], env_file: Path = Path(".env")) -> str | None:
    """What the environment or, beneath it, the file calls `name`; None if neither does."""
    beneath = dotenv_values(env_file) if env_file.is_file() else {}
    return environ.get(name, "").strip() or beneath.get(name) or None
