"""Regressors, preprocessing and generators as scikit-learn estimators, and a resampler that works inside folds only.

They take arrays, work in ``Pipeline``, ``GridSearchCV`` and ``cross_val_predict``, and pass ``check_estimator`` but for
the checks named in `NOT_APPLICABLE`.

Examples
--------
>>> import numpy as np
>>> from sklearn.model_selection import GroupKFold, cross_val_predict
>>> from sklearn.pipeline import make_pipeline
>>> rng = np.random.default_rng(0)
>>> y = rng.uniform(size=(24, 2))
>>> X = y @ rng.uniform(size=(2, 30)) + 1e-3 * rng.normal(size=(24, 30))
>>> model = make_pipeline(SpectralPreprocessing("savitzky_golay"), SpectralRegressor("pls"))
>>> predicted = cross_val_predict(model, X, y, cv=GroupKFold(4), groups=np.repeat(np.arange(8), 3))
>>> bool(np.abs(predicted - y).max() < 0.05)
True
"""

from collections.abc import Mapping
from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, MetaEstimatorMixin, RegressorMixin, TransformerMixin, clone
from sklearn.utils import Tags
from sklearn.utils.validation import check_is_fitted, column_or_1d, has_fit_parameter, validate_data

from spectra_core.choices import Choice, build
from spectra_core.conditions import CONDITIONS
from spectra_core.errors import SpectraCoreError
from spectra_core.generators import GENERATORS
from spectra_core.generators.base import DirectGenerator
from spectra_core.preprocessing import PREPROCESSINGS
from spectra_core.regressors import REGRESSORS
from spectra_core.samplers import SAMPLERS
from spectra_core.sampling.generation import generate_spectra
from spectra_core.sampling.labelling import LABELLINGS
from spectra_core.spectra import SetMeta, SpectralAxis, SpectraSet

Floats = NDArray[np.float64]

NOT_APPLICABLE: dict[str, str] = dict.fromkeys(
    (
        "check_estimators_fit_returns_self",
        "check_estimators_overwrite_params",
        "check_fit2d_1feature",
        "check_fit_check_is_fitted",
        "check_fit_idempotent",
        "check_n_features_in",
        "check_readonly_memmap_input",
    ),
    "it makes one or two columns, and the least window of a Savitzky-Golay filter has three",
)
"""Checks of scikit-learn that a Savitzky-Golay filter of window 3 and order 1 cannot pass, and why.

Wider windows need as many columns, and latent generators (pca, vae, cvae) more columns than latent dimensions; most
checks make fewer. All other estimators pass all checks.
"""


class _Spectral(BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """What the estimators share: arrays become spectra, and refusals the ValueError that scikit-learn expects."""

    axis: Any
    quantity: str
    seed: int

    def _spectra(self, X: Floats, y: Floats | None = None, groups: ArrayLike | None = None) -> SpectraSet:
        positions = np.arange(1.0, X.shape[1] + 1) if self.axis is None else np.asarray(self.axis, dtype=np.float64)
        samples = {"id": [str(row + 1) for row in range(len(X))]}
        if groups is not None:
            samples["group"] = [str(one) for one in np.asarray(groups)]
        targets = None if y is None else pd.DataFrame(y, columns=[f"y{at}" for at in range(y.shape[1])])
        made: SpectraSet = _told(
            SpectraSet,
            SpectralAxis(positions, *(("Channel", "") if self.axis is None else ("Wavelength", "nm"))),
            X,
            targets,
            samples=pd.DataFrame(samples),
            meta=SetMeta(quantity=self.quantity),
        )
        return made


class SpectralRegressor(RegressorMixin, _Spectral):  # type: ignore[misc]
    """A member of `REGRESSORS`.

    Parameters
    ----------
    regressor
        Its name.
    options
        Its fields, as a mapping.
    axis : (n_channels,)
        Positions in nm, where preprocessing or physics need them; channels are numbered by default.
    quantity
        What the spectra hold.
    seed
        Decides everything random.

    Attributes
    ----------
    regressor_
        The fitted member.
    """

    def __init__(
        self,
        regressor: str = "pls",
        options: Mapping[str, Any] | None = None,
        *,
        axis: ArrayLike | None = None,
        quantity: str = "Absorbance",
        seed: int = 0,
    ) -> None:
        self.regressor = regressor
        self.options = options
        self.axis = axis
        self.quantity = quantity
        self.seed = seed

    def fit(self, X: ArrayLike, y: ArrayLike, groups: ArrayLike | None = None) -> Self:
        """Learn from spectra (n, n_channels) and targets (n,) or (n, n_targets).

        Replicates named by `groups` are kept together wherever the regressor chooses its own parameters. In a pipeline
        they are handed on by scikit-learn's metadata routing: ``set_fit_request(groups=True)``.
        """
        signal, values = _signal_and_targets(self, X, y)
        self._flat = values.ndim == 1
        member = _told(build, REGRESSORS, Choice(self.regressor, self.options or {}), "regressor")
        table = np.asarray(values, dtype=np.float64).reshape(len(signal), -1)
        self.regressor_ = _told(member.fit, self._spectra(signal, table, groups), seed=self.seed)
        return self

    def predict(self, X: ArrayLike) -> Floats:
        """Return predicted targets in the form of `y`."""
        check_is_fitted(self)
        spectra = self._spectra(_signal(self, X, reset=False))
        values: Floats = _told(self.regressor_.predict, spectra).to_numpy()
        return values[:, 0] if self._flat else values

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags


class SpectralPreprocessing(TransformerMixin, _Spectral):  # type: ignore[misc]
    """A member of `PREPROCESSINGS`; parameters as of `SpectralRegressor`.

    Attributes
    ----------
    step_
        The fitted member.
    """

    def __init__(
        self,
        step: str = "snv",
        options: Mapping[str, Any] | None = None,
        *,
        axis: ArrayLike | None = None,
        quantity: str = "Absorbance",
    ) -> None:
        self.step = step
        self.options = options
        self.axis = axis
        self.quantity = quantity

    def fit(self, X: ArrayLike, y: Any = None) -> Self:
        """Learn from spectra (n, n_channels)."""
        spectra = self._spectra(_signal(self, X))
        member = _told(build, PREPROCESSINGS, Choice(self.step, self.options or {}), "preprocessing")
        self.step_ = _told(member.fit, spectra)
        return self

    def transform(self, X: ArrayLike) -> Floats:
        """Return the changed spectra."""
        check_is_fitted(self)
        return np.array(_told(self.step_.transform, self._spectra(_signal(self, X, reset=False))).signal)


class SpectralResampler(_Spectral):
    """Adds spectra of a member of `GENERATORS`, in the manner of imbalanced-learn's samplers.

    Pipelines of imbalanced-learn call it while fitting only; in those of scikit-learn, `AugmentedRegressor` does. In
    neither way does a held-out spectrum reach the generator.

    Parameters
    ----------
    generator
        Its name. Latent points are drawn from the aggregate posterior and labelled by PLS; concentration sets are those
        of the training spectra.
    ratio
        New spectra per spectrum.
    options, axis, quantity, seed
        As of `SpectralRegressor`.

    Attributes
    ----------
    generator_
        The fitted member.
    parents_ : (n_new,)
        Row of the spectrum that each new one was made from, after the last `sample`; -1 where it has none.
    """

    def __init__(
        self,
        generator: str = "jitter",
        options: Mapping[str, Any] | None = None,
        *,
        ratio: float = 1.0,
        axis: ArrayLike | None = None,
        quantity: str = "Absorbance",
        seed: int = 0,
    ) -> None:
        self.generator = generator
        self.options = options
        self.ratio = ratio
        self.axis = axis
        self.quantity = quantity
        self.seed = seed

    def fit(self, X: ArrayLike, y: ArrayLike) -> Self:
        """Learn from spectra (n, n_channels) and targets (n,) or (n, n_targets)."""
        signal, values = _signal_and_targets(self, X, y)
        self._flat = values.ndim == 1
        self._known = signal, np.asarray(values, dtype=np.float64).reshape(len(signal), -1)
        member = _told(build, GENERATORS, Choice(self.generator, self.options or {}), "generator")
        self.generator_ = _told(member.fit, self._spectra(*self._known), seed=self.seed)
        return self

    def sample(self, n_spectra: int) -> tuple[Floats, Floats]:
        """Return new spectra and their targets."""
        check_is_fitted(self)
        train = self._spectra(*self._known)
        made = _told(generate_spectra, self.generator_, train, n_spectra, seed=self.seed, **self._methods(train))
        values = np.array(made.target_values)
        rows = {name: row for row, name in enumerate(train.samples["id"])}
        named = made.samples["parent"] if "parent" in made.samples else [""] * n_spectra
        self.parents_ = np.array([rows.get(one.split(" + ", maxsplit=1)[0], -1) for one in named])
        return np.array(made.signal, dtype=np.float64), values[:, 0] if self._flat else values

    def fit_resample(self, X: ArrayLike, y: ArrayLike) -> tuple[Floats, Floats]:
        """Learn, and return the spectra with new ones after them."""
        more, labels = self.fit(X, y).sample(max(1, round(self.ratio * len(np.asarray(X)))))
        return np.concatenate([np.asarray(X, dtype=np.float64), more]), np.concatenate([np.asarray(y), labels])

    def _methods(self, train: SpectraSet) -> dict[str, Any]:
        if isinstance(self.generator_, DirectGenerator):
            return {}
        if self.generator_.needs_conditions:
            drawn = {"conditions": CONDITIONS["resampled"](), "sampler": SAMPLERS["standard_normal"]()}
            return {**drawn, "labelling": LABELLINGS["asked_for"]()}
        teacher = _told(REGRESSORS["pls"]().fit, train, seed=self.seed)
        drawn = {"sampler": SAMPLERS["aggregate_posterior"](), "labelling": LABELLINGS["spectral"]()}
        return {**drawn, "teacher": teacher}


class AugmentedRegressor(RegressorMixin, MetaEstimatorMixin, BaseEstimator):  # type: ignore[misc]
    """A regressor of scikit-learn that is fitted on resampled spectra: inside a fold nothing else is seen.

    Parameters
    ----------
    resampler
        Has ``fit_resample``; jitter by default.
    regressor
        Any; PLS by default.

    Attributes
    ----------
    resampler_, regressor_
        Fitted.
    """

    def __init__(self, resampler: Any = None, regressor: Any = None) -> None:
        self.resampler = resampler
        self.regressor = regressor

    def fit(self, X: ArrayLike, y: ArrayLike, groups: ArrayLike | None = None) -> Self:
        """Resample the spectra and learn from all of them.

        Where the regressor's own `fit` takes groups, new spectra share those of their parents: were they divided when
        it chooses its parameters, it would be judged by copies of what it learned from.
        """
        signal, values = _signal_and_targets(self, X, y)
        self.resampler_ = SpectralResampler() if self.resampler is None else clone(self.resampler)
        self.regressor_ = SpectralRegressor() if self.regressor is None else clone(self.regressor)
        spectra, labels = self.resampler_.fit_resample(signal, values)
        parents = getattr(self.resampler_, "parents_", None)
        if parents is not None and has_fit_parameter(self.regressor_, "groups"):
            known = np.arange(len(signal)) if groups is None else np.unique(groups, return_inverse=True)[1]
            alone = len(signal) + np.arange(len(parents))
            together = np.concatenate([known, np.where(parents < 0, alone, known[parents])])
            self.regressor_.fit(spectra, labels, groups=together)
        else:
            self.regressor_.fit(spectra, labels)
        return self

    def predict(self, X: ArrayLike) -> Floats:
        """Return predicted targets in the form of `y`."""
        check_is_fitted(self)
        return np.asarray(self.regressor_.predict(_signal(self, X, reset=False)))

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags


def _signal(estimator: BaseEstimator, X: ArrayLike, *, reset: bool = True) -> Any:
    """Return spectra as an array that scikit-learn accepts."""
    return validate_data(estimator, X, dtype=np.float64, reset=reset)


def _signal_and_targets(estimator: BaseEstimator, X: ArrayLike, y: ArrayLike) -> Any:
    """Return spectra and targets as arrays that scikit-learn accepts."""
    signal, values = validate_data(
        estimator, X, y, multi_output=True, y_numeric=True, dtype=np.float64, ensure_min_samples=4
    )
    return signal, column_or_1d(values, warn=True) if values.ndim == 2 and values.shape[1] == 1 else values


def _told(function: Any, *given: Any, **named: Any) -> Any:
    """Call, and refuse by a ValueError, as scikit-learn's own estimators do."""
    try:
        return function(*given, **named)
    except SpectraCoreError as error:
        raise ValueError(str(error)) from error
