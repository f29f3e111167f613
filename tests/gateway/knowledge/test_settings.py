"""The settings of the embeddings endpoint: none without a model, and what makes no sense stops the start."""

from dataclasses import replace

import pytest

from gateway.errors import SettingsInvalid
from gateway.settings import Embeddings, Settings, load, load_library
from tests.conftest import Stack
from tests.gateway import running

NAMED = {"EMBEDDINGS_MODEL": "text-embedding-3-small", "EMBEDDINGS_API_KEY": "embeddings-key"}


def settings(stack: Stack, **changes: str) -> Settings:
    return load(running.environment(stack, **changes), env_file=None)


def test_there_are_none_without_a_model(stack: Stack) -> None:
    assert settings(stack).embeddings is None
    assert settings(stack, EMBEDDINGS_API_KEY="key").embeddings is None


def test_documents_are_loaded_without_a_word_of_providers_and_carriers() -> None:
    with pytest.raises(SettingsInvalid) as refused:
        load_library({"EMBEDDINGS_MODEL": "text-embedding-3-small"}, env_file=None)
    assert [fault.split()[0] for fault in str(refused.value).split("; ")] == [
        "DATABASE_URL",
        "REDIS_URL",
        "EMBEDDINGS_API_KEY",
    ]


def test_a_model_and_a_key_are_enough_and_the_key_is_never_shown(stack: Stack) -> None:
    read = settings(stack, **NAMED)
    assert read.embeddings == Embeddings(
        "https://api.openai.com/v1", "embeddings-key", "text-embedding-3-small"
    )
    assert "embeddings-key" not in repr(read)


def test_vectors_compare_with_those_of_the_same_model_and_size_alone(stack: Stack) -> None:
    own = settings(stack, **NAMED).embeddings
    fewer = settings(stack, **NAMED, EMBEDDINGS_DIMENSIONS="512").embeddings
    assert own is not None
    assert fewer is not None
    spaces = {own.space, fewer.space, replace(own, model="another").space}
    assert spaces == {"text-embedding-3-small", "text-embedding-3-small/512", "another"}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("EMBEDDINGS_API_KEY", " "),
        ("EMBEDDINGS_BASE_URL", "localhost:8080"),
        ("EMBEDDINGS_DIMENSIONS", "0"),
        ("EMBEDDINGS_DIMENSIONS", "3073"),
        ("EMBEDDINGS_DIMENSIONS", "many"),
        ("EMBEDDINGS_LEAST_SIMILARITY", "1"),
        ("EMBEDDINGS_LEAST_SIMILARITY", "-0.2"),
        ("EMBEDDINGS_BATCH", "501"),
        ("EMBEDDINGS_REST_S", "0"),
    ],
)
def test_nonsense_is_named(stack: Stack, name: str, value: str) -> None:
    with pytest.raises(SettingsInvalid, match=name):
        settings(stack, **(NAMED | {name: value}))
