"""What of the store the environment may say."""

import pytest

from gateway.errors import SettingsInvalid
from gateway.settings import load
from tests.conftest import Stack
from tests.gateway.running import environment

GIVEN = {
    "RECORDINGS_BUCKET": "sound",
    "RECORDINGS_ACCESS_KEY_ID": "AKID",
    "RECORDINGS_SECRET_ACCESS_KEY": "top secret",
}


def test_nothing_is_recorded_unless_a_bucket_is_named(stack: Stack) -> None:
    unnamed = {name: value for name, value in GIVEN.items() if name != "RECORDINGS_BUCKET"}
    assert load(environment(stack, **unnamed), None).recordings is None


def test_the_secret_is_not_shown(stack: Stack) -> None:
    chosen = load(environment(stack, **GIVEN, RECORDINGS_PREFIX="/clinics/eu/"), None).recordings
    assert chosen is not None
    assert (chosen.bucket, chosen.prefix, chosen.endpoint) == ("sound", "clinics/eu", "")
    assert "top secret" not in repr(chosen)


@pytest.mark.parametrize(
    "wrong",
    [
        {"RECORDINGS_SECRET_ACCESS_KEY": ""},
        {"RECORDINGS_ENDPOINT": "ftp://store.example.com"},
        {"RECORDINGS_PREFIX": "a b"},
        {"RECORDINGS_PREFIX": "a//b"},
        {"RECORDINGS_PART_S": "90"},
        {"RECORDINGS_PUT_S": "0"},
    ],
)
def test_nonsense_stops_the_start_and_names_the_setting(stack: Stack, wrong: dict[str, str]) -> None:
    with pytest.raises(SettingsInvalid) as fault:
        load(environment(stack, **GIVEN | wrong), None)
    assert next(iter(wrong)) in str(fault.value)
    assert "top secret" not in str(fault.value)
