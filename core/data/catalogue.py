"""What is known of each dataset without loading it."""

import re
from dataclasses import dataclass, replace


@dataclass(frozen=True)
class DatasetFacts:
    """One row of the table of datasets.

    What depends on the folder that a person names is empty or None. `bundled` tells that it comes
    with the project, `digits` that pictures from outside are first framed as MNIST's digits are,
    `by_hand` how to get it where the network does not allow Keras's download, `download_bytes` how
    much that fetches.
    """

    label: str
    class_names: tuple[str, ...]
    train_images: int | None
    test_images: int | None
    image_shape: tuple[int, ...]
    source: str
    bundled: bool = False
    digits: bool = False
    by_hand: str = ""
    download_bytes: int = 0


_CIFAR100_CLASSES = """
apple aquarium_fish baby bear beaver bed bee beetle bicycle bottle bowl boy bridge bus butterfly
camel can castle caterpillar cattle chair chimpanzee clock cloud cockroach couch crab crocodile
cup dinosaur dolphin elephant flatfish forest fox girl hamster house kangaroo keyboard lamp
lawn_mower leopard lion lizard lobster man maple_tree motorcycle mountain mouse mushroom
oak_tree orange orchid otter palm_tree pear pickup_truck pine_tree plain plate poppy porcupine
possum rabbit raccoon ray road rocket rose sea seal shark shrew skunk skyscraper snail snake
spider squirrel streetcar sunflower sweet_pepper table tank telephone television tiger tractor
train trout tulip turtle wardrobe whale willow_tree wolf woman worm
"""

_CIFAR_BY_HAND = (
    "fetch https://www.cs.toronto.edu/~kriz/{} on another machine and set data.path to that file, "
    "or put it into cache/datasets/ of the workspace"
)

DATASETS = {
    "mnist": DatasetFacts(
        label="MNIST handwritten digits",
        class_names=tuple("0123456789"),
        train_images=60_000,
        test_images=10_000,
        image_shape=(28, 28),
        source="LeCun, Cortes and Burges; bundled, CC BY-SA 3.0",
        bundled=True,
        digits=True,
    ),
    "fashion_mnist": DatasetFacts(
        label="Fashion-MNIST articles of clothing",
        class_names=(
            "T-shirt/top",
            "Trouser",
            "Pullover",
            "Dress",
            "Coat",
            "Sandal",
            "Shirt",
            "Sneaker",
            "Bag",
            "Ankle boot",
        ),
        train_images=60_000,
        test_images=10_000,
        image_shape=(28, 28),
        source="Xiao, Rasul and Vollgraf, Zalando; Keras's download, MIT",
        by_hand="fetch train-images-idx3-ubyte.gz, train-labels-idx1-ubyte.gz, "
        "t10k-images-idx3-ubyte.gz and t10k-labels-idx1-ubyte.gz from "
        "https://storage.googleapis.com/tensorflow/tf-keras-datasets/ on another machine and put "
        "them in datasets/fashion-mnist/ of Keras's cache (KERAS_HOME, or .keras in the home "
        "folder), or an npz with x_train, y_train, x_test and y_test as fashion_mnist.npz into "
        "cache/datasets/ of the workspace",
        download_bytes=30_878_645,
    ),
    "cifar10": DatasetFacts(
        label="CIFAR-10 photographs",
        class_names=(
            "airplane",
            "automobile",
            "bird",
            "cat",
            "deer",
            "dog",
            "frog",
            "horse",
            "ship",
            "truck",
        ),
        train_images=50_000,
        test_images=10_000,
        image_shape=(32, 32, 3),
        source="Krizhevsky, 2009; Keras's download",
        by_hand=_CIFAR_BY_HAND.format("cifar-10-binary.tar.gz"),
        download_bytes=170_498_071,
    ),
    "cifar100": DatasetFacts(
        label="CIFAR-100 photographs",
        class_names=tuple(_CIFAR100_CLASSES.split()),
        train_images=50_000,
        test_images=10_000,
        image_shape=(32, 32, 3),
        source="Krizhevsky, 2009; Keras's download, fine labels",
        by_hand=_CIFAR_BY_HAND.format("cifar-100-binary.tar.gz"),
        download_bytes=169_001_437,
    ),
    "folder": DatasetFacts(
        label="Image folder",
        class_names=(),
        train_images=None,
        test_images=None,
        image_shape=(),
        source="your pictures, in train/CLASS/ and test/CLASS/",
    ),
}

IMPORTED_NAME = re.compile("[a-z0-9][a-z0-9_-]{0,39}")
"""What an imported dataset may be called: also the name of a folder and a part of a link."""

IMPORTED = DatasetFacts(
    label="Imported dataset",
    class_names=(),
    train_images=None,
    test_images=None,
    image_shape=(),
    source="your pictures, imported into the workspace",
)
"""What is known of every imported dataset before it is looked into."""


def facts_of(name: str) -> DatasetFacts:
    """The facts of a dataset; an imported one is labelled with its own name."""
    return DATASETS[name] if name in DATASETS else replace(IMPORTED, label=name)
