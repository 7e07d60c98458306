"""Python that asks an exported network where nothing of this project is."""

import json

from core.registry.config import RunConfig

MOST_NAMED = 20
"""Classes whose names stand in the code; those of more are read from a file."""
CLASSES_FILE = "classes.txt"
"""What that file is called: the name of a class a line, in their order."""


def snippet(config: RunConfig, file: str) -> str:
    """Code that prints what a network makes of `picture.png`, and how probable it takes it to be.

    file: what `export_keras` wrote, by its name. The picture is fed as `for_network` does, so the
    answer is the dashboard's; but a drawing is not framed as MNIST's digits are.
    """
    side, grey = config.network.side, config.network.channels == 1 or config.data.shows_digits
    fed = "image[np.newaxis]"
    if grey:
        fed = "image[np.newaxis, ..., np.newaxis]"
        if config.network.channels == 3:
            fed = f"{fed}.repeat(3, axis=-1)"
    return f"""\
import cv2
import keras
import numpy as np

network = keras.models.load_model({_written(file)})
classes = {_classes(config.class_names)}

image = cv2.cvtColor(cv2.imread("picture.png"), cv2.COLOR_BGR2{"GRAY" if grey else "RGB"})
way = cv2.INTER_AREA if min(image.shape[:2]) > {side} else cv2.INTER_LINEAR
image = cv2.resize(image, ({side}, {side}), interpolation=way)
probabilities = network.predict({fed})[0]

best = probabilities.argmax()
print(f"{{classes[best]}}: {{probabilities[best]:.2%}}")
"""


def _classes(names: tuple[str, ...]) -> str:
    if len(names) <= MOST_NAMED:
        return _written(names)
    return f'open({_written(CLASSES_FILE)}, encoding="utf-8").read().splitlines()'


def _written(content: object) -> str:
    """Text or a list of texts as Python writes it too."""
    return json.dumps(content, ensure_ascii=False)
