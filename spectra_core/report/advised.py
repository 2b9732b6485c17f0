"""The report of advice: what would help, how that was found out, what was left out, and what to prepare next."""

from collections.abc import Mapping
from typing import Any

import pandas as pd
import plotly.graph_objects as go

from spectra_core.evaluation.errors.question import SMALLEST_EFFECT
from spectra_core.evaluation.errors.verdicts import ALL_TARGETS
from spectra_core.experiment.advice.ways import MORE_SPECTRA
from spectra_core.figures.forest import VERDICT_SYMBOL, forest
from spectra_core.figures.gains import learning_curves
from spectra_core.figures.names import ion_label, ion_labels, typeset
from spectra_core.figures.svg import svg
from spectra_core.report.comparison import again
from spectra_core.report.page import Listing, Part, Picture, Report, Section, facts, table_of, times
from spectra_core.report.study import spectra_picture
from spectra_core.spectra.text import amount
from spectra_core.store import Store, StoredResult

_REMEDIES = (
    "Change of each target's error on left-out spectra against what is in use; left of zero is better. The bar is the "
    "95 % interval of the corrected resampled t-test on logarithms of ratios, fold by fold. Within the grey band a "
    "change is too small to matter. Filled triangles and squares are verdicts; open circles cannot be told."
)
_PROMISED = (
    "Effects and their intervals in per cent of the error of what is in use. The promised error is what new spectra of "
    "the same kind should give: of the first remedy that of choosing as was done here, by folds around the whole "
    "choice; of the others their own. Of “all” it is in standard deviations of the targets."
)
_CURVE = "Error over the number of training spectra, both on logarithmic axes."
_LIMITS = (
    "The advice holds for these spectra; another instrument or another range of concentrations may decide otherwise.",
    "Only what fitted into the time was tried, and only what this program knows.",
    "Folds share training spectra. The corrected test allows for that; what one set cannot show, no fold can.",
)


def report_of_advice(result: StoredResult, store: Store) -> Report:
    """Write the report of advice."""
    document, tables = result.document, result.tables
    data = document["data"]
    record = next((one for one in store.sets() if one.fingerprint == document.get("set")), None)
    about = {
        "Name": data["name"],
        "Spectra": data["n_spectra"],
        "Licence, as its owner states it": (record and record.licence) or "not stated",
        "Fingerprint (sha256 of the content)": document.get("set") or data["fingerprint"],
    }
    looks = [] if record is None else [spectra_picture(store.load_set(record.fingerprint))]
    left_out = pd.DataFrame(list(document["left_out"].items()), columns=["what", "why"])
    sections = (
        Section(
            "Question",
            (
                "What would lower the errors of a calibration of these spectra, and which error is to be expected? "
                f"Compared with what is in use: {document['reference']}.",
            ),
        ),
        Section("Answer", tuple(map(typeset, document["sentences"]))),
        Section("Data", (facts(about), *looks)),
        Section("Method", tuple(_method(document))),
        Section("Remedies", tuple(_remedies(tables["advice"], document))),
        Section("Left out", (table_of(left_out, {"what": "What", "why": "Why"}) if len(left_out) else "Nothing.",)),
        Section("More spectra", tuple(_more(tables, document))),
        Section("Limits", _LIMITS),
        Section("Versions", (facts(document.get("versions") or {"latent-spectra": document["version"]}),)),
        Section("To repeat it", tuple(_repeat(document))),
    )
    made = f"Kept on {result.record.created[:16].replace('T', ' ')} UTC. " if result.record.created else ""
    return Report(result.record.name, f"{made}Advice on {data['name']}.", sections)


def judged_remedies(table: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of `advice_table` that were compared with what is in use."""
    return table[table["verdict"].isin(list(VERDICT_SYMBOL)) & (table["remedy"] != MORE_SPECTRA)]


def remedies_figure(table: pd.DataFrame, document: Mapping[str, Any]) -> go.Figure:
    """Draw the effect of every remedy on every target.

    Parameters
    ----------
    table
        From `advice_table`.
    document
        Of `experiment.advice.Advice`.
    """
    shown = judged_remedies(table)
    kinds = {name: action.get("kind", "baseline") for name, action in document["actions"].items()}
    return forest(
        shown.assign(arm=shown["remedy"], flagged=0),
        arm_kinds={name: kinds.get(name, "baseline") for name in shown["remedy"].unique()},
        target_labels=ion_labels(document["data"]["units"]),
        smallest_effect=SMALLEST_EFFECT,
        reference="what is in use",
    )


def curve_figure(curve: pd.DataFrame, document: Mapping[str, Any]) -> go.Figure:
    """Draw the learning curve of advice, its tables ``curve`` and its document given."""
    name = document["curve_way"]
    summed = curve.rename(columns={"rmsep": "rmsep_mean"}).assign(arm=name, rmsep_sd=0.0)
    return learning_curves(summed, arm_kinds={name: "baseline"}, units=document["data"]["units"])


def salt_label(column: str) -> str:
    """Return the heading of a salt's concentrations.

    >>> salt_label("(NH4)2SO4 [mol/L]"), salt_label("solution")
    ('(NH₄)₂SO₄, mol/L', 'Solution')
    """
    name, _, unit = column.removesuffix("]").partition(" [")
    return f"{ion_label(name, 0)}, {unit}" if unit else column.capitalize()


def _method(document: Mapping[str, Any]) -> list[Part]:
    told = ", ".join(map(typeset, document["told"])) or "none"
    return [
        f"{document['n_folds']} folds, {times(document['n_repeats'])}, replicates and duplicates together; "
        f"{document['n_inner']} folds within each for the choice. {amount(document['minutes'], 'minute')}, seed "
        f"{document['seed']}; networks on: {document.get('device', 'not recorded')}.",
        f"Targets of which left-out predictions explain at least a tenth of the variance: {told}. They alone count.",
        "All remedies are declared: together they have a chance of 5 % of any false “improved” or “worse”.",
    ]


def _remedies(table: pd.DataFrame, document: Mapping[str, Any]) -> list[Part]:
    units = {**document["data"]["units"], ALL_TARGETS: ""}
    named = table.assign(unit=table["target"].map(units).fillna(""))
    headings = {"remedy": "Remedy", "target": "Target", "effect": "Effect, %", "low": "From", "high": "To"}
    headings |= {"verdict": "Verdict", "promised_error": "Promised error", "unit": "Unit", "seconds": "A fit, s"}
    listed: list[Part] = [_PROMISED, table_of(named, headings)]
    if judged_remedies(table).empty:
        return listed
    return [Picture(svg(remedies_figure(table, document)), "Remedies", _REMEDIES), *listed]


def _more(tables: Mapping[str, pd.DataFrame], document: Mapping[str, Any]) -> list[Part]:
    said: list[Part] = []
    if tables["curve"]["n_train"].nunique() > 1:
        title = f"Learning curve by {document['curve_way']}"
        said.append(Picture(svg(curve_figure(tables["curve"], document)), title, _CURVE))
    solutions = tables.get("solutions", pd.DataFrame())
    if len(solutions):
        said.append("To measure next: the emptiest places of the design, within the range of the data.")
        said.append(table_of(solutions, {name: salt_label(name) for name in map(str, solutions)}))
    suspicious = tables.get("suspicious", pd.DataFrame())
    if len(suspicious):
        said.append(f"Spectra that do not fit their labels: {', '.join(map(str, suspicious['id']))}.")
    return said or ["Time or spectra were too few for a learning curve, and there is no list of solutions."]


def _repeat(document: Mapping[str, Any]) -> list[Part]:
    key = str(document.get("set") or document["data"]["fingerprint"])
    asked = document.get("arguments") or {"set": key, "minutes": document["minutes"], "seed": document["seed"]}
    said: list[Part] = [
        "Ask on the page Advice or, where the set is kept, by the lines below. Folds and figures follow from the seed; "
        "which remedies are tried follows from how fast a computer is."
    ]
    if not asked.get("reference") and not asked.get("physics"):
        options = f"--data {key[:12]} --minutes {document['minutes']:g} --seed {document['seed']}"
        said.append(Listing(f"latent-spectra advise {options} --out advice.csv"))
    return [*said, again("advise", asked)]
