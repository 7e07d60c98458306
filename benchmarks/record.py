"""What was measured: samples, the rows of the table made of them, and the file they are kept in."""

from __future__ import annotations

import json
import os
import statistics
import tempfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from core.workspace import PROJECT

Sample = dict[str, Any]
Samples = dict[str, list[Sample]]
"""The samples of one benchmark that succeeded, by step."""


class Skipped(Exception):
    """A measurement cannot be made on this machine; the text says why."""


class Failed(Exception):
    """A measurement broke; the text says why."""


@dataclass(frozen=True)
class Step:
    """One thing to measure; `measure` takes the number of the repeat, from 0.

    needed: whether what was measured so far leaves anything for this step to tell.
    """

    name: str
    measure: Callable[[int], Sample]
    needed: Callable[[Samples], bool] = lambda samples: True


@dataclass(frozen=True)
class Benchmark:
    """Steps that are measured in turn, and the rows of the table that come of them."""

    name: str
    steps: Sequence[Step]
    rows: Callable[[Samples], list[Row]]


@dataclass(frozen=True)
class Goal:
    """A bound on what we measured, on the ratio to the baseline or on the difference from it."""

    kind: Literal["at least", "at most"]
    value: float
    of: Literal["ours", "ratio", "difference"] = "ours"

    def met(self, value: float) -> bool:
        """Whether a value keeps to the bound."""
        return value >= self.value if self.kind == "at least" else value <= self.value


UNITS: dict[str, Callable[[float], str]] = {
    "s": lambda value: f"{value:,.1f} s",
    "ms": lambda value: f"{1000 * value:,.0f} ms",
    "%": lambda value: f"{100 * value:.2f} %",
    "GiB": lambda value: f"{value / 2**30:.2f} GiB",
    "images": lambda value: f"{value:,.0f} images",
    "images/s": lambda value: f"{value:,.0f} images/s",
    "GFLOP/s": lambda value: f"{value / 1e9:,.0f} GFLOP/s",
    "shift": lambda value: f"{value:.3f}",
}
"""How a value is written: times are kept in seconds, shares from 0 to 1, memory in bytes, rates in
images or operations per second; a layout shift is the browser's own figure."""
KEPT_AS = {"ms": "s", "%": "share", "GiB": "bytes", "GFLOP/s": "FLOP/s"}
RATES = ("images/s", "GFLOP/s")
"""Units of which more is better."""


@dataclass(frozen=True)
class Row:
    """One line of the table. `judged` is False where too few images were used to say anything."""

    what: str
    unit: str
    ours: float | None
    baseline: float | None = None
    goal: Goal | None = None
    note: str = ""
    judged: bool = True

    @property
    def ratio(self) -> float | None:
        """How many times as quick as the baseline ours is, or how many times as small."""
        if self.unit == "%" or not self.ours or not self.baseline:
            return None
        return self.ours / self.baseline if self.unit in RATES else self.baseline / self.ours

    @property
    def difference(self) -> float | None:
        """How far apart ours and the baseline are, of shares."""
        if self.ours is None or self.baseline is None:
            return None
        return abs(self.ours - self.baseline)

    @property
    def met(self) -> bool | None:
        """Whether the goal was met; None where there is none, or nothing to judge by."""
        if self.goal is None or not self.judged:
            return None
        value: float | None = getattr(self, self.goal.of)
        return None if value is None else self.goal.met(value)

    def as_json(self) -> dict[str, Any]:
        """The row as it is kept."""
        return {
            "what": self.what,
            "unit": KEPT_AS.get(self.unit, self.unit),
            "ours": self.ours,
            "baseline": self.baseline,
            "ratio": self.ratio,
            "goal": self._goal_text(),
            "met": self.met,
            "note": self.note,
        }

    def cells(self) -> tuple[str, ...]:
        """The row as it is printed."""
        return (
            self.what,
            self._written(self.ours),
            self._written(self.baseline),
            self._ratio_text(),
            self._goal_text(),
            self._met_text(),
        )

    def _written(self, value: float | None) -> str:
        return "-" if value is None else UNITS[self.unit](value)

    def _ratio_text(self) -> str:
        if self.ratio is None:
            return "-"
        return f"{self.ratio:.2f} x" if self.unit in RATES else f"{self.ratio:.1f} x"

    def _goal_text(self) -> str:
        if self.goal is None:
            return "-"
        value = {
            "ours": UNITS[self.unit](self.goal.value),
            "ratio": f"{self.goal.value:g} x",
            "difference": f"{100 * self.goal.value:g} points apart",
        }[self.goal.of]
        return f"{self.goal.kind} {value}"

    def _met_text(self) -> str:
        if self.ours is None:
            return "not measured"
        if self.goal is not None and self.met is None:
            return "not measured" if self.judged else "not judged"
        return {True: "yes", False: "NO", None: "-"}[self.met]


def median(samples: Iterable[Sample], key: str) -> float | None:
    """Median of a value over samples, or None where there are none."""
    values = [sample[key] for sample in samples]
    return statistics.median(values) if values else None


def p95(values: Sequence[float]) -> float:
    """The value that 95 in 100 stay at or below."""
    return sorted(values)[-(-95 * len(values) // 100) - 1]


@dataclass
class Record:
    """Everything measured so far, written to a file after each measurement.

    about: what the measurements were made with: options, machine, versions, date.
    """

    path: Path
    about: dict[str, Any]
    samples: dict[str, Samples] = field(default_factory=dict)
    rows: dict[str, list[Row]] = field(default_factory=dict)
    failures: list[dict[str, Any]] = field(default_factory=list)

    def take(self, benchmark: Benchmark, step: Step, repeat: int) -> None:
        """Measure once and write the file, whatever comes of it."""
        taken = self.samples.setdefault(benchmark.name, {}).setdefault(step.name, [])
        load = os.getloadavg()[0]
        try:
            sample = step.measure(repeat)
        except Exception as error:  # one failure must not lose the other measurements
            self._fail(benchmark, step, repeat, error)
        else:
            taken.append({**sample, "repeat": repeat, "load_before": round(load, 2)})
        self._make_rows(benchmark)
        self._write()

    def wants(self, benchmark: Benchmark, step: Step) -> bool:
        """Whether a step is needed and was not found impossible on this machine."""
        impossible = any(
            failure["kind"] == "skipped"
            and (failure["benchmark"], failure["step"]) == (benchmark.name, step.name)
            for failure in self.failures
        )
        return not impossible and step.needed(self.samples.get(benchmark.name, {}))

    @property
    def failed(self) -> bool:
        """Whether a measurement broke; one that was skipped did not."""
        return any(failure["kind"] == "failed" for failure in self.failures)

    def table(self) -> str:
        """The table, with the notes and failures below it."""
        head = ("what", "ours", "baseline", "ratio", "goal", "met")
        rows = [row for rows in self.rows.values() for row in rows]
        cells, notes = [], list(dict.fromkeys(row.note for row in rows if row.note))
        for row in rows:
            what, *others = row.cells()
            mark = f" [{notes.index(row.note) + 1}]" if row.note else ""
            cells.append((what + mark, *others))
        lines = _aligned([head, *cells]) if cells else ["Nothing was measured."]
        lines += [f"[{number}] {note}" for number, note in enumerate(notes, start=1)]
        lines += [
            f"{failure['kind']}: {failure['benchmark']}, {failure['step']}, "
            f"repeat {failure['repeat'] + 1}: {failure['reason']}"
            for failure in self.failures
        ]
        return "\n".join(lines)

    def _fail(self, benchmark: Benchmark, step: Step, repeat: int, error: Exception) -> None:
        self.failures.append(
            {
                "kind": "skipped" if isinstance(error, Skipped) else "failed",
                "benchmark": benchmark.name,
                "step": step.name,
                "repeat": repeat,
                "reason": _without_paths(f"{error}" or type(error).__name__),
            }
        )

    def _make_rows(self, benchmark: Benchmark) -> None:
        try:
            self.rows[benchmark.name] = benchmark.rows(self.samples[benchmark.name])
        except Exception as error:  # the samples are kept all the same
            self.rows[benchmark.name] = [Row(f"{benchmark.name}: no row, {error!r}", "s", None)]

    def _write(self) -> None:
        content = {
            **self.about,
            "rows": [row.as_json() for rows in self.rows.values() for row in rows],
            "failures": self.failures,
            "samples": self.samples,
        }
        self.path.parent.mkdir(parents=True, exist_ok=True)
        unfinished = self.path.with_name(f".{self.path.name}.unfinished")
        unfinished.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
        unfinished.replace(self.path)


def _aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [
        "  ".join(
            cell.ljust(width) if place in (0, 4) else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]
    return [lines[0], "-" * max(map(len, lines)), *lines[1:]]


def _without_paths(text: str) -> str:
    """Results are published; where on this machine they were made is nobody's business."""
    for path, name in ((str(PROJECT), "."), (tempfile.gettempdir(), "TEMP")):
        text = text.replace(path, name)
    return text
