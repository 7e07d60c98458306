"""The command line: reads arguments, calls the commands, prints what they return.

Exit status 0 is done, 1 the work failed, 2 the request was wrong. What a command returns is the
JSON that `--json` prints, one document on standard output; progress goes to standard error.
"""

import argparse
import contextlib
import json
import os
import sys
from collections.abc import Callable, Sequence
from typing import Any

from core.commands import (
    commands,
    compare_command,
    cost_commands,
    import_command,
    predict_command,
    samples_command,
)
from core.commands.tables import as_text
from core.errors import InvalidRequest, TransferLabError
from core.version import VERSION
from core.workspace import ENVIRONMENT_VARIABLE, find_workspace


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit status."""
    options = _parser().parse_args(arguments)
    try:
        workspace = find_workspace(options.workspace)
        if workspace.root.exists() and not workspace.root.is_dir():
            raise InvalidRequest(f"--workspace must be a folder, got {workspace.root}")
        with contextlib.redirect_stdout(sys.stderr):  # Keras prints there that it downloads
            result = options.command(workspace, options)
    except TransferLabError as error:
        print(f"python -m core: {error}", file=sys.stderr)
        return 2 if isinstance(error, InvalidRequest) else 1
    except KeyboardInterrupt:
        return 130
    content = result.content
    _print(json.dumps(content, indent=1, allow_nan=False) if options.json else as_text(content))
    return int(result.status)


def _print(text: str) -> None:
    """Print for whoever reads it, such as `head`, which may leave before the end."""
    try:
        print(text, flush=True)
    except BrokenPipeError:
        # What is left would be written when Python ends, and complained of there.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m core",
        description="Train image classifiers, compare them and use them.",
    )
    parser.add_argument("--version", action="version", version=f"Transfer Lab {VERSION}")
    kinds = parser.add_subparsers(metavar="COMMAND", required=True)
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--json", action="store_true", help="print one JSON document")
    common.add_argument(
        "--workspace",
        metavar="DIR",
        help=f"where runs are kept (default: ${ENVIRONMENT_VARIABLE}, else ./workspace)",
    )

    def command(name: str, run: Any, summary: str) -> argparse.ArgumentParser:
        added = kinds.add_parser(name, parents=[common], help=summary, description=summary)
        added.set_defaults(command=run)
        return added

    groups = (
        _add_lists,
        _add_datasets,
        _add_training,
        _add_queue,
        _add_runs,
        _add_results,
        _add_cache,
    )
    for add in groups:
        add(command)
    return parser


Command = Callable[[str, Any, str], argparse.ArgumentParser]
"""Adds a command of a name, given what runs it and a summary."""


def _add_lists(command: Command) -> None:
    command("recipes", commands.recipes, "list the recipes to start from")
    command("architectures", commands.architectures, "list the networks there are")
    command("datasets", commands.datasets, "list the datasets there are")


def _add_datasets(command: Command) -> None:
    add = command("import-dataset", import_command.import_, "import a dataset, or download one")
    add.add_argument(
        "path",
        metavar="PATH",
        help="class folders, a ZIP of them, Kaggle's train.csv, idx files, an npz, file lists; or "
        f"what Keras downloads: {', '.join(import_command.KERAS)}",
    )
    add.add_argument("--name", metavar="NAME", help="what data.name calls it from now on")
    add.add_argument(
        "--test-share",
        type=float,
        default=0.2,
        metavar="SHARE",
        help="share of each class held out for testing where there is no test part (default: 0.2)",
    )
    add.add_argument("--seed", type=int, default=0, help="decides which are (default: 0)")
    add.add_argument(
        "--digits",
        action=argparse.BooleanOptionalAction,
        help="whether it shows single handwritten digits as MNIST does (default: found out)",
    )
    delete = command("delete-dataset", import_command.delete, "delete an imported dataset")
    lists = command("export-lists", import_command.lists, "write a dataset's class and file lists")
    pictures = command(
        "export-pictures", import_command.pictures, "write a dataset's pictures in class folders"
    )
    for named in (delete, lists, pictures):
        named.add_argument("name", metavar="NAME", help="an imported dataset")
    for written in (lists, pictures):
        written.add_argument("folder", metavar="DIR", help="where they go")


def _add_training(command: Command) -> None:
    estimate = command("estimate", cost_commands.estimate, "tell what a training would take")
    train = command("train", commands.train, "train a network by a recipe")
    for configured in (estimate, train):
        configured.add_argument("recipe", metavar="RECIPE")
        configured.add_argument(
            "--set",
            dest="settings",
            action="append",
            default=[],
            metavar="KEY=VALUE",
            help="change a setting, for example epochs=3 or network.head.dropout=0.2",
        )
    train.add_argument("--name", help="what to call the run (default: the recipe's name)")
    train.add_argument("--note", default="", help="a note to keep with the run")
    resume = command("resume", commands.resume, "let a run go on from its last checkpoint")
    _takes_run(resume)
    resume.add_argument(
        "--more-epochs", type=int, default=0, metavar="N", help="train N epochs more than asked for"
    )
    for waiting in (train, resume):
        waiting.add_argument("--detach", action="store_true", help="do not wait for it to end")


def _add_queue(command: Command) -> None:
    queue = command("queue", commands.queue, "show, pause, reorder or widen the queue")
    pausing = queue.add_mutually_exclusive_group()
    pausing.add_argument(
        "--pause", dest="paused", action="store_true", default=None, help="begin no waiting run"
    )
    pausing.add_argument(
        "--go-on", dest="paused", action="store_false", default=None, help="begin them again"
    )
    queue.add_argument(
        "--at-once", type=int, metavar="N", help="how many runs may train at the same time"
    )
    queue.add_argument("--first", metavar="RUN", help="the waiting run to train next")


def _add_runs(command: Command) -> None:
    command("runs", commands.runs, "list the runs")
    for name, run, summary in (
        ("show", commands.show, "show one run"),
        ("stop", commands.stop, "stop a run within one batch, keeping its best weights"),
        ("delete", commands.delete, "delete a run that is not training"),
    ):
        _takes_run(command(name, run, summary))
    samples = command("samples", samples_command.show, "list, bring in or remove the sample runs")
    choice = samples.add_mutually_exclusive_group()
    choice.add_argument("--bring", action="store_true", help="bring in those that are not there")
    choice.add_argument("--remove", action="store_true", help="delete them; they can come back")
    edit = command("edit", commands.edit, "rename a run, tag it or keep a note with it")
    _takes_run(edit)
    edit.add_argument("--name", help="what to call it from now on")
    edit.add_argument("--tags", metavar="TAG,...", help="its tags, instead of those it had")
    edit.add_argument("--note", help="its note, instead of the one it had")


def _add_results(command: Command) -> None:
    evaluate = command("evaluate", commands.evaluate, "measure a run's saved weights")
    _takes_run(evaluate, with_epoch=True)
    evaluate.add_argument("--split", choices=commands.SPLITS, default="test")
    compare = command(
        "compare", compare_command.compare, "set two runs side by side, or rank several"
    )
    compare.add_argument("run_a", metavar="RUN_A", help=_RUN)
    compare.add_argument("run_b", metavar="RUN_B", help=_RUN)
    compare.add_argument("others", metavar="RUN", nargs="*", help="more runs, to rank them all")
    for letter in ("a", "b"):
        compare.add_argument(
            f"--epoch-{letter}",
            type=int,
            metavar="N",
            help=f"the epoch of RUN_{letter.upper()} to compare (default: its best)",
        )
    compare.add_argument(
        "--export",
        metavar="DIR",
        help="write the images they disagree on, all predictions and a report",
    )
    export = command("export", commands.export, "write a run's network as one file of its own")
    _takes_run(export)
    export.add_argument(
        "--format", choices=["keras"], default="keras", help="keras: a .keras file (default)"
    )
    export.add_argument("-o", "--output", required=True, metavar="PATH", help="where it goes")
    _add_predict(command)


def _add_predict(command: Command) -> None:
    predict = command(
        "predict", predict_command.predict, "classify pictures, or Kaggle's table of digits"
    )
    _takes_run(predict, with_epoch=True)
    predict.add_argument(
        "images",
        metavar="FILE",
        nargs="+",
        help="a picture, a folder or ZIP of pictures (in folders named like the classes, or with a "
        "CSV of the columns file and label, they are also scored), or test.csv or train.csv of "
        "Kaggle's Digit Recognizer",
    )
    predict.add_argument(
        "--ink",
        choices=list(predict_command.INK),
        default="auto",
        help="of a digit: whether strokes are lighter or darker than what they stand on (default: "
        "found out for each picture)",
    )
    predict.add_argument("--csv", metavar="OUT", help="also write a row for each picture")
    predict.add_argument(
        "--submission",
        metavar="OUT",
        default="submission.csv",
        help="what to write for Kaggle's table (default: submission.csv)",
    )


def _add_cache(command: Command) -> None:
    cache = command(
        "cache", cost_commands.cache, "show, limit or clear what is kept to save computing"
    )
    cache.add_argument("--clear", action="store_true", help="drop all of it: runs stay")
    cache.add_argument(
        "--limit", metavar="SIZE", help="how much may be kept from now on, such as 30GiB or 500MB"
    )


def _takes_run(command: argparse.ArgumentParser, with_epoch: bool = False) -> None:
    command.add_argument("run", metavar="RUN", help=_RUN)
    if with_epoch:
        command.add_argument(
            "--epoch", type=int, help="one whose weights were kept (default: the best)"
        )


_RUN = "an id, a unique prefix of one, or a name"
