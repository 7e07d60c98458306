from core.registry.config import RunConfig
from core.registry.recipes import RECIPES
from core.registry.settings import change
from core.training.memory_needs import blocked
from tests.core.estimated import GIB, estimate_of, phase_of


def test_a_configuration_that_fits_is_not_blocked(config: RunConfig) -> None:
    assert blocked(config) is None
    assert blocked(config, estimate_of()) is None


def most_of(sentence: str | None) -> int:
    """The number that a sentence ends in offering."""
    assert sentence is not None
    return int(sentence.partition("; take ")[2].partition(",")[0])


def test_a_batch_beyond_the_memory_is_blocked_with_one_that_fits(config: RunConfig) -> None:
    huge = change(config, {"side": 512, "batch_size": 65_536})
    sentence = blocked(huge)
    most = most_of(sentence)
    assert f"batch_size must be at most {most} for the " in str(sentence)
    assert blocked(change(huge, {"batch_size": most})) is None
    assert blocked(change(huge, {"batch_size": most + 1})) is not None


def test_what_was_measured_tells_which_batch_fits(config: RunConfig) -> None:
    # 1 GiB whatever the batch and 0.05 GiB for each of its 100 images.
    assert blocked(config, estimate_of(memory=6 * GIB)) is None
    sentence = blocked(config.model_copy(update={"batch_size": 100}), estimate_of(memory=3 * GIB))
    assert sentence == (
        "batch_size must be at most 40 for the 3.0 GiB of memory of this machine, got 100, with "
        "which training takes 6.0 GiB; take 40, or a smaller network.side"
    )


def test_where_no_batch_fits_another_way_out_is_offered(config: RunConfig) -> None:
    assert blocked(config, estimate_of(memory=GIB // 2)) == (
        "network.side must be less than 28 for the 0.5 GiB of memory of this machine, got 28, "
        "with which training takes 6.0 GiB; take a smaller side, or freeze more layers"
    )


def test_the_second_phase_is_named_where_it_is_the_larger() -> None:
    config = RECIPES["vgg16-folder"].config
    estimate = estimate_of(
        phase_of(memory=GIB, batch_memory=0), phase_of(batch_size=8), memory=3 * GIB
    )
    assert str(blocked(config, estimate)).startswith(
        "second_phase.batch_size must be at most 3 for the 3.0 GiB"
    )
