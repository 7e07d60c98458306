"""Loading TensorFlow without its remarks about itself."""

import os
import sys
import tempfile


def load_tensorflow() -> None:
    """Import TensorFlow and look for devices, with what it writes about itself kept back.

    It writes half a dozen lines past every logging setting, straight to the file descriptor of
    standard error. They are shown after all where the import fails.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    sys.stderr.flush()
    shown = os.dup(2)
    with tempfile.TemporaryFile() as kept_back:
        os.dup2(kept_back.fileno(), 2)
        try:
            import tensorflow as tf

            tf.config.list_physical_devices()
        except BaseException:
            kept_back.seek(0)
            os.write(shown, kept_back.read())
            raise
        finally:
            os.dup2(shown, 2)
            os.close(shown)
