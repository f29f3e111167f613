"""What the two endpoints accept and refuse, as tables."""

from urllib.parse import parse_qs

import pytest

from bench.simulators.deepgram_parameters import Refused, parse_flux, parse_nova

_AUDIO = "&encoding=mulaw&sample_rate=8000"


@pytest.mark.parametrize(
    ("query", "complaint"),
    [
        ("model=flux-general-en", "only available on /v2/listen"),
        ("model=nova-4", "No such model"),
        ("model=nova-3&language=xx", "No such model"),
        ("model=nova-3&model=nova-2", "more than once"),
        ("model=nova-3&intermin_results=true", "Unknown query parameter: intermin_results"),
        ("model=nova-3&interim_results=True", "interim_results must be true or false"),
        ("model=nova-3&endpointing=soon", "endpointing is not a number"),
        ("model=nova-3&endpointing=-5", "endpointing must be"),
        ("model=nova-3&utterance_end_ms=1000", "requires interim_results"),
        ("model=nova-3&interim_results=true&utterance_end_ms=0", "utterance_end_ms must be"),
        ("model=nova-2&keyterm=botox", "only supported by Nova-3"),
        ("model=nova-3&keywords=botox:2", "not supported by Nova-3"),
        ("model=nova-3&keyterm=", "keyterm must not be empty"),
        ("model=nova-3" + "&keyterm=rhinoplasty" * 200, "Keyterm limit exceeded"),
        ("model=nova-3&diarize=true", "diarize is not simulated"),
        ("model=nova-3&redact=pci", "redact is not simulated"),
        ("model=nova-3&channels=2", "channels other than 1"),
    ],
)
def test_nova_refuses(query: str, complaint: str) -> None:
    with pytest.raises(Refused, match=complaint):
        parse_nova(parse_qs(query + _AUDIO, keep_blank_values=True))


@pytest.mark.parametrize(
    ("audio", "complaint"),
    [
        ("", "both required"),
        ("&encoding=mulaw", "both required"),
        ("&encoding=ulaw&sample_rate=8000", "Unsupported encoding"),
        ("&encoding=opus&sample_rate=8000", "opus is not simulated"),
        ("&encoding=mulaw&sample_rate=800", "sample_rate must be"),
    ],
)
def test_both_refuse_audio_they_cannot_take(audio: str, complaint: str) -> None:
    with pytest.raises(Refused, match=complaint):
        parse_nova(parse_qs("model=nova-3" + audio))
    with pytest.raises(Refused, match=rf"{complaint}|not supported"):
        parse_flux(parse_qs("model=flux-general-en" + audio))


@pytest.mark.parametrize(
    ("query", "complaint"),
    [
        ("model=nova-3", "model must be one of"),
        ("", "model must be one of"),
        ("model=flux-general-en&interim_results=true", "Unknown query parameter: interim_results"),
        ("model=flux-general-en&language_hint=es", "only supported by flux-general-multi"),
        ("model=flux-general-en&eot_threshold=0.4", "eot_threshold must be"),
        ("model=flux-general-en&eot_threshold=high", "eot_threshold is not a number"),
        ("model=flux-general-en&eager_eot_threshold=0.2", "eager_eot_threshold must be"),
        ("model=flux-general-en&eager_eot_threshold=0.8&eot_threshold=0.7", "no higher than eot_threshold"),
        ("model=flux-general-en&eot_timeout_ms=100", "eot_timeout_ms must be"),
        ("model=flux-general-en&eot_timeout_ms=60001", "eot_timeout_ms must be"),
        ("model=flux-general-en&sample_rate=11025", "more than once"),
        ("model=flux-general-en" + "&keyterm=botox" * 101, "At most 100 keyterms"),
    ],
)
def test_flux_refuses(query: str, complaint: str) -> None:
    with pytest.raises(Refused, match=complaint):
        parse_flux(parse_qs(query + _AUDIO))


def test_nova_settings_are_read_in_seconds_and_flags() -> None:
    settings = parse_nova(
        parse_qs(
            "model=nova-3-medical&language=en-GB&interim_results=true&endpointing=300&utterance_end_ms=1000"
            "&vad_events=true&smart_format=true&no_delay=true&mip_opt_out=true&keyterm=botox&keyterm=filler"
            + _AUDIO
        )
    )
    assert (settings.endpointing_s, settings.utterance_end_s) == (0.3, 1.0)
    assert settings.interim_results
    assert settings.vad_events
    assert settings.punctuate  # implied by smart_format
    assert settings.no_delay
    assert settings.keyterms == ("botox", "filler")


@pytest.mark.parametrize(
    ("endpointing", "seconds"),
    [("", 0.01), ("&endpointing=true", 0.01), ("&endpointing=false", None), ("&endpointing=0", 0.0)],
)
def test_endpointing_is_eager_unless_told(endpointing: str, seconds: float | None) -> None:
    assert parse_nova(parse_qs("model=nova-2" + endpointing + _AUDIO)).endpointing_s == seconds


def test_flux_defaults() -> None:
    settings = parse_flux(parse_qs("model=flux-general-en" + _AUDIO))
    assert (settings.eot_threshold, settings.eager_eot_threshold, settings.eot_timeout_s) == (0.7, None, 5.0)
