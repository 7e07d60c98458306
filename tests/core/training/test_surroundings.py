import platform
import socket
from datetime import datetime
from importlib.metadata import version

import psutil

from core.training.surroundings import environment
from core.version import VERSION, revision


def test_an_environment_is_that_of_this_process() -> None:
    before = datetime.now().astimezone()
    found = environment()
    assert before <= found.began <= datetime.now().astimezone()
    assert (found.host, found.python) == (socket.gethostname(), platform.python_version())
    assert platform.release() in found.system
    assert found.processor
    assert 1 <= found.cores <= (psutil.cpu_count() or 1)
    assert found.memory == psutil.virtual_memory().total
    assert found.libraries["tensorflow"] == version("tensorflow")
    assert (found.version, found.revision) == (VERSION, revision())
