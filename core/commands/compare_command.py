"""The command that sets two runs side by side, or ranks more of them."""

from argparse import Namespace
from pathlib import Path
from typing import Any

from core.analysis import comparison, ranking
from core.analysis.export import export_comparison
from core.commands.commands import Result
from core.errors import InvalidRequest
from core.registry.runs import Runs
from core.workspace import Workspace


def compare(workspace: Workspace, options: Namespace) -> Result:
    """Compare two runs from their stored predictions, or rank three and more."""
    if options.others:
        return _rank(workspace, options)
    runs = Runs(workspace)
    compared = comparison.compare(
        runs.find(options.run_a),
        runs.find(options.run_b),
        epoch_a=_epoch("--epoch-a", options.epoch_a),
        epoch_b=_epoch("--epoch-b", options.epoch_b),
    )
    content = comparison.as_json(compared)
    if options.export:
        content["exported"] = export_comparison(compared, Path(options.export), workspace)
    return Result(content)


def _rank(workspace: Workspace, options: Namespace) -> Result:
    only_of_two = {
        "--epoch-a": options.epoch_a,
        "--epoch-b": options.epoch_b,
        "--export": options.export,
    }
    for name, value in only_of_two.items():
        if value is not None:
            raise InvalidRequest(
                f"{name} goes with two runs, got {2 + len(options.others)}; name two to compare"
            )
    runs = Runs(workspace)
    named = (options.run_a, options.run_b, *options.others)
    ranked = ranking.rank_runs([runs.find(reference) for reference in named])
    content = ranking.as_json(ranked)
    if not options.json:
        content["pairs"] = _by_name(content["pairs"], ranked)
    return Result(content)


def _by_name(pairs: list[dict[str, Any]], ranked: ranking.Ranking) -> list[dict[str, Any]]:
    names = {network.run.id: network.name for network in ranked.networks}
    return [pair | {"a": names[pair["a"]], "b": names[pair["b"]]} for pair in pairs]


def _epoch(argument: str, epoch: int | None) -> int | None:
    if epoch is not None and epoch < 1:
        raise InvalidRequest(f"{argument} must be at least 1, got {epoch}")
    return epoch
