"""The form of a run's settings: those that most people change, or every one that does something."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import streamlit as st

from core.errors import TransferLabError
from core.registry import choices
from ui import augmentation_link, lab, label_warnings, units
from ui.train import fields, layer_tables
from ui.train.draft import Draft

if TYPE_CHECKING:
    from streamlit.delta_generator import DeltaGenerator
    from streamlit.elements.lib.mutable_expander_container import ExpanderContainer

Titles = Mapping[str, str]

TRAINING: Titles = {
    "epochs": "Epochs",
    "batch_size": "Batch size",
    "optimizer": "Optimizer",
    "learning_rate": "Learning rate",
    "momentum": "Momentum",
    "nesterov": "Nesterov",
    "weight_decay": "Weight decay",
}
SCHEDULE: Titles = {
    "schedule": "Schedule",
    "warmup_epochs": "Warm-up epochs",
    "decay.per_step": "Decay per step",
    "decay.factor": "Falls by the factor",
    "decay.epochs": "Epochs per fall",
    "decay.patience": "Patience in epochs",
    "decay.monitor": "What must improve",
    "decay.minimum": "Lowest rate",
}
NETWORK: Titles = {
    "network.architecture": "Architecture",
    "network.mode": "Transfer mode",
    "network.weights": "Starting weights",
    "network.frozen_layers": "Frozen layers",
    "network.side": "Image side in pixels",
    "network.channels": "Channels",
    "network.scaling": "Pixel scaling",
    "network.alpha": "Width (alpha)",
    "network.depth_multiplier": "Depth multiplier",
}
BLOCKS: Titles = {"network.blocks": "Blocks of convolutions"}
HEAD: Titles = {"network.head.pooling": "Pooling"}
HEAD_LAYERS: Titles = dict.fromkeys(choices.HEAD_LAYERS, "Dense layers")
SECOND_PHASE: Titles = {
    "second_phase.epochs": "Phase 2 epochs",
    "second_phase.still_frozen": "Phase 2 still frozen",
    "second_phase.batch_size": "Phase 2 batch size",
    "second_phase.learning_rate": "Phase 2 learning rate",
}
DATA: Titles = {
    "data.name": "Dataset",
    "data.path": "Read from a file",
    "data.train_images": "Training images",
    "data.test_images": "Test images",
    "data.validation": "Watch while training",
    "data.handwriting": "My handwriting",
}
AUGMENTATION: Titles = {
    "augmentation.rotation": "Rotation in degrees",
    "augmentation.zoom": "Zoom",
    "augmentation.shift": "Shift",
    "augmentation.shear": "Shear",
    "augmentation.fill": "Fill",
    "augmentation.horizontal_flip": "Horizontal flip",
    "augmentation.vertical_flip": "Vertical flip",
    "augmentation.brightness": "Brightness",
    "augmentation.contrast": "Contrast",
    "augmentation.noise": "Noise",
    "augmentation.passes": "Variations kept",
}
KEEPING: Titles = {
    "early_stopping.patience": "Early stopping",
    "early_stopping.monitor": "Early stopping watches",
    "best_by": "Best epoch by",
    "keep_weights": "Best epochs to keep",
    "test_every": "Test every so many epochs",
}
REST: Titles = {
    "steps_per_epoch": "Steps per epoch",
    "validation_steps": "Validation batches",
    "class_weights": "Class weights",
    "label_smoothing": "Label smoothing",
    "precision": "Precision",
    "seed": "Seed",
    "cache_features": "Keep the output of frozen layers",
}
SECTIONS: Mapping[str, Titles] = {
    "Training": TRAINING,
    "Learning-rate schedule": SCHEDULE,
    "Network": {**NETWORK, **BLOCKS},
    "Head": {**HEAD, **HEAD_LAYERS},
    "Second phase": SECOND_PHASE,
    "Data and augmentation": {
        **DATA,
        **AUGMENTATION,
        "data.classes": "Class names",
        "data.fingerprint": "State of the dataset",
        "data.handwriting_samples": "Samples of handwriting",
    },
    "Stopping and keeping": KEEPING,
    "Weighting, precision, seed": REST,
}
TITLES: Titles = {
    setting: title for titles in SECTIONS.values() for setting, title in titles.items()
}
"""What every setting is called on screen."""

COMMON = (
    "data.name",
    "data.train_images",
    "data.test_images",
    "epochs",
    "batch_size",
    "optimizer",
    "learning_rate",
    "network.mode",
    "network.side",
    "data.handwriting",
)
"""The settings that most people change, in the order they are asked for."""

WIDE = {"network.weights", "data.name", "data.path", "cache_features"}
"""Settings whose answers are long."""


def ask_common(draft: Draft) -> None:
    """Ask for what most people change; for handwriting only where there is some."""
    without = {"network.mode"} if draft.values["network.architecture"] == "cnn" else set()
    if not (_some_handwriting() or draft.values["data.handwriting"]):
        without.add("data.handwriting")
    _ask_all(draft, {setting: TITLES[setting] for setting in COMMON if setting not in without})
    if draft.values["data.handwriting"]:
        st.caption(_handwriting())
    if draft.shows("augmentation.rotation"):
        _ask_augmentation(draft)


def _ask_augmentation(draft: Draft) -> None:
    """Ask whether images are varied at all."""
    key = draft.widget("augmentation", "on")
    st.session_state[key] = choices.varies(draft.values)

    def take() -> None:
        wanted = choices.augmentation(draft.values, draft.start, on=st.session_state[key])
        for setting, value in wanted.items():
            draft.take(setting, value)

    title = fields.marked(draft, "Augmentation", *AUGMENTATION)
    st.toggle(title, key=key, on_change=take, help=_AUGMENTATION)
    if choices.varies(draft.values):
        _warn_and_preview(draft)


def _warn_and_preview(draft: Draft) -> None:
    """Warn of variations that change labels, and lead to where they can be seen."""
    label_warnings.show(choices.augmentation_of(draft.values), _has_digits(draft))
    augmentation_link.to_preview(draft)


_AUGMENTATION = (
    "Varies training images at random, so that the network sees no image twice alike: it learns "
    "what digits have in common, and needs more epochs for that. Digits are turned, zoomed and "
    "moved a little, other pictures are mirrored instead of turned. How much is set under "
    "Everything."
)


def ask(draft: Draft) -> DeltaGenerator | None:
    """Ask for every setting that does something.

    Returns the place of the learning rate's curve, which is drawn once all is known, or None
    while nobody sees it.
    """
    with _section(draft, "Training", expanded=True):
        _ask_all(draft, TRAINING)
    schedule = _section(draft, "Learning-rate schedule", on_change="rerun")
    with schedule:
        _ask_all(draft, SCHEDULE)
        curve = st.container() if schedule.open else None
    with _section(draft, "Network"):
        _ask_network(draft)
    with _section(draft, "Head"):
        _ask_all(draft, HEAD)
        layer_tables.ask_dense_layers(draft)
    if draft.shows("second_phase.epochs"):
        with _section(draft, "Second phase"):
            _ask_all(draft, SECOND_PHASE)
    with _section(draft, "Data and augmentation"):
        _ask_data(draft)
    with _section(draft, "Stopping and keeping"):
        _ask_all(draft, KEEPING)
    with _section(draft, "Weighting, precision, seed"):
        _ask_all(draft, REST)
    return curve


def _section(draft: Draft, title: str, **options: Any) -> ExpanderContainer:
    """A part of the form that folds; what is set in it stands beside its title."""
    summary = SUMMARIES[title](draft.values)
    label = fields.marked(draft, f"**{title}**", *SECTIONS[title])
    key = draft.widget(title)
    if (
        key in st.session_state
    ):  # else one that tells whether it is open would close with a new label
        st.session_state[key] = st.session_state[key]
    return st.expander(f"{label} :gray[{summary}]", key=key, **options)


def _ask_all(draft: Draft, titles: Titles) -> None:
    """Ask for settings two by two, so that a narrow page shows them in the same order."""
    beside: list[DeltaGenerator] = []
    for setting in filter(draft.shows, titles):
        if setting in WIDE:
            beside = []
            fields.ask(draft, setting, titles[setting])
            continue
        beside = beside or list(st.columns(2, vertical_alignment="bottom"))
        with beside.pop(0):
            fields.ask(draft, setting, titles[setting])


def ask_images(draft: Draft) -> None:
    """Ask which images to learn from, of a recipe for anybody's own: imported ones or a folder."""
    own = draft.start["data.name"] == "folder"
    if draft.values["data.name"] != draft.start["data.name"] or (own and lab.library().names()):
        fields.ask(draft, "data.name", TITLES["data.name"])


def ask_folder(draft: Draft) -> None:
    """Ask where the images are, of a recipe for an image folder."""
    fields.ask(draft, "data.path", "Folder of images")


def _ask_network(draft: Draft) -> None:
    _ask_all(draft, NETWORK)
    if draft.values["network.weights"] == "keras" and draft.shows("network.weights"):
        st.caption(_DOWNLOADED)
    if draft.shows("network.blocks"):
        layer_tables.ask_blocks(draft)


_DOWNLOADED = (
    "Keras downloads these weights once, when the run begins. Without a connection, fetch the file "
    "elsewhere and choose “A weights file …”."
)


def _ask_data(draft: Draft) -> None:
    folder = draft.values["data.name"] == "folder"
    titles = {setting: title for setting, title in DATA.items() if setting != "data.path"}
    _ask_all(draft, titles if folder else DATA)
    if draft.shows("data.handwriting"):
        st.caption(_handwriting())
    st.markdown("Augmentation", help="How training images are varied at random.")
    if draft.values["network.mode"] == "features":
        st.caption("Off in mode features, which runs the backbone once over each image as it is.")
        return
    _ask_all(draft, AUGMENTATION)
    _warn_and_preview(draft)
    if draft.shows("cache_features"):
        st.caption(way_of_frozen_layers(draft.values))


def _some_handwriting() -> bool:
    try:
        return lab.handwriting().count() > 0
    except TransferLabError:
        return False  # who launches a run that shall learn from it is told


def _handwriting() -> str:
    """How many samples there are to learn from, and where they come from."""
    try:
        number = len(lab.handwriting().read())
    except TransferLabError as error:
        return lab.sentence(error)
    if not number:
        return "No handwriting is kept yet: draw digits on Predict and say what they were."
    return (
        f"My handwriting has {units.count(number)} sample{'s'[: number != 1]} now. A run learns "
        "from those there are when it is launched, whatever becomes of them later."
    )


def _has_digits(draft: Draft) -> bool:
    return choices.has_digits(draft.values)


def way_of_frozen_layers(settings: choices.Settings) -> str:
    """How often the frozen layers run, and why."""
    passes = settings["augmentation.passes"]
    if not settings["cache_features"]:
        return "The frozen layers run in every epoch: keeping their output is switched off below."
    if not choices.varies(settings):
        return (
            "The frozen layers run once over each image. Their output is the same in every epoch "
            "and is kept, if the cache has room."
        )
    if not passes:
        return (
            "The frozen layers run in every epoch, as no image comes twice in the same variation. "
            "With some variations kept they would run once over each of those."
        )
    return (
        f"The frozen layers run once over {passes} variations of each image, which the epochs "
        "take in turn."
    )


def _training_in_short(settings: choices.Settings) -> str:
    optimizer = fields.in_words("optimizer")(settings["optimizer"])
    epochs = settings["epochs"]
    return f"{epochs} {'epoch' if epochs == 1 else 'epochs'} · {optimizer} {_rate(settings)}"


def _rate(settings: choices.Settings) -> str:
    return f"{settings['learning_rate']:g}"


def _schedule_in_short(settings: choices.Settings) -> str:
    return fields.in_words("schedule")(settings["schedule"])


def _network_in_short(settings: choices.Settings) -> str:
    name = fields.in_words("network.architecture")(settings["network.architecture"])
    side = settings["network.side"]
    return f"{name} · {settings['network.mode']} · {side} px"


def _head_in_short(settings: choices.Settings) -> str:
    dense = " · ".join(map(str, settings["network.head.dense"]))
    return f"{settings['network.head.pooling']} · {dense or 'no dense layer'}"


def _second_phase_in_short(settings: choices.Settings) -> str:
    epochs = settings["second_phase.epochs"]
    return f"{epochs} more epochs" if epochs else "off"


def _data_in_short(settings: choices.Settings) -> str:
    name = settings["data.name"].replace("_", " ")
    more = " and handwriting" if settings["data.handwriting"] else ""
    return f"{name}{more} · {'varied' if choices.varies(settings) else 'not varied'}"


def _keeping_in_short(settings: choices.Settings) -> str:
    patience = settings["early_stopping.patience"]
    kept = settings["keep_weights"]
    ends = f"stops after {patience} without gain" if patience else "trains to the end"
    return ends if kept == 1 else f"{ends} · {kept} best epochs kept"


def _rest_in_short(settings: choices.Settings) -> str:
    precision = settings["precision"].replace("_", " ")
    return f"precision {precision}"


SUMMARIES = {
    "Training": _training_in_short,
    "Learning-rate schedule": _schedule_in_short,
    "Network": _network_in_short,
    "Head": _head_in_short,
    "Second phase": _second_phase_in_short,
    "Data and augmentation": _data_in_short,
    "Stopping and keeping": _keeping_in_short,
    "Weighting, precision, seed": _rest_in_short,
}
"""What is said of each section beside its title."""
