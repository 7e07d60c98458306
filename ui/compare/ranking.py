"""More than two networks: ranked, and every pair of them told apart from chance."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
import streamlit as st

from core.analysis.ranking import Contestant, Ranking, rank_runs, verdict
from core.analysis.selection import Selection
from core.jobs import Tell
from core.registry.run import Run
from ui import lab, units
from ui.compare import link
from ui.frame import icons, waiting
from ui.frame.empty import empty
from ui.plots.headings import Heading
from ui.plots.pairs import pairs
from ui.runs import run_view
from ui.runs.ranking_table import ranking_table

TWO, MANY = "Two networks", "Many networks"
EVERY, NOBODY = "all", "none"
"""What a link says where all networks of the largest test split are ranked, or none is chosen."""
MOST = 50
"""Networks that are ranked at once; 1,225 pairs are still read at a glance."""
MOST_KEPT = 500
"""Networks of which it is kept what they predicted."""
FEW = 8
"""Networks that are chosen from without opening anything."""
NAMED = 5
"""Runs that are named where some are left out."""
_BEFORE, _CHOSEN, _SPLIT = "ranked_before", "ranked_runs", "ranked_split"


def is_wanted(finished: Sequence[Run]) -> bool:
    """Ask whether two networks are compared or many ranked; two where there are no more."""
    if len(finished) < 3:
        link.keep(runs="")
        return False
    st.session_state["how_many"] = MANY if link.kept_value("runs") else TWO
    st.segmented_control(
        "How many",
        (TWO, MANY),
        key="how_many",
        required=True,
        label_visibility="collapsed",
        on_change=_switch,
    )
    return bool(link.kept_value("runs"))


def _switch() -> None:
    """Rank those that were ranked last, or go back to two."""
    if st.session_state["how_many"] == MANY:
        link.keep(runs=st.session_state.get(_BEFORE, EVERY))
    else:
        link.keep(runs="")


def show(finished: Sequence[Run]) -> None:
    """Which networks are ranked, their ranking, and how each pair of them differs."""
    st.session_state[_BEFORE] = link.kept_value("runs")
    chosen, elsewhere = _choose(finished)
    link.write()  # also where the page ends below
    _tell_elsewhere(elsewhere)
    if len(chosen) < 2:
        empty(
            ":material/leaderboard:",
            "The networks stand here in their order, with what is chance between them.",
            "Choose at least two networks to rank.",
            key="ranking",
        )
        return
    with lab.failures_as_sentences():
        ranking = _ranking(chosen)
    if ranking is None:
        return
    st.markdown(f"#### {lab.plain(verdict(ranking))}")
    for missing in ranking.left_out:
        st.warning(
            f"{run_view.name(missing.run)} is left out. {lab.sentence(missing.reason)}",
            icon=icons.WARNING,
        )
    ranking_table(ranking)
    _show_pairs(ranking)


def _choose(finished: Sequence[Run]) -> tuple[list[Run], list[Run]]:
    """The runs to rank, all tested on the same images, and the others."""
    splits, wanted = _by_split(finished), _wanted(finished)
    split = _choose_split(splits, wanted)
    options = {run.id: run for run in splits[split]}
    named = list(options) if wanted is None else [run.id for run in wanted if run.id in options]
    st.session_state[_CHOSEN] = named[:MOST]
    few = len(options) <= FEW
    title = f"Networks: {len(named[:MOST])} of {units.count(len(options))}"
    with st.container() if few else st.expander(title, key="ranked_networks"):
        st.multiselect(
            "Networks",
            list(options),
            format_func=lambda run_id: run_view.label(options[run_id]),
            key=_CHOSEN,
            max_selections=MOST,
            placeholder="Choose networks",
            on_change=_take,
        )
    if len(named) > MOST:
        st.caption(
            f"The {MOST} with the highest accuracy are ranked, of {units.count(len(named))}; "
            "choose others above."
        )
    chosen = [options[run_id] for run_id in named[:MOST]]
    everywhere = finished if wanted is None else wanted
    return chosen, [run for run in everywhere if run.id not in options]


def _wanted(finished: Sequence[Run]) -> list[Run] | None:
    """The runs that the link names; None where it wants all of a test split."""
    wanted = link.kept_value("runs")
    if wanted == EVERY:
        return None
    by_id = {run.id: run for run in finished}
    ids = [] if wanted == NOBODY else list(dict.fromkeys(wanted.split(",")))
    known = [by_id[run_id] for run_id in ids if run_id in by_id]
    if len(known) < len(ids):
        st.warning(
            f"{len(ids) - len(known)} of the {len(ids)} runs of this link cannot be shown here: "
            "they were deleted, or have no results yet.",
            icon=icons.BROKEN_LINK,
        )
        link.keep(runs=_written(known))
    return known


def _by_split(finished: Sequence[Run]) -> dict[str, list[Run]]:
    """The runs by the fingerprint of what they were tested on, best first.

    The split that most runs share comes first, of equals that of the newest run.
    """
    splits: dict[str, list[Run]] = {}
    for run in finished:
        splits.setdefault(run.state.test_fingerprint, []).append(run)
    largest = sorted(splits.items(), key=lambda split: -len(split[1]))
    return {split: sorted(runs, key=_accuracy, reverse=True) for split, runs in largest}


def _accuracy(run: Run) -> float:
    return run.state.metrics.get("test_accuracy", 0.0)


def _choose_split(splits: dict[str, list[Run]], wanted: Sequence[Run] | None) -> str:
    """The test split whose runs are ranked: that of most wanted runs, else the first."""
    shared = Counter(run.state.test_fingerprint for run in wanted or ())
    split = shared.most_common(1)[0][0] if shared else next(iter(splits))
    if len(splits) < 2:
        return split
    st.session_state[_SPLIT] = split
    st.selectbox(
        "Tested on",
        list(splits),
        format_func=lambda fingerprint: _named(splits[fingerprint]),
        key=_SPLIT,
        on_change=_take_split,
        args=(splits,),
        help="Only networks that were tested on the same images can be ranked.",
    )
    return split


def _named(runs: Sequence[Run]) -> str:
    """What runs of one split were tested on, and how many they are."""
    data = runs[0].config.data
    some = "" if data.test_images is None else f", the first {units.count(data.test_images)} images"
    where = f" in {data.path}" if data.name == "folder" else ""
    counted = "1 network" if len(runs) == 1 else f"{units.count(len(runs))} networks"
    return f"{data.facts.label}{where}{some} · {counted}"


def _take_split(splits: dict[str, list[Run]]) -> None:
    """Rank all networks of the split that was chosen."""
    split = st.session_state[_SPLIT]
    first = split == next(iter(splits))
    link.keep(runs=EVERY if first else _written(splits[split][:MOST]))


def _take() -> None:
    """Rank the networks that were chosen."""
    link.keep(runs=",".join(st.session_state[_CHOSEN]) or NOBODY)


def _written(runs: Sequence[Run]) -> str:
    """Runs as a link names them."""
    return ",".join(run.id for run in runs) or NOBODY


def _tell_elsewhere(runs: Sequence[Run]) -> None:
    if not runs:
        return
    names = ", ".join(lab.plain(run.name) for run in runs[:NAMED])
    more = f" and {units.count(len(runs) - NAMED)} more" if len(runs) > NAMED else ""
    st.caption(f"Left out, because they were tested on other images: {names}{more}.")


def _show_pairs(ranking: Ranking) -> None:
    """The matrix of all pairs; a click on one compares the two."""
    st.subheader("Who is better than whom", anchor=False)
    clicked = pairs(
        [network.name for network in ranking.networks],
        ranking.difference,
        ranking.corrected,
        ranking.better,
        heading=_pairs_heading(ranking),
        key="ranked_pairs",
    )
    if clicked is not None:
        row, column = clicked
        _open(ranking.networks[row], ranking.networks[column])


def _pairs_heading(ranking: Ranking) -> Heading:
    told_apart, count = int(np.count_nonzero(ranking.better)), ranking.pairs
    return Heading(
        f"{units.count(told_apart)} of {units.count(count)} pair{'s'[: count != 1]} differ by more "
        "than chance explains",
        "Each cell sets the network of its row against that of its column: the difference of their "
        "accuracies in percentage points, and below it how likely one at least as large is by "
        f"chance (McNemar’s exact test, made stricter for {units.count(count)} "
        f"pair{'s'[: count != 1]} by Holm’s method).",
        "Click one to see where the two disagree.",
    )


def _open(a: Contestant, b: Contestant) -> None:
    """Compare two networks of the ranking."""
    for letter, network in (("a", a), ("b", b)):
        run_view.show_next(network.run, parameter=letter)
    link.show(Selection())
    link.keep(a=a.run.id, b=b.run.id, ea="", eb="", runs="")
    st.rerun()


Version = tuple[str, float, str]


def _version(run: Run) -> Version:
    return str(run.folder.path), run.state.heartbeat, run.name


def _ranking(runs: Sequence[Run]) -> Ranking | None:
    """Runs ranked by their best epochs; None, with a word why, while that is not known."""
    before = _read_before()

    def read(run: Run) -> Contestant:
        version = _version(run)
        if version not in before:
            before[version] = Contestant.read(run)
        return before[version]

    def compute(tell: Tell) -> Ranking:
        ranking = rank_runs(runs, read, tell)
        for version in list(before)[:-MOST_KEPT]:
            before.pop(version, None)
        return ranking

    key = "ranking", *map(_version, runs)
    return waiting.wait_for("Reading what they predicted", key, compute, most=8)


@st.cache_resource(show_spinner=False)
def _read_before() -> dict[Version, Contestant]:
    """What was read for a ranking, as the next one shares most networks with it."""
    return {}
