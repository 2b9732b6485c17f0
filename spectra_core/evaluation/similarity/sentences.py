"""Verdicts on copies and on the metrics, in one sentence each."""

from collections.abc import Mapping

import pandas as pd

from spectra_core.shares import percent

_LITTLE = 0.6
"""A share up to which memory would be little: above it, an interval that holds 50 % tells nothing."""


def copies_sentence(n_copies: int, n_generated: int, memorisation: pd.DataFrame | None) -> str:
    """Say whether generated spectra are copies, or nearer to the training set than they should be.

    Parameters
    ----------
    n_copies, n_generated
        Generated spectra equal to a training spectrum, and all of them.
    memorisation
        As from `memorisation`; None where no spectra were held out.
    """
    if n_copies:
        first = f"{n_copies} of {n_generated} generated spectra are copies of training spectra, value by value."
    else:
        first = "No copies: no generated spectrum equals a training spectrum."
    if memorisation is None:
        return f"{first} Whether they keep too near to the training set is not known without held-out spectra."
    row = memorisation.set_index("role").loc["generated", ["share", "lower", "upper"]].astype(float).to_dict()
    share = f"{percent(row['share'])} of them are nearer to the training set than to unseen spectra"
    between = f"95 % interval {percent(row['lower'])} to {percent(row['upper'])}, 50 % without memory"
    if row["lower"] > 0.5:
        return f"{first} But {share} ({between}): the generator repeats what it has seen."
    if row["upper"] < 0.5:
        return f"{first} {share} ({between}): none is drawn towards what the generator has seen."
    nor = ", nor is it excluded" if row["upper"] > _LITTLE else ""
    return f"{first} {share} ({between}): no memory of the training set is shown{nor}."


def fidelity_sentence(judgement: pd.DataFrame, titles: Mapping[str, str]) -> str:
    """Say how many metrics see a difference, and name them.

    Parameters
    ----------
    judgement
        As from `beside_the_band`.
    titles
        Name of every metric.
    """
    judged = judgement[judgement["verdict"] != "not defined"]
    named = {
        verdict: [titles[name] for name in judged.loc[judged["verdict"] == verdict, "metric"]]
        for verdict in ("worse than real", "beyond real", "not told apart", "as real")
    }
    worse, beyond = named["worse than real"], named["beyond real"]
    n_judged = len(judged)
    if worse:
        tell = "tells" if len(worse) == 1 else "tell"
        first = f"{len(worse)} of {n_judged} metrics {tell} generated from experimental spectra: {', '.join(worse)}."
    elif n_judged:
        first = f"None of {n_judged} metrics tells generated from experimental spectra."
    else:
        first = "No metric is defined for these spectra."
    suspicious = f" Better than experimental spectra themselves, which is suspicious: {', '.join(beyond)}."
    return first + (suspicious if beyond else "")
