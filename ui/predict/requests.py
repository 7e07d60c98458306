"""What a session has asked to be read: files, networks, and the job that reads them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from io import BytesIO
from itertools import count
from operator import attrgetter
from typing import Any, NamedTuple

import streamlit as st

from core.data import kaggle
from core.errors import InvalidRequest
from core.jobs import Job, Steps, Tell
from core.predicting.ink import Polarity
from core.predicting.joint_readings import JointReadings, Networks, read_digits, read_pictures
from core.predicting.prediction_service import PredictionService
from core.predicting.readings import Ask
from core.predicting.uploads import Upload
from ui import lab
from ui.predict.networks import Network, takes_digits

_KEPT, _UPLOADER = "_many", "_many_uploader"
_NUMBERS = count()


class File(NamedTuple):
    """A file that was handed in. id: what Streamlit knows it by."""

    id: str
    name: str
    content: bytes


@dataclass(frozen=True, eq=False)
class Request:
    """Files that networks were asked to read. table: whether they are one table of digits."""

    number: int
    files: Sequence[File]
    networks: Sequence[Network]
    polarity: Polarity
    table: bool
    job: Job[JointReadings[Network]]

    @property
    def names(self) -> list[str]:
        """What the files are told apart by."""
        return names(self.files)

    def asked_as(self, networks: Sequence[Network], polarity: str) -> bool:
        """Whether it was just these networks, told the same of the ink."""
        mine = [(network.run.id, network.epoch) for network in self.networks]
        others = [(network.run.id, network.epoch) for network in networks]
        return mine == others and (self.table or polarity == self.polarity)


def names(files: Sequence[File]) -> list[str]:
    """What files are told apart by."""
    return [file.id for file in files]


def files_of(uploaded: Sequence[Any] | None, in_order: bool) -> list[File]:
    """What Streamlit's uploader gave, `in_order` of names; a browser lists a folder in none."""
    files = [File(file.file_id, file.name, file.getvalue()) for file in uploaded or ()]
    return sorted(files, key=attrgetter("name")) if in_order else files


def uploader_key(kind: str) -> str:
    """The key of the uploader, another one after its files were put away."""
    return f"many_{kind}_{st.session_state.get(_UPLOADER, 0)}"


def kept() -> Request | None:
    """The session's request."""
    request: Request | None = st.session_state.get(_KEPT)
    return request


def begin(files: Sequence[File], networks: Sequence[Network], polarity: Polarity) -> None:
    """Begin reading; what was being read before is cancelled."""
    _cancel()
    table = len(files) == 1 and kaggle.is_table(BytesIO(files[0].content))
    service = lab.predictor()

    def read(tell: Tell) -> JointReadings[Network]:
        steps = Steps(tell)
        asked = {
            network: (network.run.config, _asking(service, network, steps.within))
            for network in networks
        }
        return (_read_table if table else _read_pictures)(files, asked, polarity, steps)

    st.session_state[_KEPT] = Request(
        next(_NUMBERS), files, list(networks), polarity, table, Job(read)
    )


def forget() -> None:
    """Put the files away, and what was made of them."""
    _cancel()
    st.session_state.pop(_KEPT, None)
    st.session_state[_UPLOADER] = st.session_state.get(_UPLOADER, 0) + 1


def _cancel() -> None:
    before = kept()
    if before is not None:
        before.job.cancel()


def _asking(service: PredictionService, network: Network, tell: Tell) -> Ask:
    return lambda images: service.predict(network.run.id, images, network.epoch, tell)


def _read_pictures(
    files: Sequence[File],
    networks: Networks[Network],
    polarity: Polarity,
    progress: Callable[[float], None],
) -> JointReadings[Network]:
    upload = Upload((file.name, BytesIO(file.content)) for file in files)
    return read_pictures(upload, networks, polarity, progress)


def _read_table(
    files: Sequence[File],
    networks: Networks[Network],
    polarity: Polarity,
    progress: Callable[[float], None],
) -> JointReadings[Network]:
    for network in networks:
        if not takes_digits(network.run):
            raise InvalidRequest(
                f"{files[0].name} is a table of digits, which {network.name!r} does not know; "
                "choose a network that learned digits"
            )
    return read_digits(files[0].content, networks, progress)
