"""VGG16 under its two layers of 4096 on 1,000 digits as a plain Keras script: `fit`, float32."""

from __future__ import annotations

import keras
from keras import layers

from benchmarks import plain


def build_model() -> keras.Model:
    """Frozen VGG16 without its top, and the head of the article: 18,923,530 parameters."""
    base = plain.vgg16_base()
    for layer in base.layers:
        layer.trainable = False
    x = layers.Flatten()(base.output)
    x = layers.Dense(4096, activation="relu", name="fc1")(x)
    x = layers.Dense(4096, activation="relu", name="fc2")(x)
    x = layers.Dropout(0.5)(x)
    return keras.Model(base.input, layers.Dense(10, activation="softmax")(x))


def main() -> None:
    """Train with validation after each epoch, print the JSON line."""
    options = plain.arguments(__doc__, images=1000, test_images=100, epochs=100)
    keras.utils.set_random_seed(options.seed)
    x_train, y_train, x_test, y_test = plain.mnist(options)
    x_train, x_test = (plain.resized(x, 48) for x in (x_train, x_test))
    y_train, y_test = (keras.utils.to_categorical(y, 10) for y in (y_train, y_test))
    model = build_model()
    # SGD(0.05, decay=1e-5) of the article, as Keras 3 says it.
    decay = keras.optimizers.schedules.InverseTimeDecay(0.05, decay_steps=1, decay_rate=1e-5)
    model.compile(
        optimizer=keras.optimizers.SGD(decay),
        loss="categorical_crossentropy",
        metrics=["accuracy"],
        **plain.compile_options(options),
    )
    timed = plain.fit(
        model,
        x_train,
        y_train,
        batch_size=50,
        epochs=options.epochs,
        validation_data=(x_test, y_test),
    )
    plain.print_result(options, model, timed["accuracy_by_epoch"][-1], timed)


if __name__ == "__main__":
    main()
