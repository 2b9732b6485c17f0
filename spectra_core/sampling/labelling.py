"""Labels for generated spectra: which concentrations they are trained with."""

from dataclasses import dataclass
from typing import Annotated, ClassVar, Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from spectra_core.errors import ConfigError, SpectraError
from spectra_core.options import WithOptions
from spectra_core.regressors.base import Regressor
from spectra_core.spectra import SpectraSet, require_same_targets, require_targets
from spectra_core.spectra.latent import LatentPosterior


@dataclass(frozen=True, eq=False)
class LabelContext:
    """All that is known of generated spectra when they are labelled; every labelling reads what it needs.

    Parameters
    ----------
    train
        Training spectra with targets: names, order, units and ranges of the labels.
    spectra
        The generated spectra, without targets.
    latent : (n_spectra, n_latent)
        Latent points the spectra were decoded from.
    conditions : (n_spectra, n_targets)
        Concentrations the generator was asked for.
    posterior
        Posteriors of `train`, one per spectrum in order.
    teacher
        Regressor fitted on `train`.
    parents : (n_spectra, n_targets)
        Concentrations that follow from the training spectra each generated one was made of.
    """

    train: SpectraSet
    spectra: SpectraSet | None = None
    latent: NDArray[np.float64] | None = None
    conditions: pd.DataFrame | None = None
    posterior: LatentPosterior | None = None
    teacher: Regressor | None = None
    parents: pd.DataFrame | None = None

    def __post_init__(self) -> None:
        require_targets(self.train)


class Labelling(Protocol):
    """Gives generated spectra their targets. A frozen dataclass."""

    title: ClassVar[str]
    explanation: ClassVar[str]

    def label(self, context: LabelContext) -> pd.DataFrame:
        """Return targets (n_spectra, n_targets), columns and units as in ``context.train``.

        Raises
        ------
        ConfigError
            When the context lacks what this labelling reads.
        SpectraError
            When what it reads does not fit the training spectra.
        """


@dataclass(frozen=True)
class AskedFor:
    """The concentrations the generator was asked for."""

    title: ClassVar[str] = "Asked-for concentrations"
    explanation: ClassVar[str] = (
        "Each spectrum is labelled with the concentrations the generator was asked for, whether or not it shows them."
    )

    def label(self, context: LabelContext) -> pd.DataFrame:
        """Return ``context.conditions``."""
        return _given(context, context.conditions, "asked-for concentrations", "a conditional generator")


@dataclass(frozen=True)
class Parents:
    """The concentrations that follow from the parents: the same for noise added, their mixture for spectra mixed."""

    title: ClassVar[str] = "From the parents"
    explanation: ClassVar[str] = (
        "Each spectrum is labelled with the concentrations of the training spectra it was made of, mixed as they were."
    )

    def label(self, context: LabelContext) -> pd.DataFrame:
        """Return ``context.parents``."""
        return _given(context, context.parents, "parents", "a generator that makes spectra from others, such as mixing")


@dataclass(frozen=True)
class Spectral(WithOptions):
    """What a teacher, a regressor trained on the experimental spectra, reads from the generated spectrum.

    The labels carry the teacher's own errors: a regressor trained on them can learn these, too.

    Parameters
    ----------
    clip_to_range
        Move labels outside the training range of a target to its nearest end.
    non_negative
        Move negative labels to 0.
    """

    title: ClassVar[str] = "Pseudo-label from the spectrum"
    explanation: ClassVar[str] = (
        "A regressor trained on the experimental spectra reads the concentrations from each generated spectrum."
    )

    clip_to_range: bool = False
    non_negative: Annotated[bool, "Non-negative"] = False

    def label(self, context: LabelContext) -> pd.DataFrame:
        """Return the teacher's predictions for ``context.spectra``."""
        teacher, spectra = _teacher_and_spectra(context)
        labels = teacher.predict(spectra)
        require_same_targets(context.train.target_names, tuple(labels.columns))
        return _bounded(labels, context.train, self.clip_to_range, self.non_negative)


@dataclass(frozen=True)
class Latent(WithOptions):
    """What the best linear model reads from the latent point, learned from the posteriors of the training spectra.

    Generated points are draws, not posterior means, so the model is learned from draws: least squares over all
    z ~ q(z|x) of all training spectra, which needs no drawing,

        B = (Cov(mean) + diag(average variance))^-1 Cov(mean, targets).

    The average posterior variance acts as a penalty (Bishop, Neural Computation 1995, 7, 108-116: training with noise
    is Tikhonov regularisation). A dimension without information has Cov(mean, targets) near 0 and variance near 1, and
    so no say. A model of the means alone blows such dimensions up: its labels scatter far beyond the data.

    Parameters
    ----------
    clip_to_range
        Move labels outside the training range of a target to its nearest end.
    non_negative
        Move negative labels to 0.
    """

    title: ClassVar[str] = "Pseudo-label from the latent point"
    explanation: ClassVar[str] = (
        "A linear model from latent space to concentrations, learned from the training spectra, "
        "labels each latent point before it is decoded."
    )

    clip_to_range: bool = False
    non_negative: Annotated[bool, "Non-negative"] = False

    def label(self, context: LabelContext) -> pd.DataFrame:
        """Return targets read from ``context.latent``."""
        latent, posterior = context.latent, context.posterior
        if latent is None or posterior is None:
            raise ConfigError(
                "Labels from latent points need the latent points and the posteriors of the training spectra. "
                "Use a generator with a latent space, or another labelling."
            )
        train = context.train
        _require_fitting_latent(latent, posterior, train)
        centre, targets = posterior.mean.mean(axis=0), train.target_values
        means = posterior.mean - centre
        covariance = means.T @ means / len(means) + np.diag((posterior.std**2).mean(axis=0))
        towards_targets = means.T @ (targets - targets.mean(axis=0)) / len(means)
        try:
            coefficients = np.linalg.solve(covariance, towards_targets)  # (n_latent, n_targets)
        except np.linalg.LinAlgError as error:
            raise SpectraError(
                "No labels can be read from latent points that do not vary, or lie astronomically far apart, as of a "
                "damaged generator. Train it again, or choose another labelling."
            ) from error
        values = targets.mean(axis=0) + (latent - centre) @ coefficients
        labels = pd.DataFrame(values, columns=list(train.target_names))
        return _bounded(labels, train, self.clip_to_range, self.non_negative)


LABELLINGS: dict[str, type[Labelling]] = {
    "asked_for": AskedFor,
    "spectral": Spectral,
    "latent": Latent,
    "parents": Parents,
}
"""Every way of giving generated spectra their targets, by name."""


def _teacher_and_spectra(context: LabelContext) -> tuple[Regressor, SpectraSet]:
    if context.teacher is None or context.spectra is None:
        missing = "a teacher" if context.teacher is None else "the generated spectra"
        raise ConfigError(
            f"Pseudo-labels from spectra need a fitted teacher and the generated spectra; {missing} is missing. "
            "Choose a regressor as teacher, or another labelling."
        )
    return context.teacher, context.spectra


def _given(context: LabelContext, labels: pd.DataFrame | None, what: str, source: str) -> pd.DataFrame:
    if labels is None:
        raise ConfigError(f"There are no {what} to label with. Use {source}, or another labelling.")
    require_same_targets(context.train.target_names, tuple(labels.columns))
    return labels.reset_index(drop=True)


def _require_fitting_latent(latent: NDArray[np.float64], posterior: LatentPosterior, train: SpectraSet) -> None:
    if len(posterior) != len(train):
        raise SpectraError(
            f"There are {len(train)} training spectra but {len(posterior)} posteriors. "
            "Encode the training spectra themselves, in their order."
        )
    if latent.ndim != 2 or latent.shape[1] != posterior.n_latent:
        raise SpectraError(
            f"Expected latent points (n_points, {posterior.n_latent}), got an array of shape {latent.shape}. "
            "Use points of the generator that encoded the training spectra."
        )
    if not posterior.active.any():
        raise SpectraError(
            "No latent dimension carries information on the spectra (none is active), so no label can be read from "
            "latent points. Train the generator longer or with a smaller beta, or label by the spectrum."
        )


def _bounded(labels: pd.DataFrame, train: SpectraSet, clip_to_range: bool, non_negative: bool) -> pd.DataFrame:
    if clip_to_range:
        labels = labels.clip(train.target_values.min(axis=0), train.target_values.max(axis=0), axis=1)
    return labels.clip(lower=0.0) if non_negative else labels
