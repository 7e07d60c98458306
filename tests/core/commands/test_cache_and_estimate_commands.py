from collections.abc import Callable
from datetime import datetime
from typing import Any

import numpy as np
import pytest

from core.preferences import load_preferences
from core.registry.config import RunConfig
from core.registry.run import Run
from core.registry.runs import Runs
from core.training import estimates
from core.training.costs import DryRun, Estimate, Machine, PhaseEstimate
from core.training.feature_cache import FeatureCache
from core.training.metrics import append_event
from core.workspace import Workspace

MakeRun = Callable[..., Run]
Command = Callable[..., Any]
GIB = 2**30


@pytest.fixture
def filled(workspace: Workspace) -> int:
    """Two entries in the cache; how many bytes they take."""
    cache = FeatureCache(workspace.features, GIB)
    for number in range(2):
        rows = np.full((6, 2), number, np.float16)
        cache.store({"number": number}, [rows.shape], np.float16, [(rows,)])
    return cache.use().size


def test_an_empty_cache_is_shown_and_not_made(command: Command, workspace: Workspace) -> None:
    assert command("cache", "--json").document == {
        "folder": str(workspace.features),
        "entries": 0,
        "size": 0,
        "limit": 20 * GIB,
        "others": [
            {"kept": "pictures in the sizes of networks", "entries": 0, "size": 0},
            {"kept": "features and maps of test images", "entries": 0, "size": 0},
        ],
    }
    assert not workspace.root.exists()


def test_the_use_of_the_cache_is_shown(command: Command, filled: int) -> None:
    shown = command("cache", "--json").document
    assert (shown["entries"], shown["size"]) == (2, filled)


def test_a_person_is_told_in_gib(command: Command) -> None:
    assert "\nlimit: 20 GiB\n" in command("cache").out


def test_the_cache_is_cleared(command: Command, filled: int) -> None:
    shown = command("cache", "--clear", "--json").document
    assert (shown["entries"], shown["size"]) == (0, 0)
    assert shown["freed"] == {"entries": 2, "size": filled}
    assert command("cache", "--json").document["entries"] == 0


def test_all_that_can_be_computed_anew_is_cleared(command: Command, workspace: Workspace) -> None:
    places = workspace.pictures, workspace.feature_spaces / "a run" / "kept"
    for place in places:
        FeatureCache(place, GIB).store({}, [(1, 2)], np.float16, [(np.zeros((1, 2), np.float16),)])
    listed = command("cache", "--json").document["others"]
    assert [each["entries"] for each in listed] == [1, 1]
    assert command("cache", "--clear", "--json").document["freed"]["entries"] == 2
    assert [list(place.iterdir()) for place in places] == [[], []]


@pytest.mark.parametrize(
    ("size", "limit"),
    [
        ("30GiB", 30 * GIB),
        ("500MB", 500_000_000),
        ("1.5 gib", 3 * GIB // 2),
        ("123456", 123_456),
        ("0", 0),
    ],
)
def test_the_limit_is_kept(command: Command, workspace: Workspace, size: str, limit: int) -> None:
    assert command("cache", "--limit", size, "--json").document["limit"] == limit
    assert load_preferences(workspace).cache_limit == limit
    assert command("cache", "--json").document["limit"] == limit


@pytest.mark.parametrize("size", ["much", "", "3 apples", "GiB", "1e9", "30GiBs", "٣GiB", "1.GiB"])
def test_a_limit_that_is_no_size_is_refused(
    command: Command, workspace: Workspace, size: str
) -> None:
    answer = command("cache", "--limit", size)
    assert (answer.status, answer.out) == (2, "")
    sentence = f"--limit must be a size such as 30GiB, 500MB or a number of bytes, got {size!r}"
    assert answer.err == f"python -m core: {sentence}\n"
    assert not workspace.root.exists()


TINY = ["train_images=100", "test_images=50", "precision=float32", "epochs=2"]
SETTINGS = [word for setting in TINY for word in ("--set", setting)]


def test_an_estimate_is_told_to_programs_and_to_people(
    command: Command, workspace: Workspace, told_dry_runs: DryRun
) -> None:
    told = command("estimate", "cnn-digits", *SETTINGS, "--json")
    assert (told.status, told.err) == (0, "")
    document = told.document
    assert (document["recipe"], document["blocked"]) == ("cnn-digits", None)
    assert [(phase["epochs"], phase["steps"]) for phase in document["phases"]] == [(2, 2)]
    (costs,) = told_dry_runs.phases
    an_epoch = 2 * costs.step + 50 * costs.evaluation
    assert document["phases"][0]["seconds"] == an_epoch
    assert document["seconds"] == told_dry_runs.preparation + costs.first + 2 * an_epoch
    assert document["memory"] == costs.memory
    told = command("estimate", "cnn-digits", *SETTINGS)
    assert told.status == 0
    assert "\nphase  epochs  steps  seconds an epoch  " in told.out
    assert len(list(workspace.estimates.glob("*.json"))) == 1
    assert not workspace.runs.exists()


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["cnn-digit"], "there is no recipe 'cnn-digit'; did you mean cnn-digits?"),
        (["cnn-digits", "--set", "epochs=-1"], "epochs must be at least 1, got -1"),
        (
            ["cnn-digits", "--set", "side=512", "--set", "batch_size=65536"],
            "batch_size must be at most",
        ),
    ],
)
def test_what_cannot_be_is_refused(command: Command, words: list[str], sentence: str) -> None:
    answer = command("estimate", *words, "--json")
    assert (answer.status, answer.out) == (2, "")
    assert answer.err.startswith(f"python -m core: {sentence}")


EXPECTED = Estimate(
    created=datetime.now().astimezone(),
    machine=Machine(cores=2, memory=8 * GIB),
    precision="float32",
    train_images=600,
    validation_images=0,
    test_images=200,
    preparation=4.0,
    mapped=0,
    phases=(
        PhaseEstimate(
            epochs=1,
            batch_size=86,
            steps=7,
            evaluated=200,
            seconds=5.0,
            first=1.0,
            features_seconds=0.0,
            cache_bytes=0,
            not_kept=None,
            memory=2 * GIB,
            batch_memory=GIB,
        ),
    ),
)


def test_a_run_tells_how_far_off_its_estimate_was(command: Command, make_run: MakeRun) -> None:
    run = make_run(name="expected").write_state(peak_memory=3 * GIB)
    append_event(run.folder.metrics, {"event": "epoch", "epoch": 1, "complete": True, "seconds": 9})
    assert "estimate" not in command("show", "expected", "--json").document
    estimates.keep(EXPECTED, run)
    assert command("show", "expected", "--json").document["estimate"] == {
        "seconds": 10,
        "seconds_per_epoch": [{"estimated": 6, "measured": 9, "off": 0.5}],
        "memory": {"estimated": 2 * GIB, "measured": 3 * GIB, "off": 0.5},
    }
    assert command("show", "expected").status == 0


def test_a_run_that_waits_tells_only_what_is_expected(
    command: Command, runs: Runs, config: RunConfig
) -> None:
    estimates.keep(EXPECTED, runs.create(config, "waiting"))
    assert command("show", "waiting", "--json").document["estimate"] == {"seconds": 10}
