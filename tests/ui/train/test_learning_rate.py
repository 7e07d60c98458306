from core.registry.recipes import RECIPES
from core.registry.settings import change
from ui.train.learning_rate import STEPS_WHERE_UNKNOWN, remarks, steps_per_epoch

CNN = RECIPES["cnn-digits"].config
FOLDER = RECIPES["vgg16-folder"].config


def test_steps_are_those_that_see_every_image_once() -> None:
    assert steps_per_epoch(CNN) == [698]
    assert steps_per_epoch(change(CNN, {"validation": 0.1, "batch_size": 100})) == [540]
    assert steps_per_epoch(change(CNN, {"steps_per_epoch": 7})) == [7]


def test_images_that_are_not_counted_make_so_many_steps() -> None:
    assert steps_per_epoch(FOLDER) == [STEPS_WHERE_UNKNOWN] * 2


def test_what_the_curve_cannot_say_is_told_beside_it() -> None:
    assert remarks(CNN) == []
    plateau, second = remarks(FOLDER)
    assert "the most it can be" in plateau
    assert "validation loss" in plateau
    assert "second phase" in second
