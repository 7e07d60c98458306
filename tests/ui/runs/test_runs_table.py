"""The table of runs where there are many."""

from core.registry.config import RunConfig
from core.registry.runs import Runs
from ui.runs.runs_table import first_of


def test_of_many_runs_the_first_are_listed_and_those_that_are_chosen(
    runs: Runs, config: RunConfig
) -> None:
    a, b, c, d = (runs.create(config) for _ in range(4))
    assert first_of([a, b, c, d], {a.id, d.id}, most=2) == (a, b, d)
    assert first_of([a, b], {a.id}, most=2) == (a, b)
