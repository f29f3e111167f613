"""`python -m gateway.guides` over the real database."""

from pathlib import Path

import pytest

from gateway.guides import main
from tests.booking.following import a_pdf
from tests.conftest import Clinic, Stack
from tests.gateway.running import environment


def test_a_guide_is_loaded_listed_and_removed(
    stack: Stack,
    clinic: Clinic,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for name, value in environment(stack).items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "guide.pdf").write_bytes(a_pdf(2))
    (tmp_path / "page.pdf").write_bytes(b"<html>")
    org, of = ("--org", str(clinic.claim.org_id)), ("--service", "dermal filler")
    assert main(["load", *org, *of, "guide.pdf"]) == 0
    assert main(["list", *org]) == 0
    told = capsys.readouterr().out.splitlines()
    assert [line.split("\t")[:2] for line in told] == [
        ["dermal filler", "2 pages"],
        ["Dermal filler", "2 pages"],
        ["Rhinoplasty consultation", "no guide"],
    ]
    assert main(["remove", *org, *of]) == 0
    for refused in (
        ["remove", *org, *of],
        ["load", *org, *of, "page.pdf"],
        ["load", *org, *of, "none.pdf"],
        ["load", *org, "--service", "Tattoos", "guide.pdf"],
        ["list", "--org", "00000000-0000-4000-8000-000000000000"],
    ):
        assert main(refused) == 1
    assert len(capsys.readouterr().err.splitlines()) == 5
