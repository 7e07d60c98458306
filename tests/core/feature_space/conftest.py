"""Networks with weights of their own that nobody trained, so that tests need not wait."""

import numpy as np
import pytest

from core.feature_space.space import FeatureSpace
from core.registry.run import Run
from core.workspace import Workspace
from tests.conftest import MakeRun


@pytest.fixture
def run(make_run: MakeRun) -> Run:
    """A run whose weights of its best epoch, the first of two, were kept; they are no weights."""
    made = make_run((7, 2, 1, 0), (7, 2, 1, 0), (7, 2, 1, 1))
    made.folder.model.mkdir()
    np.savez(made.folder.weights(1), nothing=np.zeros(3))
    return made


@pytest.fixture
def space(workspace: Workspace, run: Run) -> FeatureSpace:
    """The features of that run, of which nothing is kept yet."""
    return FeatureSpace(workspace, run, 1)
