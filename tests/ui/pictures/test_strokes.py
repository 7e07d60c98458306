import numpy as np
import pytest

from ui.pictures.strokes import inked


def test_a_straight_stroke_is_as_wide_as_its_brush_and_round_at_its_ends() -> None:
    stroke = {"strokeWidth": 20, "path": [["M", 50, 30], ["L", 50, 90]]}
    ink = inked([stroke], 120, 100)
    assert ink.shape == (120, 100)
    assert np.flatnonzero(ink[60] > 127).tolist() == list(range(40, 60))
    area = 20 * 60 + np.pi * 10**2
    assert ink.sum() / 255 == pytest.approx(area, rel=0.03)


def test_a_curve_bends_as_a_parabola_does() -> None:
    curve = {"strokeWidth": 4, "path": [["M", 10, 50], ["Q", 50, 10, 90, 50]]}
    ink = inked([curve], 100, 100)
    middle = np.flatnonzero(ink[:, 50]).mean()
    assert middle == pytest.approx(30 - 0.5, abs=1), "halfway to the point that it bends towards"


def test_a_dot_is_a_disc() -> None:
    dot = {"strokeWidth": 20, "path": [["M", 50, 50], ["L", 50.04, 50]]}
    assert inked([dot], 100, 100).sum() / 255 == pytest.approx(np.pi * 10**2, rel=0.05)


def test_strokes_that_cross_stay_full() -> None:
    cross = [
        {"strokeWidth": 8, "path": [["M", 10, 50], ["L", 90, 50]]},
        {"strokeWidth": 8, "path": [["M", 50, 10], ["L", 50, 90]]},
    ]
    assert inked(cross, 100, 100)[50, 50] == 255
