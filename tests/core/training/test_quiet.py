import subprocess
import sys

from core.workspace import PROJECT

LOAD = """
import sys
from core.training.quiet import load_tensorflow
load_tensorflow()
print("tensorflow" in sys.modules, "sklearn" in sys.modules)
"""


def test_keras_loads_no_scikit_learn_which_others_may_do_later() -> None:
    told = subprocess.check_output([sys.executable, "-c", LOAD], cwd=PROJECT, text=True)
    assert told.split() == ["True", "False"]
