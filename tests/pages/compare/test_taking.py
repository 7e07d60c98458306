from streamlit.testing.v1 import AppTest

from core.registry.run import Run
from tests.pages.compare.conftest import COMPARE, MakeTrained, OpenPage, show


def downloads(at: AppTest) -> dict[str, bool]:
    """What can be taken along, and whether it can be now."""
    return {
        element.proto.label: not element.proto.disabled
        for element in at.get("download_button")
        if element.proto.label
        in ("Report", "Selected pictures", "All predictions", "Only A", "Only B")
    }


def told(at: AppTest) -> str:
    return "\n".join(element.value for element in at.caption).replace("\\", "")


def test_everything_can_be_taken_along(opened: AppTest) -> None:
    assert list(downloads(opened)) == [
        "Report", "Selected pictures", "All predictions", "Only A", "Only B",
    ]  # fmt: skip
    assert all(downloads(opened).values())


def test_the_pictures_are_those_selected_now_and_their_size_is_told(opened: AppTest) -> None:
    assert "The 6 images selected above as a ZIP (about 2" in told(opened)
    show(opened, "both_right")
    assert "The 33 images selected above" in told(opened)


def test_where_no_image_is_selected_none_can_be_taken(
    open_page: OpenPage, two: tuple[Run, Run]
) -> None:
    at = open_page(COMPARE, a=two[0].id, b=two[1].id, ca="0 0.1")
    assert not at.exception
    assert "No image is left by the filters above." in told(at)
    assert not downloads(at)["Selected pictures"]
    assert downloads(at)["Report"]


def test_networks_that_never_disagree_can_be_taken_along(
    open_page: OpenPage, make_trained: MakeTrained
) -> None:
    a, b = make_trained("a"), make_trained("b", recipe="vgg16-digits")
    at = open_page(COMPARE, a=a.id, b=b.id)
    assert not at.exception
    assert downloads(at)["All predictions"]
