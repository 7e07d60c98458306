import pytest

from core.network.architectures import ARCHITECTURES
from core.network.graphs import backbone


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_the_smallest_side_leaves_the_head_something_to_look_at(name: str) -> None:
    known = ARCHITECTURES[name]
    assert min(backbone(name, known.smallest_side, known.channels[0]).layers[-1].shape) > 0
