"""All that a workspace keeps on disk only because it would take long to compute anew."""

from dataclasses import dataclass

from core.data import resized
from core.feature_space import space
from core.preferences import load_preferences
from core.training.feature_cache import FeatureCache, Use
from core.workspace import Workspace

FROZEN = "frozen layers' output"


@dataclass(frozen=True)
class Kept:
    """One kind of what is kept: what it is, who needs it again, and where it lies."""

    title: str
    needed_by: str
    places: tuple[FeatureCache, ...]

    def use(self) -> Use:
        """How much there is, and the most that there may be in each place."""
        return self._all([each.use() for each in self.places])

    def clear(self) -> Use:
        """Drop all of it; returns what was freed. What a process has open it can still read."""
        return self._all([each.clear() for each in self.places])

    def _all(self, uses: list[Use]) -> Use:
        limit = self.places[0].limit if self.places else 0
        return Use(sum(use.entries for use in uses), sum(use.size for use in uses), limit)


def kept_by(workspace: Workspace) -> dict[str, Kept]:
    """By name: the output of frozen layers, resized pictures, and features for Compare."""
    spaces = sorted(workspace.feature_spaces.glob(f"*/{space.KEPT}"))
    return {
        "features": Kept(
            FROZEN,
            "the next training with frozen layers",
            (FeatureCache(workspace.features, load_preferences(workspace).cache_limit),),
        ),
        "pictures": Kept(
            "pictures in the sizes of networks",
            "the next training on them",
            (FeatureCache(workspace.pictures, resized.DEFAULT_LIMIT),),
        ),
        "feature_spaces": Kept(
            "features and maps of test images",
            "Compare and Predict, when they are asked for again",
            tuple(FeatureCache(folder, space.LIMIT) for folder in spaces),
        ),
    }
