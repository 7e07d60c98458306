"""What confusion matrices show, in a sentence."""

from __future__ import annotations

from collections.abc import Sequence

from core.analysis.confusion import Confusions, Pair
from ui import units
from ui.names import shortened

LONGEST_NAME = 40
"""Characters of a name in a sentence."""


def headline(confusions: Confusions, class_names: Sequence[str], networks: Sequence[str]) -> str:
    """Which network confuses two classes most often; networks: what A is called, and B if any."""
    names = [shortened(name, LONGEST_NAME) for name in networks]
    sides = list(enumerate(confusions.commonest[: len(names)]))
    found = [(_counts(pair)[side], side, pair) for side, pair in sides if pair is not None]
    if not found:
        return "Neither network makes a mistake" if names[1:] else f"{names[0]} makes no mistake"
    most, side, pair = max(found, key=lambda mistake: mistake[0])
    told = f"{names[side]} takes {_confused(pair, class_names)} most often: {_times(most)}"
    if len(names) == 1:
        return told
    return f"{told}, {names[1 - side]} {_times(_counts(pair)[1 - side])}"


def remarks(confusions: Confusions, class_names: Sequence[str]) -> list[str]:
    """Below the titles of the matrices of A, of B and of A minus B: how many mistakes."""
    a, b = confusions.mistakes
    told = [
        _mistakes(count, _counts(pair)[side], pair, class_names) if pair else "no mistake"
        for side, (count, pair) in enumerate(zip((a, b), confusions.commonest, strict=True))
    ]
    return [*told, _difference(a - b)]


def _mistakes(count: int, most: int, pair: Pair, class_names: Sequence[str]) -> str:
    counted = f"{units.count(count)} mistake{'s'[: count != 1]}"
    return f"{counted}, most often {_confused(pair, class_names, 'taken for')}: {units.count(most)}"


def _difference(more: int) -> str:
    if more == 0:
        return "equally many mistakes"
    ahead, behind = ("A", "B") if more > 0 else ("B", "A")
    counted = f"{units.count(abs(more))} more mistake{'s'[: abs(more) != 1]}"
    return f"{ahead} makes {counted} than {behind}"


def _counts(pair: Pair) -> tuple[int, int]:
    return pair.a, pair.b


def _confused(pair: Pair, class_names: Sequence[str], between: str = "for") -> str:
    truth, said = (shortened(class_names[at], LONGEST_NAME) for at in (pair.truth, pair.said))
    return f"{truth} {between} {said}"


def pair_headline(pair: Pair, class_names: Sequence[str], *, alone: bool, by_total: bool) -> str:
    """Of the first of the pairs of classes that are confused."""
    confused = _confused(pair, class_names, "is taken for")
    if alone:
        return f"{confused} most often: {_times(pair.a)}"
    counts = f"{_times(pair.a)} by A, {_times(pair.b)} by B"
    if by_total:
        return f"{confused} most often: {counts}"
    return f"They differ most where {confused}: {counts}"


def _times(count: int) -> str:
    return "once" if count == 1 else f"{units.count(count)} times"


def pair_on_hover(
    pair: Pair, class_names: Sequence[str], confusions: Confusions, *, alone: bool = False
) -> str:
    """How many of the images of a class each network takes for another, and what share that is."""
    images = int(confusions.support[pair.truth])
    letters = ("",) if alone else ("A ", "B ")
    shares = (
        f"{letter}{units.count(count)} of {units.count(images)} ({units.percent(count / images)})"
        for letter, count in zip(letters, _counts(pair), strict=False)
    )
    return f"{_confused(pair, class_names, 'taken for')}: {', '.join(shares)}"
