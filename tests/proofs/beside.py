"""A migrated database of its own on the tests' server, for proofs that ruin or fill what they work on."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import psycopg

from bench.stack.postgres import PostgresUrls, add_vector
from booking.migrate import migrate_blocking
from tests.conftest import Stack


@contextmanager
def beside(stack: Stack, name: str) -> Iterator[Stack]:
    """The same server and roles, another database, which is dropped on exit."""

    def url(of: str) -> str:
        return re.sub(r"@/\w+\?", f"@/{name}?", of)

    urls = stack.postgres
    postgres = PostgresUrls(owner=url(urls.owner), app=url(urls.app), worker=url(urls.worker))
    with psycopg.connect(stack.admin, autocommit=True) as admin:
        admin.execute(f"create database {name} owner gw_owner")
        add_vector(url(stack.admin))
        migrate_blocking(postgres.owner)
        yield replace(stack, postgres=postgres, admin=url(stack.admin))
        admin.execute(f"drop database {name} with (force)")
