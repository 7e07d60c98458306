"""A run's network to take along, on Runs."""

from collections.abc import Callable, Iterator

import pytest
from streamlit.testing.v1 import AppTest

from core.registry.run import Run
from core.registry.runs import Runs

OpenPage = Callable[..., AppTest]
Eventually = Callable[[Callable[[], object]], object]


def unfolded(open_page: OpenPage, run: Run) -> AppTest:
    """Runs with one run chosen and what takes its network along unfolded."""
    at = open_page("pages/3_Runs.py", run=run.id)
    at.session_state[f"elsewhere_{run.id}"] = True
    at.run()
    assert not at.exception
    return at


def test_a_network_is_written_when_asked_and_offered_under_the_runs_name(
    open_page: OpenPage, trained: Runs, eventually: Eventually
) -> None:
    run = trained.find("its twin <b>*")
    at = unfolded(open_page, run)
    assert any('load_model("its-twin-b.keras")' in code.value for code in at.code)
    assert not at.get("download_button")
    at.button(key=f"export_{run.id}").click().run()
    eventually(lambda: at.run().get("download_button"))
    (offered,) = at.get("download_button")
    assert offered.proto.label.replace("\\", "").startswith("its-twin-b.keras, ")
    assert not at.exception


@pytest.fixture
def broken(trained: Runs) -> Iterator[Run]:
    """A run whose weights cannot be read."""
    run = trained.create(trained.find("little").config, "broken")
    run.folder.model.mkdir()
    run.folder.weights(1).write_bytes(b"no weights")
    run = run.write_state(status="finished", epochs_done=1, best_epoch=1)
    yield run
    trained.delete(run)


def test_a_network_that_cannot_be_loaded_is_a_sentence_and_can_be_asked_for_again(
    open_page: OpenPage, broken: Run, eventually: Eventually
) -> None:
    at = unfolded(open_page, broken)
    at.button(key=f"export_{broken.id}").click().run()
    eventually(lambda: at.error or at.run().error)
    assert "of the run 'broken' cannot be read" in at.error[0].value
    assert at.run().button(key=f"export_{broken.id}")


def test_a_run_without_weights_has_nothing_to_take_along(
    open_page: OpenPage, make_trained: Callable[..., Run]
) -> None:
    at = unfolded(open_page, make_trained("small", {14: 0}))
    assert not any("keras" in code.value for code in at.code)
