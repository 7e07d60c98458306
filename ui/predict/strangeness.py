"""How far a picture lies from all that each network learned from, as the network sees it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from core.data.preprocessing import Pixels
from core.errors import TransferLabError
from core.feature_space.space import FeatureSpace
from core.feature_space.strangeness import distances_to_nearest, share_nearer, usual_distances
from core.jobs import Tell
from ui import feature_spaces, lab, questions
from ui.frame import waiting
from ui.predict.networks import Network

if TYPE_CHECKING:
    from ui.predict.reading import Reading

FAR = 0.99
"""Share of the test images that lie nearer, from which on a picture is called far away."""


def show(reading: Reading) -> None:
    """Tell what lies far away, where features are kept; offer to compute them where they are not.

    Features are what a network's last layer is fed.
    """
    asked = [network for network, said in reading.answers.items() if said is not None]
    missing = [network for network in asked if not _is_there(network)]
    measured = [network for network in asked if network not in missing]
    shares = {network: _share_nearer(network, reading.images[network]) for network in measured}
    _tell({network: share for network, share in shares.items() if share is not None})
    missing = [network for network in missing if _space(network).possible]
    if missing:
        _offer(missing)


def _tell(shares: dict[Network, float]) -> None:
    """One line for each network that was asked, in a frame where any finds the picture far away."""
    if not shares:
        return
    lines = [f"- {_line(network, share)}" for network, share in shares.items()]
    if max(shares.values()) < FAR:
        st.caption("\n".join(lines))
        return
    with st.container(border=True):
        st.markdown(
            ":material/travel_explore: **Far from the training images:** however sure an answer "
            "is, the network has seen nothing like this"
        )
        st.caption("\n".join(lines))


def _line(network: Network, share: float) -> str:
    name = lab.plain(network.name)
    if share == 1:
        return (
            f"{name}: farther from every training image than any of the test images that were "
            "measured."
        )
    if share >= FAR:
        return (
            f"{name}: farther from every training image than {_percent(share)} of the test images "
            "are."
        )
    return (
        f"{name}: as near to its training images as test images usually are ({_percent(share)} of "
        "them are nearer)."
    )


def _percent(share: float) -> str:
    """A share in whole per cent, or in tenths where that says more.

    >>> _percent(0.994), _percent(0.37)
    ('99.4 %', '37 %')
    """
    return f"{100 * share:.1f} %" if share >= FAR else f"{100 * share:.0f} %"


def _share_nearer(network: Network, image: Pixels) -> float | None:
    """The share of the test images that lie nearer; None where that cannot be told, with why."""
    space = _space(network)
    train, projection = space.train(), space.projection()
    try:
        usual = _usual(network, space)
        features = questions.features(network.run, image, network.epoch)
    except TransferLabError as error:
        st.caption(lab.sentence(error))
        return None
    if usual is None or train is None or features is None:
        return None  # somebody cleared the cache just now, or it is still being computed
    features = features[None]
    query = features if projection is None else projection(features)
    return share_nearer(float(distances_to_nearest(query, train)[0]), usual)


def _usual(network: Network, space: FeatureSpace) -> NDArray[np.float32] | None:
    """How far test images of a network lie from its training images, ascending.

    None where features are missing, or, with a word why, while it is being measured.
    """
    test, train = space.test(), space.train()
    if test is None or train is None:
        return None

    def compute(tell: Tell) -> NDArray[np.float32]:
        return usual_distances(test.rows, train, tell)

    what = f"Measuring how far test images of {lab.plain(network.name)} lie"
    key = "usual distances", network.run.id, network.epoch, network.run.state.heartbeat
    return waiting.wait_for(what, key, compute, most=16)


def _is_there(network: Network) -> bool:
    return feature_spaces.is_there(_space(network), "neighbours")


def _space(network: Network) -> FeatureSpace:
    return FeatureSpace(lab.workspace(), network.run, network.epoch)


def _offer(networks: Sequence[Network]) -> None:
    with st.expander(
        "Measure how far this is from the training images", icon=":material/travel_explore:"
    ):
        st.caption(
            "As each network sees it: by the features that its last layer is fed, the distance to "
            "the nearest training image is compared with that of test images. For that, the "
            "features of the training images have to be computed once."
        )
        for network in networks:
            feature_spaces.offer(_space(network), network.name, "neighbours")
