import json
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest
from sklearn.metrics import log_loss
from statsmodels.stats.multitest import multipletests

from core.analysis.comparison import compare
from core.analysis.ranking import (
    Contestant,
    Ranking,
    as_json,
    holm,
    mcnemar_ps,
    rank,
    rank_runs,
    verdict,
)
from core.errors import NotComparable
from core.registry.predictions import read_predictions
from core.registry.run import Run
from core.registry.runs import Runs

MakeRun = Callable[..., Run]

LABELS = [0] * 60


def guessed(right: int, first: int = 0) -> list[int]:
    """Answers of which so many in a row, from `first` on, are right."""
    return [0 if first <= place < first + right else 1 for place in range(len(LABELS))]


@pytest.fixture
def ranking(make_run: MakeRun) -> Ranking:
    """Right on 40, 60, 55 and 40 of 60 images."""
    return rank_runs(
        [
            make_run(guessed(40), LABELS, name="poor"),
            make_run(guessed(60), LABELS, name="best"),
            make_run(guessed(55), LABELS, name="good"),
            make_run(guessed(40, 20), LABELS, name="as poor"),
        ]
    )


@pytest.mark.usefixtures("little_to_collect")
@given(st.lists(st.floats(0, 1), min_size=1, max_size=60))
def test_holm_agrees_with_statsmodels(p: list[float]) -> None:
    assert holm(p) == pytest.approx(multipletests(p, method="holm")[1], abs=1e-15)


def test_holm_by_hand() -> None:
    # Smallest times 3, next times 2, largest times 1, none below one before it.
    assert holm([0.04, 0.01, 0.03]).tolist() == pytest.approx([0.06, 0.03, 0.06])


@given(st.lists(st.tuples(st.integers(0, 3000), st.integers(0, 3000)), min_size=1, max_size=20))
def test_p_values_of_many_pairs_are_those_of_scipy(pairs: list[tuple[int, int]]) -> None:
    only_a, only_b = np.array(pairs).T
    expected = [binomtest(min(pair), sum(pair), 0.5).pvalue if sum(pair) else 1.0 for pair in pairs]
    assert mcnemar_ps(only_a, only_b) == pytest.approx(expected, rel=1e-9, abs=1e-300)


def test_networks_come_best_first_and_equals_share_a_rank(ranking: Ranking) -> None:
    assert [network.name for network in ranking.networks][:2] == ["best", "good"]
    assert ranking.ranks == [1, 2, 3, 3]


def test_of_equals_the_one_with_the_lower_loss_comes_first() -> None:
    right = np.array([True, False])
    assert [
        network.loss for network in rank([contestant(right, loss) for loss in (0.9, 0.1)]).networks
    ] == [0.1, 0.9]


def contestant(right: "np.ndarray[tuple[int], np.dtype[np.bool_]]", loss: float) -> Contestant:
    return Contestant(None, 1, "a network", "one split", right, loss)  # type: ignore[arg-type]


def test_each_pair_is_counted_and_tested_as_two_runs_are(ranking: Ranking) -> None:
    for row, one in enumerate(ranking.networks):
        for column, other in enumerate(ranking.networks):
            if row == column:
                continue
            two = compare(one.run, other.run)
            assert ranking.only[row, column] == two.counts["only_a_right"]
            assert ranking.p[row, column] == pytest.approx(two.mcnemar_p)
            assert ranking.difference[row, column] == pytest.approx(two.difference)


def test_each_pair_is_corrected_once_for_all_pairs(ranking: Ranking) -> None:
    above = np.triu_indices(4, k=1)
    expected = multipletests(ranking.p[above], method="holm")[1]
    assert ranking.pairs == len(expected) == 6
    assert ranking.corrected[above] == pytest.approx(expected)
    np.testing.assert_array_equal(ranking.corrected, ranking.corrected.T)


def test_the_better_one_of_a_pair_is_better_only_beyond_chance(ranking: Ranking) -> None:
    names = [network.name for network in ranking.networks]
    best, good, poor = map(names.index, ("best", "good", "poor"))
    assert ranking.better[best, poor] and ranking.better[good, poor]
    assert not ranking.better[poor, best]
    assert not ranking.better[best, good]  # 5 images of 60, all to one side: 1 in 16
    assert not ranking.better.diagonal().any()


def test_the_loss_is_that_of_scikit_learn(make_run: MakeRun) -> None:
    run = make_run([0, 1, 2, 3], [0, 1, 3, 3])
    made = read_predictions(run)
    rows = made.probabilities / made.probabilities.sum(axis=1, keepdims=True)
    expected = log_loss(made.labels, rows, labels=range(10))
    assert Contestant.read(run).loss == pytest.approx(expected, abs=2e-3)  # float16 rows


def test_what_cannot_be_read_or_was_tested_on_other_images_is_left_out(
    make_run: MakeRun, runs: Runs
) -> None:
    one, two = make_run(name="one"), make_run(name="two")
    damaged, elsewhere = make_run(name="damaged"), make_run(name="elsewhere", fingerprint="others")
    fewer = make_run([7], [7], name="fewer", fingerprint="few")
    waiting = runs.create(one.config, "waiting")
    (damaged.folder.predictions / "epoch-1.npz").write_bytes(b"half")
    found = rank_runs([damaged, one, elsewhere, two, fewer, waiting])
    assert {network.name for network in found.networks} == {"one", "two"}
    reasons = {each.run.name: each.reason for each in found.left_out}
    assert set(reasons) == {"damaged", "elsewhere", "fewer", "waiting"}
    assert "epoch-1.npz" in reasons["damaged"]
    assert reasons["elsewhere"].endswith("though equally many: their pixels or labels differ")
    assert reasons["fewer"] == "'fewer' was tested on other images than 'one': 1 of them, not 4"
    assert "(queued) has no predictions" in reasons["waiting"]


@pytest.mark.parametrize("count", [0, 1])
def test_fewer_than_two_networks_are_no_ranking(make_run: MakeRun, count: int) -> None:
    with pytest.raises(NotComparable, match=f"needs at least two networks .* got {count}$"):
        rank_runs([make_run()] * count)


def test_networks_that_are_right_on_the_same_images_are_not_told_apart(make_run: MakeRun) -> None:
    found = rank_runs([make_run() for _ in range(3)])
    assert found.ranks == [1, 1, 1]
    assert (found.corrected == 1).all()
    assert verdict(found).startswith("No winner among 3 networks on 4 images: ")


def test_the_verdict_names_the_best_or_whom_it_may_be_ahead_of_by_chance(
    ranking: Ranking, make_run: MakeRun
) -> None:
    assert verdict(ranking) == (
        "best gets most right of 4 networks on 60 images, but may well be ahead of good by chance; "
        "the rest are worse by more than chance explains."
    )
    clear = rank_runs([make_run(guessed(60), LABELS, name="clear"), make_run(guessed(20), LABELS)])
    assert verdict(clear).startswith("clear is the best of 2 networks on 60 images")


def test_the_json_holds_every_network_and_every_pair(ranking: Ranking) -> None:
    document = json.loads(json.dumps(as_json(ranking)))
    assert [row["rank"] for row in document["ranking"]] == [1, 2, 3, 3]
    assert document["ranking"][0]["better_than"] == 2
    assert document["ranking"][3]["worse_than"] == 2
    assert len(document["pairs"]) == 6
    assert document["pairs"][0] == {
        "a": ranking.networks[0].run.id,
        "b": ranking.networks[1].run.id,
        "only_a_right": 5,
        "only_b_right": 0,
        "difference": pytest.approx(5 / 60),
        "mcnemar_p": pytest.approx(1 / 16),
        "holm_p": pytest.approx(2 / 16),
    }
