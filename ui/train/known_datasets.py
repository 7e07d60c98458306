"""The datasets there are to train on, and what is known of each before a run is launched."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from core.data import data_choices
from core.data.catalogue import DATASETS, facts_of
from core.data.image_folders import classes_of
from core.errors import TransferLabError
from core.imported.dataset import ImportedDataset
from core.registry.choices import Settings
from ui import lab, units


def offered() -> dict[str, str]:
    """How each dataset is called on screen, by its name: those that were imported come first."""
    imported = {dataset.name: _counted(dataset) for dataset in lab.library().all()}
    return imported | {name: facts.label for name, facts in DATASETS.items()}


def _counted(dataset: ImportedDataset) -> str:
    """An imported dataset with how many images and classes it has."""
    images, classes = dataset.about.count, len(dataset.about.class_names)
    counted = f"{units.count(images)} {'image' if images == 1 else 'images'}"
    return f"{dataset.name} · {counted}, {classes} {'class' if classes == 1 else 'classes'}"


def along(settings: Settings, name: str, start: Settings) -> dict[str, Any]:
    """The settings that fit the images of a dataset; none for one that cannot be read."""
    try:
        images = data_choices.images_of(name, lab.imported(name))
    except TransferLabError:
        return {}  # who launches a run on it is told
    return data_choices.along(settings, name, images, start) if images else {}


def has_own_validation(name: str) -> bool:
    """Whether a dataset brings images to validate with."""
    dataset = lab.imported(name)
    return dataset is not None and dataset.about.images["validation"] > 0


def count_classes(name: str, path: str) -> int:
    """How many classes a dataset has to tell apart, 0 where that cannot be known yet."""
    if (dataset := lab.imported(name)) is not None:
        return len(dataset.about.class_names)
    try:
        known = classes_of(Path(path)) if name == "folder" and path else facts_of(name).class_names
    except TransferLabError:
        return 0
    return len(known)
