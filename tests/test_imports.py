"""Who may import whom. The table below is the design; a change of it is a decision."""

import ast
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parent.parent

CORE: dict[str, set[str]] = {
    "__init__": set(),
    "__main__": {"commands.command_line"},
    "activations.__init__": set(),
    "activations.channels": {
        "activations.receptive_field",
        "activations.seen_layers",
        "data.preprocessing",
        "errors",
        "network.networks",
    },
    "activations.excitement": {
        "activations.seen_layers",
        "data.preprocessing",
        "errors",
        "feature_space.space",
        "network.graphs",
        "registry.run",
        "training.feature_cache",
        "workspace",
    },
    "activations.feature_maps": set(),
    "activations.receptive_field": set(),
    "activations.seen_layers": {"explaining.layers", "network.graphs"},
    "analysis.__init__": set(),
    "analysis.calibration": {"analysis.images", "analysis.statistics"},
    "analysis.comparison": {
        "analysis.statistics",
        "errors",
        "registry.predictions",
        "registry.run",
    },
    "analysis.confusion": {"analysis.comparison"},
    "analysis.export": {
        "analysis.comparison",
        "analysis.images",
        "analysis.report",
        "analysis.selection",
        "data.datasets",
        "errors",
        "files",
        "registry.predictions",
        "workspace",
    },
    "analysis.images": {"analysis.comparison", "registry.predictions"},
    "analysis.journey": {
        "analysis.comparison",
        "analysis.selection",
        "errors",
        "registry.predictions",
        "registry.run",
    },
    "analysis.leaving_out": {"analysis.comparison", "analysis.statistics"},
    "analysis.ranking": {
        "analysis.comparison",
        "analysis.images",
        "analysis.statistics",
        "errors",
        "registry.run",
    },
    "analysis.report": {
        "analysis.calibration",
        "analysis.comparison",
        "analysis.confusion",
        "analysis.images",
        "analysis.svg",
        "analysis.telling",
        "registry.config",
        "registry.history",
        "registry.settings",
        "validation",
        "version",
    },
    "analysis.selection": {"analysis.images", "validation"},
    "analysis.statistics": set(),
    "analysis.story": {"registry.run"},
    "analysis.subsets": {"analysis.selection", "errors", "files", "validation", "workspace"},
    "analysis.summary": {"analysis.calibration", "analysis.confusion", "analysis.images"},
    "analysis.suspects": {"analysis.images"},
    "analysis.svg": set(),
    "analysis.telling": {"analysis.images", "analysis.selection", "analysis.suspects"},
    "assets": {"errors", "workspace"},
    "background": {"files", "processes", "training.progress", "validation", "workspace"},
    "caches": {
        "data.resized",
        "feature_space.space",
        "preferences",
        "training.feature_cache",
        "workspace",
    },
    "commands.__init__": set(),
    "commands.bars": set(),
    "commands.command_line": {
        "commands.commands",
        "commands.compare_command",
        "commands.cost_commands",
        "commands.import_command",
        "commands.predict_command",
        "commands.samples_command",
        "commands.tables",
        "errors",
        "version",
        "workspace",
    },
    "commands.commands": {
        "commands.describing",
        "commands.following",
        "data.catalogue",
        "data.datasets",
        "data.label_warnings",
        "errors",
        "imported.dataset",
        "imported.library",
        "network.architectures",
        "network.models",
        "network.network_config",
        "predicting.predictor",
        "preferences",
        "registry.places",
        "registry.preflight",
        "registry.recipes",
        "registry.run",
        "registry.run_files",
        "registry.runs",
        "registry.settings",
        "training.engine",
        "training.estimates",
        "training.evaluating",
        "training.memory_needs",
        "training.metrics",
        "training.quiet",
        "workspace",
    },
    "commands.compare_command": {
        "analysis.comparison",
        "analysis.export",
        "analysis.ranking",
        "commands.commands",
        "errors",
        "registry.runs",
        "workspace",
    },
    "commands.cost_commands": {
        "caches",
        "commands.commands",
        "errors",
        "preferences",
        "registry.preflight",
        "registry.recipes",
        "registry.runs",
        "registry.settings",
        "training.estimates",
        "training.memory_needs",
        "workspace",
    },
    "commands.describing": {
        "registry.environment",
        "registry.recipes",
        "registry.run",
        "training.deviations",
        "training.estimates",
    },
    "commands.following": {
        "commands.bars",
        "errors",
        "registry.run",
        "registry.run_files",
        "registry.runs",
        "training.metrics",
    },
    "commands.import_command": {
        "commands.bars",
        "commands.commands",
        "data.balance",
        "data.catalogue",
        "data.downloading",
        "errors",
        "imported.dataset",
        "imported.library",
        "importing.decoding",
        "importing.exporting",
        "importing.importing",
        "importing.request",
        "importing.sources",
        "training.progress",
        "workspace",
    },
    "commands.predict_command": {
        "commands.commands",
        "data.kaggle",
        "errors",
        "files",
        "network.models",
        "predicting.ink",
        "predicting.predictor",
        "predicting.readings",
        "predicting.uploads",
        "registry.evaluation",
        "registry.run",
        "registry.runs",
        "training.quiet",
        "workspace",
    },
    "commands.samples_command": {
        "commands.commands",
        "registry.runs",
        "registry.samples",
        "workspace",
    },
    "commands.tables": set(),
    "data.__init__": set(),
    "data.archives": {"errors", "files"},
    "data.augmentation": {"data.data_config", "data.preprocessing"},
    "data.balance": set(),
    "data.catalogue": set(),
    "data.data_choices": {"data.catalogue", "imported.dataset", "registry.choices"},
    "data.data_config": {"data.catalogue", "validation"},
    "data.dataset_files": {"data.catalogue"},
    "data.datasets": {
        "assets",
        "data.catalogue",
        "data.data_config",
        "data.dataset_files",
        "data.image_folders",
        "data.imported_data",
        "data.resized",
        "data.rows",
        "data.stratified",
        "errors",
        "handwriting.frozen_handwriting",
        "imported.dataset",
        "training.feature_cache",
        "training.progress",
        "workspace",
    },
    "data.downloading": {"background", "data.catalogue", "errors", "workspace"},
    "data.downloads": {
        "background",
        "data.dataset_files",
        "data.downloading",
        "files",
        "processes",
        "training.quiet",
    },
    "data.image_folders": {
        "data.dataset_files",
        "data.preprocessing",
        "data.resized",
        "data.rows",
        "errors",
        "training.feature_cache",
        "training.progress",
        "validation",
    },
    "data.image_tags": {"data.datasets", "errors", "files", "validation", "workspace"},
    "data.imported_data": {
        "data.catalogue",
        "data.data_config",
        "data.resized",
        "data.rows",
        "data.stratified",
        "errors",
        "imported.dataset",
        "imported.library",
        "predicting.digits",
        "training.feature_cache",
        "training.progress",
        "validation",
        "workspace",
    },
    "data.kaggle": {"data.preprocessing", "errors", "predicting.digits"},
    "data.label_warnings": {"data.data_config"},
    "data.picture_headers": set(),
    "data.pictures": {
        "data.augmentation",
        "data.datasets",
        "data.preprocessing",
        "network.network_config",
    },
    "data.pixel_statistics": {"data.preprocessing"},
    "data.preprocessing": {"data.picture_headers", "errors"},
    "data.preview": {
        "data.augmentation",
        "data.preprocessing",
        "data.stratified",
        "registry.choices",
        "registry.config",
        "registry.recipes",
        "registry.settings",
    },
    "data.resized": {
        "data.preprocessing",
        "data.rows",
        "errors",
        "training.feature_cache",
        "training.progress",
    },
    "data.rows": set(),
    "data.stratified": set(),
    "data.tag_exchange": {"data.image_tags", "errors", "validation", "workspace"},
    "errors": set(),
    "explaining.__init__": set(),
    "explaining.grad_cam": {
        "data.preprocessing",
        "errors",
        "explaining.heat",
        "explaining.layers",
        "network.networks",
    },
    "explaining.heat": set(),
    "explaining.layers": {"network.graphs"},
    "explaining.occlusion": {"data.preprocessing", "explaining.heat"},
    "feature_space.__init__": set(),
    "feature_space.background": {"background", "errors", "feature_space.space"},
    "feature_space.extraction": {
        "data.datasets",
        "data.pictures",
        "feature_space.space",
        "network.models",
        "registry.run",
        "training.feature_cache",
        "training.features",
        "training.inputs",
        "training.progress",
    },
    "feature_space.maps": {"feature_space.space"},
    "feature_space.neighbours": {"feature_space.space"},
    "feature_space.outline": set(),
    "feature_space.space": {"errors", "registry.run", "training.feature_cache", "workspace"},
    "feature_space.strangeness": {"feature_space.space"},
    "feature_space.work": {
        "background",
        "data.datasets",
        "errors",
        "feature_space.background",
        "feature_space.extraction",
        "feature_space.maps",
        "feature_space.space",
        "files",
        "preferences",
        "processes",
        "registry.runs",
        "training.failures",
        "training.feature_cache",
        "training.progress",
        "training.quiet",
        "workspace",
    },
    "files": set(),
    "glossary": set(),
    "handwriting.__init__": set(),
    "handwriting.frozen_handwriting": {"errors", "files", "workspace"},
    "handwriting.handwriting": {
        "data.datasets",
        "data.preprocessing",
        "errors",
        "files",
        "predicting.digits",
        "validation",
        "workspace",
    },
    "handwriting.handwriting_exchange": {
        "data.archives",
        "data.preprocessing",
        "errors",
        "handwriting.handwriting",
        "validation",
    },
    "handwriting.handwriting_scores": {
        "data.preprocessing",
        "errors",
        "files",
        "handwriting.frozen_handwriting",
        "handwriting.handwriting",
        "registry.evaluation",
        "registry.predictions",
        "registry.run",
        "workspace",
    },
    "imported.__init__": set(),
    "imported.batches": {"data.preprocessing"},
    "imported.dataset": {
        "data.preprocessing",
        "data.rows",
        "errors",
        "files",
        "imported.report",
        "validation",
    },
    "imported.library": {"data.catalogue", "errors", "imported.dataset", "validation", "workspace"},
    "imported.report": {"validation"},
    "imported.writing": {
        "data.preprocessing",
        "errors",
        "imported.batches",
        "imported.dataset",
        "imported.library",
        "imported.report",
    },
    "importing.__init__": set(),
    "importing.arrays": {
        "data.archives",
        "data.preprocessing",
        "errors",
        "files",
        "imported.dataset",
        "imported.report",
        "importing.items",
        "importing.limits",
        "importing.listing",
    },
    "importing.background": {
        "background",
        "errors",
        "files",
        "imported.library",
        "imported.writing",
        "importing.request",
        "workspace",
    },
    "importing.class_folders": {
        "errors",
        "imported.dataset",
        "imported.report",
        "importing.items",
        "importing.limits",
        "importing.listing",
        "importing.picture_files",
    },
    "importing.collected": {"errors"},
    "importing.decoding": {
        "data.preprocessing",
        "errors",
        "imported.writing",
        "importing.items",
        "importing.looks",
    },
    "importing.duplicates": {"importing.looks"},
    "importing.exporting": {
        "data.preprocessing",
        "errors",
        "files",
        "imported.dataset",
        "importing.file_lists",
        "importing.items",
        "importing.picture_files",
        "training.progress",
    },
    "importing.file_lists": {
        "errors",
        "files",
        "imported.dataset",
        "imported.report",
        "importing.items",
        "importing.limits",
        "importing.listing",
        "validation",
    },
    "importing.holding_out": {"data.stratified", "imported.batches", "imported.dataset"},
    "importing.idx": {
        "errors",
        "files",
        "imported.dataset",
        "imported.report",
        "importing.arrays",
        "importing.items",
        "importing.limits",
        "importing.listing",
    },
    "importing.importing": {
        "errors",
        "imported.batches",
        "imported.dataset",
        "imported.library",
        "imported.report",
        "imported.writing",
        "importing.decoding",
        "importing.duplicates",
        "importing.holding_out",
        "importing.items",
        "importing.looks",
        "importing.reporting",
        "importing.request",
        "training.progress",
        "validation",
    },
    "importing.items": {"data.preprocessing", "imported.dataset", "imported.report"},
    "importing.limits": {"data.archives"},
    "importing.listing": {
        "data.archives",
        "errors",
        "imported.dataset",
        "imported.report",
        "importing.limits",
    },
    "importing.looks": {"data.preprocessing"},
    "importing.npz": {
        "data.archives",
        "errors",
        "files",
        "imported.dataset",
        "imported.report",
        "importing.arrays",
        "importing.items",
        "importing.listing",
        "importing.zips",
    },
    "importing.picture_files": {"data.preprocessing", "errors", "files", "importing.listing"},
    "importing.pixel_tables": {
        "data.kaggle",
        "errors",
        "files",
        "imported.dataset",
        "imported.report",
        "importing.items",
        "importing.listing",
    },
    "importing.reporting": {
        "imported.batches",
        "imported.dataset",
        "imported.report",
        "importing.duplicates",
    },
    "importing.request": {"validation"},
    "importing.sources": {
        "errors",
        "importing.class_folders",
        "importing.file_lists",
        "importing.idx",
        "importing.items",
        "importing.listing",
        "importing.npz",
        "importing.picture_files",
        "importing.pixel_tables",
        "importing.zips",
    },
    "importing.work": {
        "background",
        "errors",
        "imported.library",
        "importing.background",
        "importing.decoding",
        "importing.importing",
        "importing.request",
        "importing.sources",
        "processes",
        "training.failures",
        "workspace",
    },
    "importing.zips": {
        "data.archives",
        "errors",
        "imported.report",
        "importing.limits",
        "importing.listing",
    },
    "jobs": {"errors"},
    "network.__init__": set(),
    "network.architectures": {"validation"},
    "network.backbones": {"network.architectures", "network.layers"},
    "network.blueprint": {"network.graphs", "network.layers", "network.network_config"},
    "network.graphs": {"network.architectures", "network.backbones", "network.layers"},
    "network.guessing": {"registry.config"},
    "network.layers": set(),
    "network.models": {
        "errors",
        "files",
        "network.networks",
        "network.weight_files",
        "network.weights",
        "registry.config",
        "registry.run",
        "registry.run_files",
        "registry.runs",
    },
    "network.network_config": {"network.architectures", "network.graphs", "validation"},
    "network.networks": {
        "network.architectures",
        "network.graphs",
        "network.network_config",
        "network.weights",
    },
    "network.precision": set(),
    "network.weight_files": {
        "errors",
        "network.architectures",
        "network.graphs",
        "network.network_config",
    },
    "network.weights": {"assets", "errors", "network.network_config", "network.weight_files"},
    "predicting.__init__": set(),
    "predicting.answering": {
        "errors",
        "jobs",
        "predicting.frames",
        "predicting.predictor",
        "registry.runs",
        "training.quiet",
        "workspace",
    },
    "predicting.digit_measures": {"assets", "data.preprocessing", "predicting.ink"},
    "predicting.digits": {"data.preprocessing", "predicting.ink"},
    "predicting.found_digits": {"data.preprocessing", "predicting.digits", "predicting.ink"},
    "predicting.frames": set(),
    "predicting.ink": {"data.preprocessing", "errors"},
    "predicting.joint_readings": {
        "data.kaggle",
        "predicting.ink",
        "predicting.readings",
        "predicting.uploads",
        "registry.config",
    },
    "predicting.label_tables": {"errors"},
    "predicting.prediction_service": {
        "data.preprocessing",
        "errors",
        "explaining.heat",
        "jobs",
        "predicting.frames",
        "workspace",
    },
    "predicting.predictor": {
        "activations.channels",
        "data.preprocessing",
        "explaining.grad_cam",
        "explaining.heat",
        "jobs",
        "network.graphs",
        "network.models",
        "network.network_config",
        "network.networks",
        "predicting.turns",
        "registry.run",
        "registry.runs",
    },
    "predicting.readings": {
        "analysis.confusion",
        "data.preprocessing",
        "predicting.digits",
        "predicting.ink",
        "predicting.uploads",
        "registry.config",
        "registry.evaluation",
        "registry.predictions",
    },
    "predicting.snippet": {"registry.config"},
    "predicting.turns": set(),
    "predicting.uploads": {
        "data.archives",
        "data.preprocessing",
        "errors",
        "predicting.label_tables",
    },
    "preferences": {"errors", "files", "validation", "workspace"},
    "processes": set(),
    "registry.__init__": set(),
    "registry.choices": {
        "data.catalogue",
        "data.data_config",
        "network.architectures",
        "network.graphs",
        "registry.config",
        "registry.settings",
    },
    "registry.config": {
        "data.data_config",
        "errors",
        "network.blueprint",
        "network.graphs",
        "network.network_config",
        "validation",
    },
    "registry.environment": {"registry.run_files", "validation"},
    "registry.evaluation": {
        "analysis.statistics",
        "registry.history",
        "registry.predictions",
        "registry.run",
    },
    "registry.history": {"registry.config", "training.metrics", "training.patience"},
    "registry.ids": set(),
    "registry.pack_samples": {
        "assets",
        "commands.command_line",
        "registry.environment",
        "registry.predictions",
        "registry.recipes",
        "registry.run",
        "registry.run_files",
        "registry.runs",
        "registry.samples",
        "workspace",
    },
    "registry.places": {"registry.run"},
    "registry.predictions": {"errors", "files", "registry.run"},
    "registry.preflight": {
        "data.data_config",
        "data.datasets",
        "errors",
        "handwriting.frozen_handwriting",
        "handwriting.handwriting",
        "network.network_config",
        "network.weight_files",
        "registry.config",
        "registry.run",
        "registry.runs",
        "registry.settings",
        "validation",
        "workspace",
    },
    "registry.reading": {"errors", "registry.ids", "registry.run", "registry.run_files"},
    "registry.recipes": {"errors", "registry.config", "registry.settings"},
    "registry.refusals": {"errors", "registry.run", "registry.run_files"},
    "registry.run": {"processes", "registry.config", "registry.run_files", "registry.settings"},
    "registry.run_files": {"errors", "files", "processes", "registry.config", "validation"},
    "registry.runs": {
        "errors",
        "registry.config",
        "registry.ids",
        "registry.places",
        "registry.reading",
        "registry.refusals",
        "registry.run",
        "registry.run_files",
        "registry.saying",
        "workspace",
    },
    "registry.samples": {"assets", "errors", "registry.run", "registry.run_files", "registry.runs"},
    "registry.saying": {"errors"},
    "registry.settings": {"errors", "registry.config", "validation"},
    "training.__init__": set(),
    "training.checkpoints": {"files", "training.patience"},
    "training.costs": {"data.rows", "validation"},
    "training.deviations": {
        "registry.config",
        "registry.run",
        "training.costs",
        "training.metrics",
    },
    "training.devices": set(),
    "training.dry_run": {
        "data.datasets",
        "data.pictures",
        "errors",
        "network.models",
        "network.networks",
        "network.precision",
        "preferences",
        "processes",
        "registry.config",
        "registry.preflight",
        "registry.runs",
        "training.costs",
        "training.devices",
        "training.evaluating",
        "training.feature_cache",
        "training.features",
        "training.inputs",
        "training.memory_needs",
        "training.passes",
        "training.progress",
        "training.steps",
        "training.trial_images",
        "workspace",
    },
    "training.engine": {
        "errors",
        "preferences",
        "processes",
        "registry.run",
        "registry.runs",
        "workspace",
    },
    "training.estimates": {
        "errors",
        "files",
        "jobs",
        "preferences",
        "registry.config",
        "registry.run",
        "training.costs",
        "training.feature_cache",
        "training.memory_needs",
        "workspace",
    },
    "training.evaluating": {
        "data.datasets",
        "data.pictures",
        "network.networks",
        "registry.config",
        "registry.predictions",
        "training.inputs",
        "training.progress",
        "training.steps",
    },
    "training.extension": {"registry.history", "registry.run", "training.schedules"},
    "training.failures": {
        "errors",
        "registry.config",
        "registry.run",
        "registry.run_files",
        "training.costs",
        "training.memory_needs",
    },
    "training.feature_cache": {"errors", "files"},
    "training.features": {
        "data.pictures",
        "data.preprocessing",
        "errors",
        "network.graphs",
        "network.network_config",
        "network.weights",
        "training.feature_cache",
        "training.progress",
    },
    "training.inputs": {
        "data.augmentation",
        "data.datasets",
        "data.pictures",
        "data.rows",
        "registry.config",
        "training.feature_cache",
        "training.features",
        "training.progress",
    },
    "training.memory_needs": {
        "errors",
        "network.architectures",
        "registry.config",
        "training.costs",
    },
    "training.metrics": {"files"},
    "training.pace": {"registry.config", "training.progress"},
    "training.passes": {"data.datasets", "data.pictures", "registry.config"},
    "training.patience": {"registry.config"},
    "training.progress": {"jobs", "training.checkpoints"},
    "training.quiet": set(),
    "training.record": {
        "files",
        "processes",
        "registry.predictions",
        "registry.run",
        "registry.run_files",
        "training.checkpoints",
        "training.estimates",
        "training.metrics",
        "training.pace",
        "training.patience",
        "training.progress",
        "training.tensorboard_files",
        "training.usage",
    },
    "training.runner": {
        "errors",
        "preferences",
        "processes",
        "registry.run",
        "registry.run_files",
        "registry.runs",
        "training.failures",
        "workspace",
    },
    "training.schedules": {"registry.config"},
    "training.steps": {"registry.config", "training.checkpoints", "training.inputs"},
    "training.surroundings": {"registry.environment", "training.usage", "version"},
    "training.tensorboard_files": {"files"},
    "training.training": {
        "data.datasets",
        "data.pictures",
        "data.stratified",
        "errors",
        "network.guessing",
        "network.networks",
        "network.weights",
        "registry.config",
        "registry.predictions",
        "training.checkpoints",
        "training.evaluating",
        "training.feature_cache",
        "training.features",
        "training.inputs",
        "training.passes",
        "training.patience",
        "training.progress",
        "training.schedules",
        "training.steps",
    },
    "training.trial_images": {
        "data.data_config",
        "data.datasets",
        "data.resized",
        "data.rows",
        "imported.dataset",
        "registry.config",
        "training.feature_cache",
        "workspace",
    },
    "training.usage": {"registry.run_files"},
    "validation": set(),
    "version": {"workspace"},
    "worker": {
        "data.datasets",
        "errors",
        "network.models",
        "network.precision",
        "preferences",
        "processes",
        "registry.config",
        "registry.environment",
        "registry.predictions",
        "registry.run",
        "registry.run_files",
        "registry.runs",
        "training.checkpoints",
        "training.devices",
        "training.engine",
        "training.evaluating",
        "training.failures",
        "training.feature_cache",
        "training.features",
        "training.progress",
        "training.quiet",
        "training.record",
        "training.surroundings",
        "training.training",
        "workspace",
    },
    "workspace": set(),
}
"""What each module of core may import of core, anywhere in it."""

KERAS = {
    "activations.channels",
    "data.downloads",
    "explaining.grad_cam",
    "feature_space.extraction",
    "network.models",
    "network.networks",
    "network.weights",
    "predicting.predictor",
    "training.devices",
    "training.dry_run",
    "training.evaluating",
    "training.features",
    "training.inputs",
    "training.quiet",
    "training.steps",
    "training.tensorboard_files",
    "training.training",
}
"""The modules of core that load Keras or TensorFlow, themselves or by what they import; all others
open without it."""


def modules_of(package: str) -> list[str]:
    """Dotted names below a package, that of a package being its folder's."""
    found = (path.relative_to(PROJECT / package) for path in (PROJECT / package).rglob("*.py"))
    return sorted(".".join(path.with_suffix("").parts) for path in found)


CORE_MODULES = modules_of("core")
UI_MODULES = modules_of("ui")
SCRIPTS = [PROJECT / "app.py", *sorted((PROJECT / "pages").glob("*.py"))]
ALL = [*sorted((PROJECT / "core").rglob("*.py")), *sorted((PROJECT / "ui").rglob("*.py")), *SCRIPTS]


def path_of(package: str, module: str) -> Path:
    return PROJECT.joinpath(package, *module.split(".")).with_suffix(".py")


def relative(path: Path) -> str:
    return path.relative_to(PROJECT).as_posix()


@cache
def imported(path: Path, at_module_level: bool = False) -> frozenset[str]:
    """Dotted names of all that a file imports; `from core import files` gives `core.files`."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    nodes = outside_functions(tree) if at_module_level else ast.walk(tree)
    return frozenset(name for node in nodes for name in names(node))


def outside_functions(node: ast.AST) -> Iterator[ast.AST]:
    """All nodes that run when a file is imported."""
    yield node
    for child in ast.iter_child_nodes(node):
        if not isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            yield from outside_functions(child)


def names(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom):
        assert node.level == 0, "imports are absolute"
        if PROJECT.joinpath(*(node.module or "").split(".")).is_dir():
            return [f"{node.module}.{alias.name}" for alias in node.names]
        return [node.module or ""]
    return []


def packages(path: Path) -> set[str]:
    return {name.split(".")[0] for name in imported(path)}


def test_every_module_of_core_has_its_place_in_the_table() -> None:
    assert list(CORE) == CORE_MODULES


@pytest.mark.parametrize("module", CORE_MODULES)
def test_a_module_of_core_imports_of_core_what_the_table_says(module: str) -> None:
    path = path_of("core", module)
    found = {name.removeprefix("core.") for name in imported(path) if name.startswith("core.")}
    assert found == CORE.get(module)


def test_core_does_not_import_in_circles() -> None:
    assert len(list(TopologicalSorter(CORE).static_order())) == len(CORE)


def using(paths: Sequence[Path], unwanted: set[str]) -> dict[str, set[str]]:
    """By file, what of these packages and of these modules of core it imports."""
    found = {relative(path): (packages(path) | imported(path)) & unwanted for path in paths}
    return {path: wrong for path, wrong in found.items() if wrong}


LOADING_KERAS = {f"core.{name}" for name in KERAS}


def test_core_knows_neither_streamlit_nor_what_stands_above_it() -> None:
    paths = [path_of("core", module) for module in CORE_MODULES]
    above = {"streamlit", "streamlit_drawable_canvas", "ui", "pages", "app"}
    assert using(paths, above) == {}


def loads_keras(module: str) -> bool:
    path = path_of("core", module)
    uses_keras = bool(packages(path) & {"keras", "tensorflow", "tensorboard"})
    return uses_keras or bool(imported(path, at_module_level=True) & LOADING_KERAS)


def test_only_named_modules_load_keras() -> None:
    assert set(filter(loads_keras, CORE_MODULES)) == KERAS


def test_ui_knows_no_page_and_no_keras() -> None:
    paths = [path_of("ui", module) for module in UI_MODULES]
    assert using(paths, {"pages", "app", "keras", "tensorflow"} | LOADING_KERAS) == {}


def test_a_page_knows_no_other_page_and_no_keras() -> None:
    assert using(SCRIPTS, {"pages", "app", "keras", "tensorflow"} | LOADING_KERAS) == {}


def test_no_file_imports_tests_or_benchmarks() -> None:
    assert using(ALL, {"tests", "benchmarks", "pytest", "hypothesis"}) == {}


PROBE = """
import importlib, json, sys, threading
for name in sys.argv[1:]:
    importlib.import_module(name)
heavy = {"keras", "tensorflow", "tensorboard"} & {name.split(".")[0] for name in sys.modules}
print(json.dumps({"heavy": sorted(heavy), "threads": threading.active_count()}))
"""


def test_importing_all_that_pages_need_loads_no_tensorflow_and_does_nothing(
    tmp_path: Path,
) -> None:
    light = [name for name in CORE_MODULES if name not in KERAS | {"__main__"}]
    shown = UI_MODULES
    names = [f"core.{name}" for name in light] + [f"ui.{name}" for name in shown]
    modules = [name.removesuffix(".__init__") for name in names]
    environment = os.environ | {
        "PYTHONPATH": str(PROJECT),
        "PYTHONDONTWRITEBYTECODE": "1",
        "HOME": str(tmp_path),
    }
    done = subprocess.run(
        [sys.executable, "-c", PROBE, *modules],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {"heavy": [], "threads": 1}
    assert list(tmp_path.iterdir()) == []
