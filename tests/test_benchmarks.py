"""The benchmarks start; what they measure takes too long for a test."""

import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parent.parent


@pytest.mark.parametrize("arguments", [["--help"], ["--only", "nothing-of-that-name"]])
def test_the_benchmarks_say_what_there_is_to_measure(arguments: list[str]) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks", *arguments],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == (0 if arguments == ["--help"] else 2), done.stderr
    assert "cnn-digits" in done.stdout + done.stderr
