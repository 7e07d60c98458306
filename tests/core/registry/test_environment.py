from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from core.registry.environment import Environment, add_environment, read_environments
from core.registry.run import Run

MakeRun = Callable[..., Run]
MakeEnvironment = Callable[..., Environment]
LATER = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)


def test_of_a_run_from_before_environments_were_recorded_none_is_told(make_run: MakeRun) -> None:
    assert read_environments(make_run().folder) == ()


def test_what_was_written_down_is_read(
    make_run: MakeRun, make_environment: MakeEnvironment
) -> None:
    folder = make_run().folder
    add_environment(folder, make_environment(gpus=("NVIDIA H100",)))
    assert read_environments(folder) == (make_environment(gpus=("NVIDIA H100",)),)


def test_a_run_that_goes_on_where_it_began_has_one_environment(
    make_run: MakeRun, make_environment: MakeEnvironment
) -> None:
    folder = make_run().folder
    add_environment(folder, make_environment())
    add_environment(folder, make_environment(began=LATER))
    assert read_environments(folder) == (make_environment(),)


def test_a_run_that_goes_on_elsewhere_has_both_environments_in_order(
    make_run: MakeRun, make_environment: MakeEnvironment
) -> None:
    folder = make_run().folder
    first, then = make_environment(), make_environment(began=LATER, host="cluster-7", cores=64)
    add_environment(folder, first)
    add_environment(folder, then)
    assert read_environments(folder) == (first, then)


@pytest.mark.parametrize("content", ["", "no JSON", "[]", '{"environments": [{"host": 1}]}'])
def test_a_file_that_cannot_be_read_keeps_nobody_from_work(
    make_run: MakeRun, make_environment: MakeEnvironment, content: str
) -> None:
    folder = make_run().folder
    folder.environment.write_text(content)
    assert read_environments(folder) == ()
    add_environment(folder, make_environment())
    assert read_environments(folder) == (make_environment(),)
