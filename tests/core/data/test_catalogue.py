import pytest

from core.data.catalogue import DATASETS
from core.data.data_config import DataConfig

COUNTS = {"mnist": 10, "fashion_mnist": 10, "cifar10": 10, "cifar100": 100, "folder": 0}


@pytest.mark.parametrize(("name", "count"), COUNTS.items())
def test_every_dataset_names_each_of_its_classes_once(name: str, count: int) -> None:
    names = DATASETS[name].class_names
    assert len(names) == len(set(names)) == count
    assert DataConfig(name=name).class_names == names


@pytest.mark.parametrize("name", ["cifar10", "cifar100"])
def test_the_classes_of_cifar_are_in_alphabetical_order(name: str) -> None:
    assert list(DATASETS[name].class_names) == sorted(DATASETS[name].class_names)


def test_what_is_neither_bundled_nor_a_persons_own_says_how_to_get_it() -> None:
    lacking = [name for name, facts in DATASETS.items() if not facts.bundled and not facts.by_hand]
    assert lacking == ["folder"]
