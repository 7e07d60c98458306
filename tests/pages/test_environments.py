"""What runs were trained on and with, on Runs and on Compare."""

from collections.abc import Callable

import pytest
from streamlit.testing.v1 import AppTest

from core.registry.environment import Environment, add_environment
from core.registry.run import Run

OpenPage = Callable[..., AppTest]
MakeTrained = Callable[..., Run]
MakeEnvironment = Callable[..., Environment]


@pytest.fixture
def two(make_trained: MakeTrained) -> tuple[Run, Run]:
    return make_trained("small", {14: 0}), make_trained("large", {10: 3}, recipe="vgg16-digits")


def unfolded(at: AppTest, key: str) -> AppTest:
    at.session_state[key] = True
    at.run()
    assert not at.exception
    return at


def environment_of(open_page: OpenPage, run: Run) -> AppTest:
    """Runs with one run chosen and its environment unfolded."""
    return unfolded(open_page("pages/3_Runs.py", run=run.id), f"environment_{run.id}")


def written(at: AppTest) -> str:
    """All HTML and captions."""
    html = [element.proto.body for element in at.get("html")]
    return "\n".join([*html, *(caption.value for caption in at.caption)])


def table(at: AppTest, row: str) -> dict[str, str]:
    """A row of the one table that has it, by the names of runs."""
    (found,) = [shown.value for shown in at.dataframe if row in shown.value.index]
    return {str(name): str(value) for name, value in found.loc[row].items()}


def test_a_run_tells_what_it_was_trained_on_and_how_to_train_it_again(
    open_page: OpenPage, two: tuple[Run, Run], make_environment: MakeEnvironment
) -> None:
    run = two[0]
    add_environment(run.folder, make_environment(host="<b>desk</b>"))
    at = environment_of(open_page, run)
    assert "&lt;b&gt;desk&lt;/b&gt;" in written(at)
    assert "AMD EPYC 9354, 2 cores" in written(at)
    assert "python -m core train cnn-digits --set data.test_images=40" in [
        code.value for code in at.code
    ]


def test_a_run_that_went_on_elsewhere_tells_both(
    open_page: OpenPage, two: tuple[Run, Run], make_environment: MakeEnvironment
) -> None:
    run = two[0]
    for host in ("desk", "cluster-7"):
        add_environment(run.folder, make_environment(host=host))
    told = written(environment_of(open_page, run))
    assert "desk" in told
    assert "cluster-7" in told
    assert "it trained in another environment" in told


def test_of_a_run_from_before_it_is_said_that_nothing_was_recorded(
    open_page: OpenPage, two: tuple[Run, Run]
) -> None:
    assert "were not recorded" in written(environment_of(open_page, two[0]))


def test_compare_lists_in_what_settings_and_environments_differ(
    open_page: OpenPage, two: tuple[Run, Run], make_environment: MakeEnvironment
) -> None:
    for run, python in zip(two, ("3.11.7", "3.12.1"), strict=True):
        add_environment(run.folder, make_environment(python=python))
    at = open_page("pages/4_Compare.py", a=two[0].id, b=two[1].id)
    unfolded(at, "how_they_were_made")
    assert table(at, "Architecture") == {"small": "CNN", "large": "VGG16"}
    assert table(at, "Python") == {"small": "3.11.7", "large": "3.12.1"}


def test_runs_laid_over_each_other_say_so_where_nothing_was_recorded(
    open_page: OpenPage, two: tuple[Run, Run]
) -> None:
    at = open_page("pages/3_Runs.py", run=[run.id for run in two])
    assert not at.exception
    assert "Not recorded: they were trained before environments were." in written(at)
