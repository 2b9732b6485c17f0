"""Latent sampling strategies: where in latent space new spectra are decoded from."""

from spectra_core.samplers.aggregate_posterior import AggregatePosterior
from spectra_core.samplers.base import LatentSampler
from spectra_core.samplers.equalised import Equalised
from spectra_core.samplers.given_conditions import CONDITIONAL_SAMPLERS, ConditionalSampler
from spectra_core.samplers.normal import FittedNormal, FittedNormalFull, StandardNormal
from spectra_core.samplers.uniform_box import UniformBox

SAMPLERS: dict[str, type[LatentSampler]] = {
    "aggregate_posterior": AggregatePosterior,
    "equalised": Equalised,
    "uniform_box": UniformBox,
    "standard_normal": StandardNormal,
    "fitted_normal": FittedNormal,
    "fitted_normal_full": FittedNormalFull,
}
"""Every way of choosing latent points, by name."""

__all__ = ["CONDITIONAL_SAMPLERS", "SAMPLERS", "ConditionalSampler", "LatentSampler"]
