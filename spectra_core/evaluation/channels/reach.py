"""Whether spectra rise above, or fall below, all that was measured: what no detector showed cannot have been read."""

from collections.abc import Mapping

import pandas as pd

from spectra_core.errors import SpectraError
from spectra_core.evaluation.roles import require_comparable
from spectra_core.spectra import SpectraSet


def signal_reach(sets: Mapping[str, SpectraSet]) -> pd.DataFrame:
    """Count, for every role, the spectra that leave the range of the training spectra's signal anywhere.

    The range is one for all channels. A saturated detector shows its ceiling with noise, so that the highest reading of
    many spectra lies above the ceiling itself: what is beyond it is beyond doubt.

    Parameters
    ----------
    sets
        Needs "training"; all on one axis.

    Returns
    -------
    DataFrame, one row per role
        ``role``, ``n_spectra``, ``lowest``, ``highest`` [signal unit], ``n_above`` and ``n_below`` (spectra with a
        channel above the highest, or below the lowest signal of the training spectra).

    Raises
    ------
    SpectraError
        When there is no training set or axes differ.
    """
    require_comparable(sets)
    if "training" not in sets:
        raise SpectraError(f"How far spectra reach is judged by the training set; got {', '.join(sets)}.")
    floor, ceiling = float(sets["training"].signal.min()), float(sets["training"].signal.max())
    rows = []
    for role, spectra in sets.items():
        lowest, highest = spectra.signal.min(axis=1), spectra.signal.max(axis=1)
        rows.append(
            {
                "role": role,
                "n_spectra": len(spectra),
                "lowest": float(lowest.min()),
                "highest": float(highest.max()),
                "n_above": int((highest > ceiling).sum()),
                "n_below": int((lowest < floor).sum()),
            }
        )
    return pd.DataFrame(rows)
