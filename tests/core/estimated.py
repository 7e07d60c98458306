"""Estimates that never were, to see what is made of them."""

from datetime import datetime
from typing import Any

from core.training.costs import DryRun, Estimate, Machine, PhaseCosts, PhaseEstimate

GIB = 2**30


def estimate_of(*phases: PhaseEstimate, memory: int = 8 * GIB, **changes: Any) -> Estimate:
    values = {
        "created": datetime.now().astimezone(),
        "machine": Machine(cores=2, memory=memory),
        "precision": "float32",
        "train_images": 600,
        "validation_images": 0,
        "test_images": 200,
        "preparation": 5.0,
        "mapped": 0,
        "phases": phases or (phase_of(),),
    }
    return Estimate(**values | changes)


def dry_run_of(**changes: Any) -> DryRun:
    """What a dry run of one phase on 100 training images and 50 test images might find."""
    phase = PhaseCosts(
        step=0.5,
        evaluation=0.02,
        first=3.0,
        features=(),
        cache_bytes=0,
        not_kept=None,
        memory=3 * GIB,
        batch_memory=GIB,
    )
    values = {
        "created": datetime.now().astimezone(),
        "machine": Machine(cores=2, memory=8 * GIB),
        "precision": "float32",
        "train_images": 100,
        "validation_images": 0,
        "test_images": 50,
        "preparation": 5.0,
        "mapped": 0,
        "waits_for": (),
        "phases": (phase,),
    }
    return DryRun(**values | changes)


def phase_of(**changes: Any) -> PhaseEstimate:
    values: dict[str, Any] = {
        "epochs": 3,
        "batch_size": 100,
        "steps": 6,
        "evaluated": 200,
        "seconds": 2.0,
        "first": 4.0,
        "features_seconds": 10.0,
        "cache_bytes": 1000,
        "not_kept": None,
        "memory": 6 * GIB,
        "batch_memory": 5 * GIB,
    }
    return PhaseEstimate(**values | changes)
