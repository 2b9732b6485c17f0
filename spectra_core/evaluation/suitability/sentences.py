"""Whether a set is fit for a calibration, in one sentence."""

import math
from collections.abc import Sequence

FEW_INDEPENDENT = 20
"""Replicates and duplicates counted once; with fewer, a person is told before the work rather than after it."""


def fitness_sentence(
    *,
    n_spectra: int,
    n_independent: int,
    n_targets: int,
    n_determined: int,
    saturated: bool,
    n_apart: int,
    by_chance: float,
    n_suspicious: int,
    unreadable: Sequence[str],
) -> str:
    """Say whether spectra are fit for a calibration, as far as they show it, and what to look at first.

    Parameters
    ----------
    n_independent
        Replicates and duplicates counted once.
    n_determined
        Targets that do not follow from the others.
    saturated
        Whether some spectrum is, in some channel.
    n_apart, by_chance
        Spectra beyond a limit, and how many are to be expected where all belong.
    n_suspicious
        Spectra with a label that does not fit.
    unreadable
        Names of targets that the spectra hardly tell.

    Examples
    --------
    >>> fine = {"n_spectra": 90, "n_independent": 90, "n_targets": 2, "n_determined": 2, "saturated": False}
    >>> fine |= {"n_apart": 2, "by_chance": 1.8, "n_suspicious": 0, "unreadable": ()}
    >>> fitness_sentence(**fine)
    '**Fit for a calibration**, as far as the spectra show it.'
    >>> fitness_sentence(**fine | {"n_determined": 1, "n_suspicious": 1})
    '**Fit for a calibration once looked through:** 1 of 2 targets follows from the others; 1 label does not fit its \
spectrum.'
    >>> fitness_sentence(**fine | {"unreadable": ("Li⁺", "Zn²⁺")})
    '**Hardly fit for a calibration:** the spectra hardly tell any target.'
    """
    if not n_targets:
        return "**Not fit for a calibration:** these spectra have no targets. They can train a generator, and be read."
    found = []
    if n_independent < FEW_INDEPENDENT:
        found.append(f"{n_independent} independent spectra are few")
    if len(unreadable) == n_targets:
        return f"**Hardly fit for a calibration:** {'; '.join([*found, 'the spectra hardly tell any target'])}."
    if unreadable:
        found.append(f"the spectra hardly tell {', '.join(unreadable)}")
    if n_dependent := n_targets - n_determined:
        verb = "follows" if n_dependent == 1 else "follow"
        found.append(f"{n_dependent} of {n_targets} targets {verb} from the others")
    if saturated:
        found.append("some spectra are saturated in some channels")
    if n_apart > by_chance + 2.0 * math.sqrt(by_chance):
        verb = "stands" if n_apart == 1 else "stand"
        found.append(f"{n_apart} of {n_spectra} spectra {verb} out, where {by_chance:.0f} or so would by chance")
    if n_suspicious:
        what = "1 label does not fit its spectrum" if n_suspicious == 1 else f"{n_suspicious} labels do not fit"
        found.append(what if n_suspicious == 1 else f"{what} their spectra")
    if not found:
        return "**Fit for a calibration**, as far as the spectra show it."
    return f"**Fit for a calibration once looked through:** {'; '.join(found)}."
