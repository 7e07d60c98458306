"""Samples of handwriting as they were when a training was asked for.

People go on drawing, mending and deleting; a run must go on with what it began with. So a copy is
kept, once for equal content, and is found by its fingerprint.
"""

import numpy as np
from numpy.typing import NDArray

from core.errors import DamagedFile
from core.files import UNREADABLE, write_arrays
from core.workspace import Workspace


def freeze(
    workspace: Workspace, fingerprint: str, digits: NDArray[np.uint8], labels: NDArray[np.int64]
) -> None:
    """Keep samples under their fingerprint. digits: (count, 28, 28). labels: (count,)."""
    path = workspace.frozen_handwriting / f"{fingerprint}.npz"
    if not path.is_file():
        path.parent.mkdir(parents=True, exist_ok=True)
        write_arrays(path, digits=digits, labels=labels)


def is_frozen(workspace: Workspace, fingerprint: str) -> bool:
    """Whether samples of a fingerprint are kept."""
    return (workspace.frozen_handwriting / f"{fingerprint}.npz").is_file()


def read_frozen(
    workspace: Workspace, fingerprint: str
) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Digits and labels that were kept. Raises DamagedFile."""
    path = workspace.frozen_handwriting / f"{fingerprint}.npz"
    try:
        with np.load(path, allow_pickle=False) as arrays:
            return arrays["digits"], arrays["labels"]
    except UNREADABLE as error:
        raise DamagedFile(
            f"the samples of handwriting that the run learns from, {path}, cannot be read "
            f"({error}); launch it anew with the samples there are now"
        ) from None
