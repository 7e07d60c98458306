"""Frozen InceptionV3, MobileNet or ResNet50 on digits as a plain Keras script: `fit`, float32."""

from __future__ import annotations

import keras
from keras import layers

from benchmarks import plain

APPLICATIONS = {
    "inceptionv3": keras.applications.InceptionV3,
    "mobilenet": keras.applications.MobileNet,
    "resnet50": keras.applications.ResNet50,
}
SIDE = 96


def build_model(architecture: str) -> keras.Model:
    """A frozen backbone without its top, of random weights, and one layer of 64 over it."""
    shape = (SIDE, SIDE, 3)
    base = APPLICATIONS[architecture](include_top=False, weights=None, input_shape=shape)
    base.trainable = False
    images = keras.Input(shape)
    x = base(images, training=False)
    x = layers.GlobalAveragePooling2D()(x)
    x = layers.Dense(64, activation="relu")(x)
    return keras.Model(images, layers.Dense(10, activation="softmax")(x))


def main() -> None:
    """Train with validation after each epoch, print the JSON line."""
    options = plain.arguments(__doc__, 2000, 500, epochs=2, architectures=list(APPLICATIONS))
    keras.utils.set_random_seed(options.seed)
    x_train, y_train, x_test, y_test = plain.mnist(options)
    x_train, x_test = (plain.resized(x, SIDE) for x in (x_train, x_test))
    y_train, y_test = (keras.utils.to_categorical(y, 10) for y in (y_train, y_test))
    model = build_model(options.architecture)
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
        batch_size=64,
        epochs=options.epochs,
        validation_data=(x_test, y_test),
    )
    plain.print_result(options, model, timed["accuracy_by_epoch"][-1], timed)


if __name__ == "__main__":
    main()
