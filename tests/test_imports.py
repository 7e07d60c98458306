"""Who may import whom. The table below is the design; a change of it is a decision."""

import ast
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parent.parent

CORE: dict[str, set[str]] = {
    "__init__": set(),
    "__main__": {"command_line"},
    "analysis.__init__": set(),
    "analysis.calibration": {"analysis.images", "analysis.statistics"},
    "analysis.comparison": {"analysis.statistics", "errors", "predictions", "runs"},
    "analysis.confusion": {"analysis.comparison"},
    "analysis.export": {
        "analysis.comparison",
        "analysis.images",
        "analysis.report",
        "analysis.selection",
        "datasets",
        "errors",
        "files",
        "predictions",
        "workspace",
    },
    "analysis.images": {"analysis.comparison", "predictions"},
    "analysis.journey": {
        "analysis.comparison",
        "analysis.selection",
        "errors",
        "predictions",
        "runs",
    },
    "analysis.leaving_out": {"analysis.comparison", "analysis.statistics"},
    "analysis.ranking": {
        "analysis.comparison",
        "analysis.images",
        "analysis.statistics",
        "errors",
        "runs",
    },
    "analysis.report": {
        "analysis.calibration",
        "analysis.comparison",
        "analysis.confusion",
        "analysis.images",
        "analysis.svg",
        "analysis.telling",
        "config",
        "history",
        "settings",
        "validation",
    },
    "analysis.selection": {"analysis.images", "validation"},
    "analysis.statistics": set(),
    "analysis.suspects": {"analysis.images"},
    "analysis.svg": set(),
    "analysis.telling": {"analysis.images", "analysis.selection", "analysis.suspects"},
    "architectures": {"validation"},
    "archives": {"errors", "files"},
    "assets": {"errors", "workspace"},
    "augmentation": {"data_config", "preprocessing"},
    "background": {"files", "processes", "progress", "validation", "workspace"},
    "balance": set(),
    "bars": set(),
    "blueprint": {"graphs", "network_config"},
    "caches": {"feature_cache", "feature_space.space", "preferences", "resized", "workspace"},
    "catalogue": set(),
    "checkpoints": {"files", "patience"},
    "choices": {"architectures", "catalogue", "config", "data_config", "graphs", "settings"},
    "command_line": {
        "commands",
        "compare_command",
        "errors",
        "import_command",
        "predict_command",
        "samples_command",
        "tables",
        "workspace",
    },
    "commands": {
        "architectures",
        "bars",
        "caches",
        "catalogue",
        "datasets",
        "engine",
        "errors",
        "estimates",
        "imported.dataset",
        "imported.library",
        "label_warnings",
        "metrics",
        "models",
        "network_config",
        "predictor",
        "preferences",
        "preflight",
        "quiet",
        "recipes",
        "run_files",
        "runs",
        "settings",
        "training",
        "workspace",
    },
    "compare_command": {
        "analysis.comparison",
        "analysis.export",
        "analysis.ranking",
        "commands",
        "errors",
        "runs",
        "workspace",
    },
    "config": {"blueprint", "data_config", "errors", "graphs", "network_config", "validation"},
    "data_choices": {"catalogue", "choices", "imported.dataset"},
    "data_config": {"catalogue", "validation"},
    "dataset_files": {"catalogue"},
    "datasets": {
        "assets",
        "catalogue",
        "data_config",
        "dataset_files",
        "errors",
        "feature_cache",
        "frozen_handwriting",
        "image_folders",
        "imported.dataset",
        "imported_data",
        "progress",
        "resized",
        "rows",
        "stratified",
        "workspace",
    },
    "digit_measures": {"assets", "ink", "preprocessing"},
    "digits": {"ink", "preprocessing"},
    "downloading": {"background", "catalogue", "errors", "workspace"},
    "downloads": {"background", "dataset_files", "downloading", "files", "processes", "quiet"},
    "dry_run": {
        "config",
        "data_config",
        "datasets",
        "errors",
        "estimates",
        "feature_cache",
        "features",
        "imported.dataset",
        "inputs",
        "models",
        "networks",
        "pictures",
        "precision",
        "preferences",
        "preflight",
        "processes",
        "progress",
        "resized",
        "rows",
        "runs",
        "training",
        "workspace",
    },
    "engine": {"errors", "preferences", "processes", "runs", "workspace"},
    "errors": set(),
    "estimates": {
        "architectures",
        "config",
        "errors",
        "feature_cache",
        "files",
        "metrics",
        "preferences",
        "rows",
        "runs",
        "validation",
        "workspace",
    },
    "evaluation": {"analysis.statistics", "history", "predictions", "runs"},
    "explaining.__init__": set(),
    "explaining.grad_cam": {
        "errors",
        "explaining.heat",
        "explaining.layers",
        "networks",
        "preprocessing",
    },
    "explaining.heat": set(),
    "explaining.layers": {"graphs"},
    "explaining.occlusion": {"explaining.heat", "preprocessing"},
    "extension": {"history", "runs", "schedules"},
    "failures": {"config", "errors", "estimates", "run_files", "runs"},
    "feature_cache": {"errors", "files"},
    "feature_space.__init__": set(),
    "feature_space.background": {"background", "errors", "feature_space.space"},
    "feature_space.extraction": {
        "datasets",
        "feature_cache",
        "feature_space.space",
        "features",
        "inputs",
        "models",
        "pictures",
        "progress",
        "runs",
    },
    "feature_space.maps": {"feature_space.space"},
    "feature_space.neighbours": {"feature_space.space"},
    "feature_space.outline": set(),
    "feature_space.space": {"errors", "feature_cache", "runs", "workspace"},
    "feature_space.strangeness": {"feature_space.space"},
    "feature_space.work": {
        "background",
        "datasets",
        "errors",
        "failures",
        "feature_cache",
        "feature_space.background",
        "feature_space.extraction",
        "feature_space.maps",
        "feature_space.space",
        "files",
        "preferences",
        "processes",
        "progress",
        "quiet",
        "runs",
        "workspace",
    },
    "features": {
        "errors",
        "feature_cache",
        "graphs",
        "network_config",
        "pictures",
        "preprocessing",
        "progress",
        "weights",
    },
    "files": set(),
    "found_digits": {"digits", "ink", "preprocessing"},
    "frozen_handwriting": {"errors", "files", "workspace"},
    "glossary": set(),
    "graphs": {"architectures"},
    "guessing": {"config"},
    "handwriting": {
        "datasets",
        "digits",
        "errors",
        "files",
        "preprocessing",
        "validation",
        "workspace",
    },
    "handwriting_exchange": {"archives", "errors", "handwriting", "preprocessing", "validation"},
    "handwriting_scores": {
        "errors",
        "evaluation",
        "files",
        "frozen_handwriting",
        "handwriting",
        "predictions",
        "preprocessing",
        "runs",
        "workspace",
    },
    "history": {"config", "metrics", "patience"},
    "image_folders": {
        "dataset_files",
        "errors",
        "feature_cache",
        "preprocessing",
        "progress",
        "resized",
        "rows",
        "validation",
    },
    "image_tags": {"datasets", "errors", "files", "validation", "workspace"},
    "import_command": {
        "balance",
        "bars",
        "catalogue",
        "commands",
        "downloading",
        "errors",
        "imported.dataset",
        "imported.library",
        "importing.decoding",
        "importing.exporting",
        "importing.importing",
        "importing.request",
        "importing.sources",
        "progress",
        "workspace",
    },
    "imported.__init__": set(),
    "imported.batches": {"preprocessing"},
    "imported.dataset": {
        "errors",
        "files",
        "imported.report",
        "preprocessing",
        "rows",
        "validation",
    },
    "imported.library": {"catalogue", "errors", "imported.dataset", "validation", "workspace"},
    "imported.report": {"validation"},
    "imported.writing": {
        "errors",
        "imported.batches",
        "imported.dataset",
        "imported.library",
        "imported.report",
        "preprocessing",
    },
    "imported_data": {
        "catalogue",
        "data_config",
        "digits",
        "errors",
        "feature_cache",
        "imported.dataset",
        "imported.library",
        "progress",
        "resized",
        "rows",
        "stratified",
        "validation",
        "workspace",
    },
    "importing.__init__": set(),
    "importing.arrays": {
        "archives",
        "errors",
        "files",
        "imported.dataset",
        "imported.report",
        "importing.items",
        "importing.limits",
        "importing.listing",
        "preprocessing",
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
    "importing.decoding": {
        "errors",
        "imported.writing",
        "importing.items",
        "importing.looks",
        "preprocessing",
    },
    "importing.duplicates": {"importing.looks"},
    "importing.exporting": {
        "errors",
        "files",
        "imported.dataset",
        "importing.file_lists",
        "importing.items",
        "importing.picture_files",
        "preprocessing",
        "progress",
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
    "importing.holding_out": {"imported.batches", "imported.dataset", "stratified"},
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
        "progress",
        "validation",
    },
    "importing.items": {"imported.dataset", "imported.report", "preprocessing"},
    "importing.limits": {"archives"},
    "importing.listing": {
        "archives",
        "errors",
        "imported.dataset",
        "imported.report",
        "importing.limits",
    },
    "importing.looks": {"preprocessing"},
    "importing.npz": {
        "archives",
        "errors",
        "files",
        "imported.dataset",
        "imported.report",
        "importing.arrays",
        "importing.items",
        "importing.listing",
        "importing.zips",
    },
    "importing.picture_files": {"errors", "files", "importing.listing", "preprocessing"},
    "importing.pixel_tables": {
        "errors",
        "files",
        "imported.dataset",
        "imported.report",
        "importing.items",
        "importing.listing",
        "kaggle",
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
        "failures",
        "imported.library",
        "importing.background",
        "importing.decoding",
        "importing.importing",
        "importing.request",
        "importing.sources",
        "processes",
        "workspace",
    },
    "importing.zips": {
        "archives",
        "errors",
        "imported.report",
        "importing.limits",
        "importing.listing",
    },
    "ink": {"errors", "preprocessing"},
    "inputs": {
        "augmentation",
        "config",
        "datasets",
        "feature_cache",
        "features",
        "pictures",
        "progress",
        "rows",
    },
    "jobs": {"errors"},
    "joint_readings": {"config", "ink", "kaggle", "readings", "uploads"},
    "kaggle": {"digits", "errors", "preprocessing"},
    "label_tables": {"errors"},
    "label_warnings": {"data_config"},
    "metrics": {"files"},
    "models": {
        "config",
        "errors",
        "files",
        "networks",
        "run_files",
        "runs",
        "weight_files",
        "weights",
    },
    "network_config": {"architectures", "graphs", "validation"},
    "networks": {"architectures", "graphs", "network_config", "weights"},
    "pace": {"config", "progress"},
    "pack_samples": {
        "assets",
        "command_line",
        "predictions",
        "recipes",
        "run_files",
        "runs",
        "samples",
        "workspace",
    },
    "patience": {"config"},
    "picture_headers": set(),
    "pictures": {"augmentation", "datasets", "network_config", "preprocessing"},
    "pixel_statistics": {"preprocessing"},
    "precision": set(),
    "predict_command": {
        "commands",
        "errors",
        "evaluation",
        "files",
        "ink",
        "kaggle",
        "models",
        "predictor",
        "quiet",
        "readings",
        "runs",
        "uploads",
        "workspace",
    },
    "prediction_service": {
        "errors",
        "explaining.heat",
        "predictor",
        "preprocessing",
        "quiet",
        "runs",
        "workspace",
    },
    "predictions": {"errors", "files", "runs"},
    "predictor": {
        "explaining.grad_cam",
        "explaining.heat",
        "graphs",
        "models",
        "network_config",
        "networks",
        "preprocessing",
        "runs",
        "turns",
    },
    "preferences": {"errors", "files", "validation", "workspace"},
    "preflight": {
        "config",
        "data_config",
        "datasets",
        "errors",
        "frozen_handwriting",
        "handwriting",
        "network_config",
        "runs",
        "settings",
        "validation",
        "weight_files",
        "workspace",
    },
    "preprocessing": {"errors", "picture_headers"},
    "preview": {
        "augmentation",
        "choices",
        "config",
        "preprocessing",
        "recipes",
        "settings",
        "stratified",
    },
    "processes": set(),
    "progress": {"checkpoints"},
    "quiet": set(),
    "readings": {
        "analysis.confusion",
        "config",
        "digits",
        "evaluation",
        "ink",
        "predictions",
        "preprocessing",
        "uploads",
    },
    "recipes": {"config", "errors", "settings"},
    "record": {
        "checkpoints",
        "estimates",
        "files",
        "metrics",
        "pace",
        "patience",
        "predictions",
        "processes",
        "progress",
        "run_files",
        "runs",
        "tensorboard_files",
        "usage",
    },
    "resized": {"errors", "feature_cache", "preprocessing", "progress", "rows"},
    "rows": set(),
    "run_files": {"config", "errors", "files", "processes", "validation"},
    "runner": {"errors", "failures", "preferences", "processes", "run_files", "runs", "workspace"},
    "runs": {"config", "errors", "processes", "run_files", "settings", "workspace"},
    "samples": {"assets", "errors", "run_files", "runs"},
    "samples_command": {"commands", "runs", "samples", "workspace"},
    "schedules": {"config"},
    "settings": {"config", "errors", "validation"},
    "stratified": set(),
    "tables": set(),
    "tag_exchange": {"errors", "image_tags", "workspace"},
    "tensorboard_files": {"files"},
    "training": {
        "checkpoints",
        "config",
        "datasets",
        "errors",
        "feature_cache",
        "features",
        "guessing",
        "inputs",
        "networks",
        "patience",
        "pictures",
        "predictions",
        "progress",
        "schedules",
        "stratified",
        "weights",
    },
    "turns": set(),
    "uploads": {"archives", "errors", "label_tables", "preprocessing"},
    "usage": {"run_files"},
    "validation": set(),
    "weight_files": {"architectures", "errors", "graphs", "network_config"},
    "weights": {"assets", "errors", "network_config", "weight_files"},
    "worker": {
        "checkpoints",
        "config",
        "datasets",
        "engine",
        "errors",
        "failures",
        "feature_cache",
        "features",
        "models",
        "precision",
        "predictions",
        "preferences",
        "processes",
        "progress",
        "quiet",
        "record",
        "run_files",
        "runs",
        "training",
        "workspace",
    },
    "workspace": set(),
}
"""What each module of core may import of core, anywhere in it."""

KERAS = {
    "downloads",
    "dry_run",
    "explaining.grad_cam",
    "feature_space.extraction",
    "features",
    "inputs",
    "models",
    "networks",
    "predictor",
    "quiet",
    "tensorboard_files",
    "training",
    "weights",
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
    """Dotted names of all that a file imports; `from core import runs` gives `core.runs`."""
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


@pytest.mark.parametrize("module", CORE_MODULES)
def test_core_knows_neither_streamlit_nor_what_stands_above_it(module: str) -> None:
    path = path_of("core", module)
    assert not packages(path) & {"streamlit", "streamlit_drawable_canvas", "ui", "pages", "app"}


@pytest.mark.parametrize("module", CORE_MODULES)
def test_only_named_modules_load_keras(module: str) -> None:
    path = path_of("core", module)
    uses_keras = bool(packages(path) & {"keras", "tensorflow", "tensorboard"})
    others = {f"core.{name}" for name in KERAS}
    loads_keras = uses_keras or bool(imported(path, at_module_level=True) & others)
    assert loads_keras == (module in KERAS)


@pytest.mark.parametrize("module", UI_MODULES)
def test_ui_knows_no_page_and_no_keras(module: str) -> None:
    path = path_of("ui", module)
    assert not packages(path) & {"pages", "app", "keras", "tensorflow"}
    assert not imported(path) & {f"core.{name}" for name in KERAS}


@pytest.mark.parametrize("path", SCRIPTS, ids=relative)
def test_a_page_knows_no_other_page_and_no_keras(path: Path) -> None:
    assert not packages(path) & {"pages", "app", "keras", "tensorflow"}
    assert not imported(path) & {f"core.{name}" for name in KERAS}


@pytest.mark.parametrize("path", ALL, ids=relative)
def test_no_file_imports_tests_or_benchmarks(path: Path) -> None:
    assert not packages(path) & {"tests", "benchmarks", "pytest", "hypothesis"}


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
