"""Where commands find a role's URL: gw_app's, the worker's, the owner's, which the gateway never reads."""

import argparse
import os
from collections.abc import Mapping
from pathlib import Path

from dotenv import dotenv_values

NAME = "DATABASE_OWNER_URL"
APP_NAME = "DATABASE_URL"
WORKER_NAME = "DATABASE_WORKER_URL"
DIRECT_NAME = "DATABASE_DIRECT_URL"


def add_owner_url(parser: argparse.ArgumentParser) -> None:
    """The option `--owner-url`; without it the environment decides, then `.env`."""
    parser.add_argument("--owner-url", default=owner_url(os.environ), help=f"URL of the owning role ({NAME})")


def add_database_url(parser: argparse.ArgumentParser) -> None:
    """The option `--database-url`, likewise."""
    default = named_url(APP_NAME, os.environ)
    parser.add_argument("--database-url", default=default, help=f"URL of role gw_app ({APP_NAME})")


def add_worker_url(parser: argparse.ArgumentParser) -> None:
    """The option `--worker-url`, likewise."""
    default = named_url(WORKER_NAME, os.environ)
    parser.add_argument("--worker-url", default=default, help=f"URL of role gw_worker ({WORKER_NAME})")


def add_direct_url(parser: argparse.ArgumentParser) -> None:
    """The option `--direct-url`, likewise."""
    default = named_url(DIRECT_NAME, os.environ)
    parser.add_argument(
        "--direct-url", default=default, help=f"the same past a pooler, if there is one ({DIRECT_NAME})"
    )


def owner_url(environ: Mapping[str, str], env_file: Path = Path(".env")) -> str | None:
    """None if neither names it."""
    return named_url(NAME, environ, env_file)


def named_url(name: str, environ: Mapping[str, str], env_file: Path = Path(".env")) -> str | None:
    """What the environment or, beneath it, the file calls `name`; None if neither does."""
    beneath = dotenv_values(env_file) if env_file.is_file() else {}
    return environ.get(name, "").strip() or beneath.get(name) or None
