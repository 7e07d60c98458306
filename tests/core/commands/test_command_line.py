import csv
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from core.commands.command_line import main
from core.data.catalogue import DATASETS
from core.network.architectures import ARCHITECTURES
from core.registry.environment import Environment, add_environment
from core.registry.recipes import RECIPES
from core.registry.runs import Runs
from core.registry.settings import change
from core.training.metrics import read_events
from core.version import VERSION
from core.workspace import ENVIRONMENT_VARIABLE, PROJECT, Workspace
from tests.conftest import STAND_IN

MakeRun = Callable[..., Any]
Eventually = Callable[[Callable[[], Any]], Any]
Command = Callable[..., Any]
TINY = ("train_images=200", "test_images=100", "precision=float32")


def settings(*assignments: str) -> list[str]:
    return [word for assignment in assignments for word in ("--set", assignment)]


@pytest.mark.parametrize(
    ("name", "key", "expected"),
    [
        ("recipes", "recipe", RECIPES),
        ("architectures", "architecture", ARCHITECTURES),
        ("datasets", "dataset", DATASETS),
    ],
)
def test_what_there_is_is_listed(
    command: Command, name: str, key: str, expected: Sequence[str]
) -> None:
    answer = command(name, "--json")
    assert (answer.status, answer.err) == (0, "")
    assert [row[key] for row in answer.document[name]] == list(expected)


def test_a_recipe_is_listed_with_its_whole_configuration(command: Command) -> None:
    listed = {row["recipe"]: row for row in command("recipes", "--json").document["recipes"]}
    for name, recipe in RECIPES.items():
        assert listed[name]["config"] == recipe.config.model_dump(mode="json")


def test_a_reader_that_has_enough_ends_a_command_quietly() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    command = [sys.executable, "-m", "core", "recipes", "--json"]
    with os.fdopen(writing, "wb") as nobody:
        done = subprocess.run(
            command, cwd=PROJECT, stdout=nobody, stderr=subprocess.PIPE, check=False
        )
    assert (done.returncode, done.stderr) == (0, b"")


def test_without_json_a_command_speaks_to_a_person(command: Command) -> None:
    answer = command("recipes")
    assert answer.status == 0
    assert answer.out.startswith("recipe ")
    assert "cnn-digits" in answer.out


def test_an_empty_workspace_has_no_runs_and_stays_empty(
    command: Command, workspace: Workspace
) -> None:
    assert command("runs", "--json").document == {"runs": [], "damaged": []}
    assert not workspace.root.exists()


NOBODY = "there is no run 'nobody'; `runs` lists those there are"
TRAIN = ["train", "cnn-digits"]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["train", "cnn-digit"], "there is no recipe 'cnn-digit'; did you mean cnn-digits?"),
        ([*TRAIN, "--set", "epochs=-1"], "epochs must be at least 1, got -1"),
        ([*TRAIN, "--set", "epochs=two"], 'epochs must be a whole number, got "two"'),
        ([*TRAIN, "--set", "epoch=1"], "there is no setting 'epoch'; did you mean epochs?"),
        ([*TRAIN, "--set", "epochs"], "a setting must be written key=value, got 'epochs'"),
        ([*TRAIN, "--name", " "], "name must have 1 to 80 printable characters, got ' '"),
        (["show", "nobody"], NOBODY),
        (["stop", "nobody"], NOBODY),
        (["delete", "nobody"], NOBODY),
        (["evaluate", "nobody"], NOBODY),
        (["compare", "nobody", "none"], NOBODY),
        (["predict", "nobody", "x.png"], NOBODY),
        (["resume", "nobody"], NOBODY),
        (["edit", "nobody", "--note", "x"], NOBODY),
        (["queue", "--first", "nobody"], NOBODY),
        (["edit", "nobody"], "edit needs something to change: --name, --tags or --note"),
        (["queue", "--at-once", "0"], "at_once must be at least 1, got 0"),
        ([*TRAIN, "--note", "x" * 10_001], "a note may have at most 10,000 characters, got 10,001"),
        (["delete", "../runs"], "there is no run '../runs'; `runs` lists those there are"),
    ],
)
def test_a_wrong_request_is_refused_in_a_sentence(
    command: Command, words: list[str], sentence: str
) -> None:
    answer = command(*words, "--json")
    assert (answer.status, answer.out) == (2, "")
    assert answer.err == f"python -m core: {sentence}\n"


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["dance"],
        ["train"],
        ["evaluate", "run", "--split", "all"],
        ["predict", "run"],
        ["resume", "run", "--more-epochs", "two"],
        ["queue", "--pause", "--go-on"],
        ["evaluate", "run", "--epoch", "best"],
    ],
)
def test_words_that_are_no_command_are_refused_with_the_usage(
    command: Command, words: list[str]
) -> None:
    answer = command(*words)
    assert (answer.status, answer.out) == (2, "")
    assert answer.err.startswith("usage: ")
    assert "Traceback" not in answer.err


def test_a_refused_request_leaves_no_run(command: Command, workspace: Workspace) -> None:
    command("train", "cnn-digits", *settings("epochs=-1"))
    assert not workspace.runs.exists()


def test_a_workspace_that_cannot_be_is_told_without_a_traceback(
    command: Command, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("in the way")
    for words in (["train", "cnn-digits"], ["runs"], ["show", "cnn"]):
        answer = command(*words, of=Workspace(tmp_path / "file"))
        assert (answer.status, answer.out) == (2, "")
        sentence = f"--workspace must be a folder, got {tmp_path / 'file'}"
        assert answer.err == f"python -m core: {sentence}\n"


def test_a_run_without_predictions_cannot_be_compared(
    command: Command, make_run: MakeRun, runs: Runs
) -> None:
    finished, waiting = make_run(name="finished"), runs.create(make_run().config, "waiting")
    answer = command("compare", finished.name, waiting.id, "--json")
    assert (answer.status, answer.out) == (2, "")
    assert "'waiting' (queued) has no predictions to compare" in answer.err


def test_runs_tested_on_other_images_cannot_be_compared(
    command: Command, make_run: MakeRun
) -> None:
    a, b = make_run(name="a"), make_run(name="b", fingerprint="others")
    answer = command("compare", a.name, b.name, "--json")
    assert (answer.status, answer.out) == (2, "")
    assert answer.err.startswith("python -m core: ")


def test_a_damaged_run_is_told_and_listed_beside_the_others(
    command: Command, make_run: MakeRun
) -> None:
    whole, damaged = make_run(name="whole"), make_run(name="damaged")
    damaged.folder.state.write_text('{"status": ')
    shown = command("show", damaged.id, "--json")
    assert (shown.status, shown.out) == (1, "")
    assert "state.json cannot be read" in shown.err
    listed = command("runs", "--json").document
    assert [run["run"] for run in listed["runs"]] == [whole.id]
    assert [run["damaged"] for run in listed["damaged"]] == [damaged.id]


def test_a_damaged_run_can_be_deleted(
    command: Command, make_run: MakeRun, workspace: Workspace
) -> None:
    run = make_run()
    run.folder.state.write_text("")
    assert command("delete", run.id, "--json").document == {"deleted": run.id}
    assert list(workspace.runs.iterdir()) == []


def test_a_finished_run_cannot_be_stopped(command: Command, make_run: MakeRun) -> None:
    answer = command("stop", make_run(name="over").name, "--json")
    assert (answer.status, answer.out) == (2, "")
    assert "the run 'over' is finished" in answer.err


def test_a_waiting_run_is_stopped(command: Command, make_run: MakeRun, runs: Runs) -> None:
    run = runs.create(make_run().config, "waiting")
    answer = command("stop", "waiting", "--json")
    assert answer.status == 0
    assert answer.document["status"] == runs.again(run).status == "stopped"


def test_a_run_is_renamed_tagged_and_noted(command: Command, make_run: MakeRun) -> None:
    run = make_run(name="first")
    words = ("--name", "better", "--tags", "to show, best,,", "--note", " Why? ")
    answer = command("edit", "first", *words, "--json")
    assert (answer.status, answer.err) == (0, "")
    told = {key: answer.document[key] for key in ("run", "name", "tags", "note")}
    expected = {"run": run.id, "name": "better", "tags": ["to show", "best"], "note": "Why?"}
    assert told == expected
    answer = command("edit", "better", "--tags", "", "--json")
    assert (answer.document["tags"], answer.document["note"]) == ([], "Why?")


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("--name", "taken"), "there is a run named 'taken' already; choose another name"),
        (("--tags", "x" * 31), "a tag must have 1 to 30 printable characters and no comma, got"),
    ],
)
def test_what_a_run_may_not_be_called_is_refused(
    command: Command, make_run: MakeRun, words: tuple[str, str], sentence: str
) -> None:
    make_run(name="taken"), make_run(name="mine")
    answer = command("edit", "mine", *words, "--json")
    assert (answer.status, answer.out) == (2, "")
    assert answer.err.startswith(f"python -m core: {sentence}")
    assert command("show", "mine").status == 0


def test_the_queue_is_shown_paused_and_put_in_another_order(
    command: Command, runs: Runs, make_run: MakeRun
) -> None:
    paused = command("queue", "--pause", "--json")
    assert (paused.status, paused.err) == (0, "")
    assert paused.document == {"paused": True, "at_once": 1, "training": [], "waiting": []}
    config = make_run().config
    for name in "abc":
        runs.create(config, name)
    moved = command("queue", "--first", "c", "--at-once", "2", "--json").document
    assert (moved["paused"], moved["at_once"]) == (True, 2)
    assert [run["name"] for run in moved["waiting"]] == ["c", "a", "b"]
    assert {run["status"] for run in moved["waiting"]} == {"queued"}
    refused = command("queue", "--first", make_run(name="over").name, "--json")
    assert (refused.status, refused.out) == (2, "")
    assert "the run 'over' is finished; only a run that is queued can be moved" in refused.err
    assert command("queue").status == 0


@pytest.fixture
def quick_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Workers that train in no time, real but for the training itself."""
    monkeypatch.setenv("PYTHONPATH", str(STAND_IN))
    monkeypatch.setenv("STAND_IN_STEP", "0.02")


@pytest.mark.usefixtures("quick_workers")
def test_a_paused_queue_waits_until_it_may_go_on(
    command: Command, runs: Runs, eventually: Eventually
) -> None:
    command("queue", "--pause")
    words = ["train", "cnn-digits", *settings(*TINY), "--note", "Why?", "--detach", "--json"]
    trained = command(*words).document
    assert (trained["status"], trained["note"]) == ("queued", "Why?")
    assert command("queue", "--go-on", "--json").document["paused"] is False
    run = runs.find(trained["run"])
    eventually(lambda: runs.again(run).status == "finished")


def test_training_warns_of_variations_that_make_wrong_labels(command: Command) -> None:
    command("queue", "--pause")
    varied = settings(*TINY, "vertical_flip=true", "rotation=90")
    answer = command("train", "cnn-digits", *varied, "--detach", "--json")
    assert (answer.status, answer.document["status"]) == (0, "queued")
    lines = answer.err.splitlines()
    assert [line.partition(":")[0] for line in lines] == ["python -m core"] * 2
    assert "a digit upside down is a wrong digit" in lines[0]
    assert "a 6 turned by 180 degrees is a 9" in lines[1]


@pytest.mark.usefixtures("quick_workers")
def test_a_finished_run_is_trained_for_more_epochs(command: Command, runs: Runs) -> None:
    command("train", "cnn-digits", *settings(*TINY), "--name", "mine", "--json")
    refused = command("resume", "mine", "--json")
    assert (refused.status, refused.out) == (2, "")
    assert "the run 'mine' is finished; say how many more epochs" in refused.err
    answer = command("resume", "mine", "--more-epochs", "2", "--json")
    assert answer.status == 0
    document = answer.document
    assert (document["status"], document["epochs"]) == ("finished", 3)
    assert document["config"]["epochs"] == 3
    assert "epoch 1:" not in answer.err
    assert "epoch 3: 100%" in answer.err


@pytest.mark.usefixtures("quick_workers")
def test_a_stopped_run_is_resumed_and_a_waiting_one_is_not(
    command: Command, runs: Runs, eventually: Eventually
) -> None:
    command("queue", "--pause")
    command("train", "cnn-digits", *settings(*TINY), "--name", "mine", "--detach")
    refused = command("resume", "mine", "--json")
    assert (refused.status, refused.out) == (2, "")
    assert "the run 'mine' waits to be trained already" in refused.err
    command("stop", "mine")
    resumed = command("resume", "mine", "--detach", "--json")
    assert (resumed.status, resumed.document["status"]) == (0, "queued")
    command("queue", "--go-on")
    eventually(lambda: runs.find("mine").status == "finished")


def test_compare_counts_as_the_runs_predicted(command: Command, make_run: MakeRun) -> None:
    make_run([7, 2, 1, 9], [7, 2, 1, 0], name="a")
    make_run([7, 3, 4, 9], [7, 2, 1, 0], name="b")
    answer = command("compare", "a", "b", "--json")
    assert answer.status == 0
    document = answer.document
    assert document["counts"] == {
        "both_right": 1, "only_a_right": 2, "only_b_right": 0, "both_wrong": 1,
    }  # fmt: skip
    assert (document["a"]["accuracy"], document["b"]["accuracy"]) == (0.75, 0.25)
    assert document["mcnemar_p"] == 0.5
    assert {"difference", "difference_interval", "verdict"} <= set(document)


def test_compare_takes_the_epochs_asked_for(command: Command, make_run: MakeRun) -> None:
    make_run([7, 2, 1, 9], [7, 2, 1, 0], [7, 2, 1, 0], name="a")
    answer = command("compare", "a", "a", "--epoch-b", "2", "--json")
    document = answer.document
    assert (document["a"]["epoch"], document["b"]["epoch"]) == (1, 2)
    assert document["counts"]["only_b_right"] == 1


def test_compare_ranks_more_than_two_runs(command: Command, make_run: MakeRun) -> None:
    labels = [0] * 20
    make_run([1] * 20, labels, name="worst")
    make_run(labels, labels, name="best")
    make_run([0] * 19 + [1], labels, name="good")
    make_run(name="elsewhere", fingerprint="others")
    answer = command("compare", "worst", "best", "good", "elsewhere", "--json")
    assert answer.status == 0
    document = answer.document
    assert [row["name"] for row in document["ranking"]] == ["best", "good", "worst"]
    assert len(document["pairs"]) == 3
    assert "other images" in document["left_out"][0]["reason"]
    words = command("compare", "worst", "best", "good").out
    assert "best" in words and "holm_p" in words


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["a", "b", "--epoch-a", "0"], "--epoch-a must be at least 1, got 0"),
        (["a", "b", "--epoch-b", "7"], "has no predictions of epoch 7"),
        (["a", "b", "c", "--epoch-b", "1"], "--epoch-b goes with two runs, got 3"),
        (["a", "b", "c", "--export", "x"], "--export goes with two runs, got 3"),
    ],
)
def test_what_does_not_fit_a_comparison_is_refused(
    command: Command, make_run: MakeRun, words: list[str], sentence: str
) -> None:
    for name in "abc":
        make_run(name=name)
    answer = command("compare", *words, "--json")
    assert (answer.status, answer.out) == (2, "")
    assert sentence in answer.err


def test_compare_exports_pictures_and_tables(
    command: Command, make_run: MakeRun, tmp_path: Path
) -> None:
    make_run([7, 2, 1, 9], [7, 2, 1, 0], name="a")
    make_run([7, 3, 1, 9], [7, 2, 1, 0], name="b")
    answer = command("compare", "a", "b", "--export", tmp_path / "out", "--json")
    assert answer.document["exported"] == {"folder": str(tmp_path / "out"), "images": 1}
    assert [path.name for path in (tmp_path / "out" / "disagreements").iterdir()] == ["1_2_2_3.png"]
    with (tmp_path / "out" / "b.csv").open() as file:
        assert [row["Label"] for row in csv.DictReader(file)] == ["7", "3", "1", "9"]


def test_an_export_into_a_file_is_refused(
    command: Command, make_run: MakeRun, tmp_path: Path
) -> None:
    make_run(name="a"), make_run(name="b")
    (tmp_path / "file").write_text("in the way")
    answer = command("compare", "a", "b", "--export", tmp_path / "file", "--json")
    assert (answer.status, answer.out) == (2, "")
    assert "--export must be a folder that can be written" in answer.err


def test_show_tells_what_others_rely_on(command: Command, trained_workspace: Workspace) -> None:
    answer = command("show", "cnn", "--json", of=trained_workspace)
    assert (answer.status, answer.err) == (0, "")
    run = Runs(trained_workspace).find("cnn")
    document = answer.document
    assert (document["run"], document["name"]) == (run.id, "cnn")
    assert (document["status"], document["recipe"]) == ("finished", "cnn-digits")
    assert document["epochs"] == 1
    assert document["seconds"] > 0
    assert document["metrics"] == run.state.metrics
    assert document["parameters"] == {"total": 887_530, "trainable": 887_530}
    assert document["config"] == run.config.model_dump(mode="json")


@pytest.mark.parametrize("name", ["cnn", "vgg16"])
def test_evaluate_finds_again_what_training_measured(
    command: Command, trained_workspace: Workspace, name: str
) -> None:
    answer = command("evaluate", name, "--json", of=trained_workspace)
    run = Runs(trained_workspace).find(name)
    assert answer.status == 0
    assert answer.document["images"] == run.config.data.test_images
    for metric, value in answer.document["metrics"].items():
        assert value == pytest.approx(run.state.metrics[f"test_{metric}"], rel=1e-3, abs=1e-3)


def test_evaluate_measures_the_split_that_is_asked_for(
    command: Command, trained_workspace: Workspace
) -> None:
    answer = command("evaluate", "cnn", "--split", "train", "--json", of=trained_workspace)
    assert (answer.document["split"], answer.document["images"]) == ("train", 600)


@pytest.mark.parametrize("words", [["evaluate", "cnn"], ["predict", "cnn", "x.png"]])
def test_an_epoch_whose_weights_were_not_kept_is_refused(
    command: Command, trained_workspace: Workspace, words: list[str]
) -> None:
    answer = command(*words, "--epoch", "7", "--json", of=trained_workspace)
    assert (answer.status, answer.out) == (2, "")
    sentence = "epoch must be one whose weights the run 'cnn' kept (1), got 7"
    assert answer.err == f"python -m core: {sentence}\n"


def test_an_epoch_whose_weights_were_kept_is_evaluated(
    command: Command, trained_workspace: Workspace
) -> None:
    answer = command("evaluate", "cnn", "--epoch", "1", "--json", of=trained_workspace)
    assert (answer.status, answer.document["epoch"]) == (0, 1)
    best = command("evaluate", "cnn", "--json", of=trained_workspace)
    assert answer.document == best.document


def test_a_run_without_weights_cannot_be_evaluated(command: Command, make_run: MakeRun) -> None:
    answer = command("evaluate", make_run(name="a").name, "--json")
    assert (answer.status, answer.out) == (2, "")
    assert "has no trained weights" in answer.err


def test_what_keras_prints_while_it_downloads_stays_off_standard_output(
    command: Command, runs: Runs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}/vgg16.h5"
    monkeypatch.setattr("keras.src.applications.vgg16.WEIGHTS_PATH_NO_TOP", url)
    monkeypatch.setattr("keras.src.backend.config._KERAS_DIR", str(tmp_path))
    base = RECIPES["vgg16-digits"].config
    run = runs.create(change(base, {"weights": "keras", "side": 32, "test_images": 10}))
    run = run.write_state(status="finished", best_epoch=1, precision="float32")
    run.folder.model.mkdir()
    run.folder.weights(1).touch()
    answer = command("evaluate", run.id, "--json")
    assert (answer.status, answer.out) == (1, "")
    assert "Downloading data from" in answer.err
    assert "Keras could not download the ImageNet weights of vgg16" in answer.err


@pytest.mark.usefixtures("quick_workers")
def test_detached_training_is_told_at_once(
    command: Command, runs: Runs, eventually: Eventually
) -> None:
    answer = command("train", "cnn-digits", *settings(*TINY), "--detach", "--json")
    assert answer.status == 0
    document = answer.document
    assert (document["status"], document["epochs"], document["metrics"]) == ("queued", 0, {})
    command("stop", document["run"])
    eventually(lambda: runs.find(document["run"]).status in ("stopped", "finished"))


@pytest.mark.usefixtures("quick_workers")
def test_training_shows_its_progress_beside_the_document(
    command: Command, workspace: Workspace
) -> None:
    answer = command("train", "cnn-digits", *settings(*TINY), "--name", "mine", "--json")
    assert answer.status == 0
    document = answer.document
    assert (document["name"], document["status"], document["epochs"]) == ("mine", "finished", 1)
    assert {"test_accuracy", "test_loss", "val_accuracy"} <= set(document["metrics"])
    assert "epoch 1: 100%" in answer.err


def test_training_that_fails_says_why(command: Command) -> None:
    hasty = ("learning_rate=10", "optimizer=sgd", "schedule=constant", "epochs=3", "side=28")
    answer = command("train", "cnn-digits", *settings(*TINY, *hasty), "--json")
    assert answer.status == 1
    assert answer.document["status"] == "failed"
    error = answer.document["error"]
    assert error["kind"] == "diverged"
    assert error["sentence"].startswith("The loss is no longer a number at step ")
    assert error["advice"]


def test_training_that_could_only_fail_is_not_begun(command: Command) -> None:
    answer = command("train", "vgg16-digits", *settings("weights=/no/such.h5"))
    assert answer.status == 2
    assert "network.weights must be one of" in answer.err
    assert command("runs", "--json").document["runs"] == []


@pytest.mark.skipif(os.name == "nt", reason="SIGINT is POSIX")
@pytest.mark.usefixtures("quick_workers")
def test_an_interrupt_stops_the_run_and_keeps_what_was_learned(
    workspace: Workspace, eventually: Eventually
) -> None:
    words = ["train", "cnn-digits", *settings(*TINY, "epochs=10000"), "--name", "long", "--json"]
    process = subprocess.Popen(
        [sys.executable, "-m", "core", *words],
        cwd=PROJECT,
        env=os.environ | {ENVIRONMENT_VARIABLE: str(workspace.root)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # A test that runs in the background of a shell was told to ignore interrupts.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    runs = Runs(workspace)
    (run,) = eventually(runs.all)
    eventually(
        lambda: any(event["event"] == "epoch" for event in read_events(run.folder.metrics)[0])
    )
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=120)
    document = json.loads(out)
    assert process.returncode == 0
    assert (document["name"], document["status"]) == ("long", "stopped")
    assert 1 <= document["epochs"] < 10_000
    assert document["metrics"]
    assert "Traceback" not in err
    assert runs.again(run).has_results


def test_show_tells_what_a_run_was_trained_on_and_how_to_train_it_again(
    command: Command, make_run: MakeRun, make_environment: Callable[..., Environment]
) -> None:
    run = make_run(name="mine")
    assert command("show", "mine", "--json").document["environment"] is None
    first, then = make_environment(host="desk"), make_environment(host="cluster-7")
    for environment in (first, then):
        add_environment(run.folder, environment)
    shown = command("show", "mine", "--json").document
    assert shown["environment"]["host"] == "cluster-7"
    assert [before["host"] for before in shown["environments_before"].values()] == ["desk"]
    assert shown["command"] == "python -m core train cnn-digits"
    assert "cluster-7" in command("show", "mine").out


def test_the_version_is_told(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--version"])
    assert ended.value.code == 0
    assert capfd.readouterr().out == f"Transfer Lab {VERSION}\n"
