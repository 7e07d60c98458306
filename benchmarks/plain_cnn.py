"""The CNN of the digits articles as a plain Keras script: float32, `compile`, `fit`, `evaluate`."""

from __future__ import annotations

import keras
import numpy as np
from keras import layers

from benchmarks import plain


def build_model() -> keras.Model:
    """The network of the article, 887,530 parameters."""
    return keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            layers.Conv2D(32, 5, padding="same", activation="relu"),
            layers.Conv2D(32, 5, padding="same", activation="relu"),
            layers.MaxPooling2D(2),
            layers.Dropout(0.25),
            layers.Conv2D(64, 3, padding="same", activation="relu"),
            layers.Conv2D(64, 3, padding="same", activation="relu"),
            layers.MaxPooling2D(2, strides=2),
            layers.Dropout(0.25),
            layers.Flatten(),
            layers.Dense(256, activation="relu"),
            layers.Dropout(0.5),
            layers.Dense(10, activation="softmax"),
        ]
    )


def prepare(images: np.ndarray) -> np.ndarray:
    """(count, 28, 28) uint8 to (count, 28, 28, 1) float32, 0 to 1."""
    return images.reshape(-1, 28, 28, 1).astype("float32") / 255


def main() -> None:
    """Train, evaluate, print the JSON line."""
    options = plain.arguments(__doc__)
    keras.utils.set_random_seed(options.seed)
    x_train, y_train, x_test, y_test = plain.mnist(options)
    x_train, x_test = prepare(x_train), prepare(x_test)
    y_train, y_test = (keras.utils.to_categorical(y, 10) for y in (y_train, y_test))
    model = build_model()
    model.compile(
        optimizer=keras.optimizers.RMSprop(learning_rate=0.001, rho=0.9, epsilon=1e-08),
        loss="categorical_crossentropy",
        metrics=["accuracy"],
        **plain.compile_options(options),
    )
    slower_on_plateau = keras.callbacks.ReduceLROnPlateau(
        monitor="val_accuracy", patience=3, factor=0.5, min_lr=0.00001
    )
    timed = plain.fit(
        model,
        x_train,
        y_train,
        batch_size=86,
        epochs=options.epochs,
        validation_data=(x_test, y_test),
        callbacks=[slower_on_plateau],
    )
    _, accuracy = model.evaluate(x_test, y_test)
    plain.print_result(options, model, accuracy, timed)


if __name__ == "__main__":
    main()
