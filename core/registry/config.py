"""The configuration of a run. One that exists is valid; it never changes."""

import json
from dataclasses import dataclass
from typing import Annotated, Any, Literal, Self

from pydantic import Field, ValidationError, model_validator

from core.data.data_config import AugmentationConfig, DataConfig
from core.errors import InvalidConfig
from core.network import graphs
from core.network.blueprint import Blueprint, ParameterCount, blueprint
from core.network.network_config import FrozenLayers, NetworkConfig
from core.validation import Frozen, sentence

Precision = Literal["auto", "float32", "mixed_bfloat16", "mixed_float16"]
Monitor = Literal["val_loss", "val_accuracy"]

DEFAULT_RATES = {"sgd": 0.01, "rmsprop": 1e-3, "adam": 1e-3, "adamw": 1e-3, "adagrad": 0.01}
"""The learning rate that each optimizer usually begins with. Keras's own, but for Adagrad, whose
0.001 hardly moves (TensorFlow 1 and PyTorch take 0.01)."""


class DecayConfig(Frozen):
    """How far and when the learning rate falls, for the schedules that ask."""

    per_step: float = Field(
        1e-5,
        gt=0,
        le=1,
        description="How fast the rate falls: it is divided by 1 + this times the number of steps "
        "so far.",
    )
    factor: float = Field(
        0.5,
        gt=0,
        lt=1,
        description="What the rate is multiplied by each time that it falls: 0.5 halves it.",
    )
    epochs: float = Field(
        10.0,
        ge=0.01,
        le=10_000,
        description="Epochs in which the rate is multiplied once by the factor: all at once with "
        "the schedule `step`, little by little with `exponential`.",
    )
    patience: int = Field(
        3,
        ge=1,
        le=1000,
        description="How many epochs may pass without an improvement before the rate falls.",
    )
    monitor: Monitor = Field(
        "val_accuracy", description="What must improve for the rate to stay as it is."
    )
    minimum: float = Field(1e-5, ge=0, le=1, description="The rate never falls below this.")


class EarlyStoppingConfig(Frozen):
    """When training ends before its last epoch because nothing improves any more."""

    patience: int = Field(
        0,
        ge=0,
        le=10_000,
        description="End training early once so many epochs brought no improvement; 0 always "
        "trains to the last epoch.",
    )
    monitor: Monitor = Field("val_loss", description="What must improve for training to go on.")


class SecondPhaseConfig(Frozen):
    """Further epochs with fewer layers frozen, after the head has learned."""

    epochs: int = Field(
        0,
        ge=0,
        le=10_000,
        description="Train on for so many epochs with more layers set free, once the head has "
        "learned; 0 leaves this phase out.",
    )
    still_frozen: FrozenLayers = Field(
        0,
        description="What stays frozen in this phase: the first so many layers of the backbone, or "
        "all up to the end of a named block or layer. 0 trains all of them.",
    )
    batch_size: int = Field(
        32,
        ge=1,
        le=65_536,
        description="Images per training step in this phase. More layers that train take more "
        "memory, so that fewer images may fit.",
    )
    learning_rate: float = Field(
        1e-4,
        gt=0,
        le=10,
        description="Learning rate of this phase, at its highest; smaller than the first one's, so "
        "that what the backbone knows is not washed out.",
    )


@dataclass(frozen=True)
class Phase:
    """One stretch of training: so many epochs with the same layers frozen, numbered from 1."""

    number: int
    epochs: int
    batch_size: int
    learning_rate: float
    frozen_count: int


ClassWeights = Literal["none", "balanced"] | tuple[Annotated[float, Field(ge=0, le=1e6)], ...]


class RunConfig(Frozen):
    """Everything that decides how a run turns out."""

    recipe: str = Field(description="The recipe this configuration started from.", max_length=80)
    data: DataConfig = DataConfig()
    augmentation: AugmentationConfig = AugmentationConfig()
    network: NetworkConfig
    epochs: int = Field(
        ge=1,
        le=10_000,
        description="How often training goes through all training images (in its first phase, "
        "where there are two). More epochs take longer and learn more, up to a point.",
    )
    batch_size: int = Field(
        ge=1,
        le=65_536,
        description="Images per training step. Larger batches are quicker per image and take more "
        "memory; smaller ones take more steps, which often learn more in an epoch.",
    )
    steps_per_epoch: int | None = Field(
        None,
        ge=1,
        le=1_000_000,
        description="End each epoch after so many training steps; the next one goes on where it "
        "left the images. Empty sees every image once in each epoch.",
    )
    validation_steps: int | None = Field(
        None,
        ge=1,
        le=1_000_000,
        description="Look at only so many batches of validation images after each epoch, the "
        "first ones of each class, to save time; empty looks at all of them.",
    )
    optimizer: Literal["sgd", "rmsprop", "adam", "adamw", "adagrad"] = Field(
        description="The rule by which each step changes the weights. Adam suits most networks as "
        "it is; SGD with momentum needs a well-chosen rate and often ends a little better. "
        "Choosing another brings its usual learning rate along."
    )
    learning_rate: float = Field(
        gt=0,
        le=10,
        description="How far each training step moves the weights, at its highest where a schedule "
        "changes it. Too high and the loss jumps about, too low and little is learned.",
    )
    momentum: float = Field(
        0.0,
        ge=0,
        lt=1,
        description="How much of its last step each step repeats, which carries it over small "
        "bumps; 0.9 is usual, 0 is off.",
    )
    nesterov: bool = Field(
        False,
        description="Look ahead along the last step before taking the next one; with momentum, "
        "often a little better.",
    )
    weight_decay: float = Field(
        0.004,
        ge=0,
        le=1,
        description="How strongly each step pulls all weights towards 0, which keeps the network "
        "from learning images by heart.",
    )
    schedule: Literal[
        "constant", "linear", "cosine", "one_cycle", "time", "step", "exponential", "plateau"
    ] = Field(
        "constant",
        description="How the learning rate changes from the first step to the last. It stays "
        "(constant); falls in a line (linear), in half a cosine wave (cosine), as 1 / time, by "
        "steps (step) or by the same share again and again (exponential); rises for three tenths "
        "of the training and then falls (one cycle); or falls whenever nothing improved for some "
        "epochs (plateau).",
    )
    warmup_epochs: float = Field(
        0.0,
        ge=0,
        le=1000,
        description="Epochs in which the rate first rises from zero in a line, so that the first "
        "steps, which know little, do not go far; 0 begins at the full rate.",
    )
    decay: DecayConfig = DecayConfig()
    early_stopping: EarlyStoppingConfig = EarlyStoppingConfig()
    best_by: Monitor = Field(
        "val_accuracy",
        description="What decides which epoch is the best: its weights are those that are kept, "
        "tested, compared and used.",
    )
    second_phase: SecondPhaseConfig = SecondPhaseConfig()
    keep_weights: int = Field(
        1,
        ge=1,
        le=10_000,
        description="How many of the best epochs keep their weights, to be tested and used later; "
        "the last epoch always does. Each takes room on disk.",
    )
    test_every: int = Field(
        1,
        ge=0,
        le=10_000,
        description="Try the test images after every so many epochs and keep what the network made "
        "of them. More often shows more of how it learned and takes longer; 0 tries them only "
        "once, with the best weights, when training is over.",
    )
    class_weights: ClassWeights = Field(
        "none",
        description="How much the images of each class count: all alike (none), as if every class "
        "had equally many (balanced), or by one number for each class. Helps where some classes "
        "have far fewer images.",
    )
    label_smoothing: float = Field(
        0.0,
        ge=0,
        lt=1,
        description="Share of the truth that is spread over all classes, so that the network does "
        "not grow too sure of itself; 0.1 is usual, 0 is off.",
    )
    precision: Precision = Field(
        "auto",
        description="Number format of the arithmetic. `auto` takes the quickest that this machine "
        "runs well; `float32` is the most exact and works everywhere.",
    )
    cache_features: bool = Field(
        True,
        description="Run frozen layers once over each image and keep their output on disk, which "
        "makes all epochs after the first, and later runs, much quicker. Off runs them in every "
        "epoch.",
    )
    seed: int = Field(
        0,
        ge=0,
        lt=2**31,
        description="Start of the random numbers: the same seed gives the same shuffling, starting "
        "weights and dropout. Another one shows how much of a result is luck.",
    )

    @model_validator(mode="after")
    def _settings_fit_each_other(self) -> Self:
        self._check_second_phase()
        self._check_batches()
        self._check_augmentation()
        self._check_class_weights()
        if self.nesterov and self.momentum == 0:
            raise ValueError("momentum must be more than 0 for nesterov, got 0; 0.9 is usual")
        if self.warmup_epochs and self.schedule == "one_cycle":
            raise ValueError(
                f"warmup_epochs must be 0 for schedule one_cycle, got {self.warmup_epochs:g}: it "
                "has a warm-up of its own"
            )
        if self.warmup_epochs >= self.epochs and self.warmup_epochs:
            raise ValueError(
                f"warmup_epochs must be less than the {self.epochs} epochs, "
                f"got {self.warmup_epochs:g}"
            )
        return self

    def _check_second_phase(self) -> None:
        phase, mode = self.second_phase, self.network.mode
        if phase.epochs == 0:
            if phase.still_frozen != 0:
                raise ValueError(
                    "second_phase.epochs must be at least 1 to unfreeze layers, got 0 with "
                    f"second_phase.still_frozen {phase.still_frozen}"
                )
            return
        if mode not in ("transfer", "finetune"):
            raise ValueError(
                f"second_phase.epochs must be 0 in mode {mode}, got {phase.epochs}; choose mode "
                "transfer or finetune to unfreeze layers later"
            )
        count = graphs.frozen_count(
            self.network.graph, phase.still_frozen, "second_phase.still_frozen"
        )
        if count >= self.network.frozen_count:
            raise ValueError(
                "second_phase.still_frozen must be fewer than the "
                f"{self.network.frozen_count} layers frozen at first, got {count}"
            )

    def _check_batches(self) -> None:
        if self.batch_size == 1 and self.network.normalizes_by_batch:
            raise ValueError(
                "batch_size must be at least 2 where batch normalization trains, got 1: it "
                "compares the images of a batch; take a batch_size of 2 or more"
            )

    def _check_augmentation(self) -> None:
        varied, passes = self.augmentation.active, self.augmentation.passes
        if varied and self.network.mode == "features":
            raise ValueError(
                "augmentation must be off in mode features, which runs the backbone once over each "
                "image; choose mode transfer to vary images"
            )
        if passes and not varied:
            raise ValueError(
                f"augmentation.passes must be 0 where nothing is varied, got {passes}; set a "
                "rotation, zoom, shift, shear, flip, brightness, contrast or noise"
            )
        if passes and self.network.frozen_count == 0:
            raise ValueError(
                f"augmentation.passes must be 0 where no layer is frozen, got {passes}: there is "
                "no output of frozen layers to keep"
            )

    def _check_class_weights(self) -> None:
        weights, classes = self.class_weights, len(self.class_names)
        if isinstance(weights, tuple) and classes and len(weights) != classes:
            raise ValueError(
                f"class_weights must be none, balanced or {classes} numbers, one for each class, "
                f"got {len(weights)}"
            )

    @property
    def phases(self) -> tuple[Phase, ...]:
        """One phase, or two where layers are unfrozen later."""
        first = Phase(
            1, self.epochs, self.batch_size, self.learning_rate, self.network.frozen_count
        )
        later = self.second_phase
        if not later.epochs:
            return (first,)
        frozen = graphs.frozen_count(
            self.network.graph, later.still_frozen, "second_phase.still_frozen"
        )
        return first, Phase(2, later.epochs, later.batch_size, later.learning_rate, frozen)

    @property
    def all_epochs(self) -> int:
        """Epochs of all phases."""
        return self.epochs + self.second_phase.epochs

    @property
    def blueprint(self) -> Blueprint:
        """The layers of the network, what they need, and where it is cut."""
        frozen_counts = tuple(phase.frozen_count for phase in self.phases)
        return blueprint(self.network, len(self.class_names), frozen_counts)

    @property
    def parameters(self) -> ParameterCount:
        """Parameters of the network that this configuration describes."""
        return self.blueprint.parameters

    @property
    def class_names(self) -> tuple[str, ...]:
        """Names of the classes to tell apart, by label."""
        return self.data.class_names


def parse_config(content: Any) -> RunConfig:
    """Make a configuration of JSON text or of what JSON text holds.

    Raises InvalidConfig with one sentence that names setting, rule and value.
    """
    try:
        if isinstance(content, str | bytes):
            return RunConfig.model_validate_json(content)
        return RunConfig.model_validate_json(json.dumps(content))
    except ValidationError as error:
        raise InvalidConfig(sentence(error.errors())) from None
