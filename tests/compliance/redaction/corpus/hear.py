"""Makes a part's `noisy.txt`: answers spoken by the offline voices, heard again by the offline recogniser.

`python tests/compliance/redaction/corpus/hear.py FRAMES OUT_FILE COUNT`. What the recogniser mishears is
what a caller's words look like in a real transcript; only that text is kept. Between voice and recogniser
lies a telephone line: 8 kHz mu-law, noise, and a caller who speaks faster or slower. The whole answer is
the entity, apart from a lead-in such as "it's". One thread; a fraction of a second for each answer.
"""

import json
import random
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bench.simulators.offline.decoding import upsample
from bench.simulators.offline.espeak import Espeak
from bench.simulators.offline.hibari_voice import HibariVoice
from bench.simulators.offline.moonshine import Moonshine
from bench.simulators.sound import Samples, resample
from pipeline.audio import mulaw

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))

from values import Values  # noqa: E402 - a script beside its module

LINE_HZ = 8_000
LOUD = 0.35  # peak level of the caller's voice
SPEEDS = (0.9, 1.0, 1.0, 1.1, 1.2)
SNR_DB = (15, 20, 25, 30)
ESPEAK_SHARE = 0.12
LEAD_IN_SHARE = 0.25
LEAST_CONFIDENCE = 0.6  # below it hardly a word is the caller's; a call would ask again
LEAD_INS = ("It's", "Yes it's", "That's")
SLOTS = {
    "POSTCODE": ("postcode",),
    "PERSON": ("name", "name", "first", "last"),
    "DOB": ("dob",),
    "PHONE": ("phone", "phone", "phone_us"),
    "ADDRESS": ("address",),
    "EMAIL": ("email",),
}
_FILLER = re.compile(r"(?:(?:the|and|so|um|uh|well|y[eu]\w+|is|it's|that's)(?:\W+|$))+", re.IGNORECASE)
_LEAD_IN = re.compile(r"(?:(?:yes|yeah|and),? )?(?:it's|it is|that's|that is) ", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Answer:
    """A value to be spoken, the question that it answers, and its type."""

    question: str
    type: str
    spoken: str


def answers(frames: Path, count: int) -> Iterator[Answer]:
    """As many of each type, in turn."""
    pools = json.loads((frames / "pools.json").read_text(encoding="utf-8"))
    questions = json.loads((frames / "questions.json").read_text(encoding="utf-8"))
    values = Values(pools, seed=f"noisy {len(pools['first'])}")
    for index in range(count):
        kind = list(SLOTS)[index % len(SLOTS)]
        spoken = re.sub("[<>]", "", values.fill(f"${values.pick(SLOTS[kind])}"))
        if values.chance(LEAD_IN_SHARE):
            spoken = f"{values.pick(LEAD_INS)} {spoken}"
        yield Answer(values.pick(questions[kind]), kind, spoken)


class Line:
    """Voices, a telephone line and a recogniser."""

    def __init__(self, seed: str) -> None:
        self._voices = (HibariVoice(), Espeak())
        self._ears = Moonshine()
        self._random = random.Random(seed)
        self._noise = np.random.default_rng(len(seed))

    def heard(self, text: str) -> str:
        """The text as the recogniser writes it down at the other end; empty where it is not sure."""
        voice = self._voices[self._random.random() < ESPEAK_SHARE]
        sounds = [resample(sound.samples, sound.rate_hz, LINE_HZ) for sound in voice.speak(f"{text}.")]
        samples = self._at_another_speed(np.concatenate(sounds))
        coded = mulaw.encode((self._over_the_line(samples) * 32767).astype(np.int16))
        transcript = self._ears.transcribe(upsample(mulaw.decode(coded)))
        return transcript.text if transcript.confidence >= LEAST_CONFIDENCE else ""

    def _at_another_speed(self, samples: Samples) -> Samples:
        return resample(samples, round(LINE_HZ * self._random.choice(SPEEDS)), LINE_HZ)

    def _over_the_line(self, samples: Samples) -> Samples:
        samples = samples * (LOUD / max(float(np.abs(samples).max()), 1e-6))
        level = float(np.sqrt(np.mean(samples**2))) * 10 ** (-self._random.choice(SNR_DB) / 20)
        noise = self._noise.normal(0, level, len(samples)).astype(np.float32)
        noisy: Samples = np.clip(samples + noise, -1, 1)
        return noisy


def case(answer: Answer, heard: str) -> str | None:
    """The case as the corpus writes it; None where nothing of the answer was heard."""
    heard = re.sub(r"[{}<>|]", "", heard).strip()
    lead_in = _LEAD_IN.match(heard)
    begins = lead_in.end() if lead_in else 0
    value, end = re.subn(r"[.?!,\s]+$", "", heard[begins:])
    ending = heard[begins + len(value) :] if end else ""
    if len(re.findall(r"\w", value)) < 2 or len(heard.split()) > 3 * len(answer.spoken.split()) + 3:
        return None
    filler = _FILLER.match(value)
    if filler and filler.end() < len(value):
        value = f"<{filler[0]}>{value[filler.end() :]}"
    return f"agent| {answer.question}\ncaller| {heard[:begins]}{{{answer.type}|{value}}}{ending}\n"


def main(frames: Path, out: Path, count: int) -> None:
    line = Line(seed=frames.name)
    cases = (case(answer, line.heard(answer.spoken)) for answer in answers(frames, count))
    out.write_text("\n".join(filter(None, cases)), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]))
