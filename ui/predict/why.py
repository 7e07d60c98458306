"""Why the networks answer as they do: the places of the picture that their answers hang on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from core.data.preprocessing import Pixels
from ui import explaining, lab
from ui.explaining import Explained, ask_method
from ui.frame import address, presenting
from ui.predict.networks import Network, colors_of, takes_digits

if TYPE_CHECKING:
    from ui.predict.reading import Reading

OWN = ""
"""Stands for explaining the class that each network itself said; no class has an empty name."""
SHOWN, CLASS = "why_shown", "why_class"
METHOD, OF_CLASS, LAYER = NAMES = "why", "class", "layer"
"""Names of the address: by which method it is explained, for which class, and by which layer."""
_PAGE = "Predict, why"
CHOICE_WIDTH = 340

Answers = dict[Network, NDArray[np.float32]]


def show(reading: Reading) -> None:
    """Maps of what each network looks at, computed only while somebody wants to see them."""
    answers = {network: said for network, said in reading.answers.items() if said is not None}
    if not answers:
        return
    presenting.heading("Why they answer so", of=SHOWN)
    wanted = st.toggle(
        "Show where each network looks",
        key=SHOWN,
        persist_state="session",
        help="Lays a map over the picture: the places that speak for a class (Grad-CAM), or those "
        "that the answer loses by when they are covered. It takes a moment for each picture.",
    )
    if wanted:
        _explain(reading, answers)
    else:
        address.put(_PAGE, {}, NAMES)


def follow() -> None:
    """Explain as the address says, where somebody came by a link; what is not known is told."""
    says = address.read(NAMES)
    if address.went_back() or not address.is_news(_PAGE, says):
        return
    address.remember(_PAGE, says)
    method, layer = says.get(METHOD, ""), says.get(LAYER, "")
    unknown = [f"{METHOD}={method[:40]}"] if method not in _BY_LINK else []
    if layer and layer not in _LAYERS:
        unknown.append(f"{LAYER}={layer[:40]}")
    if unknown:
        address.tell_of_unknown(unknown)
        address.put(_PAGE, {}, NAMES)
    else:
        st.session_state[explaining.BY] = _BY_LINK[method]
        st.session_state[explaining.LAYER] = _LAYERS.get(layer, next(iter(explaining.LAYERS)))
        st.session_state[CLASS] = says.get(OF_CLASS, OWN)
        st.session_state[SHOWN] = True


def _tell() -> None:
    """Make the address say how it is explained."""
    state = st.session_state
    layer = state.get(explaining.LAYER, "")
    says = {METHOD: state[explaining.BY].lower(), OF_CLASS: state[CLASS]}
    if layer != next(iter(explaining.LAYERS)):
        says[LAYER] = layer.lower()
    address.put(_PAGE, says, NAMES)


_BY_LINK = {method.lower(): method for method in explaining.METHODS}
_LAYERS = {layer.lower(): layer for layer in explaining.LAYERS}


@st.fragment
def _explain(reading: Reading, answers: Answers) -> None:
    """The maps of all networks that know the class which is chosen."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        of_class, method = _choose_class(answers), ask_method()
    _tell()
    colors = colors_of(answers)
    knowing = [network for network in answers if of_class in (OWN, *network.run.config.class_names)]
    explained = [
        _explained(network, reading.images[network], answers[network], of_class, colors[network])
        for network in knowing
    ]
    method(explained)
    if len(knowing) < len(answers):
        left_out = [network.name for network in answers if network not in knowing]
        st.caption(f"Not asked, as they do not know this class: {lab.plain(', '.join(left_out))}.")


def _choose_class(answers: Answers) -> str:
    """The name of the class to explain, those that networks said first; OWN for each one's own."""
    said: dict[str, list[str]] = {}
    for network, probabilities in answers.items():
        best = network.run.config.class_names[int(probabilities.argmax())]
        said.setdefault(best, []).append(network.name)
    names = [name for network in answers for name in network.run.config.class_names]
    offered = [OWN, *dict.fromkeys((*said, *names))]
    if st.session_state.get(CLASS, OWN) not in offered:
        del st.session_state[CLASS]  # it was a class of other networks

    def text(name: str) -> str:
        if name == OWN:
            return "What each network said"
        if name not in said:
            return name
        who = said[name][0] if len(said[name]) == 1 else f"{len(said[name])} networks"
        return f"{name} · said by {who}"

    return st.selectbox(
        "Class to explain",
        offered,
        format_func=text,
        key=CLASS,
        persist_state="session",
        width=CHOICE_WIDTH,
    )


def _explained(
    network: Network,
    image: Pixels,
    probabilities: NDArray[np.float32],
    of_class: str,
    color: str,
) -> Explained:
    """What one network is to explain of the picture."""
    run, names = network.run, network.run.config.class_names
    number = names.index(of_class) if of_class else int(probabilities.argmax())
    return Explained(
        run=run,
        epoch=network.epoch,
        name=network.name,
        color=color,
        called=network.name,
        about="the digit" if takes_digits(run) else "the picture",
        image=lambda: image,
        seen=image,
        of_class=number,
        gave=float(probabilities[number]),
    )
