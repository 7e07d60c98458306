"""Lets a process find every server that speaks https at a port of this machine, without https.

For PYTHONPATH, with the port in STAND_IN_PORT.
"""

import http.client
import os
from typing import Any


class Here(http.client.HTTPConnection):
    """A connection that leads to the stand-in, wherever it was meant to lead."""

    def __init__(self, host: str, *, timeout: float, **of_https: Any) -> None:
        super().__init__("127.0.0.1", int(os.environ["STAND_IN_PORT"]), timeout=timeout)


if "STAND_IN_PORT" in os.environ:
    http.client.HTTPSConnection = Here  # type: ignore[assignment,misc]
