"""What CONTRIBUTING.md and README.md name is there."""

import re
from pathlib import Path

import pytest

from core.workspace import PROJECT

SOURCES = [path for top in ("core", "ui", "tests") for path in PROJECT.glob(f"{top}/**/*.py")]
TEXTS = [(PROJECT / name).read_text(encoding="utf-8") for name in ("CONTRIBUTING.md", "README.md")]
PLACE = r"`((?:core|ui|pages|tests|benchmarks|assets)/[\w/]*(?:\.[a-z]+)?)`"
NAMED = r"`(?:[\w/]+/)?([a-z_]+)\.(_?[A-Za-z]\w*)(?:\([^`]*\))?`"
PLACES = sorted({place for text in TEXTS for place in re.findall(PLACE, text)})
NAMES = sorted({pair for pair in re.findall(NAMED, TEXTS[0]) if pair[0] != "keras"})
OTHER_FILES = {"json", "jsonl"}


def test_something_is_named() -> None:
    assert len(PLACES) > 30
    assert len(NAMES) > 50


@pytest.mark.parametrize("place", PLACES)
def test_a_place_is_there(place: str) -> None:
    module, _, name = place.partition(".")
    path = PROJECT / place
    assert path.exists() or path.with_suffix(".py").is_file() or defines(module, name), place


@pytest.mark.parametrize(("module", "name"), NAMES)
def test_what_is_named_of_a_module_is_there(module: str, name: str) -> None:
    if name in OTHER_FILES:
        return
    files = [path for path in SOURCES if path.stem == module]
    within = [path for path in SOURCES if (path.parent.name, path.stem) == (module, name)]
    assert within or (files and name == "py") or any(defines(path, name) for path in files)


def defines(module: str | Path, name: str) -> bool:
    """Whether a module, or a place without its ending, defines a function, class or constant."""
    path = (PROJECT / module).with_suffix(".py")
    definition = rf"^\s*(?:(?:def|class) {name}\b|{name}\b.*=)"
    text = path.read_text(encoding="utf-8") if path.is_file() else ""
    return bool(name) and re.search(definition, text, re.MULTILINE) is not None
