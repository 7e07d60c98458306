"""What a network's confidence is worth, in words."""

from __future__ import annotations

import math
from collections.abc import Mapping

from core.analysis.calibration import Answered, Calibration
from core.analysis.selection import Span
from ui import units

SMALL = 0.005
"""Difference of confidence and accuracy, on average, that makes none in practice."""


def in_words(now: Answered) -> str:
    """What a network still does where it answers only if surer than a threshold."""
    total = units.count(now.total)
    if not now.answered:
        return f"answers none of {total}: it is never that sure."
    if not now.turned_away:
        return f"answers all {total} and is right on {units.percent(now.accuracy)} of them."
    away, lost = units.count(now.turned_away), units.count(now.right_turned_away)
    would = "all of which" if now.right_turned_away == now.turned_away else f"{lost} of which"
    return (
        f"answers {units.count(now.answered)} of {total} and is right on "
        f"{units.percent(now.accuracy)} of them; {away} "
        f"{'is' if now.turned_away == 1 else 'are'} turned away, {would} it would have got right."
    )


def excess_in_words(excess: float) -> str:
    """How much surer than right a network is on average."""
    if math.isnan(excess):
        return ""
    how = "too sure" if excess > 0 else "too modest"
    return f"{100 * abs(excess):.2f} pp {how} on average"


def reliability(judged: Mapping[str, Calibration]) -> str:
    """Whether networks, by their letters, are as sure as they are right."""
    if any(math.isnan(made.excess) for made in judged.values()):
        return "Is it right as often as it is sure?"
    found = {letter: _state(made.excess) for letter, made in judged.items()}
    if len(set(found.values())) == 1:
        return f"Both are {next(iter(found.values()))}"
    return ", ".join(f"{letter} is {state}" for letter, state in found.items())


def _state(excess: float) -> str:
    if abs(excess) < SMALL:
        return "about as sure as right"
    return "surer than right" if excess > 0 else "right more often than sure"


def coverage(answered: Mapping[str, Answered]) -> str:
    """How often networks are right where they answer only if surer than a threshold."""
    told = [
        f"{letter} on {units.percent(now.accuracy)}"
        for letter, now in answered.items()
        if now.answered
    ]
    threshold = next(iter(answered.values())).threshold
    if not told:
        return f"Neither is ever surer than {threshold:.1%}".replace("%", " %")
    return f"Right where surer than {units.percent(threshold, digits=1)}: {', '.join(told)}"


def sure_mistakes(letter: str, now: Answered) -> str:
    """In how many of its mistakes a network was surer than a threshold."""
    mistakes, sure = now.total - now.total_right, now.answered - now.right
    if not mistakes:
        return f"{letter} made no mistake"
    than = f"surer than {units.percent(now.threshold, digits=1)}"
    some = "each" if sure == mistakes else units.count(sure)
    return f"{letter} was {than} in {some} of its {units.count(mistakes)} mistakes"


def images(number: int) -> str:
    """So many images."""
    return f"{units.count(number)} image{'s' * (number != 1)}"


def span_in_words(span: Span) -> str:
    """From and to which confidence."""
    low, high = span
    return f"{100 * low:.0f} to {100 * high:.0f} %"
