"""Room kept for what a browser draws a moment later, so that nothing below it moves then.

Streamlit loads the code of each kind of widget when it is first shown, and stands in for it with a
grey bar that is as high as a button; a component has no height until its script has drawn it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

WIDGETS: Mapping[float, Iterable[str]] = {
    2.0: (
        "aspect",
        "compare_view",
        "data_balance",
        "data_page",
        "data_view",
        "digit_brush",
        "drawn_several",
        "gallery_page",
        "how_many",
        "many_kind",
        "mode",
        "shortcuts",
        "source",
        "under_each",
        "words",
    ),
    3.75: (
        "confusion_measure",
        "confusion_pair_order",
        "confusion_unit",
        "level",
        "map_coloring",
        "map_kind",
        "map_letter",
    ),
    4.25: (
        "augmenting-",
        "cache_limit",
        "choice_a",
        "choice_b",
        "confusion_class_order",
        "confidence_threshold",
        "data_class",
        "data_dataset",
        "data_order",
        "data_part",
        "epoch_a",
        "epoch_b",
        "images_group",
        "images_order",
        "name_",
        "recipe",
    ),
    6.0: ("many_Files", "note_"),
    6.3: ("networks",),
}
"""How high widgets are (rem), by the beginnings of their keys."""

DRAWN: Mapping[float, Iterable[str]] = {
    8.5: ("overview_data",),
    11: ("overview_groups", "overview_latest"),
    15.75: ("diagram",),
    17.5: ("data_histogram",),
    18.5: ("histogram_a", "histogram_b"),
    21: ("confusion_class_scores", "overview_question"),
    23: ("accuracy_by_epoch", "outcomes_by_epoch"),
    25.5: ("data_classes",),
    25.8: ("answers_",),
    26: ("compared", "confusion_pairs", "coverage", "reliability"),
    29.5: ("augmenting_pictures", "confusion_matrices"),
    60: ("data_gallery",),
}
"""How high drawings are at least (rem), by the beginnings of their keys."""

WIDE_WIDGETS: Mapping[float, Iterable[str]] = {4.25: ("networks",)}
"""The same where the names of two networks have room beside each other."""

NARROW_WIDGETS: Mapping[float, Iterable[str]] = {4.4: ("mode",), 6.5: ("data_view",)}
NARROW_DRAWN: Mapping[float, Iterable[str]] = {34: ("overview_groups",), 43: ("overview_question",)}
"""The same on a telephone, where parts stand below each other and not side by side."""


def _sheet() -> str:
    narrow = f"{_bars(NARROW_WIDGETS)}\n{_at_least(NARROW_DRAWN)}"
    return (
        f"{_UNNAMED}\n{_bars(WIDGETS)}\n{_at_least(DRAWN)}\n"
        f"@media (max-width: 640px) {{ {narrow} }}\n"
        f"@media (min-width: 1700px) {{ {_bars(WIDE_WIDGETS)} }}"
    )


def _bars(heights: Mapping[float, Iterable[str]]) -> str:
    """Of what stands in for widgets."""
    return "\n".join(
        f"{_keyed(keys)} [data-testid=stSkeleton] {{ height: {rem}rem; }}"
        for rem, keys in heights.items()
    )


def _at_least(heights: Mapping[float, Iterable[str]]) -> str:
    return "\n".join(f"{_keyed(keys)} {{ min-height: {rem}rem; }}" for rem, keys in heights.items())


def _keyed(keys: Iterable[str]) -> str:
    """A selector of the elements whose keys begin so."""
    named = ", ".join(f'[class*="st-key-{key}"]' for key in keys)
    return f"[data-testid=stElementContainer]:is({named})"


_UNNAMED = """
.st-key-words { min-width: 3.6rem; min-height: 2rem; }
.st-key-data_pixel_table { min-height: 6.75rem; }
@media (min-width: 641px) { .st-key-tools { min-width: 10.6rem; } }
[data-testid=stSidebar] [data-testid=stSkeleton], .st-key-tools [data-testid=stSkeleton] {
  height: 2rem;
}
[data-testid=stSidebar] [data-testid=stElementContainer]:first-child [data-testid=stSkeleton] {
  height: 2.75rem;
}
[data-testid=stSidebar] [data-testid=stElementContainer]:not(:first-child):has(
  [data-testid=stSkeleton]) { margin-block: -0.375rem; }
.st-key-data_views [data-testid=stSkeleton], [class*="_flip"] [data-testid=stSkeleton] {
  height: 2rem;
}
[class*="st-key-augmenting-"][class*="-sliders"] { min-height: 9.25rem; }
@media (641px < width < 1600px) {
  [class*="st-key-augmenting-"][class*="-sliders"] { min-height: 12.5rem; }
}
:is([data-testid=stColumn], [data-testid=stHorizontalBlock] > [data-testid=stLayoutWrapper])
  > [data-testid=stVerticalBlock]
  > [data-testid=stElementContainer]:first-child:not([class*="st-key-"])
  [data-testid=stSkeleton] { height: 4.06rem; }
"""
"""The mark, links, the tools beside the title and what has keys that end alike; figures, which are
the first in their columns."""

SHEET = _sheet()
