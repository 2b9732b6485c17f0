"""Widgets that design an experiment: arms, regressors with their preprocessing, sweeps, or the whole as text."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import streamlit as st

from spectra_core.choices import Choice
from spectra_core.conditions import CONDITIONS
from spectra_core.errors import ConfigError
from spectra_core.experiment import PRESET_ARMS, Arm, Experiment, RegressorChoice, study_experiment
from spectra_core.experiment.cost import LONGEST_UNASKED, USUAL_REPEATS, fitting_repeats
from spectra_core.experiment.counterfactuals import with_counterfactuals
from spectra_core.experiment.modes import EXPLANATIONS, Mode, trained
from spectra_core.experiment.presets import STUDY_ARMS, USUAL_REGRESSORS, has_salts, possible_arms
from spectra_core.experiment.sweeps import RATIOS, sweep_ratio, sweep_strategies
from spectra_core.generators import GENERATORS
from spectra_core.generators.base import DirectGenerator
from spectra_core.jobs.tasks import default_workers
from spectra_core.options import Range
from spectra_core.preprocessing import PREPROCESSINGS
from spectra_core.regressors import MLP, REGRESSORS
from spectra_core.samplers import SAMPLERS
from spectra_core.samplers.given_conditions import CONDITIONAL_SAMPLERS
from spectra_core.sampling.labelling import LABELLINGS
from spectra_core.spectra import SpectraSet
from spectra_core.training.fast import STUDY_EPOCHS
from ui import own_way, physics_panel, question_panel, state, time_said
from ui.job_panel import duration
from ui.text import counted, sentence
from ui.widgets import field, pick, pick_member, pick_options

SET_BY_MODE = ("epochs", "learning_rate", "schedule", "coordinates", "kernels", "device")
"""Options of networks that the mode of training or the experiment decides."""

MOST_BYTES = 1_000_000
"""Far above any experiment; a larger file is another one by mistake."""


def by_choices(spectra: SpectraSet) -> Experiment:
    """Let the visitor design an experiment from ready-made arms.

    Raises
    ------
    ConfigError
        When the choices do not make an experiment; the sentence says why.
    """
    possible = possible_arms(spectra)
    names = st.multiselect(
        "Training sets to compare (arms)",
        possible,
        default=[name for name in possible if name in STUDY_ARMS],
        key="experiment_arms",
        persist_state="session",
        help="Step-matched and duplicate rows are controls: they add nothing but training, so a gain must beat them.",
    )
    yours = own_way.offer(spectra)
    regressors = st.multiselect(
        "Regressors",
        list(REGRESSORS),
        default=list(USUAL_REGRESSORS),
        format_func=lambda name: REGRESSORS[name].title,
        key="experiment_regressors",
        persist_state="session",
    )
    mode = _pick_mode()
    numbers = _pick_numbers(mode, simulated="simulator" in spectra.meta.provenance)
    said, unasked = st.empty(), numbers["n_repeats"] is None
    numbers["n_repeats"] = numbers["n_repeats"] or 1
    n_train = len(spectra) - len(spectra) // numbers["n_folds"]
    in_mode = partial(trained, mode=mode, epochs=numbers["epochs"], n_train=n_train)
    with st.expander("Preprocessing of the spectra", icon=":material/filter_alt:"):
        steps = pick_preprocessing(regressors)
    with st.expander("Ratios, sizes, strategies, reasons, and an arm of your own", icon=":material/tune:"):
        ratios = st.multiselect(
            "Added rows per training row",
            RATIOS,
            default=[1.0],
            key="experiment_ratios",
            persist_state="session",
            help="Several make a dose-response curve. Every ratio has controls of its own.",
        )
        sizes = pick_training_sizes(spectra, numbers["n_folds"])
        own_arm = pick_own_arm(in_mode, spectra)
        own = {arm.name: arm for arm in (yours and _in_mode(yours, in_mode), own_arm) if arm is not None}
        generated = [name for name in [*names, *own] if (own.get(name) or PRESET_ARMS[name]).kind == "generated"]
        swept = st.multiselect(
            "Every strategy for",
            [name for name in generated if _has_strategies(own.get(name) or PRESET_ARMS[name])],
            key="experiment_strategies",
            persist_state="session",
            help="Adds an arm for every other way of choosing latent points, or, for a cVAE, concentration sets.",
        )
        explained = st.multiselect(
            "Reasons for",
            generated,
            key="experiment_reasons",
            persist_state="session",
            help="Adds arms that change one thing each beside the chosen ones. They cost as much as arms of their own.",
        )
    experiment = study_experiment(
        names,
        regressors=regressors,
        mode=mode,
        n_spectra=len(spectra),
        n_train=sizes,
        data=spectra.fingerprint,
        **numbers,
    )
    steps_before = with_preprocessing(experiment.regressors, steps)
    experiment = replace(experiment, arms=(*experiment.arms, *own.values()), regressors=steps_before)
    for name in swept:
        experiment = sweep_strategies(experiment, name, has_salts=has_salts(spectra))
    for name in explained:
        experiment = with_counterfactuals(experiment, name, simulated="simulator" in spectra.meta.provenance)
    if ratios and ratios != [1.0]:
        experiment = sweep_ratio(experiment, sorted(ratios))
    experiment = question_panel.declare(experiment, spectra)
    if unasked and not experiment.fresh_sets:
        experiment = replace(experiment, n_repeats=fitting_repeats(experiment, spectra, default_workers()))
        said.caption(_repeats_sentence(experiment, spectra))
    return experiment


def _repeats_sentence(experiment: Experiment, spectra: SpectraSet) -> str:
    """Say how many repetitions are run unless told, and why, as far as the time said beside it agrees."""
    asked = replace(experiment, n_repeats=USUAL_REPEATS)
    here, _ = time_said.seconds_of(asked, spectra, default_workers())
    if experiment.n_repeats < USUAL_REPEATS:
        return (
            f"{counted(experiment.n_repeats, 'repetition')}, since {USUAL_REPEATS} would take a usual computer more "
            f"than ten minutes, and this one, beside what it does now, some {duration(here)}. Write a number of "
            "repetitions to have them all the same."
        )
    if here <= LONGEST_UNASKED:
        return f"{USUAL_REPEATS} repetitions, as usual where ten minutes are enough."
    return (
        f"{USUAL_REPEATS} repetitions, as usual where ten minutes are enough on a usual computer; this one takes "
        "longer, beside what it does now. Write a smaller number to wait less."
    )


def from_text(spectra: SpectraSet) -> Experiment:
    """Let the visitor bring an experiment, or change one, as JSON; it is made to fit the set in hand.

    Raises
    ------
    ConfigError
        When the text is no experiment, or holds arms or targets that these spectra do not allow.
    """
    uploaded = st.file_uploader("An experiment (experiment.json)", type=["json"], key="experiment_file")
    if uploaded is not None:
        st.button(
            "Use the uploaded experiment",
            icon=":material/upload:",
            on_click=state.take_experiment,
            args=(decoded(uploaded.getvalue()),),
        )
    text = st.text_area(
        "The experiment, to be changed as you like",
        height=360,
        key=state.EXPERIMENT_TEXT,
        persist_state="session",
        help="Unknown fields, methods and options are refused by name. Finished fits of equal arms are not repeated.",
    )
    if not text.strip():
        raise ConfigError("Upload an experiment, start from a finished one, or design one by choices first.")
    experiment = Experiment.from_json(text)
    if experiment.data not in ("", spectra.fingerprint):
        st.info("It was made for other data; it is run on the set in hand.", icon=":material/info:")
    unknown = sorted(set(experiment.targets or ()) - set(spectra.target_names))
    if unknown:
        raise ConfigError(
            f'The experiment predicts {", ".join(unknown)}, which this set has not. Set "targets" to null for all.'
        )
    return replace(experiment, data=spectra.fingerprint)


def decoded(content: bytes) -> str:
    """Return an uploaded text.

    Raises
    ------
    ConfigError
        When it is too large to be an experiment, or no text.
    """
    if len(content) > MOST_BYTES:
        raise ConfigError(f"An experiment is a small text; this file has {len(content)} bytes.")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ConfigError("The file is no text in UTF-8. Choose an experiment.json.") from error


def pick_preprocessing(regressors: list[str]) -> dict[str, tuple[tuple[Choice, ...], bool]]:
    """Let the visitor choose steps per regressor; return them with whether the plain regressor stays beside."""
    steps: dict[str, tuple[tuple[Choice, ...], bool]] = {}
    for name in regressors:
        picked = st.multiselect(
            f"Before {REGRESSORS[name].title}, in this order",
            list(PREPROCESSINGS),
            format_func=lambda step: PREPROCESSINGS[step].title,
            key=f"experiment_steps_{name}",
            persist_state="session",
        )
        if not picked:
            continue
        choices = []
        for step in picked:
            if PREPROCESSINGS[step].caution:
                st.warning(f"{PREPROCESSINGS[step].title}: {PREPROCESSINGS[step].caution}", icon=":material/warning:")
            choices.append(Choice(step, pick_options(PREPROCESSINGS[step], key=f"experiment_{name}_{step}")))
        beside = st.toggle(
            f"{REGRESSORS[name].title} without it, too",
            value=True,
            key=f"experiment_plain_{name}",
            persist_state="session",
        )
        steps[name] = tuple(choices), beside
    return steps


def with_preprocessing(
    regressors: tuple[Choice, ...], steps: dict[str, tuple[tuple[Choice, ...], bool]]
) -> tuple[Choice, ...]:
    """Return the regressors, those with steps beside or instead of the plain ones."""
    out: list[Choice] = []
    for choice in regressors:
        chosen, beside = steps.get(choice.name, ((), True))
        if beside:
            out.append(choice)
        if chosen:
            out.append(RegressorChoice(choice.name, choice.options, chosen))
    return tuple(out)


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


def pick_own_arm(in_mode: Callable[[Choice], Choice], spectra: SpectraSet) -> Arm | None:
    """Let the visitor put an arm together from any generator, sampler, conditions and labels; None if not wanted."""
    if not st.toggle("Add an arm of your own", key="own_arm", persist_state="session"):
        return None
    generator_name = pick_member("Generator", GENERATORS, key="own_generator", default="vae")
    generator = GENERATORS[generator_name]
    options = pick_options(generator, key=f"own_generator_{generator_name}", hidden=(*SET_BY_MODE, "physics"))
    if generator_name == "physics_residual":
        physics = physics_panel.pick_physics(spectra, key="own")
        if physics is None:
            return None
        options |= physics
    ratio = field(Arm, "ratio", key="own_ratio")
    methods: dict[str, Choice | None] = {"generator": in_mode(Choice(generator_name, options))}
    if not issubclass(generator, DirectGenerator):
        if generator.needs_conditions:
            methods["conditions"] = pick("Concentration sets", CONDITIONS, key="own_conditions", default="salt_box")
            methods["latent_given"] = pick(
                "Latent points", CONDITIONAL_SAMPLERS, key="own_given", default="similar_concentrations"
            )
        else:
            methods["sampler"] = pick("Latent points", SAMPLERS, key="own_sampler", default="aggregate_posterior")
        offered = {
            name: member
            for name, member in LABELLINGS.items()
            if name != "parents" and (generator.needs_conditions or name != "asked_for")
        }
        methods["labelling"] = labelling = pick("Labels", offered, key="own_labelling")
        if labelling is not None and labelling.name == "spectral":
            methods["teacher"] = in_mode(Choice("mlp"))
    if None in methods.values():
        return None
    try:
        return Arm("Your arm", ratio=ratio, **methods)  # type: ignore[arg-type]  # names are fields of Arm
    except ConfigError as error:
        st.warning(sentence(error), icon=":material/warning:")
        return None


def _pick_mode() -> Mode:
    """Let the visitor choose how networks are trained."""
    names: dict[Mode, str] = {"faithful": "Faithful to the study", "fast": "Fast"}
    mode = st.segmented_control(
        "Training of networks",
        list(names),
        default="fast",
        format_func=lambda name: names[name],
        key="experiment_mode",
        persist_state="session",
    )
    chosen: Mode = mode or "fast"
    st.caption(EXPLANATIONS[chosen])
    return chosen


def _pick_numbers(mode: Mode, *, simulated: bool) -> dict[str, Any]:
    columns = dict(zip(("n_folds", "n_repeats", "epochs", "seed"), st.columns(4), strict=True))
    numbers: dict[str, Any] = {}
    with columns["n_folds"]:
        numbers["n_folds"] = field(Experiment, "n_folds", key="experiment_n_folds", help=None)
    with columns["seed"]:
        numbers["seed"] = field(Experiment, "seed", key="experiment_seed", help=None)
    with columns["n_repeats"]:
        numbers["n_repeats"] = field(
            Experiment,
            "n_repeats",
            key="experiment_n_repeats",
            default=None,
            optional=True,
            placeholder=f"{USUAL_REPEATS}, where it fits",
            help="Folds are dealt anew in each. More of them tell smaller effects.",
        )
    with columns["epochs"]:
        numbers["epochs"] = field(
            MLP,
            "epochs",
            key=f"experiment_epochs_{mode}",
            default=STUDY_EPOCHS if mode == "faithful" else None,
            optional=mode != "faithful",
            placeholder="by the set's size",
            help="For regressors and generators alike; the study used 100. Fast mode needs fewer.",
        )
    if simulated and st.toggle(
        "Fresh training sets in place of folds",
        key="experiment_fresh",
        persist_state="session",
        help="The simulator makes every training set anew, and one set to test on. Runs are then independent, so that "
        "the plain paired t-test holds, and more runs always tell more. Folds and repetitions do not count then.",
    ):
        numbers["fresh_sets"] = field(
            Experiment, "fresh_sets", key="experiment_fresh_sets", default=8, range=Range(2, 1000), help=None
        )
    return numbers


def _in_mode(arm: Arm, in_mode: Callable[[Choice], Choice]) -> Arm:
    return replace(
        arm, generator=arm.generator and in_mode(arm.generator), teacher=arm.teacher and in_mode(arm.teacher)
    )


def _has_strategies(arm: Arm) -> bool:
    return arm.sampler is not None or arm.conditions is not None
