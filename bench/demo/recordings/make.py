"""Makes the recordings from the texts beside them: `python -m bench.demo.recordings.make [FILE.toml …]`.

Needed by the voices other than `plain`, and no dependencies of the project: praat-parselmouth
(GPL-3.0) and the program flite. What they make is not covered by their licences; README.md says what it is
covered by.
"""

import subprocess
import sys
import tempfile
import tomllib
import wave
from collections.abc import Callable
from pathlib import Path

import hibari
import numpy as np
import soundfile
import soxr
from numpy.typing import NDArray

FOLDER = Path(__file__).parent
RATE_HZ = 8000
PEAK = 0.5
EDGE_S = 0.3
PAUSE_S = 1.6
# Between sentences of one turn the voices pause as if they read aloud; a caller goes on sooner.
LONGEST_BREATH_S = 0.24
QUIET = 0.005
# A man's vocal tract is some 15 % longer than a woman's; 115 Hz is a usual pitch for one.
FORMANT_RATIO = 0.86
PITCH_HZ = 115.0

Audio = NDArray[np.float32]
Speak = Callable[[str], Audio]


def lowered() -> Speak:
    """hibari's voice with formants and pitch of a man (Praat "Change gender", pitch searched from 75 to 400
    Hz).
    """
    import parselmouth  # type: ignore[import-not-found,unused-ignore]
    from parselmouth.praat import call  # type: ignore[import-not-found,unused-ignore]

    engine = hibari.Hibari()

    def speak(text: str) -> Audio:
        speech = _spoken(engine, text)
        sound = parselmouth.Sound(speech.astype(np.float64), sampling_frequency=24000)
        deep = call(sound, "Change gender", 75, 400, FORMANT_RATIO, PITCH_HZ, 1.0, 1.0)
        return _at_rate(deep.values[0].astype(np.float32), 24000)

    return speak


def plain() -> Speak:
    """hibari's voice as it is; nothing but the extra `offline` is needed."""
    engine = hibari.Hibari()
    return lambda text: _at_rate(_spoken(engine, text), 24000)


def _spoken(engine: hibari.Hibari, text: str) -> Audio:
    """At 24 kHz."""
    return np.concatenate([np.asarray(piece, np.float32).ravel() for piece in engine.stream(text)])


def rms() -> Speak:
    """flite's cmu_us_rms."""

    def speak(text: str) -> Audio:
        with tempfile.NamedTemporaryFile(suffix=".wav") as made:
            subprocess.run(["flite", "-voice", "rms", "-t", text, "-o", made.name], check=True)
            audio, rate_hz = soundfile.read(made.name, dtype="float32")
        return _at_rate(audio, rate_hz)

    return speak


VOICES: dict[str, Callable[[], Speak]] = {"lowered": lowered, "plain": plain, "rms": rms}


def make(text_file: Path) -> None:
    """Write the WAV of one text file: its turns with long pauses between."""
    script = tomllib.loads(text_file.read_text())
    speak = VOICES[script["voice"]]()
    pieces = [_silence(EDGE_S)]
    for number, said in enumerate(script["turns"]):
        pieces += [_silence(PAUSE_S)] if number else []
        text = str(said)
        for word, sounds in script.get("pronounced", {}).items():
            text = text.replace(word, f"[{word}](/{sounds}/)")
        pieces.append(_with_short_breaths(speak(text)))
    audio = np.concatenate([*pieces, _silence(EDGE_S)])
    with wave.open(str(text_file.with_suffix(".wav")), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(RATE_HZ)
        out.writeframes((audio * 32767).astype("<i2").tobytes())


def _with_short_breaths(speech: Audio) -> Audio:
    """The same speech without silences longer than a breath, and none at its ends."""
    frame = RATE_HZ // 100
    loud = [float(np.abs(speech[at : at + frame]).max()) > QUIET for at in range(0, len(speech), frame)]
    last = max(n for n, is_loud in enumerate(loud) if is_loud)
    kept: list[Audio] = []
    silent = LONGEST_BREATH_S * 100
    for number, is_loud in enumerate(loud[: last + 1]):
        silent = 0 if is_loud else silent + 1
        if silent <= LONGEST_BREATH_S * 100:
            kept.append(speech[number * frame : (number + 1) * frame])
    return np.concatenate(kept)


def _silence(length_s: float) -> Audio:
    return np.zeros(int(length_s * RATE_HZ), np.float32)


def _at_rate(audio: Audio, rate_hz: int) -> Audio:
    narrow = np.asarray(soxr.resample(audio, rate_hz, RATE_HZ), np.float32)
    return narrow * np.float32(PEAK / np.abs(narrow).max())


if __name__ == "__main__":
    for each in map(Path, sys.argv[1:]) if sys.argv[1:] else sorted(FOLDER.glob("*.toml")):
        make(each)
        print(each.stem)
