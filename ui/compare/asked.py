"""One network of a comparison, asked about one image: what it is shown, and how it is announced."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from core.analysis.comparison import Side
from ui import asked_network
from ui.compare import link
from ui.compare.test_sets import TestSet
from ui.compare.view import LETTERS, View
from ui.frame import icons
from ui.train.settings_form import KEEPING

MOST_NAMED = 6
"""Epochs that are named one by one."""


@dataclass(frozen=True, eq=False)
class Asked:
    """A network and the image that it is asked about."""

    side: Side
    letter: str
    color: str
    index: int
    position: int
    test_set: TestSet

    @property
    def image(self) -> NDArray[np.uint8]:
        """The image as the network's run reads it, a folder's in the size that the network takes.

        Raises what reading a dataset raises.
        """
        run = self.side.run
        images = self.test_set.split(run, run.config.network.side).images
        return np.asarray(images[self.position])

    def probability(self, of_class: int) -> float:
        """What the network gave a class."""
        return float(self.side.predictions.probabilities[self.position, of_class])


def both(view: View, position: int) -> list[Asked]:
    """A and B, asked about an image of the test split."""
    index = int(view.indices[position])
    return [
        Asked(side, letter, view.color(side), index, position, view.images.test_set)
        for letter, side in zip(LETTERS, view.sides, strict=True)
    ]


def heading(asked: Asked, line: str) -> None:
    """Announce the network, with a line of text below."""
    asked_network.heading(f"{asked.letter} · {asked.side.name}", asked.color, line)


def has_weights(asked: Asked) -> bool:
    """Whether the network can be asked at all; if not, says why and offers an epoch that can."""
    kept, epoch, letter = asked.side.run.folder.kept_epochs(), asked.side.epoch, asked.letter
    if epoch in kept:
        return True
    if not kept:
        st.info(
            f"{letter} cannot be asked: the weights of this run are not there, or an older "
            "version wrote them. Train it again with the same settings to get them.",
            icon=icons.SAMPLE,
        )
        return False
    st.info(
        f"{letter} cannot be asked after epoch {epoch}: of this run the weights of "
        f"{_listed(kept)} were kept. Look at one of those, or train it again with a "
        f"higher “{KEEPING['keep_weights']}”.",
        icon=icons.SAMPLE,
    )
    nearest = min(kept, key=lambda other: abs(other - epoch))
    if st.button(f"Look at {letter} after epoch {nearest}", key=f"kept_epoch_{letter}"):
        link.keep(**{f"e{letter.lower()}": nearest}, image=asked.index)
        st.rerun()
    return False


def _listed(epochs: list[int]) -> str:
    if len(epochs) > MOST_NAMED:
        return f"{len(epochs)} other epochs"
    *others, last = map(str, epochs)
    return f"epochs {', '.join(others)} and {last}" if others else f"epoch {last}"
