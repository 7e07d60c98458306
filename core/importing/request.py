"""What a person asks of an import."""

from pydantic import Field

from core.validation import Frozen


class ImportRequest(Frozen):
    """What is to be imported, and how.

    path: the file or folder it comes from, empty where files were uploaded. held_out: the share of
    each class that is held out for testing where there is no test part, 0 for none. seed: decides
    which. digits: whether handwritten digits in MNIST's frame are shown, None where the source is
    to tell.
    """

    name: str
    path: str = ""
    held_out: float = Field(default=0.2, ge=0.0, le=0.5)
    seed: int = Field(default=0, ge=0, le=2**32 - 1)
    digits: bool | None = None
