"""Estimates that never were, to see what is made of them."""

from datetime import datetime
from typing import Any

from core.training.costs import Estimate, Machine, PhaseEstimate

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
