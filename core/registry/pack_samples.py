"""`python -m core.registry.pack_samples WORKSPACE`: make the sample runs of the project.

For each recipe of `samples.SAMPLED` the newest finished run of just that recipe is taken from the
workspace; where there is none, it is trained there first. What neither inference nor a page needs
is left out, and what is left is packed as a ZIP, with its line in the manifest.
"""

import argparse
import hashlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from core.assets import ASSETS, MANIFEST
from core.commands import command_line
from core.registry.environment import Environments, read_environments
from core.registry.predictions import epoch_path, stored_epochs
from core.registry.recipes import RECIPES
from core.registry.run import Run
from core.registry.run_files import About, Request, State
from core.registry.runs import Runs
from core.registry.samples import REQUEST, SAMPLED, file_of, id_of
from core.workspace import Workspace

EVERY = 3
"""Of a longer training the predictions of so-manieth epochs are kept, beside first, best and last:
those of 30 epochs would take more room than the weights."""
NO_TIME = (2000, 1, 1, 0, 0, 0)
"""Of files in the ZIP, so that the same run gives the same bytes."""


def finished_run(runs: Runs, recipe: str) -> Run | None:
    """The newest run that trained a recipe to its end, nothing of it changed."""
    wanted = RECIPES[recipe].config
    fitting = (run for run in runs.all() if run.status == "finished" and not run.is_sample)
    return next((run for run in fitting if run.config == wanted), None)


def kept_epochs(run: Run) -> list[int]:
    """Epochs whose predictions a sample keeps."""
    stored, best = stored_epochs(run), run.state.best_epoch
    ends = {stored[0], best, stored[-1]}
    return [epoch for epoch in stored if epoch % EVERY == 0 or epoch in ends]


def contents(run: Run, note: str = "") -> Iterator[tuple[str, bytes]]:
    """The files of the sample that is made of a run, by their names in its folder."""
    recipe, folder = run.config.recipe, run.folder
    request = Request(
        id=id_of(recipe),
        name=f"{recipe} (sample)",
        created=run.request.created,
        config=run.request.config,
    )
    # Whose process it was, and what else its machine did, says nothing on another.
    state = run.state.model_copy(update={"process": None, "usage": None})
    yield REQUEST, _json(request)
    yield folder.state.name, _json(state)
    if note:
        yield folder.about.name, _json(About(note=note))
    if environments := read_environments(folder):
        told = tuple(each.without_host for each in environments)
        yield folder.environment.name, _json(Environments(environments=told))
    files = [folder.metrics, folder.predictions / "test.npz", folder.backbone]
    files += [epoch_path(folder.predictions, epoch) for epoch in kept_epochs(run)]
    files += [folder.weights(run.state.best_epoch)]
    for file in files:
        if file.exists():
            yield file.relative_to(folder.path).as_posix(), file.read_bytes()


def _json(content: Request | State | About | Environments) -> bytes:
    return (json.dumps(content.model_dump(mode="json"), indent=1) + "\n").encode()


def pack(run: Run, note: str = "", folder: Path = ASSETS) -> Path:
    """Pack a run as the sample of its recipe, and write its line in the manifest."""
    name = file_of(run.config.recipe)
    path = folder / name
    path.parent.mkdir(exist_ok=True)
    with ZipFile(path, "w", ZIP_DEFLATED, compresslevel=9) as packed:
        for entry, content in contents(run, note):
            information = ZipInfo(entry, NO_TIME)
            information.compress_type = ZIP_DEFLATED
            packed.writestr(information, content)
    manifest = json.loads((folder / MANIFEST).read_text())
    manifest[name] = {
        "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        "content": f"A finished run of the recipe {run.config.recipe}, without its checkpoint: "
        f"weights of epoch {run.state.best_epoch}, predictions of the 10,000 test images, curves",
        "source": "Trained on mnist.npz by this project and packed by "
        "`python -m core.registry.pack_samples`",
        "licence": manifest["mnist.npz"]["licence"],
    }
    (folder / MANIFEST).write_text(json.dumps(manifest, indent=1) + "\n")
    return path


def main() -> int:
    """Pack every sample; exit status 1 where one could not be trained."""
    parser = argparse.ArgumentParser(
        prog="python -m core.registry.pack_samples", description=__doc__
    )
    parser.add_argument("workspace", metavar="WORKSPACE", type=Path)
    parser.add_argument("--note", default="", help="what to say of the samples, kept with each")
    options = parser.parse_args()
    runs = Runs(Workspace(options.workspace.resolve()))
    for recipe in SAMPLED:
        if finished_run(runs, recipe) is None:
            command_line.main(["train", recipe, "--workspace", str(runs.workspace.root)])
        run = finished_run(runs, recipe)
        if run is None:
            return 1  # the command said why
        path = pack(run, options.note)
        print(f"{path}: {path.stat().st_size:,} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
