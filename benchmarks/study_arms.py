"""What the study compares: experiments on simulated and measured spectra, in stages from what matters most."""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.study_fresh import fresh_sizes, fresh_stages, stack_stages
from spectra_core.choices import Choice
from spectra_core.datasets import read
from spectra_core.datasets.simulator import PRESETS, simulate
from spectra_core.experiment import PRESET_ARMS, Arm, Experiment, Question, counterfactuals
from spectra_core.experiment.counterfactuals import SHARP
from spectra_core.experiment.modes import Mode, trained
from spectra_core.experiment.presets import USUAL_REGRESSORS
from spectra_core.spectra import SpectraSet

INDEPENDENT, BALANCED = "cVAE, independent concentrations", "cVAE, charge-balanced"
READ = f"{BALANCED}: labels read from the spectra"
TOGETHER = f"{BALANCED}: sharper decoder, z fits"
ALL_CHANGES = f"{BALANCED}: sharper decoder, z fits, encoder sees"
OWN = "cVAE, a training spectrum's own concentrations and z, sharper decoder"
MEASURED = "cVAE, measured concentrations, z from the prior"
ASKED = (
    "VAE, standard normal",
    "VAE, data's own distribution",
    "VAE, equalised",
    INDEPENDENT,
    BALANCED,
)
"""What the published study asks about, of the MLP: these are declared, all others are looked at afterwards."""
OTHER_CONDITIONS = {
    "cVAE, Sobol sequence of salts": "sobol",
    "cVAE, Latin hypercube of salts": "latin_hypercube",
    "cVAE, convex mixtures": "convex_mixtures",
    MEASURED: "resampled",
}
WAYS = {
    "independent": INDEPENDENT,
    "charge-balanced cone": BALANCED,
    "as measured": MEASURED,
    "cone, Sobol sequence": "cVAE, Sobol sequence of salts",
    "cone, Latin hypercube": "cVAE, Latin hypercube of salts",
    "convex mixtures": "cVAE, convex mixtures",
}
"""Every way of choosing concentrations, and the arm that draws z from the prior at such ones."""
LATENT: dict[str, dict[str, Choice]] = {
    "uniform box": {"sampler": Choice("uniform_box")},
    "data's own distribution": {"sampler": Choice("aggregate_posterior")},
    "equalised": {"sampler": Choice("equalised")},
    "of similar spectra": {"latent_given": Choice("similar_concentrations")},
}
"""The study's latent strategies beside the prior, which know no concentrations; and one that fits them."""
SLOW = f"{BALANCED}: slower training"
SLOWER = 1e-4
"""Learning rate of sharp decoders on the simulated set, where they diverge at the study's; `SLOW` is the control.

Fast mode has a rate of its own."""
CARBON_DOTS = "carbon_dots_cu_ni_cr_no3_ex350.csv.gz"
Changed = Callable[[Choice], Choice]


@dataclass(frozen=True)
class Study:
    """Experiments on one set, each holding the arms of those before it; finished parts are never computed again."""

    name: str
    data: Callable[[], SpectraSet]
    stages: tuple[Experiment, ...]


@dataclass(frozen=True)
class Training:
    """How the networks of a study are trained: in a mode, for its epochs or others."""

    mode: Mode = "faithful"
    epochs: int | None = None

    def networks(self, n_train: int | None = None) -> Changed:
        """Return what gives a choice its options; in fast mode epochs depend on the training spectra of a fold."""
        return partial(trained, mode=self.mode, epochs=self.epochs, n_train=n_train)


def all_arms(training: Training, *, n_train: int | None = None, simulated: bool = True) -> dict[str, Arm]:
    """Return every arm of the study by name, in the order of its tables."""
    networks = training.networks(n_train)
    slower = {"learning_rate": SLOWER} if simulated and training.mode == "faithful" else {}
    arms = {name: _with_networks(arm, networks) for name, arm in PRESET_ARMS.items()}
    independent, balanced = arms[INDEPENDENT], arms[BALANCED]
    ready = {
        name: arms[name]
        for name in (
            *("Baseline", "Step-matched", "Duplicate rows", "Ensemble of 5"),
            *("Noise jitter", "Mixing", "PCA, standard normal"),
            *("VAE, standard normal", "VAE, uniform box", "VAE, data's own distribution", "VAE, equalised"),
            *(INDEPENDENT, BALANCED),
        )
    }
    others = {
        name: replace(independent, name=name, conditions=Choice(conditions))
        for name, conditions in OTHER_CONDITIONS.items()
    }
    others[MEASURED] = replace(others[MEASURED], beside=BALANCED, change="concentrations as measured")
    similar = Choice("similar_concentrations")
    sharp = Choice("cvae", {**dict(balanced.generator.options), "beta": SHARP, **slower})
    together = replace(balanced, name=TOGETHER, generator=sharp, latent_given=similar)
    sees = Choice("cvae", {**dict(sharp.options), "encoder_sees_targets": True})
    teacher = networks(Choice("mlp"))
    changed = [
        replace(one, generator=sharp) if one.change == "sharper decoder" else one
        for one in counterfactuals(balanced, teacher=teacher, simulated=simulated)
        if one.beside and one.change != others[MEASURED].change
    ]
    if slower:
        slow = Choice("cvae", {**dict(balanced.generator.options), **slower})
        changed.append(replace(balanced, name=SLOW, generator=slow, beside=BALANCED, change="slower training"))
    found = [
        *ready.values(),
        *others.values(),
        *(one for one in counterfactuals(independent, teacher=teacher) if "labels" in one.change),
        *changed,
        together,
        replace(together, name=ALL_CHANGES, generator=sees),
        replace(
            together,
            name=OWN,
            conditions=Choice("resampled"),
            latent_given=Choice("similar_concentrations", {"n_neighbours": 1}),
        ),
        arms["Oracle"],
    ]
    return {arm.name: arm for arm in found}


def simulated_study(training: Training, n_spectra: int | None) -> Study:
    """Return part a: all arms on the simulated set."""
    first = ("Baseline", "Step-matched", "Oracle", "VAE, standard normal", INDEPENDENT, BALANCED)
    second = (
        *("Duplicate rows", "VAE, data's own distribution"),
        *(f"{BALANCED}: sharper decoder", f"{BALANCED}: z fits the concentrations", TOGETHER),
        READ,
    )
    third = (
        *(f"{BALANCED}: encoder sees the concentrations", ALL_CHANGES, SLOW),
        f"{INDEPENDENT}: labels read from the spectra",
        *("VAE, uniform box", "VAE, equalised"),
        *("cVAE, convex mixtures", MEASURED),
        f"{BALANCED}: true spectra at the labels",
    )
    fourth = (f"{BALANCED}: noise given back", "Noise jitter", "Ensemble of 5")
    fifth = (OWN, "Mixing", "PCA, standard normal")
    last = tuple(OTHER_CONDITIONS)[:2]
    arms = all_arms(training)
    stages = [[name for name in stage if name in arms] for stage in (first, second, third, fourth, fifth, last)]
    return Study("a", partial(_simulated, n_spectra), _stages(arms, stages, training.networks()))


def crossed(way: str, strategy: str) -> str:
    """Return the name of the arm with concentrations of this way and latent points of this strategy."""
    return f"{WAYS[way].removesuffix(', z from the prior')}; z: {strategy}"


def crossed_study(training: Training, name: str, data: Callable[[], SpectraSet], *, simulated: bool = True) -> Study:
    """Return the cVAE with every way of choosing concentrations and every latent strategy."""
    arms = all_arms(training, simulated=simulated)
    plain = ("Baseline", "Step-matched", *WAYS.values())
    kept = {name: replace(arms[name], beside="", change="") for name in plain}
    for way, name_of_prior in WAYS.items():
        for strategy, method in LATENT.items():
            arm = replace(kept[name_of_prior], name=crossed(way, strategy), **{"latent_given": None, **method})
            kept[arm.name] = arm
    ways, (*regardless, fitting) = list(WAYS), LATENT
    stages = [
        (*plain, *(crossed(way, strategy) for way in ways[:3] for strategy in regardless)),
        tuple(crossed(way, strategy) for way in ways[3:] for strategy in regardless),
        tuple(crossed(way, fitting) for way in ways),
    ]
    return Study(name, data, _stages(kept, stages, training.networks()))


def repeated_study(training: Training, n_spectra: int | None) -> Study:
    """Return the main arms of part a with three repetitions of the 8 folds, of which the first is part a's."""
    names = ("Step-matched", "VAE, standard normal", INDEPENDENT, BALANCED, READ, "Oracle")
    stages = _stages(all_arms(training), (names,), training.networks(), n_repeats=3)
    return Study("a-repeated", partial(_simulated, n_spectra), stages)


def sizes_study(training: Training, n_spectra: int | None, size: int, **fields: Any) -> Study:
    """Return part b: fewer arms at one training size; the whole fold is in part a."""
    first = ("Baseline", "Step-matched", "VAE, standard normal", INDEPENDENT, BALANCED, READ, TOGETHER, "Oracle")
    second = ("Duplicate rows", "VAE, data's own distribution", "Ensemble of 5")
    arms = all_arms(training, n_train=size)
    stages = _stages(arms, (first, second), training.networks(size), n_train=(size,), **fields)
    return Study(f"b-{size}", partial(_simulated, n_spectra), stages)


def carbon_dots_study(training: Training) -> Study:
    """Return part c on the carbon dots of the study's group: everything that needs no simulator."""
    arms = all_arms(training, simulated=False)
    arms.pop("Oracle")
    return Study("c-carbon-dots", partial(measured, CARBON_DOTS), _stages(arms, (tuple(arms),), training.networks()))


def metals_study(training: Training, name: str, path: str, **fields: Any) -> Study:
    """Return part c on a set whose targets are independent: there is no charge balance to keep."""
    arms = all_arms(training, simulated=False)
    similar = replace(
        arms[TOGETHER],
        name=f"{INDEPENDENT}: sharper decoder, z fits",
        conditions=arms[INDEPENDENT].conditions,
    )
    kept = {
        name: arm
        for name, arm in arms.items()
        if BALANCED not in name and name != "Oracle" and name not in list(OTHER_CONDITIONS)[:2]
    }
    kept[MEASURED] = replace(kept[MEASURED], beside="", change="")
    kept[similar.name] = similar
    return Study(f"c-{name}", partial(measured, path), _stages(kept, (tuple(kept),), training.networks(), **fields))


def studies(training: Training, n_spectra: int | None = None) -> dict[str, list[Study]]:
    """Return all parts by letter; `n_spectra` is for trying the script out.

    Only parts a and b know both modes: measured sets are small and train as in the study, fresh sets fast.
    """
    as_in_the_study = Training(epochs=training.epochs)
    return {
        "a": [
            simulated_study(training, n_spectra),
            crossed_study(training, "a-crossed", partial(_simulated, n_spectra)),
            repeated_study(training, n_spectra),
        ],
        "b": [
            sizes_study(training, n_spectra, 100, n_folds=20),
            sizes_study(training, n_spectra, 400, n_folds=20),
            sizes_study(training, n_spectra, 1500),
        ],
        "c": [
            carbon_dots_study(as_in_the_study),
            crossed_study(as_in_the_study, "c-carbon-dots-crossed", partial(measured, CARBON_DOTS), simulated=False),
            metals_study(as_in_the_study, "cu-co-cr-ni", "cu_co_cr_ni_visible_as_published.csv", n_repeats=3),
            metals_study(as_in_the_study, "nitrite-nitrate", "nitrite_nitrate_uv.csv", n_repeats=3),
        ],
        "d": [
            Study(f"{name}-{size}", data, stages(size, n_sets))
            for name, stages in (("d", fresh_stages), ("d-stack", stack_stages))
            for size, (data, n_sets) in fresh_sizes(_simulated).items()
        ],
    }


def _stages(
    arms: dict[str, Arm], stages: Sequence[Sequence[str]], networks: Changed, **fields: Any
) -> tuple[Experiment, ...]:
    wanted: set[str] = set()
    out = []
    for stage in stages:
        wanted |= set(stage)
        missing = wanted - set(arms)
        if missing:
            raise KeyError(f"There is no arm {sorted(missing)[0]!r}.")
        out.append(
            Experiment(
                arms=tuple(arm for name, arm in arms.items() if name in wanted),
                regressors=tuple(networks(Choice(name)) for name in USUAL_REGRESSORS),
                question=Question("Step-matched", tuple(name for name in ASKED if name in wanted), ("mlp",)),
                **fields,
            )
        )
    return tuple(out)


def _with_networks(arm: Arm, networks: Changed) -> Arm:
    return replace(
        arm, generator=arm.generator and networks(arm.generator), teacher=arm.teacher and networks(arm.teacher)
    )


def _simulated(n_spectra: int | None) -> SpectraSet:
    return simulate(PRESETS["msu_like"], n_spectra=n_spectra, seed=0)


def measured(name: str) -> SpectraSet:
    """Read a set that may not be shipped here.

    Raises
    ------
    FileNotFoundError
        When the variable SPECTRA_REFERENCE_DATA names no folder that holds it.
    """
    path = Path(os.environ.get("SPECTRA_REFERENCE_DATA", "")) / "real" / name
    if not path.is_file():
        raise FileNotFoundError(f"{name} is not in the folder that SPECTRA_REFERENCE_DATA names.")
    return read(path)
