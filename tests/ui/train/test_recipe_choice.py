"""What is told of a recipe before it is chosen."""

from core.registry.recipes import RECIPES
from core.registry.run import Run
from core.registry.runs import Runs
from core.registry.settings import change
from ui.train.recipe_choice import reached

CNN = RECIPES["cnn-digits"]


def finished(runs: Runs, accuracy: float, **changes: object) -> Run:
    run = runs.create(change(CNN.config, changes))
    metrics = {"test_accuracy": accuracy, "val_accuracy": accuracy}
    return run.write_state(status="finished", best_epoch=1, seconds=65.0, metrics=metrics)


def test_a_recipe_that_was_not_trained_tells_what_its_source_reports(runs: Runs) -> None:
    assert reached(CNN, runs.all()).startswith("Not trained here yet; its source reports 98.95 %")


def test_the_best_run_of_the_recipe_as_it_stands_tells_what_it_reaches_and_takes(
    runs: Runs,
) -> None:
    finished(runs, 0.98)
    finished(runs, 0.99)
    finished(runs, 0.999, epochs=30)
    assert reached(CNN, runs.all()).startswith(
        "Here it got **99.00 %** of the test images right, after **1 min 05 s**"
    )
