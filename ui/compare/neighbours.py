"""The training pictures that each network finds most like one test image."""

from __future__ import annotations

import numpy as np
import streamlit as st

from core.data.datasets import Split
from core.feature_space.neighbours import Neighbours, nearest
from ui import lab, units
from ui.compare import asked, spaces
from ui.compare.asked import Asked
from ui.compare.view import View
from ui.frame import icons
from ui.pictures.gallery import Part, gallery
from ui.pictures.picture import picture

SHOWN = 8
LARGE = 168
"""Pixels that a picture which was clicked is shown in."""


def show(view: View, position: int) -> None:
    """The nearest training pictures of both networks, with their labels and distances."""
    st.caption(
        "The training pictures whose features, which is what a network's last layer is fed, lie "
        "nearest to this image's. Where they bear another class, the network finds the image like "
        "that class; where they look alike, a label may be wrong."
    )
    for network in asked.both(view, position):
        _one(view, network)


def _one(view: View, network: Asked) -> None:
    said = int(network.side.predictions.classes[network.position])
    asked.heading(network, f"took it for {view.class_names[said]}")
    if not asked.has_weights(network):
        return
    space = spaces.space_of(network.side)
    test, train = space.test(), space.train()
    if test is None or train is None:
        spaces.offer(network.side, network.letter, "neighbours")
        return
    with lab.failures_as_sentences():
        split = lab.training_images(network.side.run.config)
    if len(split) != len(train):
        st.warning(
            f"The training images of {network.letter} are not those that it learned from: "
            f"{len(split):,} against {len(train):,}. Bring the former ones back, or train anew.",
            icon=icons.ERROR,
        )
        return
    found = nearest(np.asarray(test.rows[network.position]), train, SHOWN)
    _pictures(view, network, split, found)


def _pictures(view: View, network: Asked, split: Split, found: Neighbours) -> None:
    truth = int(view.images.truth[network.position])
    labels = split.labels[found.positions]
    same = int(np.count_nonzero(labels == truth))
    clicked = gallery(
        np.asarray(split.images[found.positions]),
        [
            [
                Part(view.class_names[label], "good" if label == truth else "bad"),
                Part(_apart(distance, found.typical), "muted"),
            ]
            for label, distance in zip(labels.tolist(), found.distances.tolist(), strict=True)
        ],
        key=f"similar_{network.letter}",
        label=f"Training pictures that {network.letter} finds most like this image",
    )
    if clicked is not None:
        index = int(split.indices[found.positions[clicked]])
        text = f"Training image {index} · {view.class_names[int(labels[clicked])]}"
        picture(np.asarray(split.images[found.positions[clicked]]), side=LARGE, caption=text)
    st.caption(
        f"{same} of {len(labels)} bear the true class. Below each: how far away it is, in per cent "
        f"of the median distance to all {units.count(len(split))} training images."
    )


def _apart(distance: float, typical: float) -> str:
    """A distance as a share of the usual one.

    >>> _apart(1.5, 10.0), _apart(0.0, 0.0)
    ('15 %', '0 %')
    """
    return units.percent(distance / typical if typical else 0.0, 0)
