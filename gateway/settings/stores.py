"""Postgres and Redis, for the gateway and for what needs little more than them."""

from dataclasses import dataclass, field

from gateway.settings.embeddings import Embeddings, read_embeddings
from gateway.settings.reader import Reader
from gateway.settings.waits import Waits


@dataclass(frozen=True, slots=True)
class Library:
    """What `python -m gateway.knowledge` goes by: where documents are, how gateways are told, what embeds."""

    database_url: str = field(repr=False)
    redis_url: str = field(repr=False)
    redis_s: float
    embeddings: Embeddings | None


def read_database_url(reader: Reader) -> str:
    """As role gw_app."""
    return reader.url("DATABASE_URL", None, ("postgresql", "postgres"), secret=True)


def read_redis_url(reader: Reader) -> str:
    """Of the server that all replicas share."""
    return reader.url("REDIS_URL", None, ("redis", "rediss", "unix"), secret=True)


def read_library(reader: Reader) -> Library:
    """No provider, carrier or master key is asked for."""
    return Library(
        database_url=read_database_url(reader),
        redis_url=read_redis_url(reader),
        redis_s=reader.numbers({"redis_s": Waits().redis_s})["redis_s"],
        embeddings=read_embeddings(reader),
    )
