"""Where varying images turns one class into another, which teaches a network wrong labels."""

from collections.abc import Callable

from core.data.data_config import AugmentationConfig

UPRIGHT = 45
"""Degrees that a digit may be turned by and still be read as what it is."""
INSIDE = 0.25
"""Share of a side that a digit may be moved by and still be whole enough: MNIST's digits take the
middle five sevenths of their frame."""

_OF_DIGITS: tuple[tuple[Callable[[AugmentationConfig], bool], str], ...] = (
    (
        lambda augmentation: augmentation.horizontal_flip,
        "Horizontal flip: a mirrored digit is a wrong digit. A mirrored 2 is no 2, and looks much "
        "like a 5.",
    ),
    (
        lambda augmentation: augmentation.vertical_flip,
        "Vertical flip: a digit upside down is a wrong digit. A 2 looks like a 5 then, a 6 like a "
        "mirrored 9.",
    ),
    (
        lambda augmentation: augmentation.rotation > UPRIGHT,
        f"Rotation by more than {UPRIGHT} degrees: a digit on its side is hardly that digit any "
        "more, and a 6 turned by 180 degrees is a 9.",
    ),
    (
        lambda augmentation: augmentation.shift > INSIDE,
        f"Shift by more than {INSIDE:g} of the side: parts of some digits are moved out of the "
        "picture, and what is left may look like another digit.",
    ),
    (
        lambda augmentation: augmentation.fill == "reflect" and augmentation.moves,
        "Fill reflect: strokes are mirrored into the frame where an image was moved away, so that "
        "a digit may show twice. The fill constant leaves such places black.",
    ),
    (
        lambda augmentation: augmentation.fill == "wrap" and augmentation.moves,
        "Fill wrap: strokes that leave the frame come in again at the opposite edge, so that a "
        "digit may show twice. The fill constant leaves such places black.",
    ),
)


def label_warnings(augmentation: AugmentationConfig, digits: bool) -> list[str]:
    """A sentence for each setting that changes what an image says, if it shows a digit.

    What other images say is not known well enough to warn.
    """
    return [text for applies, text in _OF_DIGITS if digits and applies(augmentation)]
