"""What the VAE and the conditional VAE share: scaling, training, encoding, decoding, state."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from spectra_core.contracts import SILENT, UNSAID, Arrays, Budget, Checkpoint, Reporter
from spectra_core.generators.base import LatentGenerator
from spectra_core.generators.state import (
    checked_arrays,
    checked_conditions,
    refuse_conditions,
    require_fitted,
    require_latent,
    require_training_set,
    scaling_shapes,
)
from spectra_core.preprocessing import Standardiser
from spectra_core.preprocessing.magnitudes import require_computable_signal, require_computable_targets
from spectra_core.spectra import Frame, SpectraSet, require_same_targets, require_targets
from spectra_core.spectra.latent import LatentPosterior
from spectra_core.training.cost import inputs_of, network_cost
from spectra_core.training.devices import CPU, Device, trained_on
from spectra_core.training.fast import AS_IN_THE_STUDY, FastTraining
from spectra_core.training.plan import (
    BatchSize,
    Coordinates,
    Epochs,
    Kernels,
    LearningRate,
    Plan,
    Schedule,
    path_sentence,
    require_kernels,
)
from spectra_core.training.vae_shape import Beta, HiddenUnits, LatentDimensions, Reduction, VaeLoss, VaeShape

if TYPE_CHECKING:
    from spectra_core.training.vaes import VaeTraining, VaeWeights

Floats = NDArray[np.floating[Any]]

SUMMED_RATE = 0.3
"""Of the learning rate, with the summed loss: KL weighs too little in it to hold log-variances at longer steps."""

MOST_COMPONENTS = 32
"""Trained on components: more cost time, and the networks keep few of them active (`training.vae_shape`)."""


@dataclass
class Autoencoder(LatentGenerator):
    """Base of `VAE` and `CVAE`; `needs_conditions` says whether the decoder sees concentrations.

    Architecture, loss and the meaning of `reduction`: `spectra_core.training.vae_shape`. Spectra (and
    concentrations) are standardised by the training set; a channel that is constant there comes back as exactly
    that constant.

    Parameters
    ----------
    n_hidden, n_latent
        Units of the hidden layers and dimensions of the latent space; the study's are 256 and 91.
    beta
        Weight of the divergence from the prior: smaller gives sharper spectra and a less normal latent space.
    reduction
        "mean": error averaged over channels, divergence over latent dimensions; "sum": both summed, the textbook
        evidence bound. Averaging weighs the divergence more, so fewer dimensions stay active.
    epochs, batch_size, learning_rate, schedule
        Adam on shuffled batches; with "cosine" the rate falls to zero, which is another path of optimisation
        than the study's. With reduction "sum" steps are `SUMMED_RATE` as long as asked for.
    coordinates
        "channels" as in the study, or "components": trained on the principal components of the standardised spectra
        that stand out of their noise (`training.coordinates`). The same function and loss, but **another path of
        optimisation**, much faster.
    kernels
        "torch", or "numba": faster, the same up to rounding. On the processor only.
    device
        "auto": an accelerator where torch sees one, else the processor, and results say which it was; "cpu" or "cuda"
        insist on one. The same up to rounding.
    """

    study_options: ClassVar[Mapping[str, Any]] = AS_IN_THE_STUDY
    # A falling rate brings a better loss but worse spectra: what is drawn from the prior needs the noise of a constant
    # one.
    fast: ClassVar[FastTraining | None] = FastTraining(
        {"coordinates": "components", "schedule": "constant", "learning_rate": 1.2e-3}, fewest_epochs=80, steps=7200
    )

    n_hidden: HiddenUnits = 256
    n_latent: LatentDimensions = 91
    beta: Beta = 1.0
    reduction: Annotated[Reduction, "Averaging of the loss"] = "mean"
    epochs: Epochs = 100
    batch_size: BatchSize = 32
    learning_rate: LearningRate = 1e-3
    schedule: Schedule = "constant"
    coordinates: Coordinates = "channels"
    kernels: Kernels = "torch"
    device: Device = field(default="auto", metadata=UNSAID)

    device_: str = field(init=False, repr=False, compare=False, default=CPU)

    def __post_init__(self) -> None:
        super().__post_init__()
        require_kernels(self.kernels)

    def cost(self, n_rows: int, n_channels: int) -> float:
        """Return Gflop of a fit."""
        n_inputs, slower = inputs_of(self.coordinates, n_channels)
        n_weights = self.n_hidden * (2 * n_inputs + 3 * self.n_latent)
        return network_cost(slower * n_weights, n_rows, self.epochs, self.batch_size)

    def fit(
        self,
        train: SpectraSet,
        *,
        validation: SpectraSet | None = None,
        seed: int = 0,
        reporter: Reporter = SILENT,
        checkpoint: Checkpoint | None = None,
    ) -> Self:
        """Train on `train`.

        Progress is reported per epoch with ``loss``, ``reconstruction``, ``kl`` and, where there is `validation`,
        ``validation_loss``, ``validation_reconstruction`` and ``validation_kl``.
        """
        self.device_ = trained_on(self.device)
        training = self._training(train, seed, validation=validation, reporter=reporter)
        self._take_over(train.frame, training.trained(self.device_, reporter, checkpoint))
        return self

    def fit_many(
        self, trains: Sequence[SpectraSet], *, seeds: Sequence[int], names: Sequence[str], reporter: Reporter = SILENT
    ) -> list[Self]:
        """Fit a fresh copy to every set; on an accelerator all together, else one after the other.

        Parameters
        ----------
        names
            What each is called where it fails.
        """
        from spectra_core.training.vaes import train_vaes_together

        device, fresh = trained_on(self.device), [replace(self) for _ in trains]
        trainings = [
            one._training(train, seed, name=name)
            for one, train, seed, name in zip(fresh, trains, seeds, names, strict=True)
        ]
        found = train_vaes_together(trainings, device=device, reporter=reporter)
        for one, train, weights in zip(fresh, trains, found, strict=True):
            one.device_ = device
            one._take_over(train.frame, weights)
        return fresh

    def encode(self, spectra: SpectraSet) -> LatentPosterior:
        """Return the posterior of every spectrum."""
        require_fitted(self, self.title)
        self.frame_.require_same_signal(spectra.frame)
        require_computable_signal(spectra, "new", self.scaling_)
        seen = None
        if self._encoder_sees_targets():
            seen = self._standardised_targets(spectra, self.frame_)
        mean, log_variance = self.weights_.encode(self.scaling_.transform(spectra.signal), seen)
        return LatentPosterior(mean.astype(np.float64), np.exp(0.5 * log_variance.astype(np.float64)))

    def decode(self, latent: NDArray[np.float64], conditions: pd.DataFrame | None = None) -> NDArray[np.float64]:
        """Return the spectrum at each latent point: the mean of p(x|z), without noise."""
        require_fitted(self, self.title)
        require_latent(latent, self.n_latent)
        given: Floats | None = None
        if self.needs_conditions:
            asked_for = checked_conditions(conditions, self.frame_, len(latent), self.title)
            given = self.target_scaling_.transform(asked_for)
        else:
            refuse_conditions(conditions, self.title)
        return np.asarray(self.scaling_.inverse(self.weights_.decode(latent, given)), dtype=np.float64)

    @property
    def history_(self) -> pd.DataFrame:
        """Training curve, one row per epoch, in standardised units.

        Columns ``epoch`` (from 1), ``loss``, ``reconstruction`` and ``kl``, averaged over the batches of the epoch
        as they came; where a validation set was given the same with ``validation_`` before, at the epoch's end.
        """
        require_fitted(self, self.title)
        curve = pd.DataFrame(dict(self.weights_.curve))
        names = [f"{role}{part}" for role in ("", "validation_") for part in ("loss", "reconstruction", "kl")]
        curve = curve[[name for name in names if name in curve]]
        curve.insert(0, "epoch", np.arange(1, len(curve) + 1))
        return curve

    @property
    def n_parameters(self) -> int:
        """Weights and biases; 537,925 for the study's VAE and 539,973 for its conditional one with 8 targets."""
        require_fitted(self, self.title)
        return self._shape(self.frame_).n_parameters

    def to_arrays(self) -> Arrays:
        """Return scaling, weights and training curve."""
        require_fitted(self, self.title)
        scaling = self.scaling_.to_arrays("spectra")
        if self.needs_conditions:
            scaling |= self.target_scaling_.to_arrays("targets")
        components = {"components": self.components_} if self.coordinates == "components" else {}
        return {**scaling, **components, **self.weights_.to_arrays()}

    def from_arrays(self, arrays: Arrays, frame: Frame) -> Self:
        """Take over a fitted state after checking it."""
        from spectra_core.training.vaes import VaeWeights

        shapes = scaling_shapes("spectra", len(frame.axis))
        if self.needs_conditions:
            shapes |= scaling_shapes("targets", len(frame.target_info))
        if self.coordinates == "components":
            shapes |= {"components": (2,)}
        state = checked_arrays(arrays, shapes, self.title)
        weights = VaeWeights.from_arrays(self._shape(frame), arrays)
        self.scaling_ = Standardiser.from_arrays(state, "spectra")
        if self.needs_conditions:
            self.target_scaling_ = Standardiser.from_arrays(state, "targets")
        if self.coordinates == "components":
            self.components_ = state["components"]
        self._take_over(frame, weights)
        return self

    def _encoder_sees_targets(self) -> bool:
        return False

    def _plan(self, seed: int) -> Plan:
        rate = self.learning_rate * (SUMMED_RATE if self.reduction == "sum" else 1.0)
        return Plan(Budget(epochs=self.epochs), self.batch_size, rate, self.schedule, seed, self.kernels)

    def _shape(self, frame: Frame) -> VaeShape:
        n_conditions = len(frame.target_info) if self.needs_conditions else 0
        return VaeShape(len(frame.axis), self.n_hidden, self.n_latent, n_conditions, self._encoder_sees_targets())

    def _standardised_targets(self, spectra: SpectraSet, frame: Frame) -> Floats | None:
        """Return what the networks see of the targets; None where they see nothing."""
        if not self.needs_conditions:
            return None
        require_same_targets(frame.target_names, spectra.target_names)
        require_computable_targets(spectra, "held-out", self.target_scaling_)
        return self.target_scaling_.transform(spectra.target_values)

    def _training(
        self,
        train: SpectraSet,
        seed: int,
        *,
        validation: SpectraSet | None = None,
        reporter: Reporter = SILENT,
        name: str = "",
    ) -> "VaeTraining":
        """Fit the scaling and return what is to be trained."""
        from spectra_core.training.coordinates import signal_coordinates
        from spectra_core.training.vaes import VaeTraining

        require_training_set(train, self.title)
        if self.needs_conditions:
            require_targets(train)
        self.scaling_ = Standardiser.fit(train.signal)
        if self.needs_conditions:
            self.target_scaling_ = Standardiser.fit(train.target_values)
        held_out = held_out_conditions = None
        if validation is not None:
            train.frame.require_same_signal(validation.frame)
            require_computable_signal(validation, "held-out", self.scaling_)
            held_out = self.scaling_.transform(validation.signal)
            held_out_conditions = self._standardised_targets(validation, train.frame)
        standardised, basis = self.scaling_.transform(train.signal), None
        if self.coordinates == "components":
            found = signal_coordinates(standardised, MOST_COMPONENTS)
            basis, self.components_ = found.mixed, np.array([found.n_components, found.share_left_out])
            reporter.message(path_sentence(found.n_components, found.share_left_out))
        return VaeTraining(
            standardised,
            self._standardised_targets(train, train.frame),
            self._shape(train.frame),
            VaeLoss(self.beta, self.reduction),
            self._plan(seed),
            basis=basis,
            validation=held_out,
            validation_conditions=held_out_conditions,
            stage=f"Training the {self.title[0].lower()}{self.title[1:]}{name and f', {name}'}",
        )

    def _take_over(self, frame: Frame, weights: "VaeWeights") -> None:
        self.frame_, self.weights_ = frame, weights
