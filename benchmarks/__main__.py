"""`./run bench`: measure, print a table, keep every number in a JSON file."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks import (
    augmentation,
    comparing,
    data_page,
    epochs,
    features,
    first_frame,
    importing,
    machine,
    many,
    pages,
    sample_runs,
    store,
    training,
    uploads,
    wrong_labels,
)
from benchmarks.options import Options
from benchmarks.record import Benchmark, Record

KINDS = (
    training,
    epochs,
    features,
    pages,
    first_frame,
    comparing,
    data_page,
    wrong_labels,
    uploads,
    many,
    store,
    augmentation,
    importing,
    sample_runs,
)
MINUTES = {name: minutes for kind in KINDS for name, minutes in kind.MINUTES.items()}
RESULTS = Path(__file__).parent / "results" / "latest.json"


def main() -> int:
    """Exit status: 0 all was measured, 1 something broke, 130 interrupted."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    chosen = _arguments()
    with tempfile.TemporaryDirectory(prefix="bench-", ignore_cleanup_errors=True) as scratch:
        options = Options(
            Path(scratch),
            chosen.repeats,
            chosen.fraction,
            chosen.baseline_fraction,
            chosen.baseline_epochs,
        )
        record = Record(chosen.json, {**machine.facts(), "options": _kept(chosen)})
        print(_head(record.about, options), flush=True)
        interrupted = False
        try:
            for benchmark in _chosen(options, chosen.only):
                _measure(benchmark, options.repeats, record)
        except KeyboardInterrupt:
            interrupted = True
    print(f"\n{record.table()}\n\n{_head(record.about, options)}")
    return 130 if interrupted else int(record.failed)


def _measure(benchmark: Benchmark, repeats: int, record: Record) -> None:
    """Each step once, then each once more, and so on: a slow hour slows all alike."""
    for repeat in range(repeats):
        for step in benchmark.steps:
            if record.wants(benchmark, step):
                _say(f"{benchmark.name}: {step.name}, {repeat + 1} of {repeats}")
                record.take(benchmark, step, repeat)


def _chosen(options: Options, only: list[str] | None) -> list[Benchmark]:
    known = [benchmark for kind in KINDS for benchmark in kind.benchmarks(options)]
    return [benchmark for benchmark in known if only is None or benchmark.name in only]


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="./run bench", description=__doc__, epilog=_epilog())
    parser.add_argument(
        "--only", nargs="+", choices=MINUTES, metavar="NAME", help=f"of {', '.join(MINUTES)}"
    )
    parser.add_argument("--repeats", type=_positive, default=3, metavar="N", help="(default: 3)")
    parser.add_argument(
        "--fraction",
        type=_share,
        default=1.0,
        metavar="F",
        help="train on this share of the images only, for a quick try",
    )
    parser.add_argument(
        "--baseline-fraction",
        type=_share,
        metavar="F",
        help="share of the images that the baselines of cnn-digits and vgg16-digits take at most; "
        "their time for the rest is extrapolated from two sizes (default: 0.1 for VGG16, 1 for the "
        "CNN)",
    )
    parser.add_argument(
        "--baseline-epochs",
        type=_positive,
        metavar="N",
        help="epochs that the baselines of several epochs take at most; the others are reckoned "
        "like those after the first (default: 10 of 100 for vgg16-digits-4096, else all)",
    )
    parser.add_argument(
        "--json",
        type=lambda text: Path(text).absolute(),
        default=RESULTS,
        metavar="FILE",
        help="where the numbers go (default: benchmarks/results/latest.json)",
    )
    return parser.parse_args()


def _epilog() -> str:
    """How long it takes."""
    each = ", ".join(f"{name} {minutes:g}" for name, minutes in MINUTES.items())
    once = sum(MINUTES[name] for name in epochs.ONCE)
    total = 3 * (sum(MINUTES.values()) - once) + once
    return (
        f"On two quiet cores everything takes about {total / 60:.1f} hours with 3 repeats. Minutes "
        f"of each repeat: {each}; {', '.join(epochs.ONCE)} is measured once however many repeats."
    )


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"must be a whole number from 1, got {text}")
    return int(text)


def _share(text: str) -> float:
    try:
        share = float(text)
    except ValueError:
        share = 0.0
    if not 0 < share <= 1:
        raise argparse.ArgumentTypeError(f"must be above 0 and at most 1, got {text}")
    return share


def _kept(chosen: argparse.Namespace) -> dict[str, Any]:
    return {key: value for key, value in vars(chosen).items() if key != "json"}


def _head(about: dict[str, Any], options: Options) -> str:
    """What the numbers hold for, with what makes them worthless said aloud."""
    facts, versions = about["machine"], about["versions"]
    lines = [
        f"{facts['processor']}, {facts['cores']} cores, "
        f"{facts['memory_bytes'] / 2**30:.0f} GiB, {facts['system']}; "
        + ", ".join(f"{name} {version}" for name, version in versions.items())
    ]
    if not options.whole:
        lines.append(
            f"*** QUICK TRY ON {100 * options.fraction:g} % OF THE IMAGES: accuracies and ratios "
            "of training say nothing ***"
        )
    if facts["busy_at_start"]:
        lines.append("*** OTHER PROGRAMS WERE BUSY ON THIS MACHINE AT THE START ***")
    return "\n".join(lines)


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
