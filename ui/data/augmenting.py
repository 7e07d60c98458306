"""How training images can be varied, seen on some of them while the settings change."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, get_args

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from core.data import preview
from core.data.data_config import Fill
from core.errors import InvalidConfig
from core.registry import choices
from core.registry.config import RunConfig
from core.registry.settings import change, setting_of
from ui import augmentation_link, label_warnings, units
from ui.data.shown import Shown
from ui.data.variations import variations
from ui.frame import icons
from ui.sliders import Slider, sliders
from ui.train import settings_link, start_from
from ui.train.settings_form import TITLES

PICTURES, PASSES = 8, 6
SIDES = (28, 48, 96, 224)
"""Sides in pixels that networks often take."""
LARGEST_SIDE = 224
"""The side of a dataset that is previewed as it is."""
STEPS = {
    "augmentation.rotation": 1.0,
    "augmentation.zoom": 0.01,
    "augmentation.shift": 0.01,
    "augmentation.shear": 0.01,
    "augmentation.brightness": 0.01,
    "augmentation.contrast": 0.01,
    "augmentation.noise": 0.01,
}
"""The settings that have a slider, with what a step of it changes."""
FILL = "augmentation.fill"
FLIPS = ("augmentation.horizontal_flip", "augmentation.vertical_flip")
SIDE, CHANNELS, SEED, VALIDATION = "network.side", "network.channels", "seed", "data.validation"


@dataclass
class Chosen:
    """What is previewed of a dataset, kept for the session.

    shuffled: how often other pictures were asked for. generation: how often the settings came from
    elsewhere, so that the widgets begin anew.
    """

    dataset: str
    config: RunConfig
    shuffled: int = 0
    generation: int = 0

    def take(self, settings: dict[str, Any]) -> None:
        """Have other settings than those that the widgets hold."""
        self.begin_with(change(self.config, settings))

    def begin_with(self, config: RunConfig) -> None:
        """Have all settings from elsewhere."""
        self.config = config
        self.generation += 1

    def shuffle(self) -> None:
        """Have other pictures."""
        self.shuffled += 1


class Sample(NamedTuple):
    """The pictures that are shown: indices in the training part, places among those trained on."""

    indices: NDArray[np.int64]
    positions: NDArray[np.int64]
    labels: NDArray[np.int64]


def show(shown: Shown) -> None:
    """Some training images, how each would be varied, and what decides it."""
    if shown.images["train"]:
        _see(shown, _chosen(shown))
    else:
        st.info(
            "Only training images are varied, and this dataset has none. Import images with labels "
            "to train on.",
            icon=":material/hide_image:",
        )


def _chosen(shown: Shown) -> Chosen:
    """What the address says, else what was chosen of the dataset before or is usual for it."""
    key, beginning = f"augmenting_{shown.identity}", start_from.settings_for(shown.name)
    if key not in st.session_state:
        usual = choices.usual_augmentation(digits=shown.digits)
        st.session_state[key] = Chosen(shown.name, preview.previewed(beginning | usual))
    chosen: Chosen = st.session_state[key]
    asked_for = settings_link.asked_for()
    if asked_for is not None:
        try:
            chosen.begin_with(preview.previewed(beginning | asked_for))
        except InvalidConfig as error:
            settings_link.refuse(error)
    return chosen


_SEEN = "augmenting_seen"
_NEVER_PALE = f"<style>.st-key-{_SEEN} [data-stale] {{ opacity: 1; transition: none; }}</style>"
"""While a slider moves there are always newer pictures to come, and Streamlit fades those there."""


@st.fragment
def _see(shown: Shown, chosen: Chosen) -> None:
    """Pictures beside their settings; nothing else is drawn again when one of these moves."""
    seen, asked = st.columns([7, 5], gap="medium")
    with asked:
        _ask(shown, chosen)
    with seen, st.container(key=_SEEN):
        st.html(_NEVER_PALE)
        _draw(shown, chosen)
    # Below both, so that nothing moves under a finger that moves a slider.
    label_warnings.show(chosen.config.augmentation, shown.digits)
    _explain(chosen.config)
    _hand_over(shown, chosen.config)


def _draw(shown: Shown, chosen: Chosen) -> None:
    config = chosen.config
    sample = _sample(shown.identity, shown, config, _holds_back(config), chosen.shuffled)
    network = config.network.side, config.network.channels
    images = _images(shown.identity, shown, config, sample.indices.tolist(), network)
    names = [shown.class_name(int(label)) for label in sample.labels]
    varied = preview.varied(images, sample.positions, config, PASSES)
    variations(images, varied, names, key="augmenting_pictures")


def _holds_back(config: RunConfig) -> tuple[float, int] | None:
    """What decides which images are held back, None where none are."""
    validation = config.data.validation
    return None if isinstance(validation, str) else (validation, config.seed)


@st.cache_data(max_entries=64, show_spinner="Choosing pictures …")
def _sample(
    identity: str,
    _shown: Shown,
    _config: RunConfig,
    held_back: tuple[float, int] | None,
    shuffled: int,
) -> Sample:
    """The first pictures of each class, others once they were shuffled."""
    labels = _shown.labels("train")
    kept = preview.trained_on(labels, _config)
    labels = labels[kept]
    if shuffled:
        positions = preview.random_positions(labels, PICTURES, seed=shuffled)
    else:
        positions = preview.first_positions(labels, PICTURES)
    return Sample(kept[positions], positions, labels[positions])


@st.cache_data(max_entries=64, show_spinner="Reading the pictures …")
def _images(
    identity: str,
    _shown: Shown,
    _config: RunConfig,
    indices: list[int],
    network: tuple[int, int],
) -> NDArray[np.uint8]:
    """Pictures in the size and colours of a network."""
    pictures = [_shown.picture("train", index) for index in indices]
    keeps_files = _shown.imported is not None and not _shown.imported.about.alike
    return preview.as_trained(pictures, _config, from_files=keeps_files)


def _ask(shown: Shown, chosen: Chosen) -> None:
    """Ask for every setting that decides how images are varied."""
    with st.container(horizontal=True, gap="small"):
        usual = choices.usual_augmentation(digits=shown.digits)
        _button("As usual", "auto_fix_high", lambda: chosen.take(usual), _USUAL)
        _button("None", "block", lambda: chosen.take(dict(choices.NOT_VARIED)), _NONE)
        _button("Other pictures", "shuffle", chosen.shuffle, _SHUFFLE)
    values = {setting: setting_of(chosen.config, setting)[1] for setting in STEPS}
    moved = sliders(
        [_slider(setting) for setting in STEPS],
        values,
        key=f"augmenting.{chosen.dataset}.sliders",
        label="How far images are varied",
    )
    if moved:
        chosen.config = change(chosen.config, moved)
    _select(chosen, FILL, get_args(Fill))
    for column, setting in zip(st.columns(2), FLIPS, strict=True):
        with column:
            st.toggle(TITLES[setting], **_asked(chosen, setting))
    with st.expander("What a network gets of it", key="augmenting_network"):
        _ask_of_network(shown, chosen)


_USUAL = "What is usual for such images."
_NONE = "Images as they are."
_SHUFFLE = "Takes others, at random."


def _ask_of_network(shown: Shown, chosen: Chosen) -> None:
    """Ask for what else decides the pixels of a variation."""
    own = _own_side(shown.identity, shown)
    sides = sorted({*SIDES, *([own] if own else []), chosen.config.network.side})
    left, right = st.columns(2)
    with left:
        _select(chosen, SIDE, sides, lambda side: f"{side} px{' · its own' * (side == own)}")
        st.number_input("Seed", min_value=0, max_value=2**31 - 1, **_asked(chosen, SEED))
    with right:
        _select(chosen, CHANNELS, (1, 3), lambda channels: "grey" if channels == 1 else "colours")
        _ask_held_back(shown, chosen)


@st.cache_data(max_entries=32, show_spinner=False)
def _own_side(identity: str, _shown: Shown) -> int | None:
    """The side of a dataset whose images are all of one size and square, if not too large."""
    sizes = _shown.sizes("train")[:, :2]
    side = int(sizes[0, 0])
    return side if side <= LARGEST_SIDE and (sizes == side).all() else None


def _ask_held_back(shown: Shown, chosen: Chosen) -> None:
    validation = chosen.config.data.validation
    otherwise = "own" if shown.images["validation"] else "test"
    key = _key(chosen, VALIDATION)
    st.session_state.setdefault(key, 0.0 if isinstance(validation, str) else validation)

    def take() -> None:
        share = st.session_state[key]
        held_back = max(share, 0.01) if share else otherwise
        chosen.config = change(chosen.config, {VALIDATION: held_back})

    st.number_input(
        "Held back for validation",
        min_value=0.0,
        max_value=0.5,
        step=0.05,
        key=key,
        on_change=take,
        help="The share of the training images that a run looks at instead of learning from them; "
        "0 where it looks at the test images or a validation part. It changes the places of the "
        "others, and with these how each is varied.",
    )


def _button(title: str, icon: str, action: Callable[[], None], meaning: str) -> None:
    st.button(title, icon=f":material/{icon}:", on_click=action, help=meaning)


def _slider(setting: str) -> Slider:
    field, _ = setting_of(preview.BEGINNING, setting)
    most = next(rule.le for rule in field.metadata if hasattr(rule, "le"))
    return Slider(setting, TITLES[setting], 0, most, STEPS[setting], field.description or "")


def _select(
    chosen: Chosen,
    setting: str,
    options: Sequence[Any],
    named: Callable[[Any], str] = str,
) -> None:
    st.selectbox(TITLES[setting], options, format_func=named, **_asked(chosen, setting))


def _asked(chosen: Chosen, setting: str) -> dict[str, Any]:
    """What every widget takes: the value to begin with, the setting's meaning, where answers go."""
    key, (field, value) = _key(chosen, setting), setting_of(chosen.config, setting)
    st.session_state.setdefault(key, value)

    def take() -> None:
        chosen.config = change(chosen.config, {setting: st.session_state[key]})

    return {"key": key, "help": field.description, "on_change": take}


def _key(chosen: Chosen, setting: str) -> str:
    return f"augmenting.{chosen.dataset}.{chosen.generation}.{setting}"


def _explain(config: RunConfig) -> None:
    """Say how these pictures are those of training, and when they are others."""
    if not config.augmentation.active:
        st.caption("Nothing is varied: in every epoch a network gets each image as it is.")
        return
    side, validation = config.network.side, config.data.validation
    share = "" if isinstance(validation, str) else f" ({units.percent(validation, 0)} held back)"
    st.caption(
        f"Training gets exactly these pixels, {side}x{side}: the row *pass 1* when it goes through "
        "the training images for the first time, *pass 2* the second time, and so on, other ones "
        "without end. Settings, seed, side, pass and an image's place among those trained on"
        f"{share} decide them. A run with another seed, or one that takes fewer images or holds "
        "others back, varies each image as much but otherwise. Any run can be repeated."
    )


def _hand_over(shown: Shown, config: RunConfig) -> None:
    """Offer the settings to Train and to the command line; the side is the network's to say."""
    settings = preview.deciding(config)
    del settings[SIDE], settings[CHANNELS]
    beginning = preview.deciding(preview.BEGINNING)
    changed = {key: value for key, value in settings.items() if value != beginning[key]}
    words = [f"data.name={shown.name}", *settings_link.written(changed)]
    if st.button("Train with this", type="primary", icon=icons.START):
        augmentation_link.to_training(shown.name, settings)
    st.caption("The same for the command line, behind `python -m core train RECIPE`:")
    st.code(" \\\n".join(f"--set {shlex.quote(word)}" for word in words), language="bash")
