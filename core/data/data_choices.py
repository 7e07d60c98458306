"""What changes along with the dataset, so that a network fits its images."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from core.data.catalogue import DATASETS, facts_of
from core.imported.dataset import ImportedDataset
from core.registry.choices import Settings

LARGEST_FOR_CNN = 64
"""Pixels of the side at which a small CNN begins with photographs; more takes much longer."""


@dataclass(frozen=True)
class Images:
    """What of a dataset's images a network is chosen by.

    side: pixels of the shorter side, as they usually are. train: how many there are to learn from,
    0 where that is not known. validation: whether there are images to validate with beside those to
    train on and to test with.
    """

    side: int
    colours: bool
    digits: bool
    classes: int
    train: int = 0
    validation: bool = False


def images_of(name: str, imported: ImportedDataset | None) -> Images | None:
    """Those of a dataset, None where nobody has looked into it. Raises DamagedFile."""
    if imported is not None:
        return _images_of(imported)
    facts = facts_of(name)
    if not facts.image_shape:
        return None
    colours = len(facts.image_shape) == 3
    classes, train = len(facts.class_names), facts.train_images or 0
    return Images(min(facts.image_shape[:2]), colours, facts.digits, classes, train)


def _images_of(dataset: ImportedDataset) -> Images:
    about, report = dataset.about, dataset.report
    return Images(
        side=min(report.widths.usual, report.heights.usual),
        colours=len(about.shape) == 3 if about.alike else report.grey < report.imported,
        digits=about.digits,
        classes=len(about.class_names),
        train=about.images["train"],
        validation=about.images.get("validation", 0) > 0,
    )


def along(settings: Settings, name: str, images: Images, start: Settings) -> dict[str, Any]:
    """The settings that fit a dataset which takes the place of the one in `settings`.

    A CNN is given the colours that there are and a side that shows them; the other networks take
    what they learned to see with. `start` holds the settings that all began with.
    """
    imported = name not in DATASETS
    changes: dict[str, Any] = {"data.digits": images.digits} if imported else {}
    if images.validation:
        changes["data.validation"] = "own"
    weights = settings["class_weights"]
    if isinstance(weights, list) and len(weights) != images.classes:
        changes["class_weights"] = "none"
    if settings["network.architecture"] == "cnn":
        changes |= _of_cnn(settings["network.blocks"], images)
        if name == start["data.name"]:
            changes |= {key: start[key] for key in ("network.side", "network.channels")}
    return changes


def _of_cnn(blocks: list[Mapping[str, Any]], images: Images) -> dict[str, Any]:
    poolings = sum(block["pooling"] != "none" for block in blocks)
    side = max(min(images.side, LARGEST_FOR_CNN), 2**poolings)
    return {"network.side": side, "network.channels": 3 if images.colours else 1}
