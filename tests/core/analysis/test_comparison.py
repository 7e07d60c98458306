import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, confusion_matrix
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.proportion import proportion_confint

from core.analysis.comparison import OUTCOMES, Comparison, as_json, compare, verdict
from core.errors import DamagedFile, NotComparable
from core.registry.predictions import write_epoch, write_truth
from core.registry.run import Run
from core.registry.runs import Runs
from core.registry.settings import change

MakeRun = Callable[..., Run]

LABELS = [0, 1, 2, 3, 4, 5]
A = [0, 1, 2, 3, 9, 8]
"""Wrong on the last two."""
B = [0, 1, 7, 6, 4, 3]
"""Wrong on the last but one two, and on the last."""


@pytest.fixture
def small(make_run: MakeRun) -> Comparison:
    return compare(make_run(A, LABELS, name="A"), make_run(B, LABELS, name="B"))


def compared(make_run: MakeRun, only_a: int, only_b: int, both: int = 50) -> Comparison:
    """Two runs with so many images right; on five both are wrong."""
    labels = [0] * (both + only_a + only_b + 5)
    a = [0] * (both + only_a) + [1] * (only_b + 5)
    b = [0] * both + [1] * only_a + [0] * only_b + [1] * 5
    return compare(make_run(a, labels, name="A"), make_run(b, labels, name="B"))


def test_each_image_has_one_of_four_outcomes(small: Comparison) -> None:
    assert {outcome: small.positions(outcome).tolist() for outcome in OUTCOMES} == {
        "both_right": [0, 1],
        "only_a_right": [2, 3],
        "only_b_right": [4],
        "both_wrong": [5],
    }
    assert small.counts == {outcome: len(small.positions(outcome)) for outcome in OUTCOMES}
    assert small.total == sum(small.counts.values()) == 6


def test_images_that_both_take_wrongly_but_differently_are_disagreements_too(
    small: Comparison,
) -> None:
    assert small.disagreements().tolist() == [2, 3, 4, 5]


def test_the_numbers_are_those_of_scikit_learn_and_statsmodels(make_run: MakeRun) -> None:
    random = np.random.default_rng(0)
    labels = random.integers(0, 10, 300)
    guesses = [np.where(random.random(300) < share, labels, 3) for share in (0.9, 0.7)]
    found = compare(*(make_run(guess.tolist(), labels.tolist()) for guess in guesses))
    right = [guess == labels for guess in guesses]
    (both_wrong, only_b), (only_a, both_right) = confusion_matrix(*right).tolist()
    assert list(found.counts.values()) == [both_right, only_a, only_b, both_wrong]
    assert found.a.accuracy == accuracy_score(labels, guesses[0])
    assert found.b.accuracy == accuracy_score(labels, guesses[1])
    assert found.difference == pytest.approx(found.a.accuracy - found.b.accuracy)
    for interval, guess in zip((found.a.interval, found.b.interval), right, strict=True):
        assert interval == pytest.approx(proportion_confint(guess.sum(), 300, method="wilson"))
    expected = mcnemar([[both_right, only_a], [only_b, both_wrong]], exact=True).pvalue
    assert found.mcnemar_p == pytest.approx(expected)
    assert found.difference_interval[0] < found.difference < found.difference_interval[1]


def test_turning_a_and_b_round_turns_the_numbers_round(make_run: MakeRun) -> None:
    a, b = make_run(A, LABELS), make_run(B, LABELS)
    one, other = compare(a, b), compare(b, a)
    assert one.counts["only_a_right"] == other.counts["only_b_right"]
    assert one.difference == -other.difference
    assert one.mcnemar_p == other.mcnemar_p


def test_the_better_one_is_named_where_chance_does_not_explain_it(make_run: MakeRun) -> None:
    found = compared(make_run, only_a=12, only_b=2)
    assert found.better is found.a
    sentence = "A is better: 10 more images right out of 69; "
    assert verdict(found).startswith(sentence)
    # 2 (1 + 14 + 91) of 2^14 cases
    assert verdict(found).endswith("a difference this large by chance alone: 1 in 100.")


def test_a_tiny_chance_is_told_as_a_power_of_ten(make_run: MakeRun) -> None:
    found = compared(make_run, only_a=0, only_b=15)
    assert found.better is found.b
    # 2 of 2^15 cases, 1 in 16,384
    assert verdict(found).endswith("chance alone: less than 1 in 10,000.")


def test_without_significance_there_is_no_winner(make_run: MakeRun) -> None:
    found = compared(make_run, only_a=4, only_b=2)
    assert found.better is None
    assert verdict(found).startswith("No clear winner: A gets 2 more images right out of 61, but")


def test_one_image_is_told_in_the_singular(make_run: MakeRun) -> None:
    assert "B gets 1 more image right out of" in verdict(compared(make_run, only_a=0, only_b=1))


def test_equally_many_right_is_said_so(make_run: MakeRun) -> None:
    found = compared(make_run, only_a=3, only_b=3)
    assert verdict(found) == "A and B get equally many images right out of 61."


def test_the_same_images_right_is_said_so(make_run: MakeRun) -> None:
    found = compared(make_run, only_a=0, only_b=0)
    assert verdict(found).startswith("A and B are right and wrong on exactly the same images, 50")


def test_the_best_epochs_are_compared(make_run: MakeRun) -> None:
    found = compare(make_run(A, LABELS, B), make_run(B, LABELS, A))
    assert found.a.predictions.classes.tolist() == A
    assert found.b.predictions.classes.tolist() == B


def test_the_json_holds_the_agreed_keys_and_nothing_but_json(small: Comparison) -> None:
    content = as_json(small)
    assert json.loads(json.dumps(content, allow_nan=False)) == content
    assert set(content) == {
        "a",
        "b",
        "counts",
        "mcnemar_p",
        "difference",
        "difference_interval",
        "verdict",
    }
    assert set(content["a"]) == set(content["b"]) == {"run", "epoch", "accuracy", "interval"}
    assert tuple(content["counts"]) == OUTCOMES
    assert content["a"]["run"] == small.a.run.id


def test_a_run_is_not_compared_with_itself(make_run: MakeRun) -> None:
    run = make_run()
    with pytest.raises(NotComparable, match="cannot be compared with itself"):
        compare(run, run)


def test_two_epochs_of_one_run_are_compared(make_run: MakeRun) -> None:
    run = make_run(A, LABELS, B, name="A")
    found = compare(run, run, epoch_b=2)
    assert [side.predictions.classes.tolist() for side in found.sides] == [A, B]
    assert [side.name for side in found.sides] == ["A", "A, epoch 2"]


def test_an_epoch_that_was_not_kept_is_refused(make_run: MakeRun) -> None:
    with pytest.raises(NotComparable, match="epoch 3"):
        compare(make_run(), make_run(name="B"), epoch_b=3)


def test_networks_of_different_numbers_of_classes_are_refused(make_run: MakeRun) -> None:
    a, b = make_run(), make_run()
    write_epoch(b.folder.predictions, 1, np.full((4, 3), 1 / 3, np.float16))
    with pytest.raises(NotComparable, match="different numbers of classes apart, 10 and 3"):
        compare(a, b)


def test_runs_tested_on_different_numbers_of_images_are_refused(make_run: MakeRun) -> None:
    a = make_run([1, 2], [1, 2], name="A", fingerprint="two")
    b = make_run([1], [1], name="B", fingerprint="one")
    with pytest.raises(NotComparable, match="not tested on the same images: 2 against 1 of them"):
        compare(a, b)


def test_runs_tested_on_as_many_other_images_are_refused(make_run: MakeRun) -> None:
    with pytest.raises(NotComparable, match="though equally many: their pixels or labels differ"):
        compare(make_run(fingerprint="one"), make_run(fingerprint="other"))


def test_a_run_without_predictions_is_refused(runs: Runs, make_run: MakeRun) -> None:
    finished = make_run()
    waiting = runs.create(change(finished.config, {"epochs": 2}))
    for pair in ((finished, waiting), (waiting, finished)):
        with pytest.raises(NotComparable, match="has no predictions to compare"):
            compare(*pair)


def test_a_run_with_damaged_predictions_is_refused(make_run: MakeRun) -> None:
    a, b = make_run(), make_run()
    Path(b.folder.predictions / "epoch-1.npz").write_bytes(b"PK")
    with pytest.raises(DamagedFile, match=f"in {b.id} cannot be read"):
        compare(a, b)


def test_ten_thousand_images_that_only_one_gets_right_have_a_chance_that_is_still_told(
    make_run: MakeRun,
) -> None:
    a, b = make_run(), make_run()
    labels = np.zeros(10_000, np.int64)
    for run, wrong in ((a, 0), (b, 1)):
        write_truth(run.folder.predictions, labels, np.arange(10_000), "large")
        probabilities = np.zeros((10_000, 2), np.float16)
        probabilities[:, wrong] = 1
        write_epoch(run.folder.predictions, 1, probabilities)
    found = compare(a, b)
    assert found.mcnemar_p == 0
    assert "less than 1 in 10^300" in verdict(found)
