"""Which images a run trains on, and how they are varied while it trains."""

import re
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from core.data.catalogue import DATASETS, IMPORTED_NAME, DatasetFacts, facts_of
from core.validation import Frozen, shown


def _test_or_fraction(value: Any) -> Any:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if value in ("test", "own") or (number and 0.01 <= value <= 0.5):
        return value
    raise ValueError(
        f"data.validation must be test, own or a fraction from 0.01 to 0.5, got {shown(value)}"
    )


def _known_dataset(name: str) -> str:
    if name in DATASETS or IMPORTED_NAME.fullmatch(name):
        return name
    raise ValueError(
        f"data.name must be {' or '.join(DATASETS)}, or the name of an imported dataset, got "
        f"{shown(name)}"
    )


def _fingerprint(text: str) -> str:
    if re.fullmatch("|[0-9a-f]{64}", text):
        return text
    raise ValueError(
        "data.fingerprint and data.handwriting_samples must be empty or a fingerprint, got "
        f"{shown(text)}"
    )


DatasetName = Annotated[str, AfterValidator(_known_dataset)]
Fingerprint = Annotated[str, AfterValidator(_fingerprint)]
Fill = Literal["constant", "nearest", "reflect", "wrap"]
Validation = Annotated[Literal["test", "own"] | float, BeforeValidator(_test_or_fraction)]


class DataConfig(Frozen):
    """Which images a run trains on and is tested on."""

    name: DatasetName = Field(
        "mnist",
        description="The images to learn from, with the classes to tell apart: a built-in dataset, "
        "a folder, or one that was imported on Data.",
    )
    path: str = Field(
        "",
        max_length=4096,
        description="For an image folder: the folder that holds train/CLASS/ and test/CLASS/. For "
        "any other dataset: a file to read it from; empty takes the bundled copy or Keras's "
        "download.",
    )
    classes: tuple[str, ...] = Field(
        (),
        description="Class names of an image folder, by label; empty takes the names of the "
        "folders in train/, in alphabetical order. An imported dataset has its own.",
    )
    digits: bool = Field(
        False,
        description="Whether an imported dataset shows handwritten digits in MNIST's frame, so "
        "that drawings are framed alike; found out when it is imported.",
    )
    fingerprint: Fingerprint = Field(
        "",
        description="Which state of an imported dataset to learn from; empty takes the one there "
        "is when the run is launched.",
    )
    train_images: int | None = Field(
        None,
        ge=10,
        description="Take only the first so many training images, for a quick try; empty takes "
        "all.",
    )
    test_images: int | None = Field(
        None,
        ge=10,
        description="Take only the first so many test images; empty takes all. Only runs that were "
        "tested on the same images can be compared.",
    )
    validation: Validation = Field(
        "test",
        description="The images that are looked at after each epoch, to see how training goes and "
        "which epoch is best: the test images, a share of the training images of every class that "
        "is held back from training, or an imported dataset's own validation images. Only the last "
        "two leave the test figures untouched by that choice.",
    )

    handwriting: bool = Field(
        False,
        description="Also learn from the digits that were kept on Predict, beside MNIST's. Each "
        "counts as one image: a few dozen among 60,000 change little, but they do beside a small "
        "number of training images. A score on samples that were learned from says nothing of "
        "others.",
    )
    handwriting_samples: Fingerprint = Field(
        "",
        description="Which state of the handwriting to learn from, by fingerprint; empty takes the "
        "samples there are when the run is launched.",
    )

    @model_validator(mode="after")
    def _handwriting_is_of_digits(self) -> Self:
        if self.handwriting and not self.shows_digits:
            raise ValueError(
                f"data.handwriting must be false for {self.name}: only a network for digits can "
                "learn from handwriting"
            )
        return self

    @property
    def class_names(self) -> tuple[str, ...]:
        """Names of the classes to tell apart, by label; none of a folder not yet looked into."""
        return self.classes or self.facts.class_names

    @property
    def facts(self) -> DatasetFacts:
        """What is known of the dataset without looking into it."""
        return facts_of(self.name)

    @property
    def imported(self) -> bool:
        """Whether the dataset was imported into the workspace."""
        return self.name not in DATASETS

    @property
    def sized(self) -> bool:
        """Whether images come in the size that a network wants, as pictures of many sizes do."""
        return self.name == "folder" or self.imported

    @property
    def shows_digits(self) -> bool:
        """Whether pictures from outside are first framed as MNIST's digits are."""
        return self.facts.digits or (self.imported and self.digits)


class AugmentationConfig(Frozen):
    """How training images are varied at random, so that the network sees no image twice alike."""

    rotation: float = Field(
        0.0, ge=0, le=180, description="Turn each image by up to so many degrees either way."
    )
    zoom: float = Field(
        0.0,
        ge=0,
        le=0.9,
        description="Enlarge or shrink each image by up to this share: 0.1 is a tenth.",
    )
    shift: float = Field(
        0.0,
        ge=0,
        le=0.9,
        description="Move each image by up to this share of its side, across and down.",
    )
    shear: float = Field(
        0.0, ge=0, le=0.9, description="Slant each image by up to this share of its side."
    )
    horizontal_flip: bool = Field(
        False,
        description="Mirror half of the images left to right. Good for photographs; a mirrored "
        "digit is a wrong digit.",
    )
    vertical_flip: bool = Field(
        False,
        description="Mirror half of the images top to bottom. Good for pictures taken from above, "
        "such as cells or satellite images, which have no upper edge.",
    )
    brightness: float = Field(
        0.0,
        ge=0,
        le=0.9,
        description="Make each image lighter or darker by up to this share of the way from black "
        "to white.",
    )
    contrast: float = Field(
        0.0,
        ge=0,
        le=0.9,
        description="Spread the pixels of each image away from their mean, or draw them closer to "
        "it, by up to this share.",
    )
    noise: float = Field(
        0.0,
        ge=0,
        le=0.5,
        description="Add random grain to every pixel: its standard deviation, as a share of the "
        "way from black to white.",
    )
    fill: Fill = Field(
        "constant",
        description="What fills the places an image was moved away from: `constant` is black, "
        "`nearest` repeats the pixels of the edge, `reflect` mirrors the image at its edge, `wrap` "
        "goes on at the opposite edge.",
    )
    passes: int = Field(
        0,
        ge=0,
        le=1000,
        description="Make so many variations of each image, run the frozen layers once over those "
        "and keep the output; the epochs take them in turn. Quicker, and takes room on disk. 0 "
        "runs the frozen layers in every epoch, on variations that never repeat.",
    )

    @property
    def moves(self) -> bool:
        """Whether images are moved away from some places, which are then filled."""
        return bool(self.rotation or self.zoom or self.shift or self.shear)

    @property
    def recolours(self) -> bool:
        """Whether pixels become lighter or darker than they are, noise aside."""
        return bool(self.brightness or self.contrast)

    @property
    def flips(self) -> bool:
        """Whether images are mirrored."""
        return self.horizontal_flip or self.vertical_flip

    @property
    def active(self) -> bool:
        """Whether images are varied at all."""
        return self.moves or self.flips or self.recolours or self.noise > 0
