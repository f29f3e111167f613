"""Makes a part of the corpus from its frames: `python tests/compliance/redaction/corpus/make.py FRAMES OUT`.

FRAMES holds hand-written sentences and `pools.json`; OUT gets one file per file of frames, ready to read.
A frame is a line, or, where lines begin with `A:` and `C:`, a block up to an empty line. `$slot` asks for a
value (values.py) or a word of a pool; `x3 ` before it draws three. The first line may be `% mixed`: about
half of the cases are then written as a transcriber does without smart formatting, in lower case and without
punctuation. The same seed makes the same files.
"""

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))

from values import Values  # noqa: E402 - a script beside its module

RAW_SHARE = 0.45
LABELLED_SHARE = 0.5
_TYPE = re.compile(r"\{([A-Z_]+)\|")
_PUNCTUATION = re.compile(r"(?<=[\w>}])[.,!?;:]+(?=\s|$|\}|>)|[\u201c\u201d\"]")


def frames_of(text: str) -> Iterator[str]:
    """Each frame, one line or a block of turns."""
    block: list[str] = []
    for line in [*text.splitlines(), ""]:
        if re.match(r"(?:x\d+ )?[AC]: ", line):
            block.append(line)
            continue
        if block:
            yield "\n".join(block)
            block = []
        if line and not line.startswith(("#", "%")):
            yield line


def without_formatting(case: str) -> str:
    """As the transcriber writes it without smart formatting; the markup is kept."""
    lowered = _TYPE.sub(lambda match: match[0].upper(), case.lower())
    lowered = re.sub(r"\{([a-z_]+)\|", lambda match: f"{{{match[1].upper()}|", lowered)
    return _PUNCTUATION.sub("", lowered)


def expand(frame: str, values: Values, *, mixed: bool) -> Iterator[str]:
    count, _, body = frame.partition(" ") if re.match(r"x\d+ ", frame) else ("x1", "", frame)
    for _ in range(int(count[1:])):
        case = values.fill(body)
        if not re.match("[AC]: ", case):
            yield without_formatting(case) if mixed and values.chance(RAW_SHARE) else case
            continue
        raw, labelled = mixed and values.chance(RAW_SHARE), values.chance(LABELLED_SHARE)
        yield "\n".join(_turn(line, raw=raw, labelled=labelled) for line in case.splitlines()) + "\n"


def _turn(line: str, *, raw: bool, labelled: bool) -> str:
    who = "agent" if line.startswith("A") else "caller"
    said = without_formatting(line[3:]) if raw else line[3:]
    return f"{who.capitalize()}: {said}" if labelled else f"{who}| {said}"


def make(frames: Path, out: Path) -> None:
    pools = json.loads((frames / "pools.json").read_text(encoding="utf-8"))
    out.mkdir(parents=True, exist_ok=True)
    for source in sorted(frames.glob("*.txt")):
        text = source.read_text(encoding="utf-8")
        values = Values(pools, seed=f"{source.stem} {len(pools['first'])}")
        mixed = text.startswith("% mixed")
        cases = [case for frame in frames_of(text) for case in expand(frame, values, mixed=mixed)]
        (out / source.name).write_text("\n".join(dict.fromkeys(cases)) + "\n", encoding="utf-8")


if __name__ == "__main__":
    make(Path(sys.argv[1]), Path(sys.argv[2]))
