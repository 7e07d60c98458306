"""Frames, in which questions and answers go through pipes.

Each is a JSON header, its length told first, and the bytes of one array; the header tells its shape
and type.
"""

import json
import struct
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Header = dict[str, Any]
NOTHING = np.zeros(0, np.uint8)
WITHDRAW = "withdraw"
"""Said in place of a question: the one of that number need not be answered any more."""
TELL_SECONDS = 0.1
"""How often whoever waits for an answer is told how far it is, and may cancel."""


def send(stream: IO[bytes], header: Header, array: Array) -> None:
    """Write a frame at once. Raises OSError where nobody reads any more."""
    whole = header | {"shape": array.shape, "dtype": array.dtype.str}
    head = json.dumps(whole).encode()
    stream.write(struct.pack("!I", len(head)) + head + np.ascontiguousarray(array).tobytes())
    stream.flush()


def receive(stream: IO[bytes]) -> tuple[Header, Array]:
    """Wait for a frame. Raises EOFError where none comes any more, or not all of it."""
    (length,) = struct.unpack("!I", _read(stream, 4))
    header = json.loads(_read(stream, length))
    dtype, shape = np.dtype(header["dtype"]), tuple(header["shape"])
    size = dtype.itemsize * int(np.prod(shape, dtype=np.int64))
    return header, np.frombuffer(_read(stream, size), dtype).reshape(shape)


def _read(stream: IO[bytes], size: int) -> bytes:
    content = stream.read(size)
    if len(content) < size:
        raise EOFError
    return content
