"""`python -m core samples`: the sample runs that come with the project, brought in or removed."""

from argparse import Namespace

from core.commands.commands import Result
from core.registry import samples
from core.registry.runs import Runs
from core.workspace import Workspace


def show(workspace: Workspace, options: Namespace) -> Result:
    """Every sample and whether it is in the workspace; brought in or removed if asked."""
    runs = Runs(workspace)
    if options.bring:
        samples.bring(runs)
    if options.remove:
        samples.remove(runs)
    missing = samples.missing(runs)
    listed = [
        {"run": samples.id_of(recipe), "recipe": recipe, "in_workspace": recipe not in missing}
        for recipe in samples.SAMPLED
    ]
    return Result({"samples": listed})
