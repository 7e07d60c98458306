"""One network that is looked into for one picture, and what it is asked for that.

The questions give None, with a word why, while the answer is not there, and raise what the
predictor does.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.activations.feature_maps import FeatureMaps, feature_maps_of
from core.activations.receptive_field import Field
from core.activations.seen_layers import seen_layers
from core.data.preprocessing import Pixels
from core.network.graphs import Graph
from core.network.layers import Layer
from core.registry.run import Run
from ui import lab
from ui.frame import waiting

MOST = 32
"""Layers of pictures whose maps stay in memory."""


@dataclass(frozen=True)
class Optics:
    """What of a network is the same for all pictures.

    fields: (layers, 2, 3) what the fields of each layer see, down and across, as `Field` has it.
    kernels: (channels, rows, columns, grey or RGB) of the first convolution.
    """

    fields: NDArray[np.int64]
    kernels: NDArray[np.float32]

    def of(self, place: int) -> tuple[Field, Field]:
        """What the fields of a layer see of the image as the network takes it, down and across."""
        down, across = self.fields[place].tolist()
        return Field(*down), Field(*across)


@dataclass(frozen=True, eq=False)
class Look:
    """A network that is looked into, and the picture that it is shown.

    name, color: what it is announced with. image: what it is asked about, (height, width[, 3]).
    about: what the picture is, such as `the digit`. A layer is told by its place among `layers`.
    """

    run: Run
    epoch: int
    name: str
    color: str
    image: Pixels
    about: str

    @property
    def version(self) -> waiting.Key:
        """What tells these weights from all others."""
        return str(self.run.folder.path), self.run.state.heartbeat, self.epoch

    @property
    def graph(self) -> Graph:
        """The layers of its backbone."""
        return self.run.config.network.graph

    @property
    def layers(self) -> list[int]:
        """Positions of the layers that can be looked into."""
        return seen_layers(self.graph)

    def layer(self, place: int) -> Layer:
        """A layer."""
        return self.graph.layers[self.layers[place]]

    def maps(self, place: int) -> FeatureMaps | None:
        """What a layer makes of the picture."""
        service, layer = lab.predictor(), self.layers[place]
        image = hashlib.sha256(repr(self.image.shape).encode() + self.image.tobytes()).hexdigest()
        return waiting.wait_for(
            f"Looking into {lab.plain(self.name)}",
            ("feature maps", *self.version, layer, image),
            lambda tell: feature_maps_of(
                service.feature_maps(self.run.id, self.image, layer, self.epoch)
            ),
            most=MOST,
        )

    def optics(self) -> Optics | None:
        """What its fields see, and its first kernels."""
        service = lab.predictor()
        return waiting.wait_for(
            f"Measuring {lab.plain(self.name)}",
            ("optics", *self.version),
            lambda tell: Optics(
                service.receptive_fields(self.run.id, self.epoch),
                service.kernels(self.run.id, self.epoch),
            ),
        )
