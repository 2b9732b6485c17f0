"""What the comparison pages share: the sets by role, and what is computed of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import streamlit as st

from spectra_core.contracts import random_stream
from spectra_core.evaluation.channels import reach, statistics
from spectra_core.evaluation.channels.noise import with_noise, with_noise_by_signal
from spectra_core.evaluation.sampling import MOST_COMPARED, sampled_rows
from spectra_core.figures.theme import role_name, runs_down, thousands
from spectra_core.spectra import SpectraSet
from spectra_core.store.results import unkept_result
from spectra_core.training.versions import versions
from ui import cache, needed, state
from ui.text import plain

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from spectra_core.store import ModelRecord, StoredResult


@dataclass(frozen=True, eq=False)
class Compared:
    """The sets to compare.

    Parameters
    ----------
    sets
        By role: "training" and "generated", and "held-out" where the generator left spectra out; of more than
        `MOST_COMPARED` spectra of a role a random part.
    rows
        Rows of the experimental set in "training" and "held-out", and of the generated set in "generated".
    all_rows
        The same of the whole roles.
    sentence
        Which spectra play which role, and how many of them are compared, for the page.
    model
        Identifier of the generator whose held-out rows are told apart; None where none are.
    """

    sets: dict[str, SpectraSet]
    rows: dict[str, tuple[int, ...]]
    all_rows: dict[str, tuple[int, ...]]
    sentence: str
    model: str | None = None

    @property
    def has_held_out(self) -> bool:
        """Whether some experimental spectra were not trained on."""
        return "held-out" in self.sets

    @property
    def is_sample(self) -> bool:
        """Whether some role has more spectra than are compared."""
        return self.rows != self.all_rows

    @property
    def same_targets(self) -> bool:
        """Whether generated spectra carry the targets of the experimental ones."""
        return self.sets["training"].target_names == self.sets["generated"].target_names != ()


def compared() -> Compared:
    """Return the sets in hand by role; where one is missing, say how to get it and stop."""
    experimental, generated = needed.require_experimental(), needed.require_generated()
    both = f"“{plain(generated.meta.name)}” beside “{plain(experimental.meta.name)}”:"
    made, every = thousands(len(generated)), tuple(range(len(experimental)))
    record = _generator_record(experimental, generated)
    held_out = () if record is None else tuple(sorted(set(record.held_out_rows)))
    if record is None or not held_out or held_out[-1] >= len(experimental) or len(held_out) >= len(experimental) - 1:
        why = (
            "which rows the generator was trained on is not known"
            if record is None
            else "the generator was trained on all of it"
        )
        sentence = f"{both} {made} generated spectra beside the whole experimental set, since {why}."
        return _sampled(experimental, generated, {"training": every}, sentence, None)
    left_out = set(held_out)
    trained = tuple(row for row in every if row not in left_out)
    sentence = (
        f"{both} {made} generated spectra beside {thousands(len(trained))} that the generator was trained on and "
        f"{thousands(len(held_out))} that it never saw; pictures call these two Experimental and Held-out."
    )
    return _sampled(experimental, generated, {"training": trained, "held-out": held_out}, sentence, record.id)


def part(spectra: SpectraSet, rows: "Sequence[int] | NDArray[np.int64]") -> SpectraSet:
    """Take rows of a set once, so that what is computed from them is found again by its fingerprint."""
    return spectra if len(rows) == len(spectra) else cache.shared(SpectraSet.take, spectra, np.asarray(rows))


def channel_statistics(sets: Mapping[str, SpectraSet]) -> pd.DataFrame:
    """Return `evaluation.channels.statistics.channel_statistics`, each role computed once."""
    each = [cache.table(statistics.channel_statistics, {role: spectra}) for role, spectra in sets.items()]
    return pd.concat(each, ignore_index=True)


def signal_reach(sets: Mapping[str, SpectraSet]) -> pd.DataFrame:
    """Return `evaluation.channels.reach.signal_reach`, computed once."""
    return cache.table(reach.signal_reach, dict(sets))


def as_result(
    kind: str,
    found: Compared,
    tables: Mapping[str, pd.DataFrame],
    *,
    reference: str,
    labels: Mapping[str, object],
    noise_given_back: bool = False,
) -> "StoredResult":
    """Return what a page computed of the sets in hand as a result, which its report is written of."""
    document = {
        "arguments": {
            "set": state.chosen("set"),
            "generated": state.chosen("generated"),
            "model": found.model,
            "noise_given_back": noise_given_back,
        },
        "n_spectra": {role: len(rows) for role, rows in found.all_rows.items()},
        "n_shown": {role: len(spectra) for role, spectra in found.sets.items()},
        "reference": reference,
        "labels": dict(labels),
        "versions": versions(),
    }
    return unkept_result(kind, f"{kind.capitalize()} of {found.sets['generated'].meta.name}", document, tables)


def noise_given_back(generated: SpectraSet, training: SpectraSet) -> SpectraSet:
    """Return generated spectra with the noise that they lack; the same at every visit."""
    return with_noise(generated, training, random_stream(0, "noise given back"))


def noise_given_to_each(generated: SpectraSet, training: SpectraSet) -> SpectraSet:
    """Return generated spectra, each with the noise that one of its signal has: to be looked at one by one."""
    return with_noise_by_signal(generated, training, random_stream(0, "noise given back"))


def pick_reference(found: Compared, *, key: str) -> str:
    """Let the visitor choose what generated spectra are compared with."""
    if not found.has_held_out:
        return "training"
    chosen: str | None = st.segmented_control(
        "Compared with",
        ["training", "held-out"],
        default="training",
        required=True,
        format_func=role_name,
        key=key,
        persist_state="session",
    )
    return chosen or "training"


def pick_direction(spectra: SpectraSet) -> bool:
    """Return whether to draw the axis from high to low; asked only where the field does so."""
    if not runs_down(spectra.axis.label):
        return False
    return st.toggle("Draw the axis from high to low", value=True, key="axis_from_high", persist_state="session")


def _sampled(
    experimental: SpectraSet,
    generated: SpectraSet,
    rows: dict[str, tuple[int, ...]],
    sentence: str,
    model: str | None,
) -> Compared:
    """Take the spectra of every role, of large roles a random part, and say so."""
    all_rows = {**rows, "generated": tuple(range(len(generated)))}
    chosen = {
        role: tuple(numbers[place] for place in sampled_rows(len(numbers), role, MOST_COMPARED))
        for role, numbers in all_rows.items()
    }
    sets = {
        role: part(source, chosen[role])
        for role, source in ((role, generated if role == "generated" else experimental) for role in chosen)
    }
    cut = [
        f"{len(chosen[role])} of {len(numbers)} {role}"
        for role, numbers in all_rows.items()
        if len(chosen[role]) < len(numbers)
    ]
    if cut:
        sentence = f"{sentence} A random part is compared, the same at every visit: {', '.join(cut)} spectra."
    return Compared(sets, chosen, all_rows, sentence, model)


def _generator_record(experimental: SpectraSet, generated: SpectraSet) -> "ModelRecord | None":
    """Return the record of the generator that made `generated` from `experimental`, as far as it is known."""
    records: dict[str, ModelRecord] = state.records("model")
    made_by = records.get(str(generated.meta.provenance.get("model", "")))
    in_hand = records.get(state.chosen("model") or "")
    for record in (made_by, in_hand):
        if record is not None and record.trained_on == experimental.fingerprint:
            return record
    return None
