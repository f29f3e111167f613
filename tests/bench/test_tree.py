"""What is measured is the tree that measures: children import from it, results name its commit."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from bench.demo.child import Child
from bench.harness.results import machine_facts, machine_line
from bench.tree import TREE, commit, of_this_tree

OTHER = "import gateway, json; print(json.dumps(gateway.__file__), flush=True)"


async def test_a_child_runs_this_tree_whatever_its_folder_and_its_environment_hold(tmp_path: Path) -> None:
    """Both could give it a gateway of their own."""
    for folder in ("here", "there"):
        (tmp_path / folder / "gateway").mkdir(parents=True)
        (tmp_path / folder / "gateway" / "__init__.py").write_text("")
    child = Child("thing", tmp_path)

    async def told() -> bool:
        return child.has_spoken

    command = [sys.executable, "-c", OTHER + "; import time; time.sleep(600)"]
    await child.start(command, {"PYTHONPATH": str(tmp_path / "there")}, tmp_path / "here", told)
    await child.stop()
    assert Path(json.loads(child.output.read_text())) == TREE / "gateway" / "__init__.py"


def test_a_copy_of_the_tree_has_its_children_run_the_copy(tmp_path: Path) -> None:
    """As in a second checkout, started by the interpreter in which the first one is installed."""
    (tmp_path / "bench").mkdir()
    (tmp_path / "bench" / "__init__.py").write_text("")
    (tmp_path / "bench" / "tree.py").write_text((TREE / "bench" / "tree.py").read_text())
    script = "import os, bench.tree as tree; print(tree.of_this_tree({})['PYTHONPATH'], tree.commit())"
    environ = os.environ | {"PYTHONPATH": str(tmp_path), "PYTHONSAFEPATH": "1"}
    told = subprocess.run(
        [sys.executable, "-c", script], env=environ, capture_output=True, text=True, check=True
    )
    assert told.stdout.split() == [str(tmp_path.resolve()), "None"], "and a copy alone has no commit"


def test_what_was_on_the_path_stays_behind_the_tree() -> None:
    environ = of_this_tree({"PYTHONPATH": "/elsewhere", "HOME": "/root"})
    assert environ["PYTHONPATH"].split(os.pathsep) == [str(TREE), "/elsewhere"]
    assert environ["HOME"] == "/root"


@pytest.mark.skipif(not (TREE / ".git").exists(), reason="no repository")
def test_results_name_the_commit() -> None:
    head = subprocess.run(
        ["git", "-C", str(TREE), "cat-file", "-t", str(machine_facts()["commit"])],
        capture_output=True, text=True, check=True,
    ).stdout.strip()  # fmt: skip
    assert head == "commit"
    assert isinstance(machine_facts()["dirty"], bool)
    assert machine_line({"kind": "own"}).startswith(f"measured: {commit()};")
    assert machine_line({"kind": "address"}).startswith(f"measured by: {commit()};")
