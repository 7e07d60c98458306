"""Loading TensorFlow without its remarks about itself."""

import contextlib
import os
import sys
import tempfile
from collections.abc import Iterator


def load_tensorflow() -> None:
    """Import TensorFlow and look for devices, with what it writes about itself kept back.

    It writes half a dozen lines past every logging setting, straight to the file descriptor of
    standard error. They are shown after all where the import fails. scikit-learn is kept from it,
    which Keras would load for wrappers that nobody here uses: a quarter of the time.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    sys.stderr.flush()
    shown = os.dup(2)
    with tempfile.TemporaryFile() as kept_back:
        os.dup2(kept_back.fileno(), 2)
        try:
            with _missing("sklearn"):
                import tensorflow as tf

            tf.config.list_physical_devices()
        except BaseException:
            kept_back.seek(0)
            os.write(shown, kept_back.read())
            raise
        finally:
            os.dup2(shown, 2)
            os.close(shown)


@contextlib.contextmanager
def _missing(package: str) -> Iterator[None]:
    """Let a package that is not loaded yet seem not to be installed."""
    if package in sys.modules:
        yield
        return
    sys.modules[package] = None  # type: ignore[assignment]
    try:
        yield
    finally:
        del sys.modules[package]
