"""What networks are compared on: the images that both were tested on, or your handwriting."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import streamlit as st

from core.analysis.comparison import Side, compare_sides
from core.analysis.images import Images
from core.analysis.selection import Selection
from core.data.datasets import Split
from core.handwriting.handwriting import Samples
from core.handwriting.handwriting_scores import learned_from, reads_handwriting
from core.registry.run import Run
from ui import lab, questions, units
from ui.compare import link
from ui.frame import icons, waiting

TESTED, HANDWRITING = "tested", "handwriting"
TITLES = {TESTED: "Their test images", HANDWRITING: "Your handwriting"}
"""By the name that a link knows each by (`on`)."""


class TestSet(Protocol):
    """Images with a truth, and what networks make of them.

    version: changes with the images. by_epoch: whether it is known of every epoch what a network
    made of the images, and where its features place them.
    """

    @property
    def version(self) -> str: ...

    @property
    def by_epoch(self) -> bool: ...

    def takes(self, run: Run) -> bool:
        """Whether a run can be tested on it."""

    def side(self, run: Run, epoch: int) -> Side:
        """What a run makes of it after an epoch, 0 for the best. Raises TransferLabError.

        Ends the page, with a word why, while that is not known.
        """

    def split(self, run: Run, side: int) -> Split:
        """The images as a run reads them, a folder's in that size. Raises what reading raises."""

    def dataset(self, run: Run) -> str:
        """The name that tags of the images are kept under."""

    def title(self, run: Run) -> str:
        """What it is called in a report."""

    def called(self, index: int) -> str:
        """What one image is called."""

    def caution(self, run: Run) -> str:
        """Why a run's figures may say too much, empty where they do not. Raises DamagedFile."""


@dataclass(frozen=True)
class Tested:
    """The images that each run was tested on when it was trained."""

    version: str = ""
    by_epoch: bool = True

    def takes(self, run: Run) -> bool:
        return True

    def side(self, run: Run, epoch: int) -> Side:
        what = f"Reading what {lab.plain(run.name)} predicted"
        key = "side", *_version(run), epoch
        side = waiting.wait_for(what, key, lambda tell: Side.read(run, epoch or None), most=32)
        if side is None:
            st.stop()
        return side

    def split(self, run: Run, side: int) -> Split:
        return lab.test_images(run, side)

    def dataset(self, run: Run) -> str:
        return run.config.data.name

    def title(self, run: Run) -> str:
        return run.config.data.facts.label

    def called(self, index: int) -> str:
        return f"Test image {index}"

    def caution(self, run: Run) -> str:
        return ""


@dataclass(frozen=True, eq=False)
class Handwritten:
    """The samples of handwriting, about which networks are asked when somebody compares them."""

    samples: Samples
    by_epoch: bool = False

    @property
    def version(self) -> str:
        return self.samples.fingerprint

    def takes(self, run: Run) -> bool:
        return reads_handwriting(run)

    def side(self, run: Run, epoch: int) -> Side:
        chosen = epoch or run.state.best_epoch
        made = questions.score_handwriting(run, self.samples, chosen)
        if made is None:
            st.stop()
        return Side.of(run, chosen, made)

    def split(self, run: Run, side: int) -> Split:
        return self.samples.split

    def dataset(self, run: Run) -> str:
        return HANDWRITING

    def title(self, run: Run) -> str:
        return "Handwriting"

    def called(self, index: int) -> str:
        return f"Handwriting sample {index}"

    def caution(self, run: Run) -> str:
        known = int(learned_from(run, self.samples, lab.workspace()).sum())
        if not known:
            return ""
        return (
            f"{run.name} learned from {units.count(known)} of these "
            f"{units.count(len(self.samples))} samples: that it is right on those proves little."
        )


@dataclass(frozen=True, eq=False)
class Compared(Images):
    """The images of a comparison, and the test set that they are."""

    test_set: TestSet


def choose() -> TestSet:
    """Let a person choose what networks are compared on, where there is handwriting."""
    handwriting, wanted = lab.handwriting(), link.kept_value("on")
    with lab.failures_as_sentences():
        some = handwriting.count() > 0
        samples = handwriting.read() if some and wanted == HANDWRITING else None
    if not some or (samples is not None and not len(samples)):
        if wanted == HANDWRITING:
            st.info(
                "There is no handwriting to compare on yet: draw digits on Predict and keep them. "
                "The networks are compared on their test images instead.",
                icon=icons.PREDICT,
            )
        link.keep(on="")
        return Tested()
    st.session_state["compare_on"] = wanted if wanted in TITLES else TESTED
    st.segmented_control(
        "Compare on",
        list(TITLES),
        format_func=TITLES.__getitem__,
        key="compare_on",
        required=True,
        label_visibility="collapsed",
        on_change=_switch,
    )
    return Tested() if samples is None else Handwritten(samples)


def _switch() -> None:
    """Compare on other images: what was selected of the former ones means nothing any more."""
    chosen = st.session_state["compare_on"]
    link.show(Selection())
    link.keep(on="" if chosen == TESTED else chosen, ea="", eb="")


def compared(test_set: TestSet, runs: Sequence[Run], epochs: Sequence[int]) -> Compared:
    """Two runs compared after an epoch each, 0 for the best, and what both make of each image.

    Kept while neither the runs nor the images change. Raises what comparing and asking raise.
    """
    sides = [test_set.side(run, epoch) for run, epoch in zip(runs, epochs, strict=True)]
    a, b = map(_version, runs)
    return _compared(test_set.version, a, b, *epochs, _test_set=test_set, _sides=sides)


Version = tuple[str, float, str]


def _version(run: Run) -> Version:
    return str(run.folder.path), run.state.heartbeat, run.name


@st.cache_resource(max_entries=8, show_spinner=False)
def _compared(
    images: str,
    a: Version,
    b: Version,
    epoch_a: int,
    epoch_b: int,
    *,
    _test_set: TestSet,
    _sides: Sequence[Side],
) -> Compared:
    side_a, side_b = _sides
    return Compared(compare_sides(side_a, side_b), _test_set)
