"""What the words of the field mean, each in one sentence for somebody new to it."""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Term:
    """A word of the field.

    forms: patterns of further ways to write it; a plural in s needs none. source: who defined it.
    """

    meaning: str
    forms: tuple[str, ...] = ()
    source: str = ""

    @property
    def explanation(self) -> str:
        """The sentence, with its source where it has one."""
        return f"{self.meaning[:-1]} ({self.source})." if self.source else self.meaning


GLOSSARY = {
    # --- What is trained ---
    "architecture": Term("The plan of a network: which layers it has, and in which order."),
    "backbone": Term(
        "The layers that turn an image into features; in transfer learning they come from a "
        "network trained on other images."
    ),
    "head": Term("The layers after the backbone, which make an answer of its features."),
    "layer": Term("One step of a network's computation, fed what the layer before it puts out."),
    "convolution": Term(
        "A layer that slides small filters over the image and notes where each of them fits.",
        forms=("conv",),
    ),
    "pooling": Term("Keeping one number, the largest or the mean, for each patch of an image."),
    "dense layer": Term(
        "A layer each of whose outputs weighs all of its inputs.", forms=("dense",)
    ),
    "channel": Term(
        "One sheet of an image's or a layer's numbers: grey has one, colour three, a convolution "
        "one for each of its filters."
    ),
    "feature map": Term("What one channel of a layer makes of a picture: how strongly, and where."),
    "receptive field": Term("The pixels of the picture that one field of a layer can see."),
    "dead channel": Term(
        "A channel that answers to no picture: training broke it, as steps too large do, or these "
        "pictures lack what it looks for."
    ),
    "kernel": Term("The patch that a filter of a convolution looks at, and its side in pixels."),
    "ReLU": Term(
        "An activation that passes positive sums on and makes the others 0.",
        source="Nair and Hinton, 2010",
    ),
    "activation": Term("The function that a layer applies to its sums before it passes them on."),
    "batch normalization": Term(
        "A layer that brings its inputs to a common scale, by their mean and spread in the batch.",
        source="Ioffe and Szegedy, 2015",
    ),
    "dropout": Term(
        "Switching off a share of a layer's outputs at each training step, which keeps the network "
        "from learning images by heart.",
        source="Srivastava et al., 2014",
    ),
    "softmax": Term(
        "The last step of a network: it turns scores into probabilities that add to 1."
    ),
    "parameter": Term("A number of the network; training changes those that are not frozen."),
    "weight": Term("A parameter: what the network learned is in its weights."),
    "feature": Term(
        "One of the numbers that the last layer of a network is fed: what it has made of an image "
        "before it answers."
    ),
    "ImageNet": Term(
        "A collection of over a million photographs in 1,000 classes, on which large networks are "
        "trained first.",
        source="Russakovsky et al., 2015",
    ),
    "transfer learning": Term(
        "Using what a network learned from other images, by training only some of its layers anew.",
        forms=(r"transfer(?! lab)(?! modes?)",),
    ),
    "transfer mode": Term("How much of a network trained on other images is trained anew."),
    "fine-tuning": Term(
        "Training the later layers of a network that learned from other images, on from the "
        "weights they have.",
        forms=("finetune", "fine-tuned?", "fine tuning"),
    ),
    "scratch": Term("Training from scratch: every layer begins with random weights."),
    "frozen": Term("Left as it is: training does not change a frozen layer.", forms=("freezes?",)),
    # --- How it is trained ---
    "recipe": Term("A complete configuration to start from."),
    "epoch": Term("One round of training, as a rule once through all training images."),
    "batch": Term("The images that one training step looks at together.", forms=("batches",)),
    "step": Term("One change of the weights, made after looking at one batch."),
    "loss": Term(
        "How surprised the network is by the true classes, on average: 0 is certain and right.",
        forms=("losses", "cross-entropy"),
    ),
    "nat": Term("The unit of the loss: e times as surprising is one nat more."),
    "optimizer": Term("The rule by which each training step changes the weights."),
    "SGD": Term(
        "Stochastic gradient descent: each step goes downhill, by one batch of images at a time.",
        source="Robbins and Monro, 1951",
    ),
    "RMSprop": Term(
        "An optimizer that takes longer steps for weights whose changes have been small of late.",
        source="Tieleman and Hinton, 2012",
    ),
    "Adam": Term(
        "An optimizer with momentum that fits the length of its steps to each weight.",
        forms=("adamw",),
        source="Kingma and Ba, 2015",
    ),
    "Nesterov": Term(
        "Momentum that looks ahead, to where it leads, before it takes the step.",
        source="Nesterov, 1983",
    ),
    "learning rate": Term(
        "How far each training step moves the weights.", forms=("learning-rate",)
    ),
    "schedule": Term("How the learning rate changes from the first training step to the last."),
    "warm-up": Term("First epochs in which the learning rate rises from zero."),
    "one cycle": Term(
        "A learning rate that rises in the first part of training and falls in the rest.",
        forms=("one_cycle",),
        source="Smith and Topin, 2019",
    ),
    "plateau": Term("A schedule that lowers the learning rate when nothing improves any more."),
    "patience": Term("How many epochs without an improvement are waited for."),
    "phase": Term("A part of training with frozen layers and a learning rate of its own."),
    "overfitting": Term(
        "Learning training images by heart: they get ever better, and others do not.",
        forms=("overfits?",),
    ),
    "momentum": Term("How much of its last step each training step repeats."),
    "weight decay": Term("A pull of all weights towards 0 at each training step."),
    "label smoothing": Term(
        "Spreading a share of the truth over all classes, so that the network does not grow too "
        "sure of itself.",
        source="Szegedy et al., 2016",
    ),
    "class weights": Term("How much the images of each class count in training."),
    "early stopping": Term("Ending training once some epochs brought no improvement."),
    "augmentation": Term(
        "Varying training images at random, so that the network sees no image twice alike."
    ),
    "seed": Term("The start of the random numbers: the same seed gives the same run again."),
    "checkpoint": Term("What is kept on disk so that training can go on from there."),
    "cache": Term("Results kept on disk, such as the output of frozen layers, to be used again."),
    "float32": Term("Numbers of 32 bits: exact enough for any network, and slower than 16 bits."),
    "bfloat16": Term(
        "Numbers of 16 bits with the range of float32 and fewer digits, quicker where the "
        "processor knows them.",
        forms=("mixed_bfloat16",),
    ),
    "float16": Term(
        "Numbers of 16 bits with a smaller range than float32, quicker on many graphics cards.",
        forms=("mixed_float16",),
    ),
    "diverge": Term(
        "Training diverges when its steps grow too large and the loss is no number any more.",
        forms=("diverged", "divergent"),
    ),
    # --- On which images ---
    "dataset": Term("Images with their labels, in parts to train on and to test with."),
    "MNIST": Term(
        "Handwritten digits, 70,000 of 28 by 28 pixels: the first dataset of many networks.",
        source="LeCun et al., 1998",
    ),
    "CIFAR-10": Term(
        "Photographs, 60,000 of 32 by 32 pixels, in ten classes such as cats, ships and trucks.",
        source="Krizhevsky, 2009",
    ),
    "class": Term("One of the kinds of things that a network tells apart.", forms=("classes",)),
    "label": Term("The class that a dataset says an image is of."),
    "training images": Term(
        "The images that a network learns from.", forms=("training pictures?",)
    ),
    "validation": Term(
        "Images that are looked at after each epoch, to see how far training has come; nothing is "
        "learned from them.",
        forms=("watched while training",),
    ),
    "test images": Term(
        "Images that nothing is learned from, so that they tell how a network does on new ones.",
        forms=("test image", "test parts?"),
    ),
    "split": Term("A part of a dataset: for training, for validation or for testing."),
    "held out": Term(
        "Set aside before training, so that a network can be tested on images it never learned "
        "from.",
        forms=("held back",),
    ),
    "stratified": Term("Drawn so that every class gives the same share of its images."),
    "duplicate": Term("An image that a dataset holds again, pixel for pixel or nearly so."),
    "leakage": Term(
        "Test images among the training images: a network may know them by heart, and looks better "
        "than it is."
    ),
    "imbalance": Term("Classes of very unlike size: a network comes to prefer the large ones."),
    "mean image": Term("The average of many images, pixel by pixel."),
    "pixel scaling": Term("Bringing pixels, 0 to 255, to the range that a network is used to."),
    "shear": Term("Slanting an image, as italics slant letters."),
    "fingerprint": Term("A hash of the images and labels, which tells two datasets apart."),
    "accuracy": Term("Share of the images taken for what they are.", forms=("accuracies",)),
    "confidence": Term("The probability that a network gives its answer."),
    "percentage point": Term(
        "The unit of a difference of two percentages: from 95 % to 97 % is 2 pp.", forms=("pp",)
    ),
    "95 % interval": Term(
        "A range drawn so that it holds the true figure 95 times in 100.", forms=("95 %:",)
    ),
    "Wilson interval": Term(
        "How far the true share may lie from the one measured, given how many images were tested.",
        forms=("wilson",),
        source="Wilson, 1927",
    ),
    "bootstrap": Term(
        "Drawing the same test images again and again, to see how far a figure depends on which "
        "were drawn.",
        source="Efron, 1979",
    ),
    "McNemar's test": Term(
        "How often two equally good networks would differ at least this much on the images that "
        "only one of them gets right.",
        forms=("mcnemar(?:['’]s)?(?: exact)?(?: test)?",),
        source="McNemar, 1947",
    ),
    "p-value": Term(
        "How likely a difference at least this large is by chance alone.", forms=("p",)
    ),
    "Holm's method": Term(
        "Asks more of each of several tests, as one of many easily looks striking by chance.",
        forms=("holm(?:['’]s)?",),
        source="Holm, 1979",
    ),
    "confusion matrix": Term(
        "A table of which classes a network takes images of each class for.",
        forms=("confusion", "confusion matrices"),
    ),
    "recall": Term("Share of a class's images that the network knows."),
    "precision": Term(
        "Of the images taken for a class, the share that are of it; as a setting, the number "
        "format of the arithmetic."
    ),
    "F1": Term("The harmonic mean of recall and precision."),
    "ECE": Term(
        "Expected calibration error: how far the confidence of the answers is from how often they "
        "are right, averaged over all images.",
        forms=("expected calibration error",),
        source="Guo et al., 2017",
    ),
    "Brier score": Term(
        "Mean squared distance between the probabilities and the truth: 0 is sure and right every "
        "time, 2 sure and wrong every time.",
        forms=("brier",),
        source="Brier, 1950",
    ),
    "coverage": Term("Share of the images that are answered, the others being turned away."),
    "Jensen-Shannon divergence": Term(
        "How unlike two sets of probabilities are: 0 for the same, 1 where they share no class.",
        source="Lin, 1991",
    ),
    "confident learning": Term(
        "Finds labels in doubt: images that networks which did not learn from them take surely "
        "enough for another class.",
        source="Northcutt, Jiang and Chuang, 2021",
    ),
    "Grad-CAM": Term(
        "Shows where a layer of the network found what speaks for a class.",
        source="Selvaraju et al., 2017",
    ),
    "occlusion": Term(
        "Covers an image place by place, to see where the probability of a class is lost.",
        source="Zeiler and Fergus, 2014",
    ),
    "PCA": Term(
        "Looks at features from where they spread most: distances mean something, groups may cover "
        "each other.",
        forms=("principal components?",),
        source="Pearson, 1901",
    ),
    "t-SNE": Term(
        "Draws features so that neighbours stay together: the distances between groups and their "
        "sizes mean nothing.",
        source="van der Maaten and Hinton, 2008",
    ),
    "median": Term("The value in the middle: as many lie above it as below."),
}
"""By the name of the term, in an order to read them in."""

LOOKED_FOR = tuple(sorted(GLOSSARY, key=len, reverse=True))
"""The terms in the order in which they are looked for: `weight decay` before `weight`."""

PATTERN = r"(?<![\w-])(?:{})(?![\w-])".format(
    "|".join(
        f"({'|'.join((re.escape(name) + 's?', *GLOSSARY[name].forms))})" for name in LOOKED_FOR
    )
)
"""A pattern with one group for each of LOOKED_FOR; Python and JavaScript read it alike."""


def terms_in(text: str) -> list[str]:
    """The terms that a text uses, in the order of the glossary.

    >>> terms_in("Losses of two epochs, the backbone frozen. Transfer Lab looks ahead.")
    ['backbone', 'frozen', 'epoch', 'loss']
    """
    found = {
        name
        for match in _ANYWHERE.finditer(text)
        for name, form in zip(LOOKED_FOR, match.groups(), strict=True)
        if form
    }
    return [name for name in GLOSSARY if name in found]


def meaning_of(*names: str) -> str:
    """The sentences of some terms, one after the other.

    >>> meaning_of("accuracy", "F1")
    'Share of the images taken for what they are. The harmonic mean of recall and precision.'
    """
    return " ".join(GLOSSARY[name].explanation for name in names)


_ANYWHERE = re.compile(PATTERN, re.IGNORECASE)
