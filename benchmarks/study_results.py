"""What one finished part of the study left: its experiment, document and tables."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pandas as pd

from spectra_core.experiment import Experiment


@dataclass(frozen=True)
class Finished:
    """The tables of one experiment, or of several that differ by training size."""

    name: str
    experiment: Experiment
    document: Mapping[str, object]
    tables: Mapping[str, pd.DataFrame]

    @classmethod
    def read(cls, folder: Path) -> "Finished":
        """Read what `study.work` wrote."""
        tables = {}
        for path in folder.glob("*.csv"):
            if path.stat().st_size > 1:  # an empty table is an empty line
                tables[path.stem] = pd.read_csv(path, keep_default_na=True)
        experiment = Experiment.from_json((folder / "experiment.json").read_text())
        return cls(folder.name, experiment, json.loads((folder / "document.json").read_text()), tables)

    @cached_property
    def arms(self) -> list[str]:
        """Return the arms in the order of the tables."""
        return [arm.name for arm in self.experiment.arms]

    @cached_property
    def kinds(self) -> dict[str, str]:
        """Return the kind of every arm."""
        return {arm.name: arm.kind for arm in self.experiment.arms}

    @cached_property
    def targets(self) -> list[str]:
        """Return the targets in the order of the data."""
        return list(self.tables["spreads"]["target"])

    @cached_property
    def units(self) -> dict[str, str]:
        """Return the unit of every target."""
        return dict(self.document["data"]["units"])  # type: ignore[index]

    def label(self, target: str) -> str:
        """Return a target with its unit."""
        unit = self.units.get(target, "")
        return f"{target}, {unit}" if unit else target

    @cached_property
    def levels(self) -> dict[str, dict[str, float]]:
        """Return errors to compare with, by name and target."""
        spreads = self.tables["spreads"].set_index("target")
        levels = {"always predicting the mean": spreads["sd"].to_dict()}
        if "floors" in self.tables:
            floors = self.tables["floors"].set_index("target")
            levels["about the best possible"] = floors["expected_error"].to_dict()
            levels["lower bound (Bayesian)"] = floors["bayesian_bound"].to_dict()
        return levels
