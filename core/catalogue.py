"""What is known of each dataset without loading it."""

from dataclasses import dataclass


@dataclass(frozen=True)
class DatasetFacts:
    """One row of the table of datasets.

    `digits` tells that pictures from outside are first framed as MNIST's digits are.
    """

    label: str
    class_names: tuple[str, ...]
    train_images: int
    test_images: int
    image_shape: tuple[int, ...]
    source: str
    digits: bool


DATASETS = {
    "mnist": DatasetFacts(
        label="MNIST handwritten digits",
        class_names=tuple("0123456789"),
        train_images=60_000,
        test_images=10_000,
        image_shape=(28, 28),
        source="LeCun, Cortes and Burges; bundled, CC BY-SA 3.0",
        digits=True,
    ),
}
