"""What a run was trained on and with: the machine, its system, libraries, and this code."""

from datetime import datetime

from pydantic import ValidationError

from core.registry.run_files import RunFolder, write_model
from core.validation import Frozen


class Environment(Frozen):
    """What one worker of a run found itself on.

    began: when it did. host: the machine's name, empty where that is nobody's business. cores:
    those it might use. memory: bytes of the machine. libraries: their versions by their names.
    version, revision: of Transfer Lab, as `core.version` has them.
    """

    began: datetime
    host: str
    system: str
    processor: str
    cores: int
    memory: int
    gpus: tuple[str, ...] = ()
    python: str
    libraries: dict[str, str]
    version: str
    revision: str = ""

    def is_like(self, other: "Environment") -> bool:
        """Whether they differ in nothing but when they began."""
        return self == other.model_copy(update={"began": self.began})

    @property
    def without_host(self) -> "Environment":
        """The same, not saying whose machine it was."""
        return self.model_copy(update={"host": ""})


class Environments(Frozen):
    """`environment.json`: where a run began, then where it went on in another environment."""

    environments: tuple[Environment, ...] = ()


def read_environments(folder: RunFolder) -> tuple[Environment, ...]:
    """The environments of a run, the first first.

    None where nothing was recorded or the file cannot be read: no work hangs on it.
    """
    try:
        return Environments.model_validate_json(folder.environment.read_bytes()).environments
    except (OSError, ValidationError, ValueError):
        return ()


def add_environment(folder: RunFolder, now: Environment) -> None:
    """Write down that a run begins, or goes on, in an environment, unless it did so last."""
    known = read_environments(folder)
    if not known or not known[-1].is_like(now):
        write_model(folder.environment, Environments(environments=(*known, now)))
