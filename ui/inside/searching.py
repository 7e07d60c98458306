"""Searching test images, in the background, for those that excite a network's channels most."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from core.activations.excitement import Excitement, Kept, by_layer, sample, search
from core.data.datasets import Split
from core.data.preprocessing import Pixels
from core.jobs import Tell
from ui import lab, units
from ui.frame import waiting
from ui.inside.look import Look

MOST = 8
"""Networks of which what was found stays in memory."""


def tested(look: Look) -> Split:
    """The test images of a network. Raises what reading them raises."""
    return lab.test_images(look.run, look.run.config.network.side)


def found(look: Look) -> dict[int, Excitement] | None:
    """What excites its channels, by the position of their layer.

    None, with a word why, while that is not known. Raises what reading test images and asking the
    predictor raise.
    """
    kept = Kept(lab.workspace(), look.run, look.epoch)
    known = kept.find() or _search(look, kept)
    return None if known is None else by_layer(look.graph, known)


def _search(look: Look, kept: Kept) -> Excitement | None:
    service, split, graph = lab.predictor(), tested(look), look.graph
    positions = sample(len(split), graph)

    def images(positions: NDArray[np.int64]) -> Pixels:
        return np.asarray(split.take(positions).images)

    def ask(images: Pixels) -> NDArray[np.float32]:
        return service.strongest(look.run.id, images, look.epoch)

    def compute(tell: Tell) -> Excitement:
        found = search(images, positions, ask, graph, tell)
        kept.keep(found)
        return found

    return waiting.wait_for(
        f"Searching {units.count(len(positions))} test images for what excites each channel",
        ("exciting", *look.version, look.run.state.test_fingerprint),
        compute,
        most=MOST,
    )
