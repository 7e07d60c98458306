import itertools
import tomllib
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from ui import theme
from ui.compare import feature_map
from ui.plots import pairs

ROOT = Path(__file__).parents[2]
CONFIG = tomllib.loads((ROOT / ".streamlit/config.toml").read_text())

# Simulations of full colour blindness on linear RGB (Machado, Oliveira and Fernandes, 2009).
VISION = {
    "normal": np.eye(3),
    "red-blind": np.array(
        [
            [0.152286, 1.052583, -0.204868],
            [0.114503, 0.786281, 0.099216],
            [-0.003882, -0.048116, 1.051998],
        ]
    ),
    "green-blind": np.array(
        [
            [0.367322, 0.860646, -0.227968],
            [0.280085, 0.672501, 0.047413],
            [-0.011820, 0.042940, 0.968881],
        ]
    ),
    "blue-blind": np.array(
        [
            [1.255528, -0.076749, -0.178779],
            [-0.078411, 0.930809, 0.147602],
            [0.004733, 0.691367, 0.303900],
        ]
    ),
}


def linear(color: str) -> NDArray[np.float64]:
    srgb = np.array([int(color[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    return np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)


def contrast(a: str, b: str) -> float:
    low, high = sorted(float(linear(c) @ [0.2126, 0.7152, 0.0722]) for c in (a, b))
    return (high + 0.05) / (low + 0.05)


def oklab(rgb: NDArray[np.float64]) -> NDArray[np.float64]:
    to_lms = np.array(
        [
            [0.4122214708, 0.5363325363, 0.0514459929],
            [0.2119034982, 0.6806995451, 0.1073969566],
            [0.0883024619, 0.2817188376, 0.6299787005],
        ]
    )
    to_lab = np.array(
        [
            [0.2104542553, 0.7936177850, -0.0040720468],
            [1.9779984951, -2.4285922050, 0.4505937099],
            [0.0259040371, 0.7827717662, -0.8086757660],
        ]
    )
    lab: NDArray[np.float64] = to_lab @ np.cbrt(to_lms @ np.clip(rgb, 0, 1))
    return lab


@pytest.mark.parametrize("vision", VISION)
def test_run_colors_stay_apart_however_one_sees(vision: str) -> None:
    seen = [oklab(VISION[vision] @ linear(color)) for color in theme.RUN_COLORS]
    assert min(np.linalg.norm(a - b) for a, b in itertools.combinations(seen, 2)) > 0.078


# WCAG 2.2: text needs 4.5 to 1 (1.4.3), what is drawn 3 to 1 (1.4.11).
TEXT, DRAWN = 4.5, 3
CAPTION, TINT = 0.6, 0.1
"""Opacity of captions, and of the primary colour behind what is chosen, as Streamlit has them."""
BASES = {
    name: [CONFIG["theme"][name], CONFIG["theme"][name] | CONFIG["theme"][name]["sidebar"]]
    for name in ("light", "dark")
}
"""The colours of the page and of its sidebar in each theme."""
IN_EACH = pytest.mark.parametrize("colors", [*BASES["light"], *BASES["dark"]])


def backgrounds(colors: dict[str, str]) -> list[str]:
    return [colors["backgroundColor"], colors["secondaryBackgroundColor"]]


def over(color: str, background: str, opacity: float) -> str:
    shades = zip(bytes.fromhex(color[1:]), bytes.fromhex(background[1:]), strict=True)
    return "#" + bytes(round(opacity * a + (1 - opacity) * b) for a, b in shades).hex()


def test_contrast_is_that_of_the_standard() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#767676", "#ffffff") == pytest.approx(4.54, abs=0.005)


@IN_EACH
def test_text_and_links_can_be_read(colors: dict[str, str]) -> None:
    for background in backgrounds(colors):
        assert contrast(colors["textColor"], background) > 7
        assert contrast(over(colors["textColor"], background, CAPTION), background) >= TEXT
        assert contrast(colors["linkColor"], background) >= TEXT


@pytest.mark.parametrize("base", BASES)
def test_what_is_chosen_can_be_read(base: str) -> None:
    colors = CONFIG["theme"][base]
    for background in (
        colors["backgroundColor"],
        over(colors["primaryColor"], colors["backgroundColor"], TINT),
    ):
        assert contrast(colors["primaryColor"], background) >= TEXT


@pytest.mark.parametrize("base", BASES)
def test_buttons_and_what_is_drawn_stand_out(base: str) -> None:
    background = CONFIG["theme"][base]["backgroundColor"]
    assert contrast("#ffffff", theme.FILLED_COLOR) >= TEXT
    for color in (
        *theme.RUN_COLORS,
        *theme.OUTCOME_COLORS.values(),
        theme.WATCHED_COLOR,
        theme.TRAINED_COLOR,
        theme.FROZEN_COLOR,
        theme.FILLED_COLOR,
        *feature_map.SURE_COLORS,
    ):
        assert contrast(color, background) >= DRAWN, color


@pytest.mark.parametrize("base", BASES)
def test_figures_in_coloured_cells_can_be_read(base: str) -> None:
    colors = CONFIG["theme"][base]
    for color in theme.RUN_COLORS[:2]:  # those of the matrix of pairs
        for strength in pairs.STRENGTHS:
            cell = over(color, colors["backgroundColor"], strength / 100)
            assert contrast(colors["textColor"], cell) >= TEXT
    for grey in range(256):  # a cell of a confusion matrix, whatever its colour
        assert max(contrast(f"#{3 * f'{grey:02x}'}", ink) for ink in ("#000000", "#ffffff")) >= TEXT


def test_streamlits_own_charts_use_the_same_ten_colors() -> None:
    assert CONFIG["theme"]["chartCategoricalColors"] == list(theme.RUN_COLORS)
    assert len(theme.RUN_COLORS) == 10


def test_the_first_two_runs_are_blue_and_orange() -> None:
    (red_a, _, blue_a), (red_b, _, blue_b) = map(linear, [theme.run_color(0), theme.run_color(1)])
    assert blue_a > red_a
    assert red_b > blue_b


def test_ten_places_have_ten_colors_and_the_eleventh_begins_again() -> None:
    assert len({theme.run_color(place) for place in range(10)}) == 10
    assert theme.run_color(10) == theme.run_color(0)


def test_no_two_of_forty_runs_in_a_view_look_alike() -> None:
    found = theme.looks([place % 10 for place in range(40)])
    assert len(set(found)) == 40
    assert [look.pattern for look in found[:10]] == ["solid"] * 10
    assert [look.color for look in found[10:20]] == list(theme.RUN_COLORS)


def test_a_run_whose_color_is_taken_takes_one_that_no_other_run_has() -> None:
    assert theme.apart([0, 1, 0]) == [theme.RUN_COLORS[place] for place in (0, 1, 2)]
    assert theme.apart([9, 9]) == [theme.RUN_COLORS[place] for place in (9, 0)]
    assert sorted(theme.apart([4] * 10)) == sorted(theme.RUN_COLORS)


def test_swatches_of_all_patterns_differ() -> None:
    found = [theme.Look("#2f7de1", pattern) for pattern in theme.PATTERNS]
    assert len({look.css for look in found}) == len({look.icon for look in found}) == 4


@pytest.mark.parametrize(("place", "scheme"), list(enumerate(["light", "dark"])))
def test_surfaces_and_links_are_those_of_streamlits_theme(place: int, scheme: str) -> None:
    told = CONFIG["theme"][scheme]
    assert theme.SURFACE[place] == told["backgroundColor"]
    assert theme.LINK[place] == told["linkColor"]
