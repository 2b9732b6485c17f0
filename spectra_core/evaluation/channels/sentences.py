"""Verdicts on the signal, channel by channel, in one sentence each."""

import math

import pandas as pd

from spectra_core.evaluation.channels.noise import ALIKE
from spectra_core.shares import percent
from spectra_core.spectra.text import counted

SIGNIFICANT = 0.05


def look_sentence(statistics: pd.DataFrame, reference: str) -> str:
    """Say whether generated spectra reach as far as experimental ones, and whether they go beyond.

    Parameters
    ----------
    statistics
        As from `channel_statistics`.
    reference
        The experimental role they are compared with.
    """
    by_role = {str(role): rows.sort_values("position") for role, rows in statistics.groupby("role", sort=False)}
    made, real = by_role["generated"], by_role[reference]
    spans = (made["q95"] - made["q05"]).to_numpy() / (real["q95"] - real["q05"]).where(lambda one: one > 0).to_numpy()
    middle = float(pd.Series(spans).median())
    how = "as wide as" if ALIKE[0] <= middle <= ALIKE[1] else f"{middle:.2g} times as wide as"
    wide = "" if pd.isna(middle) else f"The middle 90 % of generated spectra is {how} that of {reference} ones. "
    # The larger of two like sets goes beyond the other in some channels by chance.
    held_out = reference == "training" and "held-out" in by_role
    floor = f"; some held-out spectrum in {_n_beyond(by_role['held-out'], real)}" if held_out else ""
    return (
        f"{wide}In {_n_beyond(made, real)} of {len(real)} channels some generated spectrum goes beyond all {reference} "
        f"ones{floor}."
    )


def reach_sentence(reach: pd.DataFrame) -> str:
    """Say how many generated spectra leave the range of all training spectra, held-out ones beside; else nothing.

    Parameters
    ----------
    reach
        As from `reach.signal_reach`.
    """
    by_role = {str(row["role"]): row for row in reach.to_dict("records")}
    made, training = by_role["generated"], by_role["training"]
    told = []
    for column, edge, where in (("n_above", "highest", "Above"), ("n_below", "lowest", "Below")):
        if not made[column]:
            continue
        limit = f"{training[edge]:.3g}".replace("-", "\N{MINUS SIGN}")
        floor = ""
        if real := by_role.get("held-out"):
            floor = f"; {real[column]} of {counted(real['n_spectra'], 'held-out one')}"
        generated = counted(made["n_spectra"], "generated spectrum", "generated spectra")
        beyond = f"{made[column]} of {generated}{floor}"
        told.append(f"{where} {limit}, the {edge} signal of all training spectra: {beyond}.")
    return " ".join(told)


def vary_sentence(noise: pd.DataFrame, single: pd.DataFrame, differences: pd.DataFrame) -> str:
    """Say whether generated spectra carry the noise, and in how many channels they differ, floors beside.

    Parameters
    ----------
    noise
        As from `noise_summary`.
    single
        As from `spectrum_noise`.
    differences
        Rows of `channel_differences` of "generated" against one reference and, as the floor, of "held-out" against
        "training".
    """
    ratios = noise.set_index("role")["ratio"]
    ratio = float(ratios["generated"])
    values = {str(role): rows["noise"] for role, rows in single.groupby("role", sort=False)}
    made = values.pop("generated")
    real = pd.concat(list(values.values()))
    smoother, rougher = int((made < real.min()).sum()), int((made > real.max()).sum())
    held_out = f" (held-out {_ratio(ratios['held-out'])})" if "held-out" in ratios else ""
    said = f"noise ratio {_ratio(ratio)}{held_out}"
    against = f"than any experimental one, in units of each channel's noise: {said}."
    if math.isnan(ratio):
        first = "The training spectra carry no noise to compare with."
    elif ratio < ALIKE[0]:
        first = f"{smoother} of {len(made)} generated spectra are smoother {against}"
    elif ratio > ALIKE[1]:
        first = f"{rougher} of {len(made)} generated spectra are noisier {against}"
    else:
        first = f"Generated spectra carry the noise of experimental ones: {said}."
    differ = (differences["ks_p_adjusted"] < SIGNIFICANT).groupby(differences["role"]).mean()
    floor = f"; of the held-out spectra, {percent(differ['held-out'])}" if "held-out" in differ else ""
    return f"{first} Their distribution differs in {percent(differ['generated'])} of the channels{floor}."


def _ratio(number: float) -> str:
    """Say a ratio with two decimals, a large one with fewer, and a small one with two digits: it is not 0."""
    if number < 0.1:
        return f"{number:.2g}"
    return f"{number:.{2 if number < 10 else 1 if number < 100 else 0}f}"


def _n_beyond(one: pd.DataFrame, other: pd.DataFrame) -> int:
    """Count the channels in which a role goes beyond the range of another."""
    above = one["maximum"].to_numpy() > other["maximum"].to_numpy()
    return int((above | (one["minimum"].to_numpy() < other["minimum"].to_numpy())).sum())
