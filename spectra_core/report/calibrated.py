"""The report of a calibration: how far it errs, for what it holds, and how to make it again."""

import shlex

from spectra_core.calibration.calibration import Calibration
from spectra_core.calibration.merit import figures_of_merit, line_of
from spectra_core.figures.names import ion_labels
from spectra_core.figures.regression import predicted_against_reference
from spectra_core.figures.svg import svg
from spectra_core.regressors.choice import regressor_text
from spectra_core.report.card import calibration_card
from spectra_core.report.page import Listing, Part, Picture, Report, Section, table_of
from spectra_core.shares import percent

MERIT = {
    "target": "Target",
    "unit": "Unit",
    "n": "Spectra",
    "rmsec": "RMSEC",
    "rmsecv": "RMSECV",
    "bias": "Bias",
    "sep": "SEP",
    "q2": "Q²",
    "rpd": "RPD",
    "note": "Note",
}
_READING = (
    "Every spectrum as it was predicted by a model that had seen neither it nor its replicates. Points on the dashed "
    "line are right; a flat cloud means that the target is guessed."
)
_LIMITS = (
    "Intervals hold as long as new samples are like those of the calibration; spectra that are not are flagged, and "
    "their values are guesses.",
    "Cross-validation tests on samples of the same campaign. An independent set of later samples tells more.",
)


def report_of_calibration(calibration: Calibration, name: str, identity: str, licence: str = "") -> Report:
    """Write the report of a calibration.

    Parameters
    ----------
    identity
        The sha256 of its file.
    licence
        Of the data, as their owner stated it.
    """
    merit = figures_of_merit(calibration)
    card = calibration_card(calibration, name, identity, licence)
    sections = (
        Section("Question", ("How far does this calibration err on spectra it has not seen, target by target?",)),
        Section("Answer", tuple(_answer(calibration))),
        Section("Figures of merit", (table_of(merit, MERIT),)),
        Section("Figures", tuple(_pictures(calibration))),
        *card.sections()[:2],
        Section("Limits", _LIMITS),
        *card.sections()[3:],
        Section("To repeat it", (Listing(repeating(calibration)),)),
    )
    return Report(name, f"Calibration by {calibration.title}.", sections)


def _answer(calibration: Calibration) -> list[Part]:
    said: list[Part] = []
    labels = ion_labels(calibration.train.target_names)
    for row in figures_of_merit(calibration).to_dict("records"):
        unit = f" {row['unit']}" if row["unit"] else ""
        share = f"explains {percent(row['q2'])} of the variance of held-out samples" if row["q2"] > 0 else "is a guess"
        said.append(f"**{labels[row['target']]}**: RMSECV {row['rmsecv']:.3g}{unit}; the calibration {share}.")
    return said


def _pictures(calibration: Calibration) -> list[Part]:
    rows = calibration.predictions().rename(columns={"held_out": "predicted"}).assign(arm="held out")
    rows["sample"] = rows["id"]
    parts: list[Part] = []
    for info in calibration.train.target_info:
        own = rows[rows["target"] == info.name]
        figure = predicted_against_reference(own, arm_kinds={"held out": "baseline"}, target_label=info.label)
        line = line_of(own["reference"].to_numpy(), own["predicted"].to_numpy())
        how = f"{_READING} Slope {line.slope:.3g}, offset {line.offset:.3g}."
        parts.append(Picture(svg(figure, 560), info.label, how))
    return parts


def repeating(calibration: Calibration) -> str:
    """Return the commands that make a calibration again, of its kept set, and read with it."""
    chosen = [
        shlex.quote(f"{name}={regressor_text(part.choice)}") for part in calibration.parts for name in part.targets
    ]
    generated = f"--generated {calibration.data['generated'][:12]} " if "generated" in calibration.data else ""
    return (
        f"latent-spectra calibrate --data {calibration.data['fingerprint'][:12]} {generated}"
        f"--targets {shlex.quote('; '.join(calibration.train.target_names))} "
        f"{' '.join(f'--regressor {one}' for one in chosen)} "
        f"--folds {calibration.n_folds} --seed {calibration.seed} --out calibration.zip\n"
        "latent-spectra read --calibration calibration.zip --data unknown.csv --out readings.csv"
    )
