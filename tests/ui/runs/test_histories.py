from core.registry.config import RunConfig
from core.registry.run import Run
from core.registry.runs import Runs
from core.training.metrics import append_event
from ui.runs.histories import history_of


def tell(run: Run, loss: float) -> None:
    place = {"epoch": 1, "batch": 1, "batches": 9, "step": 1}
    append_event(run.folder.metrics, {"event": "batch", **place, "loss": loss})


def losses(run: Run) -> list[float]:
    with history_of(run) as history:
        return history.batch_line("loss")[1].tolist()  # type: ignore[no-any-return]


def test_a_history_is_shared_and_read_on(runs: Runs, config: RunConfig) -> None:
    run = runs.create(config)
    tell(run, 3.0)
    with history_of(run) as first:
        pass
    tell(run, 2.0)
    assert losses(runs.again(run)) == [3.0, 2.0]
    with history_of(run) as second:
        assert second is first


def test_a_run_that_was_put_in_anothers_place_shows_its_own(runs: Runs, config: RunConfig) -> None:
    run = runs.create(config)
    tell(run, 3.0)
    assert losses(run) == [3.0]
    run.folder.metrics.unlink()
    assert losses(run) == []
    tell(run, 7.0)
    tell(run, 8.0)
    assert losses(run) == [7.0, 8.0]
