"""What a visitor asks of a generator: where to draw, how to label, how many, with which seed."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

import pandas as pd
import streamlit as st

from spectra_core.choices import Choice, build
from spectra_core.figures.names import ion_label, typeset
from spectra_core.figures.theme import thousands
from spectra_core.options import Range, Seed, WithOptions
from spectra_core.spectra import SpectraSet
from spectra_core.spectra.label_intervals import label_intervals
from ui import cache, state, widgets
from ui.exports import table_export
from ui.models import encoded
from ui.tables import columns
from ui.text import percent, plain, sentence

if TYPE_CHECKING:
    from spectra_core.generators.base import Generator
    from spectra_core.regressors.base import Regressor
    from spectra_core.sampling.generation import DrawnPoints
    from spectra_core.spectra.latent import LatentPosterior
    from spectra_core.store import StoredModel

MAX_SPECTRA = 10_000
"""Spectra made on the page at once: a second or two, and 100 MB at a thousand channels."""
_pick = partial(widgets.pick, n_columns=2)
"""Two options beside each other: the controls fill a third of the page."""
QUICK_TEACHERS = ("pls", "ridge")
"""Regressors that are fitted while a visitor waits; networks label inside an experiment."""

HOW_TO_READ = """
- **Latent map.** Posterior means of your spectra and the drawn points, on the two leading principal components of the
  means. Points far from all spectra ask the decoder for something it has never seen. Drawn points scatter more than
  means do, since they carry the width of the posterior or of the prior.
- **Spectra.** Mean and 5 to 95 % band of both sets, and five generated spectra from the weakest to the strongest. A
  narrower band says that the decoder smooths, or that the strategy stays in the middle.
- **Concentrations.** Shares in equal bins, and pairs of targets. Where your data fill a wedge or a line
  and the drawn concentration sets fill a square, there are combinations that were never prepared.
- **Charge left over.** Σ z·c of every concentration set. A solution of the listed ions alone is neutral, so none off
  zero can exist; labels of impossible solutions harm a calibration.
- **Distance to the data.** How far a concentration set lies outside the convex hull of the experimental ones, that is,
  beyond what mixing those solutions could give, in standard deviations of each concentration. The row "Experimental" is
  the floor: experimental ones held out from the hull. Outside the hull the generator extrapolates.
"""

OVERVIEW_COLUMNS: dict[str, Any] = {
    "strategy": None,
    "title": "Strategy",
    "nearest": st.column_config.NumberColumn(
        "Nearest spectrum", format="%.2g", help="Median distance to the nearest posterior mean, in units of the prior."
    ),
    "remote": st.column_config.NumberColumn(
        "Remote points", format="percent", help="Farther from your spectra than 95 % of them are from each other."
    ),
    "offered": st.column_config.CheckboxColumn("Offered", help="Salts must be known or found for some strategies."),
    "inside": st.column_config.NumberColumn("Within the hull", format="percent"),
    "distance": st.column_config.NumberColumn(
        "Distance to it", format="%.2g", help="Median, in standard deviations of the concentrations."
    ),
    "unbalanced": st.column_config.NumberColumn(
        "Charge left over, mol/L", format="%.2g", help="Root mean square; empty where charges are not known."
    ),
}
"""How the overviews of strategies are shown."""


@dataclass(frozen=True)
class Plan(WithOptions):
    """Everything that decides a generated set, besides the generator and its training spectra.

    Parameters
    ----------
    seed
        Decides everything random: the same seed makes the same spectra again.
    """

    title: ClassVar[str] = "Generated set"

    n_spectra: Annotated[int, Range(1, MAX_SPECTRA), "Number of spectra"]
    seed: Seed = 0
    sampler: Choice | None = None
    conditions: Choice | None = None
    latent_given: Choice | None = None
    labelling: Choice | None = None
    teacher: Choice | None = None

    @property
    def key(self) -> str:
        """The plan as text, equal for equal plans."""
        values = {one.name: getattr(self, one.name) for one in fields(self)}
        plain = {name: value.to_json() if isinstance(value, Choice) else value for name, value in values.items()}
        return json.dumps(plain, sort_keys=True)


@dataclass(frozen=True, eq=False)
class Sampled:
    """A generated set with what it was decoded from; points and posterior are None without a latent space."""

    spectra: SpectraSet
    points: "DrawnPoints | None"
    posterior: "LatentPosterior | None"


def pick_plan(generator: "Generator", train: SpectraSet) -> Plan | None:
    """Let the visitor choose; None, with a sentence, while the choices do not fit together."""
    from spectra_core.generators.base import LatentGenerator

    choices: dict[str, Choice | None] = {}
    if isinstance(generator, LatentGenerator):
        if generator.needs_conditions:
            choices["conditions"] = _pick_conditions(train)
        choices |= _pick_latent(given_conditions=generator.needs_conditions)
        if train.n_targets:
            choices |= _pick_labels(asked_for=generator.needs_conditions)
    number, beside = st.columns(2)
    with number:
        n_spectra = widgets.field(Plan, "n_spectra", key="sample_n_spectra", default=min(len(train), 1000))
    with beside:
        seed = widgets.field(Plan, "seed", key="sample_seed")
    if None in choices.values():
        return None
    return Plan(n_spectra, seed, **choices)


def sampled(found: "StoredModel", train: SpectraSet, plan: Plan) -> Sampled:
    """Return what `make` makes, computed once."""
    return cache.shared(make, found, train, plan)


def make(found: "StoredModel", train: SpectraSet, plan: Plan) -> Sampled:
    """Generate spectra as planned, with the points they were decoded from."""
    from spectra_core.conditions import CONDITIONS
    from spectra_core.generators.base import LatentGenerator
    from spectra_core.samplers import CONDITIONAL_SAMPLERS, SAMPLERS
    from spectra_core.sampling.generation import draw_points, generate_spectra
    from spectra_core.sampling.labelling import LABELLINGS

    generator = found.model
    where = {
        "sampler": _built(SAMPLERS, plan.sampler, "sampler"),
        "conditions": _built(CONDITIONS, plan.conditions, "way of choosing concentrations"),
        "latent_given": _built(CONDITIONAL_SAMPLERS, plan.latent_given, "sampler given concentrations"),
    }
    spectra = generate_spectra(
        generator,
        train,
        plan.n_spectra,
        **where,
        labelling=_built(LABELLINGS, plan.labelling, "labelling"),
        teacher=None if plan.teacher is None else cache.shared(fit_teacher, train, plan.teacher),
        seed=plan.seed,
        model=found.record.id,
    )
    if not isinstance(generator, LatentGenerator):
        return Sampled(spectra, None, None)
    posterior = generator.encode(train)
    # The same seed draws the same points again: streams are named, not counted.
    points = draw_points(generator, posterior, train, plan.n_spectra, **where, seed=plan.seed)
    return Sampled(spectra, points, posterior)


def fit_teacher(train: SpectraSet, choice: Choice) -> "Regressor":
    """Fit the regressor that reads labels from generated spectra."""
    from spectra_core.regressors import REGRESSORS

    return build(REGRESSORS, choice, "regressor").fit(train)


def to_keep(sampled: Sampled, train: SpectraSet, plan: Plan) -> SpectraSet:
    """Return the spectra as they are kept: labels that a teacher read carry its intervals."""
    from spectra_core.calibration import with_teacher_intervals

    if plan.teacher is None:
        return sampled.spectra
    with st.spinner("Measuring how far the teacher errs"):
        return with_teacher_intervals(sampled.spectra, train, plan.teacher, seed=plan.seed)


def show_carried_labels() -> None:
    """Show labels of the generated set in hand that carry a teacher's interval, and offer them as a table."""
    in_hand = state.generated()
    carried = pd.DataFrame() if in_hand is None else label_intervals(in_hand)
    if in_hand is None or carried.empty:
        return
    with st.expander("Labels of the generated set in hand, with the teacher's intervals", icon=":material/straighten:"):
        st.caption(
            f"“{plain(in_hand.meta.name)}”: 90 % of labels are right within low and high, as far as generated spectra "
            "are like experimental ones. They stay with the set in every file of it."
        )
        st.dataframe(carried.head(1000), hide_index=True, column_config=columns(carried), key="carried_labels")
        table_export(carried, "labels", "Labels (CSV)")


def tables_of(found: "StoredModel", train: SpectraSet, plan: Plan) -> dict[str, pd.DataFrame]:
    """Return the `tables` of what `make` makes."""
    return tables(sampled(found, train, plan), train)


def tables(sampled: Sampled, train: SpectraSet) -> dict[str, pd.DataFrame]:
    """Return every table of the page that applies, by name."""
    from spectra_core.conditions.charge import charge_obstacle
    from spectra_core.evaluation.channels import reach
    from spectra_core.evaluation.channels import statistics as channels
    from spectra_core.evaluation.examples import examples
    from spectra_core.evaluation.labels import concentration_strategies
    from spectra_core.evaluation.latent import strategies as latent_strategies

    sets = {"training": train, "generated": sampled.spectra}
    found = {
        "channel_statistics": channels.channel_statistics(sets),
        "signal_reach": reach.signal_reach(sets),
        "example_spectra": examples({"generated": sampled.spectra}, n_spectra=5),
    }
    if sampled.points is not None and sampled.posterior is not None:
        found["latent_points"] = latent_strategies.drawn_latent_map(sampled.posterior, sampled.points.latent)
    concentrations = concentrations_of(sampled)
    if concentrations is not None:
        found["concentration_points"] = concentration_strategies.concentration_points(train.targets, concentrations)
        found["concentration_marginals"] = concentration_strategies.concentration_marginals(
            train.targets, concentrations
        )
        found["hull_distances"] = concentration_strategies.hull_distances(train.targets, concentrations)
        if charge_obstacle(train.target_info) is None:
            found["charge_residuals"] = concentration_strategies.charge_residuals(train, concentrations)
    return found


def concentrations_of(sampled: Sampled) -> pd.DataFrame | None:
    """Return the concentrations that were asked for, else the labels, else None."""
    if sampled.points is not None and sampled.points.conditions is not None:
        return sampled.points.conditions
    return sampled.spectra.targets if sampled.spectra.n_targets else None


def labels_sentence(sampled: Sampled, train: SpectraSet, plan: Plan) -> str:
    """Say how labels that were read from the generated spectra lie beside the training labels; else nothing."""
    from spectra_core.evaluation.labels.label_range import label_range, range_sentence

    if plan.labelling is None or plan.labelling.name not in ("latent", "spectral"):
        return ""
    clipped = bool(plan.labelling.options.get("clip_to_range", False))
    said = range_sentence(label_range(sampled.spectra.targets, train.targets), clipped=clipped)
    return sentence(typeset(said))


def hull_sentence(distances: pd.DataFrame) -> str:
    """Say which share of the concentration sets lies within the data, and what that was measured on."""
    drawn, floor = (distances.loc[distances["role"] == role, "inside"] for role in ("generated", "training"))
    sentence = (
        f"{percent(drawn.mean())} of {len(drawn)} concentration sets lie within the hull of "
        f"{distances['n_hull'].max()} experimental ones"
    )
    if floor.empty:
        return f"{sentence}."
    return f"{sentence}; of {len(floor)} experimental ones held out, {percent(floor.mean())} do."


def strategies_compared(found: "StoredModel", train: SpectraSet) -> dict[str, pd.DataFrame]:
    """Return the overviews that apply to a generator, by what is chosen."""
    from spectra_core.evaluation.labels import concentration_strategies
    from spectra_core.evaluation.latent import strategies as latent_strategies
    from spectra_core.generators.base import LatentGenerator

    overviews = {}
    if isinstance(found.model, LatentGenerator):
        overviews["Latent points"] = latent_strategies.sampler_overview(encoded(found, train), groups=train.groups)
        if found.model.needs_conditions:
            overviews["Concentrations"] = concentration_strategies.condition_overview(train)
    return overviews


def default_name(generator: "Generator", plan: Plan) -> str:
    """Return a name that tells generated sets apart: model, strategy, number."""
    from spectra_core.conditions import CONDITIONS
    from spectra_core.samplers import CONDITIONAL_SAMPLERS, SAMPLERS

    registries: tuple[tuple[Mapping[str, type[Any]], Choice | None], ...] = (
        (CONDITIONS, plan.conditions),
        (SAMPLERS, plan.sampler),
        (CONDITIONAL_SAMPLERS, plan.latent_given),
    )
    parts = [str(registry[choice.name].title).lower() for registry, choice in registries if choice is not None]
    return f"{', '.join([generator.title, *parts])} ({thousands(plan.n_spectra)})"


def _pick_conditions(train: SpectraSet) -> Choice | None:
    from spectra_core.conditions import CONDITIONS
    from spectra_core.conditions.salts import salt_basis

    basis = salt_basis(train)
    offered = {
        name: member for name, member in CONDITIONS.items() if not (member.needs_salts and basis.found_from == "none")
    }
    choice = _pick("Concentrations", offered, key="sample_conditions")
    said = basis.explanation
    for name in sorted(basis.names, key=len, reverse=True):  # a salt's name may begin another's
        said = said.replace(name, ion_label(name, 0)) if basis.found_from == "provenance" else said
    st.caption(sentence(typeset(said)))
    return choice


def _pick_latent(*, given_conditions: bool) -> dict[str, Choice | None]:
    from spectra_core.samplers import CONDITIONAL_SAMPLERS, SAMPLERS

    if given_conditions:
        given = st.segmented_control(
            "Latent points",
            [True, False],
            default=True,
            required=True,
            format_func=lambda one: "fit the concentrations" if one else "regardless of them",
            key="sample_latent_given",
        )
        if given is not False:
            default = "similar_concentrations"
            picked = _pick("Latent points given", CONDITIONAL_SAMPLERS, key="sample_given", default=default)
            return {"latent_given": picked}
    return {"sampler": _pick("Latent points from", SAMPLERS, key="sample_sampler")}


def _pick_labels(*, asked_for: bool) -> dict[str, Choice | None]:
    from spectra_core.regressors import REGRESSORS
    from spectra_core.sampling.labelling import LABELLINGS

    names = ["asked_for", "latent", "spectral"] if asked_for else ["latent", "spectral"]
    # No solution has a concentration below zero, and no label beyond the data is known to be right.
    clip = {"clip_to_range": True}
    labelling = _pick("Labels", {name: LABELLINGS[name] for name in names}, key="sample_labels", presets=clip)
    if labelling is None or labelling.name != "spectral":
        return {"labelling": labelling}
    quick = {name: REGRESSORS[name] for name in QUICK_TEACHERS}
    return {"labelling": labelling, "teacher": _pick("Teacher", quick, key="sample_teacher")}


def _built(registry: Mapping[str, type[Any]], choice: Choice | None, what: str) -> Any:
    return None if choice is None else build(registry, choice, what)
