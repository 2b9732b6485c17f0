"""The card of a model: what it was made from, for what range, under which licence, and what it is known to fail at."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import pandas as pd

from spectra_core.calibration.calibration import Calibration
from spectra_core.calibration.merit import figures_of_merit
from spectra_core.evaluation.similarity.judgement import beside_the_band
from spectra_core.evaluation.similarity.known_bad import KNOWN_BAD
from spectra_core.evaluation.similarity.metrics import METRICS
from spectra_core.evaluation.similarity.sentences import fidelity_sentence
from spectra_core.report.page import Part, Report, Section, facts, table_of
from spectra_core.spectra import Frame, SpectraSet
from spectra_core.store import ModelRecord, Store, StoredModel
from spectra_core.store.files import json_bytes

_FAILED = ("worse than real", "beyond real")
_NOT_JUDGED = (
    "Not judged yet: nobody has measured what this generator fails at. Judge a set that it made on the page Fidelity, "
    "or ask for the card by `latent-spectra card`, which judges one."
)


@dataclass(frozen=True)
class Card:
    """What a model card says, as values of JSON.

    Parameters
    ----------
    about
        Kind, name, id.
    trained_on
        Name, fingerprint, numbers of spectra, and the licence as its owner stated it.
    axis
        Title, first and last position, channels.
    targets
        Name, unit, lowest and highest value that it has seen; one per target.
    made_by
        Member, configuration, seed, versions.
    failures
        What was measured: one row per metric or figure of merit, in words and numbers.
    sentences
        What that means, and what it cannot tell.
    """

    about: Mapping[str, str]
    trained_on: Mapping[str, Any]
    axis: Mapping[str, Any]
    targets: tuple[Mapping[str, Any], ...]
    made_by: Mapping[str, Any]
    failures: tuple[Mapping[str, Any], ...]
    sentences: tuple[str, ...]

    def to_json(self) -> bytes:
        """Return the card as JSON."""
        return json_bytes({"format": "latent-spectra model card", "version": 1, **asdict(self)})

    def sections(self) -> tuple[Section, ...]:
        """Return the card as parts of a report."""
        axis = (
            f"{self.axis['title']}: {self.axis['first']:g} to {self.axis['last']:g}, {self.axis['channels']} channels"
        )
        made = {name: value for name, value in self.made_by.items() if name != "versions"}
        trained = [facts({"Axis": axis, **self.trained_on})]
        known: list[Part] = list(self.sentences)
        if self.failures:
            table = pd.DataFrame(list(self.failures))
            known.append(table_of(table, {str(name): str(name).capitalize() for name in table.columns}))
        headings = {"name": "Target", "unit": "Unit", "low": "Lowest", "high": "Highest"}
        ranges = [table_of(pd.DataFrame(list(self.targets)), headings)] if self.targets else []
        return (
            Section("What it was made from", tuple(trained)),
            Section("For what range", ("Beyond it nothing was seen, so nothing is known.", *ranges)),
            Section("Known failures", tuple(known)),
            Section("How it was made", (facts(made), facts(self.made_by["versions"]))),
        )

    def report(self) -> Report:
        """Return the card as a page of its own."""
        return Report(
            f"Model card: {self.about['name']}", f"{self.about['kind']}, {self.about['id'][:12]}", self.sections()
        )


def generator_card(store: Store, model_id: str, judgement: pd.DataFrame | None = None) -> Card:
    """Write the card of a kept generator.

    Parameters
    ----------
    judgement
        Of spectra that it made, from `judgement`; without it the newest one that is kept.
    """
    stored = store.load_model(model_id)
    record = stored.record
    known = {one.fingerprint: one for one in store.sets()}.get(record.trained_on)
    seen = None if known is None else training_part(stored, store)
    judged = _kept_judgement(store, model_id) if judgement is None else judgement
    failures, sentences = _failures(judged)
    return Card(
        about={"kind": "Generator", "name": record.name, "id": record.id},
        trained_on={
            "Data": record.trained_on_name,
            "Fingerprint": record.trained_on,
            "Spectra": None if seen is None else len(seen),
            "Held out": len(record.held_out_rows),
            "Origin": None if seen is None else seen.meta.origin,
            "Licence of the data, as stated": (known and known.licence) or "not stated",
        },
        axis=_axis(stored.model.frame_),
        targets=_ranges(stored.model.frame_, seen),
        made_by={**_made_by(record), "versions": dict(record.versions)},
        failures=tuple(failures),
        sentences=(*sentences, *_of_kept_bench(store, record.trained_on)),
    )


def calibration_card(calibration: Calibration, name: str, identity: str, licence: str = "") -> Card:
    """Write the card of a calibration: its figures of merit say how far it errs."""
    train = calibration.train
    merit = figures_of_merit(calibration)
    columns = ["target", "unit", "n", "rmsec", "rmsecv", "bias", "sep", "q2", "rpd", "note"]
    return Card(
        about={"kind": "Calibration", "name": name, "id": identity},
        trained_on={
            "Data": calibration.data["name"],
            "Fingerprint": calibration.data["fingerprint"],
            "Spectra": len(train),
            "Generated spectra added": calibration.data.get("generated_name", "none"),
            "Origin": train.meta.origin,
            "Licence of the data, as stated": licence or "not stated",
        },
        axis=_axis(train.frame),
        targets=_ranges(train.frame, train),
        made_by={
            "Method": calibration.title,
            "Folds": calibration.n_folds,
            "Seed": calibration.seed,
            "versions": dict(calibration.versions),
        },
        failures=tuple(merit[columns].to_dict("records")),  # type: ignore[arg-type]
        sentences=(
            "Errors of cross-validation, groups kept together, in the unit of the target. A spectrum unlike those of "
            "the calibration is flagged when it is read; its value is then a guess.",
        ),
    )


def training_part(stored: StoredModel, store: Store) -> SpectraSet:
    """Return the spectra that a kept model was trained on, without those held out."""
    whole = store.load_set(stored.record.trained_on)
    unseen = set(stored.record.held_out_rows)
    return whole.take([row for row in range(len(whole)) if row not in unseen])


def _made_by(record: ModelRecord) -> dict[str, Any]:
    options = ", ".join(f"{name}: {value}" for name, value in record.configuration.items())
    return {"Method": record.title, "Options": options, "Parameters": record.n_parameters, "Seed": record.seed}


def _axis(frame: Frame) -> dict[str, Any]:
    positions = frame.axis.positions
    return {
        "title": frame.axis.label,
        "first": float(positions[0]),
        "last": float(positions[-1]),
        "channels": len(positions),
    }


def _ranges(frame: Frame, seen: SpectraSet | None) -> tuple[dict[str, Any], ...]:
    rows = []
    for one in frame.target_info:
        row: dict[str, Any] = {"name": one.name, "unit": one.unit, "low": None, "high": None}
        if seen is not None and one.name in seen.target_names:
            values = seen.targets[one.name]
            row |= {"low": float(values.min()), "high": float(values.max())}
        rows.append(row)
    return tuple(rows)


def _kept_judgement(store: Store, model_id: str) -> pd.DataFrame | None:
    for result in store.loaded_results("fidelity"):
        if result.document["arguments"].get("model") == model_id:
            return result.tables["judgement"]
    return None


def _failures(judged: pd.DataFrame | None) -> tuple[list[dict[str, Any]], list[str]]:
    """Return what every metric says of a generator, failures first, and the sentence about them."""
    if judged is None:
        return [], [_NOT_JUDGED]
    table = beside_the_band(judged)
    table = table.assign(failed=table["verdict"].isin(_FAILED)).sort_values("failed", ascending=False, kind="stable")
    rows = [
        {
            "metric": METRICS[row["metric"]].title,
            "value": row["value"],
            "real against real": row["floor"],
            "verdict": row["verdict"],
            "says": METRICS[row["metric"]].sentence,
            "cannot see": METRICS[row["metric"]].cannot_see,
        }
        for row in table.to_dict("records")
        if row["metric"] in METRICS
    ]
    n_spectra = int(table["n_per_set"].max())
    said = fidelity_sentence(table, {name: metric.title for name, metric in METRICS.items()})
    return rows, [said, f"Measured on up to {n_spectra} spectra per set, beside what two halves of real spectra give."]


def _of_kept_bench(store: Store, fingerprint: str) -> list[str]:
    """Say which defects the metrics miss on this set, where they were tried on known-bad generators of it."""
    for result in store.loaded_results("bench"):
        if result.document["arguments"].get("set") == fingerprint:
            return [bench_sentence(result.tables["bench"])]
    return []


def bench_sentence(bench: pd.DataFrame) -> str:
    """Say how many metrics see each defect.

    Parameters
    ----------
    bench
        As from `metric_bench`.
    """
    seen = bench[bench["seen"].astype(bool)].groupby("defect")["metric"].nunique()
    named = [f"{bad.title} by {int(seen.get(name, 0))}" for name, bad in KNOWN_BAD.items()]
    n_metrics = bench["metric"].nunique()
    return f"On known-bad generators of the same spectra, of {n_metrics} metrics these see: {', '.join(named)}."
