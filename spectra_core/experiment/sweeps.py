"""Sweeps: arms that differ by the ratio of generated to measured rows, or by where new spectra come from."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import pandas as pd

from spectra_core.choices import Choice
from spectra_core.conditions import CONDITIONS
from spectra_core.errors import ConfigError
from spectra_core.experiment.design import Arm, Experiment
from spectra_core.samplers import SAMPLERS

RATIOS = (0.25, 0.5, 1.0, 2.0, 4.0, 8.0)
"""What the page offers: from a few generated rows to mostly generated ones."""
WITHOUT_RATIO = ("baseline", "ensemble")
"""Kinds of arm that add no rows."""


def at_ratios(arms: Iterable[Arm], ratios: Sequence[float]) -> tuple[Arm, ...]:
    """Return every arm that adds rows at every ratio, named after it; the others as they are.

    The controls are among them: an arm is compared with the step-matched arm of its own ratio, see
    `Experiment.references`. A single ratio changes no name.

    Examples
    --------
    >>> [arm.name for arm in at_ratios([Arm("Baseline", "baseline"), Arm("Oracle", "oracle")], [0.5, 2])]
    ['Baseline', 'Oracle, ratio 0.5', 'Oracle, ratio 2']
    """
    out = []
    for arm in arms:
        if arm == _control(arm.ratio):
            continue  # it stood beside an arm of that ratio, which now has others
        if arm.kind in WITHOUT_RATIO:
            out.append(arm)
        elif len(ratios) == 1:
            out.append(replace(arm, ratio=float(ratios[0])))
        else:
            out += [
                replace(
                    arm,
                    name=_named(arm.name, ratio),
                    ratio=float(ratio),
                    beside=arm.beside and _named(arm.beside, ratio),
                )
                for ratio in ratios
            ]
    return tuple(out)


def with_controls(arms: Sequence[Arm]) -> list[Arm]:
    """Return the arms, and for each that adds rows at another ratio than any step-matched arm, one of its ratio.

    Where no arm is step-matched none joins.

    Examples
    --------
    >>> arms = [Arm("Step-matched", "step_matched"), Arm("Jitter", ratio=4, generator=Choice("jitter"))]
    >>> [arm.name for arm in with_controls(arms)]
    ['Step-matched', 'Step-matched, ratio 4', 'Jitter']
    """
    there = {arm.ratio for arm in arms if arm.kind == "step_matched"}
    wanted = {arm.ratio for arm in arms if arm.kind not in WITHOUT_RATIO} - there if there else set()
    new = [_control(ratio) for ratio in sorted(wanted)]
    last = max((number for number, arm in enumerate(arms, start=1) if arm.kind == "step_matched"), default=0)
    return [*arms[:last], *new, *arms[last:]]


def sweep_ratio(experiment: Experiment, ratios: Sequence[float]) -> Experiment:
    """Return the experiment with every arm that adds rows at every ratio."""
    return replace(experiment, arms=at_ratios(experiment.arms, ratios))


def at_strategies(arm: Arm, *, has_salts: bool = True) -> tuple[Arm, ...]:
    """Return the arm with every other strategy, named after it.

    A conditional generator is asked for every kind of concentration set, another one for every kind of latent points.

    Parameters
    ----------
    has_salts
        Whether the data allow strategies that draw salts.

    Raises
    ------
    ConfigError
        When the arm does not choose between strategies.

    Examples
    --------
    >>> arm = Arm("PCA", generator=Choice("pca"), sampler=Choice("standard_normal"), labelling=Choice("latent"))
    >>> len(at_strategies(arm)) == len(SAMPLERS) - 1
    True
    """
    if arm.conditions is not None:
        return tuple(
            replace(arm, name=f"{arm.name}: {member.title}", conditions=Choice(name))
            for name, member in CONDITIONS.items()
            if name != arm.conditions.name and (has_salts or not member.needs_salts)
        )
    if arm.sampler is None:
        raise ConfigError(f"The arm {arm.name!r} has no strategy for choosing latent points or concentrations.")
    return tuple(
        replace(arm, name=f"{arm.name}: {member.title}", sampler=Choice(name))
        for name, member in SAMPLERS.items()
        if name != arm.sampler.name
    )


def sweep_strategies(experiment: Experiment, name: str, *, has_salts: bool = True) -> Experiment:
    """Return the experiment with its arm `name` also at every other strategy; arms that are there are not added again.

    Raises
    ------
    ConfigError
        When there is no such arm, or it does not choose between strategies.
    """
    arm = experiment.arm(name)
    there = [one.content for one in experiment.arms]
    more = [one for one in at_strategies(arm, has_salts=has_salts) if one.content not in there]
    return replace(experiment, arms=(*experiment.arms, *more))


def doses(arms: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """Say which arms of an experiment are one and the same at different ratios.

    Parameters
    ----------
    arms
        As in the JSON of an experiment.

    Returns
    -------
    DataFrame, one row per arm that adds rows
        ``arm``, ``family`` (its name without the ratio), ``kind``, ``ratio``.
    """
    rows = []
    for arm in arms:
        kind, ratio = arm.get("kind", "generated"), float(arm.get("ratio", 1.0))
        if kind not in WITHOUT_RATIO:
            family = str(arm["name"]).removesuffix(_named("", ratio))
            rows.append({"arm": arm["name"], "family": family, "kind": kind, "ratio": ratio})
    return pd.DataFrame(rows, columns=["arm", "family", "kind", "ratio"])


def _control(ratio: float) -> Arm:
    return Arm(_named("Step-matched", ratio), "step_matched", ratio=ratio)


def _named(name: str, ratio: float) -> str:
    return f"{name}, ratio {ratio:g}"
