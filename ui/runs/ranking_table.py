"""Networks by rank, each with the interval that its accuracy lies in."""

from __future__ import annotations

import html

import streamlit as st

from core.analysis.ranking import Contestant, Ranking
from core.network.architectures import ARCHITECTURES
from ui import units
from ui.plots.saving import buttons
from ui.runs import run_view
from ui.theme import Look

_STYLE = """
<style>
.tl-ranked > .tl-saving { top: -2rem; }
.tl-ranking { overflow: auto; max-height: 34rem; }
.tl-ranking table { border-collapse: collapse; width: 100%; min-width: 44rem; font-size: .9rem;
  font-variant-numeric: tabular-nums; }
.tl-ranking th, .tl-ranking td { padding: .35rem .6rem; text-align: right; white-space: nowrap;
  border: 0; border-bottom: 1px solid rgba(138, 148, 166, .3); }
.tl-ranking th { font-weight: 600; }
.tl-ranking .text { text-align: left; }
.tl-ranking .name { text-align: left; max-width: 18rem; overflow: hidden; text-overflow: ellipsis; }
.tl-ranking .leader .name { font-weight: 600; }
.tl-ranking i { display: inline-block; width: .7rem; height: .7rem; border-radius: 2px;
  margin-right: .4rem; }
.tl-ranking .plot { width: 34%; min-width: 10rem; }
.tl-ranking .ends { display: flex; justify-content: space-between; font-weight: 400; opacity: .7; }
.tl-ranking .axis { position: relative; height: 1rem; }
.tl-ranking .span { position: absolute; top: .35rem; height: .3rem; border-radius: .15rem;
  opacity: .45; }
.tl-ranking thead th { position: sticky; top: 0; backdrop-filter: blur(12px); z-index: 1; }
.tl-ranking .dot { position: absolute; top: .1rem; width: .3rem; height: .8rem;
  margin-left: -.15rem; border-radius: .15rem; }
@media (max-width: 640px) {
  .tl-ranking .name { max-width: 8.5rem; }
  .tl-ranking th, .tl-ranking td { padding: .35rem; }
  .tl-ranking table { min-width: 40rem; }
}
</style>
"""


def ranking_table(ranking: Ranking) -> None:
    """Show the networks, best first, with intervals over one axis."""
    bounds = [network.interval for network in ranking.networks]
    low, high = min(low for low, _ in bounds), max(high for _, high in bounds)
    leaders = {network.run.id for network in ranking.leaders}
    looks = run_view.looks_of(network.run for network in ranking.networks)
    rows = "".join(
        _row(ranking, place, (low, high), looks[network.run.id], leader=network.run.id in leaders)
        for place, network in enumerate(ranking.networks)
    )
    st.html(
        f'{_STYLE}<div class="tl-saved tl-ranked"><div class="tl-ranking"><table>'
        f"<thead>{_head(low, high)}</thead><tbody>{rows}</tbody></table></div>"
        f"{buttons('Networks by accuracy', 'png', 'svg')}</div>"
    )
    st.caption(
        "The bar is the 95 % interval of the accuracy (Wilson). In bold: the networks that may be "
        "the best, for the first is ahead of them by no more than chance explains. The last two "
        "columns count the networks that each is better or worse than by more than that."
    )


def _head(low: float, high: float) -> str:
    ends = f"<span>{units.percent(low, 1)}</span><span>{units.percent(high, 1)}</span>"
    return (
        '<tr><th></th><th class="text">Network</th><th>Accuracy</th>'
        f'<th class="plot"><div class="ends">{ends}</div></th><th>Loss</th>'
        '<th class="text">Kind</th><th>Time</th><th>Better than</th><th>Worse than</th></tr>'
    )


def _row(
    ranking: Ranking, place: int, axis: tuple[float, float], look: Look, *, leader: bool
) -> str:
    network = ranking.networks[place]
    name = html.escape(network.name)
    interval = units.interval(network.interval, units.percent)
    config = network.run.config.network
    kind = f"{ARCHITECTURES[config.architecture].label}, {config.mode}"
    return (
        f'<tr class="{"leader" if leader else ""}"><td>{place + 1}</td>'
        f'<td class="name" title="{name}"><i style="{look.css}"></i>{name}</td>'
        f'<td title="{interval}">{units.percent(network.accuracy)}</td>'
        f'<td class="plot">{_plot(network, axis, look)}</td>'
        f"<td>{units.figure(network.loss)}</td>"
        f'<td class="text">{html.escape(kind)}</td>'
        f"<td>{units.duration(network.run.state.seconds)}</td>"
        f"<td>{int(ranking.better[place].sum())}</td>"
        f"<td>{int(ranking.better[:, place].sum())}</td></tr>"
    )


def _plot(network: Contestant, axis: tuple[float, float], look: Look) -> str:
    low, high = network.interval
    start, accuracy, end = (_place(share, axis) for share in (low, network.accuracy, high))
    width = end - start
    return (
        f'<div class="axis"><div class="span" style="left:{start:.2f}%;width:{width:.2f}%;'
        f'{look.css}"></div>'
        f'<div class="dot" style="left:{accuracy:.2f}%;background:{look.color}"></div></div>'
    )


def _place(share: float, axis: tuple[float, float]) -> float:
    """Where a share stands on an axis, in per cent of its length."""
    low, high = axis
    return 100 * (share - low) / ((high - low) or 1)
