"""VGG16 on digits as a plain Keras script: frozen base, `fit` through it, `evaluate`, float32."""

from __future__ import annotations

import keras
from keras import layers

from benchmarks import plain


def build_model() -> keras.Model:
    """Frozen VGG16 without its top, and the head of the article."""
    base = plain.vgg16_base()
    for layer in base.layers:
        layer.trainable = False
    x = layers.Flatten()(base.output)
    x = layers.Dense(512, activation="relu")(x)
    x = layers.Dropout(0.4)(x)
    return keras.Model(base.input, layers.Dense(10, activation="softmax")(x))


def main() -> None:
    """Train, evaluate, print the JSON line."""
    options = plain.arguments(__doc__)
    keras.utils.set_random_seed(options.seed)
    x_train, y_train, x_test, y_test = plain.mnist(options)
    x_train, x_test = (plain.resized(x, 48) for x in (x_train, x_test))
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
        epochs=options.epochs,
        validation_data=(x_test, y_test),
    )
    _, accuracy = model.evaluate(x_test, y_test)
    plain.print_result(options, model, accuracy, timed)


if __name__ == "__main__":
    main()
