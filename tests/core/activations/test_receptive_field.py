from hypothesis import given
from hypothesis import strategies as st

from core.activations.receptive_field import Field, Window, joined, padding_before


def looked_at(windows: list[Window], number: int) -> set[int]:
    """The pixels that a field sees, walked back one layer at a time."""
    seen = {number}
    for size, stride, before in reversed(windows):
        seen = {at * stride - before + place for at in seen for place in range(size)}
    return seen


@given(
    st.lists(
        st.builds(Window, st.integers(1, 7), st.integers(1, 3), st.integers(0, 3)), max_size=4
    ),
    st.integers(0, 5),
)
def test_it_spans_what_walking_back_through_the_layers_finds(
    windows: list[Window], number: int
) -> None:
    field = Field()
    for window in windows:
        field = field.through(window)
    seen = looked_at(windows, number)
    first = field.start + number * field.stride
    assert (first, first + field.size) == (min(seen), max(seen) + 1)


def test_pixels_end_where_the_image_does() -> None:
    field = Field(start=-2, size=5, stride=1)
    assert [field.pixels(number, 6) for number in (0, 2, 5)] == [(0, 3), (0, 5), (3, 6)]


def test_branches_together_see_what_the_widest_of_them_do() -> None:
    assert joined([Field(-1, 3, 2), Field(0, 6, 2)]) == Field(-1, 7, 2)


def test_padding_is_shared_out_as_tensorflow_does_with_more_of_it_behind() -> None:
    assert [padding_before(*given) for given in ((7, 3, 2), (8, 3, 2), (8, 5, 1))] == [1, 0, 2]
