"""Widgets that design an experiment: training sizes, and an arm made of any methods."""

import os
from dataclasses import replace

import streamlit as st

from spectra_core.choices import Choice
from spectra_core.conditions import CONDITIONS
from spectra_core.errors import ConfigError
from spectra_core.experiment import Arm, Experiment
from spectra_core.generators import GENERATORS
from spectra_core.generators.base import DirectGenerator
from spectra_core.labelling import LABELLINGS
from spectra_core.samplers import SAMPLERS
from spectra_core.samplers.given_conditions import CONDITIONAL_SAMPLERS
from spectra_core.spectra import SpectraSet
from ui.widgets import pick_member, pick_options


def n_workers() -> int:
    """Return how many fits run at a time: one per processor that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def pick_training_sizes(spectra: SpectraSet, n_folds: int) -> tuple[int, ...]:
    """Let the visitor choose the sizes of a learning curve; the whole fold is always among them."""
    whole = len(spectra) - len(spectra) // n_folds
    offered = [size for size in (50, 100, 200, 400, 800, 1500, 3000) if size < whole]
    chosen = st.multiselect(
        "Training sizes besides the whole fold",
        offered,
        key="experiment_sizes",
        persist_state="session",
        help=f"A whole training fold holds about {whole} spectra. Smaller ones make a learning curve.",
    )
    return (*chosen, 0)


def pick_own_arm(epochs: int) -> Arm | None:
    """Let the visitor put an arm together from any generator, sampler, conditions and labels; None if not wanted."""
    if not st.toggle("Add an arm of your own", key="own_arm", persist_state="session"):
        return None
    generator_name = pick_member("Generator", GENERATORS, key="own_generator", default="vae")
    generator = GENERATORS[generator_name]
    options = pick_options(generator, key=f"own_generator_{generator_name}", hidden=("epochs",))
    if hasattr(generator, "epochs") or "epochs" in getattr(generator, "__dataclass_fields__", {}):
        options["epochs"] = epochs
    ratio = st.number_input("Added rows per training row", 0.05, 20.0, 1.0, key="own_ratio", persist_state="session")
    methods: dict[str, Choice] = {"generator": Choice(generator_name, options)}
    if not issubclass(generator, DirectGenerator):
        if generator.needs_conditions:
            methods["conditions"] = _pick("Concentration sets", CONDITIONS, "own_conditions", "salt_box")
            methods["latent_given"] = _pick(
                "Latent points", CONDITIONAL_SAMPLERS, "own_given", "similar_concentrations"
            )
        else:
            methods["sampler"] = _pick("Latent points", SAMPLERS, "own_sampler", "aggregate_posterior")
        offered = {
            name: member
            for name, member in LABELLINGS.items()
            if name != "parents" and (generator.needs_conditions or name != "asked_for")
        }
        methods["labelling"] = _pick("Labels", offered, "own_labelling", next(iter(offered)))
        if methods["labelling"].name == "spectral":
            methods["teacher"] = Choice("mlp", {"epochs": epochs})
    try:
        return Arm("Your arm", ratio=ratio, **methods)  # type: ignore[arg-type]  # names are fields of Arm
    except ConfigError as error:
        st.warning(str(error), icon=":material/warning:")
        return None


def with_arm(experiment: Experiment, arm: Arm | None) -> Experiment:
    """Return the experiment with one more arm, where there is one."""
    return experiment if arm is None else replace(experiment, arms=(*experiment.arms, arm))


def _pick(label: str, registry: dict[str, type], key: str, default: str) -> Choice:
    name = pick_member(label, registry, key=key, default=default)
    return Choice(name, pick_options(registry[name], key=f"{key}_{name}"))
