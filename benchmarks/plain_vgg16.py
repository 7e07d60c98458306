"""VGG16 on digits as a plain Keras script: frozen base, `fit` through it, `evaluate`, float32."""

from __future__ import annotations

import cv2
import keras
import numpy as np
from keras import layers

from benchmarks import plain


def build_model() -> keras.Model:
    """Frozen VGG16 without its top, and the head of the article."""
    base = keras.applications.VGG16(include_top=False, weights=None, input_shape=(48, 48, 3))
    with np.load(plain.ASSETS / "vgg16_imagenet_notop.npz") as arrays:
        for layer in base.layers:
            if layer.weights:
                names = (f"{layer.name}/kernel", f"{layer.name}/bias")
                layer.set_weights([arrays[name].astype("float32") for name in names])
    for layer in base.layers:
        layer.trainable = False
    x = layers.Flatten()(base.output)
    x = layers.Dense(512, activation="relu")(x)
    x = layers.Dropout(0.4)(x)
    return keras.Model(base.input, layers.Dense(10, activation="softmax")(x))


def prepare(images: np.ndarray) -> np.ndarray:
    """(count, 28, 28) uint8 to (count, 48, 48, 3) float32, 0 to 1."""
    resized = [cv2.cvtColor(cv2.resize(image, (48, 48)), cv2.COLOR_GRAY2RGB) for image in images]
    return np.array(resized).astype("float32") / 255


def main() -> None:
    """Train for one epoch, evaluate, print the JSON line."""
    options = plain.arguments(__doc__)
    keras.utils.set_random_seed(options.seed)
    x_train, y_train, x_test, y_test = plain.mnist(options)
    x_train, x_test = prepare(x_train), prepare(x_test)
    y_train, y_test = (keras.utils.to_categorical(y, 10) for y in (y_train, y_test))
    model = build_model()
    model.compile(
        optimizer="adam",
        loss="categorical_crossentropy",
        metrics=["accuracy"],
        **plain.compile_options(options),
    )
    timed = plain.fit(
        model,
        x_train,
        y_train,
        batch_size=86,
        epochs=1,
        validation_data=(x_test, y_test),
        callbacks=[],
    )
    _, accuracy = model.evaluate(x_test, y_test)
    plain.print_result(options, model, accuracy, timed)


if __name__ == "__main__":
    main()
