"""Half characters are refused where a name enters a set, replaced and told where a file holds them."""

import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spectra_core.datasets import WRITERS, Recipe, export, understand
from spectra_core.datasets.parts import Grid, described, restored
from spectra_core.errors import ConfigError, SpectraError, StoreError
from spectra_core.spectra import SetMeta, SpectralAxis, SpectraSet, Target
from spectra_core.store import Store

HALF = "Cu\udcb2+"
ODD = st.characters(categories=("Cc", "Cf", "Cs", "Lu", "Nd", "Po", "Sc", "Sm", "Zl", "Zs"))
ANY = st.text(st.characters(exclude_categories=()), max_size=5) | st.text(ODD, max_size=5)


def named(name: str, target: str, unit: str, sample: str, quantity: str = "Absorbance") -> SpectraSet:
    return SpectraSet(
        SpectralAxis(np.array([400.0, 401.0, 402.0])),
        np.arange(6.0).reshape(2, 3),
        pd.DataFrame([[1.0], [2.0]], columns=pd.Index([target], dtype=object)),
        target_info=[Target(target, unit)],
        samples=pd.DataFrame({"id": np.array([sample, "b"], dtype=object)}, dtype=object),
        meta=SetMeta(name, quantity=quantity, provenance={"file": name}),
    )


@pytest.mark.parametrize("place", range(5))
def test_half_a_character_in_any_name_is_refused_in_a_sentence(place):
    names = ["set", "Cu", "mol/L", "a", "Absorbance"]
    names[place] = HALF
    with pytest.raises(SpectraError, match="half a character"):
        named(*names)


def is_whole(name: str) -> bool:
    try:
        return bool(name.encode())
    except UnicodeEncodeError:
        return False


@settings(max_examples=40, deadline=None)
@given(names=st.tuples(ANY, ANY, ANY, ANY), form=st.sampled_from(sorted(WRITERS)))
def test_any_names_are_refused_in_a_sentence_or_kept_exported_and_read_back_equal(names, form):
    try:
        spectra = named(*names)
    except SpectraError:
        assert not all(map(is_whole, filter(None, names))) or not names[1].strip()
        return
    with tempfile.TemporaryDirectory() as folder:
        store = Store(Path(folder))
        kept = store.load_set(store.save_set(spectra))
    again = understand({f"file{WRITERS[form].extension}": export(kept, form)}).build()
    assert (again.fingerprint, again.meta.name) == (spectra.fingerprint, spectra.meta.name)
    assert tuple(again.samples["id"]) == tuple(spectra.samples["id"])
    assert again.target_info == spectra.target_info


def test_half_characters_in_the_name_of_a_file_are_replaced(tmp_path):
    spectra = understand({HALF + ".csv": b"id,Cu,400,401,402\na,1,0.1,0.2,0.3\nb,2,0.2,0.3,0.5\n"}).build()
    assert spectra.meta.provenance["files"][0]["name"] == "Cu�+.csv"


def test_half_characters_in_cells_are_replaced_and_told():
    grid = Grid("t", "CSV", np.eye(2), {0: (HALF, "b")}, (("id", "400"),))
    words, arrays = described(grid)
    read = restored(words, iter(arrays))
    assert read.text[0] == ("Cu�+", "b")
    assert any("Half characters" in note for note in read.notes)


def test_a_recipe_with_half_a_character_is_refused_in_a_sentence():
    with pytest.raises(ConfigError, match="half a character"):
        Recipe.from_json(r'{"name": "Cu\udcb2"}')


@pytest.mark.parametrize("name", ["a\nb", "a\0", HALF])
def test_a_set_is_not_renamed_to_what_is_no_line_of_text(name, tmp_path, mixtures):
    store = Store(tmp_path)
    key = store.save_set(mixtures)
    with pytest.raises(StoreError, match="one line of text"):
        store.rename_set(key, name)
    assert store.sets()[0].name == mixtures.meta.name
