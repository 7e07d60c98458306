"""The command that lets a network read pictures, or Kaggle's table of digits."""

from argparse import Namespace
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from core.commands.commands import Result
from core.data import kaggle
from core.errors import InvalidRequest, UnreadableUpload
from core.files import write_text
from core.predicting.ink import Polarity
from core.predicting.readings import Ask, Named, Readings, frame_of, label_index, read_all
from core.predicting.uploads import Refusal, Upload
from core.registry.evaluation import Evaluation
from core.registry.run import Run
from core.registry.runs import Runs
from core.workspace import Workspace

INK: dict[str, Polarity] = {"auto": "auto", "light": "light ink", "dark": "dark ink"}


def predict(workspace: Workspace, options: Namespace) -> Result:
    """Rank the classes of each picture; one that cannot be read gets its error instead.

    Of a table of pixels the classes are written as Kaggle wants them.
    """
    run = Runs(workspace).find(options.run)
    for argument, path in (("--csv", options.csv), ("--submission", options.submission)):
        _check_output(argument, path)
    paths = [Path(path) for path in options.images]
    tables = [path for path in paths if _is_table(path)]
    if not tables:
        return _predict_pictures(run, options)
    if len(paths) > 1:
        raise InvalidRequest(
            f"a table of pixels must be the only file, got {len(paths)}; predict {tables[0]} by "
            "itself"
        )
    if options.csv:
        raise InvalidRequest("--csv goes with pictures, got a table of pixels; use --submission")
    return _predict_table(run, tables[0], options)


def _predict_pictures(run: Run, options: Namespace) -> Result:
    ask = _network(run, options.epoch)
    upload = Upload((path, Path(path)) for path in options.images)
    with tqdm(total=len(upload), unit="picture", disable=len(upload) < 2) as bar:
        framed = upload.framed(frame_of(run.config, INK[options.ink]))
        networks = {run.id: (run.config.class_names, ask)}
        (readings,) = read_all(framed, networks, _mover(bar)).values()
    content: dict[str, Any] = {"run": run.id, "predictions": _predictions(readings)}
    if readings.evaluation:
        content["labelled"] = _evaluated(readings.evaluation)
    if upload.left_out:
        content["left_out"] = upload.left_out
    if options.csv:
        _write("--csv", options.csv, readings.csv())
        content["csv"] = options.csv
    return Result(content, status=2 if readings.refusals else 0)


def _predict_table(run: Run, path: Path, options: Namespace) -> Result:
    if not run.config.data.shows_digits:
        raise InvalidRequest(
            f"a table of digits needs a network that reads digits, got the run {run.name!r}, "
            f"which learned {run.config.data.name}"
        )
    ask = _network(run, options.epoch)
    with path.open("rb") as file, tqdm(unit="row") as bar:
        try:
            classes, labels = kaggle.predict_table(file, ask, _mover(bar))
        except UnreadableUpload as error:
            raise UnreadableUpload(f"{path}: {error}") from None
    _write("--submission", options.submission, kaggle.submission(classes))
    content: dict[str, Any] = {
        "run": run.id,
        "predictions": [],
        "submission": options.submission,
        "rows": len(classes),
    }
    if labels is not None:
        right = Evaluation(int((classes == labels).sum()), len(labels), float("nan"))
        content["labelled"] = _evaluated(right)
    return Result(content)


def _network(run: Run, epoch: int | None) -> Ask:
    from core.training.quiet import load_tensorflow

    load_tensorflow()
    from core.network.models import load_run
    from core.predicting.predictor import LoadedNetwork

    ask: Ask = LoadedNetwork(load_run(run, epoch), run.config.network).probabilities
    return ask


def _predictions(readings: Readings) -> list[dict[str, Any]]:
    """One for each picture and refusal, in the order given."""
    order = np.argsort(-readings.probabilities, axis=1, kind="stable")
    read = iter(zip(readings.probabilities, order, strict=True))
    return [
        {"path": item.name, "error": item.sentence}
        if isinstance(item, Refusal)
        else {"path": item.name, **_truth(item, readings), "ranked": _ranked(*next(read), readings)}
        for item in readings.items
    ]


def _truth(item: Named, readings: Readings) -> dict[str, str]:
    known = label_index(item.label, readings.class_names)
    return {} if known is None else {"true_class": readings.class_names[known]}


def _ranked(
    probabilities: NDArray[np.float32], order: NDArray[np.int64], readings: Readings
) -> list[dict[str, Any]]:
    return [
        {"class": readings.class_names[label], "probability": float(probabilities[label])}
        for label in order
    ]


def _evaluated(found: Evaluation) -> dict[str, Any]:
    return {
        "images": found.images,
        "correct": found.correct,
        "accuracy": found.accuracy,
        "interval": list(found.interval),
    }


def _is_table(path: Path) -> bool:
    if path.suffix.lower() != ".csv" or not path.is_file():
        return False
    try:
        with path.open("rb") as file:
            return kaggle.is_table(file)
    except OSError:
        return False  # it is told once it is read


def _check_output(argument: str, path: str | None) -> None:
    """Refuse a file that could not be written, before the work for it is done."""
    if path is not None and (Path(path).is_dir() or not Path(path).absolute().parent.is_dir()):
        raise InvalidRequest(f"{argument} must be a file in a folder that exists, got {path}")


def _write(argument: str, path: str, text: str) -> None:
    try:
        write_text(Path(path), text)
    except OSError as error:
        raise InvalidRequest(
            f"{argument} must be a file that can be written, got {path}: {error.strerror or error}"
        ) from None


def _mover(bar: Any) -> Callable[[int], None]:
    def move(done: int) -> None:
        bar.update(done - bar.n)

    return move
