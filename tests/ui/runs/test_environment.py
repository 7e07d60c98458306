from collections.abc import Callable

from core.registry.environment import Environment, add_environment
from core.registry.run import Run
from ui.runs.environment import changes, facts, table_of_differences

MakeRun = Callable[..., Run]
MakeEnvironment = Callable[..., Environment]


def test_an_environment_is_told_in_words(make_environment: MakeEnvironment) -> None:
    assert facts(make_environment()) == {
        "Name": "workbench",
        "System": "Debian GNU/Linux 12 (bookworm), Linux 6.1.0 x86_64",
        "Processor": "AMD EPYC 9354, 2 cores",
        "Memory": "16.0 GiB",
        "Graphics": "no graphics processor",
        "Python": "3.11.7",
        "TensorFlow": "2.21.0",
        "Keras": "3.15.1",
        "Transfer Lab": "0.8.0, commit 0123456789ab",
    }


def test_code_that_was_changed_is_told_as_such(make_environment: MakeEnvironment) -> None:
    told = facts(make_environment(revision="0123456789ab-dirty"))
    assert told["Transfer Lab"] == "0.8.0, commit 0123456789ab, with changes"
    assert facts(make_environment(revision=""))["Transfer Lab"] == "0.8.0"


def test_where_nobody_shall_know_whose_machine_it_was_it_has_no_name(
    make_environment: MakeEnvironment,
) -> None:
    assert "Name" not in facts(make_environment(host=""))


def test_only_what_changed_is_told_of_a_run_that_went_on_elsewhere(
    make_environment: MakeEnvironment,
) -> None:
    later = make_environment(cores=64, gpus=("NVIDIA H100",))
    assert changes(make_environment(), later) == {
        "Processor": "AMD EPYC 9354, 64 cores",
        "Graphics": "NVIDIA H100",
    }


def test_only_what_differs_between_runs_is_listed(
    make_run: MakeRun, make_environment: MakeEnvironment
) -> None:
    runs = [make_run(name="a"), make_run(name="b")]
    for run, python in zip(runs, ("3.11.7", "3.12.1"), strict=True):
        add_environment(run.folder, make_environment(python=python))
    table = table_of_differences(runs)
    assert table.to_dict("index") == {"Python": {"a": "3.11.7", "b": "3.12.1"}}


def test_beside_a_run_whose_environment_is_known_that_of_another_is_not_recorded(
    make_run: MakeRun, make_environment: MakeEnvironment
) -> None:
    runs = [make_run(name="a"), make_run(name="b")]
    add_environment(runs[0].folder, make_environment())
    table = table_of_differences(runs)
    assert list(table.index) == list(facts(make_environment()))
    assert set(table["b"]) == {"not recorded"}


def test_runs_of_which_nothing_was_recorded_differ_in_nothing_known(make_run: MakeRun) -> None:
    assert table_of_differences([make_run(name="a"), make_run(name="b")]).empty
