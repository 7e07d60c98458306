"""Sample runs, trained by the project itself: something to see before anything was trained.

Each is a run's folder, packed among the assets by `python -m core.registry.pack_samples`. Unpacked
into a workspace it is a run like any other; only its id tells that it came with the project.
"""

from contextlib import suppress
from pathlib import Path
from zipfile import ZipFile

from core.assets import ASSETS, verified
from core.errors import UnknownRun
from core.registry.run import SAMPLE
from core.registry.run_files import Request
from core.registry.runs import Runs

SAMPLED = ("cnn-digits", "vgg16-digits", "cnn-digits-augmented")
"""Recipes of which a run comes with the project."""
REQUEST = "config.json"


def id_of(recipe: str) -> str:
    """The id that the sample of a recipe has in every workspace."""
    return f"{SAMPLE}{recipe}"


def file_of(recipe: str) -> str:
    """The name of a sample among the assets."""
    return f"samples/{recipe}.zip"


def missing(runs: Runs) -> list[str]:
    """Recipes whose samples are not in the workspace."""
    return [recipe for recipe in SAMPLED if not _folder(runs, recipe).is_dir()]


def bring(runs: Runs, folder: Path = ASSETS) -> list[str]:
    """Unpack the samples that are not in the workspace, each whole or not at all.

    Returns the recipes of those that were brought.
    Raises DamagedFile where a bundled file is not what it was, WorkFailed where one cannot be
    written.
    """
    return [recipe for recipe in missing(runs) if _bring(runs, verified(file_of(recipe), folder))]


def _bring(runs: Runs, file: Path) -> bool:
    with ZipFile(file) as packed:
        others = [name for name in packed.namelist() if name != REQUEST]
        request = Request.model_validate_json(packed.read(REQUEST))
        return runs.take_in(request, lambda folder: packed.extractall(folder, others))


def remove(runs: Runs) -> list[str]:
    """Delete all samples from the workspace; returns their recipes.

    Raises InvalidRequest where somebody is at work on one, WorkFailed where one cannot be deleted.
    """
    there = [recipe for recipe in SAMPLED if _folder(runs, recipe).is_dir()]
    for recipe in there:
        with suppress(UnknownRun):  # somebody else was quicker
            runs.delete(runs.find_any(id_of(recipe)))
    return there


def _folder(runs: Runs, recipe: str) -> Path:
    return runs.workspace.runs / id_of(recipe)
