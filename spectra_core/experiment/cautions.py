"""What to know before an experiment is run: arms that were seen to harm a regressor, or that know too much."""

from spectra_core.experiment.design import Experiment
from spectra_core.generators import GENERATORS
from spectra_core.generators.physics.choosing import knows_the_truth
from spectra_core.regressors import REGRESSORS
from spectra_core.spectra import SpectraSet


def cautions(experiment: Experiment, spectra: SpectraSet) -> list[str]:
    """Return sentences about pairs of generator and regressor, each once, and about arms that know the simulator."""
    found: list[str] = []
    for arm in experiment.arms:
        if arm.generator is None:
            continue
        member = GENERATORS[arm.generator.name]
        found += [
            f"{arm.name} with {REGRESSORS[choice.name].title}: {member.cautions[choice.name]}"
            for choice in experiment.regressors
            if choice.name in member.cautions
        ]
        if arm.generator.name == "physics_residual" and knows_the_truth(spectra, arm.generator.options.get("physics")):
            found.append(
                f"{arm.name}: these spectra were simulated with the very constants of its physics, which no literature "
                "knows so well. Give the physics a perturbation seed for a fair trial."
            )
    return list(dict.fromkeys(found))
