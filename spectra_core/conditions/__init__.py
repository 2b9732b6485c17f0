"""Ways of choosing concentration sets for conditional generators."""

from spectra_core.conditions.as_measured import AsMeasured
from spectra_core.conditions.base import ConditionSampler
from spectra_core.conditions.independent_uniform import IndependentUniform
from spectra_core.conditions.measured import ConvexMixtures, Resampled
from spectra_core.conditions.salt_box import LatinHypercube, SaltBox, Sobol

CONDITIONS: dict[str, type[ConditionSampler]] = {
    "resampled": Resampled,
    "as_measured": AsMeasured,
    "convex_mixtures": ConvexMixtures,
    "salt_box": SaltBox,
    "sobol": Sobol,
    "latin_hypercube": LatinHypercube,
    "independent_uniform": IndependentUniform,
}
"""Every way of choosing concentration sets, by name."""

__all__ = ["CONDITIONS", "ConditionSampler"]
