"""The report of an experiment: question, verdicts, data, method, figures, limits, and how to repeat it."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from spectra_core.choices import Choice
from spectra_core.conditions import CONDITIONS
from spectra_core.evaluation.channels.statistics import channel_statistics
from spectra_core.evaluation.errors.regression_errors import blown_up, error_summary, with_training_size
from spectra_core.evaluation.errors.sentences import answer, verdict_sentence
from spectra_core.experiment import Arm, Experiment
from spectra_core.experiment.tables import comparisons_of
from spectra_core.figures import gains
from spectra_core.figures.forest import forest
from spectra_core.figures.names import ion_labels
from spectra_core.figures.regression import error_per_arm
from spectra_core.figures.spectra import quantile_fan
from spectra_core.figures.svg import svg
from spectra_core.generators import GENERATORS
from spectra_core.options import options_of
from spectra_core.regressors import REGRESSORS
from spectra_core.regressors.choice import regressor_label, regressor_title
from spectra_core.report.card import Card, generator_card
from spectra_core.report.finding import KeptData, data_of
from spectra_core.report.page import Listing, Part, Picture, Report, Section, facts, table_of, times
from spectra_core.samplers import SAMPLERS
from spectra_core.samplers.given_conditions import CONDITIONAL_SAMPLERS
from spectra_core.sampling.labelling import LABELLINGS
from spectra_core.spectra import SpectraSet
from spectra_core.store import Store, StoredResult

_KINDS = {
    "baseline": "the experimental spectra as they are",
    "step_matched": "the experimental spectra, trained for as many steps as an extended set",
    "duplicate_rows": "every experimental spectrum repeated",
    "ensemble": "several regressors on the experimental spectra, averaged",
    "oracle": "experimental spectra and new ones of the true simulator",
}
_ANSWERS = {"True": "yes", "False": "no"}
_FOREST = (
    "Change of each target's error (RMSEP) against the reference arm; left of zero is better. The bar is the 95 % "
    "interval of the corrected resampled t-test (Nadeau and Bengio 2003) on logarithms of ratios, fold by fold. Within "
    "the grey band a change is too small to matter. Filled triangles and squares are verdicts; open circles cannot be "
    "told; upright strokes were looked at afterwards."
)
_ERRORS = (
    "RMSEP of every arm, mean and standard deviation over folds, in the unit of the target. The dotted grey line is "
    "the error of always predicting the mean: errors near it mean that the target is not seen in the spectra. Green "
    "lines, on simulated data, are about the best that physics allows."
)


_MOST_CARDS = 20


def report_of_study(result: StoredResult, store: Store) -> Report:
    """Write the report of an experiment, with its data and the generators trained on them where `store` has them."""
    kept = data_of(result, store)
    cards = cards_of(kept, store)
    return study_report(result, None if kept is None else kept.spectra, kept.record.licence if kept else "", cards)


def cards_of(kept: KeptData | None, store: Store) -> list[Card]:
    """Return the cards of the kept generators that were trained on the data of an experiment."""
    records = [] if kept is None else store.models(kept.record.fingerprint)
    return [generator_card(store, record.id) for record in records if record.registry == "generator"]


def study_report(
    result: StoredResult, spectra: SpectraSet | None, licence: str = "", cards: Sequence[Card] = ()
) -> Report:
    """Write the report of an experiment.

    Parameters
    ----------
    result
        Of kind "study".
    spectra
        The data; None where they are not at hand, or may not leave: then neither picture nor ranges are told.
    licence
        Of the data, as its owner stated it.
    cards
        Of kept generators that were trained on them.
    """
    experiment = Experiment.from_document(result.document["experiment"])
    compared = judged(result)
    data = result.document["data"]
    data_name = data.get("name") or "data without a recorded name"
    sections = (
        Section("Question", tuple(_question(experiment))),
        Section("Answer", tuple(_answer(experiment, compared, data["units"]))),
        Section("Data", tuple(_data(result, spectra, licence))),
        Section("Method", tuple(_method(experiment))),
        Section("Figures", tuple(_pictures(result, experiment, compared))),
        Section("Every comparison", tuple(_comparisons(experiment, compared))),
        Section("Errors", tuple(_errors(result, experiment))),
        Section("Limits", tuple(_limits(result, experiment, compared))),
        *(Section(f"Model card: {card.about['name']}", _card(card)) for card in cards[:_MOST_CARDS]),
        Section("Versions", (facts(result.document.get("versions") or {"latent-spectra": None}),)),
        Section("To repeat it", tuple(_repeat(experiment, data))),
    )
    made = f"Kept on {result.record.created[:16].replace('T', ' ')} UTC. " if result.record.created else ""
    return Report(result.record.name, f"{made}Experiment on {data_name}.", sections)


def judged(result: StoredResult) -> pd.DataFrame:
    """Judge the errors of an experiment as this version does, also where an earlier one kept them."""
    experiment = Experiment.from_document(result.document["experiment"])
    table = result.tables["spreads"]
    spreads = {str(target): float(sd) for target, sd in zip(table["target"], table["sd"], strict=True)}
    return comparisons_of(experiment, result.tables["errors"], spreads)


def _question(experiment: Experiment) -> list[Part]:
    declared = experiment.question
    named = [
        f"{what}: {', '.join(map(str, names))}"
        for what, names in (("arms", declared.arms), ("regressors", declared.regressors), ("targets", declared.targets))
        if names
    ]
    references = sorted(set(experiment.references().values()))
    said = f"The errors of {len(experiment.arms)} ways of making the training set are compared, fold by fold"
    said += f", against {' or '.join(references)}." if references else "."
    what = f"Declared beforehand: {'; '.join(named)}." if named else "All comparisons are declared beforehand."
    return [
        "Does extending the training set lower the error of a calibration on spectra it has not seen, target by "
        f"target? {said}",
        f"{what} A change of less than {declared.smallest_effect:g} % of the reference's error is taken to matter to "
        "nobody. All declared comparisons together have a chance of 5 % of any false “improved” or “worse”.",
    ]


def _answer(experiment: Experiment, compared: pd.DataFrame, units: Mapping[str, str]) -> list[Part]:
    if compared.empty:
        return ["There is one arm only, or no reference arm, so there is nothing to compare."]
    said: list[Part] = []
    for name, rows in compared.groupby("regressor", sort=False):
        largest = rows[rows["n_train"] == rows["n_train"].max()]
        sentences = answer(largest, ion_labels(units)) or ["None of its comparisons was declared, so no verdict."]
        said += [f"By {_titles(experiment).get(str(name), str(name))}:", *sentences]
    return said


def _data(result: StoredResult, spectra: SpectraSet | None, licence: str) -> list[Part]:
    data = result.document["data"]
    known: dict[str, Any] = {
        "Name": data.get("name"),
        "Origin": data.get("origin"),
        "Spectra": data.get("n_spectra"),
        "Channels": data.get("n_channels"),
        "Licence, as its owner states it": licence or "not stated",
        "Fingerprint (sha256 of the content)": data.get("fingerprint"),
    }
    targets = result.tables["spreads"].assign(unit=result.tables["spreads"]["unit"].fillna(""))
    headings = {"target": "Target", "unit": "Unit", "sd": "Standard deviation"}
    if spectra is not None:
        axis, meta = spectra.axis, spectra.meta
        known |= {"Name": meta.name, "Origin": meta.origin, "Spectra": len(spectra), "Channels": spectra.n_channels}
        first, last = (f"{position:g}" for position in (axis.positions[0], axis.positions[-1]))
        known["Axis"] = f"{axis.label}: {first} to {last}"
        known["Signal"] = meta.signal_label
        values = spectra.targets[list(targets["target"])]
        targets = targets.assign(low=values.min().to_numpy(), high=values.max().to_numpy())
        headings |= {"low": "Lowest", "high": "Highest"}
    return [facts(known), table_of(targets, headings), *([] if spectra is None else [spectra_picture(spectra)])]


def spectra_picture(spectra: SpectraSet) -> Picture:
    """Draw the spectra of a set as quantiles."""
    statistics = channel_statistics({"training": spectra})
    figure = quantile_fan(statistics, axis_label=spectra.axis.label, signal_label=spectra.meta.signal_label)
    how = "Median, middle half and middle 90 % of all spectra, channel by channel."
    return Picture(svg(figure.update_layout(showlegend=False)), "The spectra", how)


def _method(experiment: Experiment) -> list[Part]:
    arms = pd.DataFrame(
        [
            {"arm": arm.name, "what": arm_in_words(arm), "ratio": "" if arm.kind == "baseline" else f"{arm.ratio:g}"}
            for arm in experiment.arms
        ]
    )
    regressors = pd.DataFrame(
        [
            {"name": regressor_title(choice), "options": _options_of(choice, REGRESSORS)}
            for choice in experiment.regressors
        ]
    )
    if experiment.fresh_sets:
        splits = (
            f"{experiment.fresh_sets} independent training sets were simulated, and tested on one new set of "
            f"{experiment.n_fresh_test} spectra."
        )
    else:
        splits = (
            f"{experiment.n_folds}-fold cross-validation, {times(experiment.n_repeats)}; replicates and duplicates of "
            "one sample stay in one fold. Everything is fitted on training spectra alone."
        )
    sizes = ", ".join(str(size) if size else "the whole fold" for size in experiment.n_train)
    return [
        f"{splits} Training spectra: {sizes}. Seed {experiment.seed}; networks on: {experiment.device}.",
        table_of(arms, {"arm": "Arm", "what": "Training set", "ratio": "Added rows per training row"}),
        table_of(regressors, {"name": "Regressor", "options": "Options"}),
    ]


def arm_in_words(arm: Arm) -> str:
    """Say how an arm makes its training set."""
    if arm.kind != "generated":
        return _KINDS[arm.kind]
    parts = [
        f"{what} {_choice(choice, registry)}"
        for what, choice, registry in (
            ("generator:", arm.generator, GENERATORS),
            ("latent points:", arm.sampler, SAMPLERS),
            ("concentrations:", arm.conditions, CONDITIONS),
            ("latent points:", arm.latent_given, CONDITIONAL_SAMPLERS),
            ("labels:", arm.labelling, LABELLINGS),
        )
        if choice is not None
    ]
    if arm.teacher is not None:
        parts.append(f"teacher: {regressor_title(arm.teacher)}")
    parts += ["with noise given back"] if arm.give_noise_back else []
    parts += ["measured by the true simulator at its labels"] if arm.true_spectra else []
    return f"experimental spectra and generated ones; {'; '.join(parts)}"


def _choice(choice: Choice, registry: Mapping[str, Any]) -> str:
    title = getattr(registry.get(choice.name), "title", choice.name)
    return f"{title} ({_options_of(choice, registry)})" if choice.options else str(title)


def _options_of(choice: Choice, registry: Mapping[str, Any]) -> str:
    member = registry.get(choice.name)
    known = {} if member is None else options_of(member)
    labels = {name: known[name].label if name in known else name for name in choice.options}
    said = {name: _ANSWERS.get(str(value), value) for name, value in choice.options.items()}
    return ", ".join(f"{labels[name]}: {value}" for name, value in said.items()) or "as by default"


def _pictures(result: StoredResult, experiment: Experiment, compared: pd.DataFrame) -> list[Part]:
    kinds = {arm.name: arm.kind for arm in experiment.arms}
    units, titles = result.document["data"]["units"], _titles(experiment)
    errors = result.tables["errors"]
    parts: list[Part] = []
    for regressor in dict.fromkeys(errors["regressor"]):
        rows = compared[compared["regressor"] == regressor] if len(compared) else compared
        if len(rows):
            rows = rows[rows["n_train"] == rows["n_train"].max()]
            references = list(rows["reference"].unique())
            figure = forest(
                rows.sort_values("declared", ascending=False, kind="stable"),
                arm_kinds={arm: kind for arm, kind in kinds.items() if arm in set(rows["arm"])},
                target_labels=ion_labels(units),
                smallest_effect=experiment.question.smallest_effect,
                reference=references[0] if len(references) == 1 else "the step-matched arm of the same ratio",
            )
            parts.append(Picture(svg(figure), f"Change of error by {titles.get(regressor, regressor)}", _FOREST))
    sized = with_training_size(errors)
    largest = sized[sized["size"] == sized["size"].max()]
    named = largest.assign(regressor=[titles.get(name, name) for name in largest["regressor"]])
    named["blown_up"] = blown_up(named, spreads=_spreads(result))
    figure = error_per_arm(named, arm_kinds=kinds, units=units, levels=_levels(result))
    parts.append(Picture(svg(figure), "Errors per target and arm", _ERRORS))
    if len(experiment.n_train) > 1:
        for regressor, rows in errors.groupby("regressor", sort=False):
            figure = gains.learning_curves(error_summary(rows), arm_kinds=kinds, units=units)
            title = f"Learning curves by {titles.get(str(regressor), str(regressor))}"
            how = "RMSEP over the number of training spectra, both on logarithmic axes; bars are one sd."
            parts.append(Picture(svg(figure), title, how))
    return parts


def _comparisons(experiment: Experiment, compared: pd.DataFrame) -> list[Part]:
    if compared.empty:
        return ["None."]
    titles = _titles(experiment)
    named = compared.assign(regressor=[titles.get(name, name) for name in compared["regressor"]])
    said = compared.assign(sentence=[verdict_sentence(row) for _, row in named.iterrows()])
    headings = {"verdict": "Verdict", "sentence": "In words"}
    if compared["n_train"].nunique() > 1:
        headings = {"n_train": "Training spectra", **headings}
    return [table_of(said, headings)]


def _errors(result: StoredResult, experiment: Experiment) -> list[Part]:
    summary = error_summary(result.tables["errors"], spreads=_spreads(result))
    titles = _titles(experiment)
    summary = summary.assign(regressor=[titles.get(name, name) for name in summary["regressor"]])
    headings = {
        "arm": "Arm",
        "regressor": "Regressor",
        "target": "Target",
        "n_train": "Training spectra",
        "rmsep_mean": "RMSEP, mean",
        "rmsep_sd": "sd over folds",
        "r2_mean": "R²",
        "bias_mean": "Bias",
    }
    return [
        "Mean and standard deviation over folds, in the unit of the target.",
        table_of(summary, {name: words for name, words in headings.items() if name in summary}),
    ]


def _limits(result: StoredResult, experiment: Experiment, compared: pd.DataFrame) -> list[Part]:
    said: list[Part] = [
        "The verdicts hold for these spectra, these arms and these regressors as configured here; another instrument, "
        "another range of concentrations or another configuration may decide otherwise."
    ]
    if not experiment.fresh_sets:
        said.append(
            "Folds share training spectra. The corrected test allows for that; what one set of spectra cannot show, "
            "no number of repeats can."
        )
    if result.document["data"].get("origin") == "simulated":
        said.append("The spectra are simulated: chemistry and instrument are models, and partly assumed.")
    done = result.document.get("repeats_done")
    if done is not None:
        said.append(f"So far {done} of {experiment.n_repeats} repetitions are done: verdicts may still change.")
    floors = result.tables.get("floors", pd.DataFrame())
    if len(floors) and not floors["identifiable"].astype(bool).all():
        hidden = ", ".join(floors.loc[~floors["identifiable"].astype(bool), "target"])
        said.append(
            f"Not identifiable under this simulator: {hidden}. A spectrum tells less about them than guessing the "
            "mean, so that differences between arms are differences between guesses."
        )
    flagged = int((compared["flagged"] > 0).sum()) if len(compared) else 0
    if flagged:
        said.append(
            f"{flagged} comparisons hold a run that blew up; their sentences say whether the verdict stays without it."
        )
    afterwards = int((compared["verdict"] == "looked at afterwards").sum()) if len(compared) else 0
    if afterwards:
        said.append(f"{afterwards} comparisons were looked at afterwards: they have intervals, and no verdict.")
    return said


def _repeat(experiment: Experiment, data: Mapping[str, Any]) -> list[Part]:
    fingerprint = str(data.get("fingerprint", ""))
    return [
        "Save the experiment below as experiment.json. DATA is the file the spectra came from, or the beginning of "
        "the fingerprint above where the set is kept; other data are refused.",
        Listing(
            "pip install latent-spectra\n"
            f"latent-spectra study --data DATA --experiment experiment.json --out results/\n"
            f"latent-spectra study --data {fingerprint[:12]} --experiment experiment.json --out results/\n"
            "latent-spectra report results/ --out report.html\n"
            "latent-spectra capsule results/ --out run.capsule\n"
            "latent-spectra verify run.capsule --part fold"
        ),
        Listing(json.dumps(json.loads(experiment.to_json()), indent=2, ensure_ascii=False), "experiment.json"),
    ]


def _card(card: Card) -> tuple[Part, ...]:
    return tuple(part for section in card.sections() for part in (f"**{section.title}**: ", *section.parts))


def _titles(experiment: Experiment) -> dict[str, str]:
    return {regressor_label(choice): regressor_title(choice) for choice in experiment.regressors}


def _spreads(result: StoredResult) -> dict[str, float]:
    table = result.tables["spreads"]
    return {str(target): float(sd) for target, sd in zip(table["target"], table["sd"], strict=True)}


def _levels(result: StoredResult) -> dict[str, dict[str, float]]:
    levels = {"always predicting the mean": _spreads(result)}
    floors = result.tables.get("floors", pd.DataFrame())
    if len(floors):
        expected = zip(floors["target"], floors["expected_error"], strict=True)
        levels["about the best possible"] = {str(target): float(error) for target, error in expected}
    return levels
