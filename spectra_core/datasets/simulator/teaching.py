"""One solution as a set of tables: what it holds, what absorbs, what the instrument shows."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from spectra_core.datasets.simulator.settings import SimulationSettings
from spectra_core.datasets.simulator.simulation import simulate_in_detail

_MOST_ABSORBERS = 8
_HIGHEST = 5.0
"""Absorbance that no instrument shows."""
_LEAST_CONCENTRATION = 1e-9
"""mol/L; species below it are left out of the table."""

OTHERS = "Others"


def solution_tables(settings: SimulationSettings, salts: Mapping[str, float], seed: int = 0) -> dict[str, pd.DataFrame]:
    """Describe one solution of `salts` [mol/L].

    Returns
    -------
    dict of DataFrames
        ``solution``: one row with ``ph``, ``ionic_strength`` [mol/kg], ``saturated_share``.
        ``spectrum``, row per channel: ``position`` [nm], ``clean``, ``measured`` (absorbance), ``saturated``.
        ``contributions``, row per absorber and channel, largest area first: ``absorber``, ``position``,
        ``absorbance``; beside "Water" the eight with the largest visible area, the rest summed as "Others".
        ``species``, row per species above 1e-9 mol/L, by concentration: ``species``, ``concentration`` [mol/L].

    Raises
    ------
    SimulationError
        For concentrations that no solution has.
    """
    found = simulate_in_detail(settings, salts=pd.DataFrame([dict(salts)]), seed=seed)
    species = found.species.iloc[0]
    species = species[species > _LEAST_CONCENTRATION].sort_values(ascending=False)
    return {
        "solution": pd.DataFrame(
            {
                "ph": found.ph,
                "ionic_strength": found.ionic_strength,
                "saturated_share": [float(found.saturated.mean())],
            }
        ),
        "spectrum": pd.DataFrame(
            {
                "position": found.spectra.axis.positions,
                "clean": found.clean[0],
                "measured": found.spectra.signal[0],
                "saturated": found.saturated[0],
            }
        ),
        "contributions": _main_contributions(found.contributions(0)),
        "species": pd.DataFrame({"species": species.index, "concentration": species.to_numpy()}),
    }


def _main_contributions(parts: pd.DataFrame) -> pd.DataFrame:
    wide = parts.pivot_table(index="position", columns="absorber", values="absorbance", sort=False)
    # Where the sum is cut off at saturation, a band that nobody can see does not make its absorber important.
    area = wide.clip(upper=_HIGHEST).abs().sum().drop("Water").sort_values(ascending=False)
    main = ["Water", *area.index[:_MOST_ABSORBERS][area[:_MOST_ABSORBERS] > 0]]
    kept = wide[main]
    rest = wide.drop(columns=main).sum(axis=1)
    if float(np.abs(rest).max()) > 0:
        kept = kept.assign(**{OTHERS: rest})
    return kept.melt(ignore_index=False, var_name="absorber", value_name="absorbance").reset_index()[
        ["absorber", "position", "absorbance"]
    ]
