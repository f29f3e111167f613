"""What no command could measure is refused in one line, with its reason, before anything starts."""

import re
import shlex
from pathlib import Path
from typing import Final

import pytest

from bench.__main__ import all_commands, main
from bench.harness.page import write_page

ROOT: Final = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        ("overhead --calls 1 0", "--calls: '0' is no number from 1 on"),
        ("overhead --turns -2", "--turns: '-2' is no number from 1 on"),
        ("booking --connections 0", "--connections: '0' is no number from 1 on"),
        ("booking --connections 50 --claims 100", "--claims: 10 for each connection at least"),
        ("booking --orgs 1 --practitioners 1", "would be taken"),
        ("otp --at-once 0", "--at-once: '0' is no number from 1 on"),
        ("otp --codes 4001", "--codes: 4,000 at most"),
        ("follow-up --calls 0", "--calls: '0' is no number from 1 on"),
        ("follow-up --per-second inf", "--per-second: 'inf' is no number above 0"),
        ("follow-up --jobs-at-once 0", "--jobs-at-once: '0' is no number from 1 on"),
        ("credentials --rounds 0", "--rounds: '0' is no number from 1 on"),
        ("hedge --model nobodys", "invalid choice: 'nobodys'"),
        ("hedge --after nan", "--after: 'nan' is no number from 0 on"),
        ("knowledge --passages 0", "--passages: '0' is no number from 1 on"),
        ("knowledge --dimensions 4000", "--dimensions: 3,072 at most"),
        ("redaction --misses -1", "--misses: '-1' is no number from 0 on"),
        ("validate --claims 0", "--claims: '0' is no number from 1 on"),
        ("carrier twilio --listen -1", "--listen: '-1' is no number from 0 on"),
        ("ttfb --stt soon", "'soon' is none of fixed:MS, lognormal:P50:P95"),
        ("ttfb --tokens-per-s 0", "--tokens-per-s: '0' is no number above 0"),
        ("ttfb --eager-before-ms -1", "--eager-before-ms: '-1' is no number from 0 on"),
        ("ttfb --serve-providers 1 2 70000", "--serve-providers: '70000' is no port"),
        ("load --gaps nan", "--gaps: 'nan' is no number from 0 on"),
        ("compare --worse-than -1 a.json b.json", "--worse-than: '-1' is no number above 0"),
    ],
)
def test_what_measures_nothing_is_refused(
    arguments: str, why: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments.split())
    assert ended.value.code == 2
    told = capsys.readouterr().err
    assert why in told.splitlines()[-1]
    assert "starting servers" not in told


@pytest.mark.parametrize("document", sorted((ROOT / "docs").glob("*.md")), ids=lambda path: path.name)
def test_every_documented_command_is_understood(document: Path) -> None:
    for command in re.findall(r"^.*python -m bench (.+)$", document.read_text(), re.MULTILINE):
        if "…" not in command and "`" not in command:
            all_commands().parse_args(shlex.split(command.partition("&&")[0]))


def test_a_corpus_that_cannot_be_read_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["redaction", "--corpus", str(tmp_path / "none")]) == 2
    assert "is no folder" in capsys.readouterr().err
    assert main(["redaction", "--corpus", str(tmp_path)]) == 2
    assert capsys.readouterr().err == f"{tmp_path} holds no cases\n"


def test_a_result_that_could_not_be_written_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(SystemExit):
        main(["figures", "--out", str(tmp_path / "file")])
    assert "is no folder" in capsys.readouterr().err
    for unusable, why in ((tmp_path, "is a folder"), (tmp_path / "file" / "r.json", "cannot be written")):
        with pytest.raises(SystemExit):
            main(["ttfb", "--json", str(unusable)])
        assert why in capsys.readouterr().err


def test_a_page_makes_the_folders_above_it(tmp_path: Path) -> None:
    page = tmp_path / "one" / "two" / "page.html"
    write_page("<!doctype html>", page)
    assert page.read_text() == "<!doctype html>"
