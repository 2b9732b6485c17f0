"""Real and awkward files against a manifest of what a correct reader returns; needs SPECTRA_REFERENCE_DATA."""

import csv
import importlib.util
import os
from pathlib import Path

import numpy as np
import pytest

from spectra_core.datasets import Recipe, understand
from spectra_core.datasets.parts import Curve
from spectra_core.errors import ReadError

REFERENCE = os.environ.get("SPECTRA_REFERENCE_DATA")
FOLDER = Path(REFERENCE or "absent") / "formats"
MANIFEST = FOLDER / "MANIFEST.tsv"
pytestmark = pytest.mark.skipif(
    not MANIFEST.is_file(), reason="SPECTRA_REFERENCE_DATA is not set to a folder with formats/MANIFEST.tsv"
)

RAMAN = {"axis_quantity": "Raman shift", "axis_unit": "cm-1"}
ASIDE = ("stdDATA", "PureCo", "PureCr", "PureNi", "PureCoCONC", "PureCrCONC", "PureNiCONC")
DECISIONS = {
    # What a person answers to the question each of these files must raise.
    "raman_fermentation_train_spectra.csv": ("axis unit", Recipe(join="order", **RAMAN)),
    "nasty_duplicate_axis_a.csv": ("repeated channels", Recipe(repeated_channels="first")),
    "nasty_nonmonotonic_axis_a.csv": ("axis order", Recipe(axis_order="sort")),
    "nasty_missing_tokens_a.csv": ("gaps", Recipe(gaps="leave out spectra")),
    "nasty_inf_a.csv": ("gaps", Recipe(gaps="leave out channels")),
    "uvvis_nitrate_nitrite_train.npy": (
        "no axis",
        Recipe(
            orientation="columns", columns={"#152": "target", "#153": "target"}, axis_first=190.0, axis_last=340.0,
            axis_quantity="Wavelength", axis_unit="nm",
        ),
    ),
    "uvvis_wentzell_CoCrNi.mat": (
        "several matrices",
        Recipe(
            parts={"DATA": "spectra", "CONC": "targets", **dict.fromkeys(ASIDE, "ignored")},
            join="order",
        ),
    ),
    "synthetic_nirs_v73.mat": ("join", Recipe(join="order")),
    "uvvis_cu_stds.RData": ("join", Recipe(join="order")),
    "salts_atrftir_spectra.csv": ("join", Recipe(join="order")),
    "m_xyxy.spc": ("different grids", None),
    "nasty_shuffled_spectra.csv": ("target gaps", Recipe(gaps="leave out spectra")),
}  # fmt: skip
TOGETHER = {
    "raman_fermentation_train_spectra.csv": ["raman_fermentation_train_hplc.csv"],
    "salts_atrftir_spectra.csv": ["salts_atrftir_axis.csv", "salts_atrftir_concentrations.csv"],
    "nasty_shuffled_spectra.csv": ["nasty_shuffled_targets.csv"],
}
ALONE_NO_SPECTRA = {name for names in TOGETHER.values() for name in names} | {"eem_carbon_dots_targets.csv"}
WARNINGS = {
    "nasty_footer_stats_a.csv": "'Mean' (line 26",
    "nasty_missing_tokens_a.csv": "cu_std4 (line 5",
    "nasty_zero_and_constant_a.csv": "blank0 (line 26",
    "nasty_dup_ids_a.csv": "5 spectra are exact copies",
    "nasty_one_sample_a.csv": "not trained on",
    "truncated_midrow.csv": "line 41",
    "nasty_shuffled_spectra.csv": "1 of its rows belong to no spectrum",
    "uvvis_911ch_hp8453.jdx": "VARIANCE",
    "uvvis_avantes_J_MUR_MARS_17_0001.ttt": "Dark, Ref, Sample",
    "eem_carbon_dots_2.csv": "look like intensities",
}
REFUSED = {
    "html_login_page.csv": "HTML", "git_lfs_pointer.csv": "Git LFS pointer", "empty.csv": "empty",
    "random_bytes.csv": "binary", "prose.txt": "no table", "nasty_header_only_a.csv": "no rows",
    "zip_bomb_150MB.xlsx": "would unpack", "spc_npts_bomb.spc": "cut off", "jcamp_npoints_bomb.jdx": "cannot hold",
    "model_evil.pkl": "never read", "model_evil.pt": "never read", "zip_slip.zip": "outside of it",
    "truncated_m_ordz.spc": "cut off", "truncated_pe1800.dx": "1,561", "truncated.xlsx": "damaged or cut off",
    "truncated.mat": "damaged or cut off", "truncated_opus.0": "Bruker OPUS", "truncated_shimadzu.spc": "cut-off",
}  # fmt: skip
NEEDS = {
    "peach_juice.0": "brukeropus", "sample1.spa": "nirs4all_formats", "single_PE_spectrum.sp": "nirs4all_formats",
    "sp.wdf": "nirs4all_formats", "uvvis_cu_stds.RData": "rdata",
}  # fmt: skip
TARGET_SUMS = {
    "uvvis_metal_ions_allSpec.csv": [0.78, 1.56, 0.585, 2.028],
    "derived_metal_ions_semicolon_comma.csv": [0.15, 0.39],
    "nir_gasoline_nm_headers.csv": [5230.65],
    "raman_fermentation_train_spectra.csv": [400.3418027],
    "salts_atrftir_spectra.csv": [51.39326303, 39.05323057, 26.88186855, 2.97039842, 44.5389613],
    "uvvis_nitrate_nitrite_train.npy": [189.5386, 221.523],
    "uvvis_wentzell_CoCrNi.mat": [1.16194627, 5.971801926, 2.683045629],
    "nasty_shuffled_spectra.csv": [None, None, 0.54],
}


def rows():
    if not MANIFEST.is_file():
        return []
    with MANIFEST.open(encoding="utf-8", newline="") as text:
        return list(csv.DictReader(text, delimiter="\t"))


def contents(name):
    return {one: (FOLDER / one).read_bytes() for one in [name, *TOGETHER.get(name, [])]}


def agrees(row, key, value):
    # The manifest gives ten significant digits; sums of float32 files need a little more room.
    return not row[key] or value == pytest.approx(float(row[key]), rel=1e-6, abs=1e-9)


@pytest.mark.parametrize("row", rows(), ids=lambda row: row["file"])
def test_file_is_read_right_or_refused_for_the_right_reason(row):
    name = row["file"]
    if name in REFUSED:
        with pytest.raises(ReadError, match=REFUSED[name]):
            understand(contents(name)).build()
        return
    if name in ALONE_NO_SPECTRA:
        with pytest.raises(ReadError, match="No spectra were found"):
            understand(contents(name))
        return
    if name in NEEDS and importlib.util.find_spec(NEEDS[name]) is None:
        with pytest.raises(ReadError, match=f"pip install {NEEDS[name].replace('_', '-')}"):
            understand(contents(name))
        return
    understanding = understand(contents(name))
    if name == "m_xyxy.spc":
        curves = [part for part in understanding.parts if isinstance(part, Curve)]
        assert len(curves) == 512
        assert sum(part.y.sum() for part in curves) == pytest.approx(30063509.0)
        assert (curves[0].x[0], curves[0].x[-1]) == pytest.approx((43.90000153, 25.85000038))
    question, recipe = DECISIONS.get(name, (None, None))
    kinds = [problem.kind for problem in understanding.open_questions]
    assert question in kinds if question else not kinds
    if name in WARNINGS:
        said = [problem.text for problem in understanding.problems] + understanding.warnings
        assert any(WARNINGS[name] in text for text in said)
    if question and recipe is None:
        return
    if recipe is not None:
        understanding = understanding.with_recipe(recipe)
        built = understanding.build()
    else:
        built = understanding.build()
        assert np.array_equal(built.signal, understanding.table.signal[understanding.prepared.rows])
    signal = understanding.table.signal[
        understanding.prepared.rows if "gaps" not in recipe_words(recipe) else slice(None)
    ]
    # Values as in the file, gaps left out: what the manifest sums.
    signal = signal if name == "nasty_nonmonotonic_axis_a.csv" else np.where(np.isfinite(signal), signal, np.nan)
    assert agrees(row, "n_spectra", len(signal))
    assert agrees(row, "n_channels", signal.shape[1])
    positions = (
        understanding.table.positions if understanding.table.positions is not None else understanding.prepared.positions
    )
    assert agrees(row, "axis_first", positions[0])
    assert agrees(row, "axis_last", positions[-1])
    assert agrees(row, "y_first", signal[0, 0])
    assert agrees(row, "y_last_of_last", signal[-1, -1])
    assert agrees(row, "y_sum_first_spectrum", np.nansum(signal[0]))
    assert agrees(row, "y_sum_total", np.nansum(signal))
    assert understanding.prepared.axis_unit == (row["axis_unit"].split(" ")[0] or understanding.prepared.axis_unit)
    sums = TARGET_SUMS.get(name, [])
    if name == "nasty_shuffled_spectra.csv":
        assert len(built) == 23
        assert built.target_values.sum() == pytest.approx(0.54)
    else:
        assert built.target_values.sum(axis=0)[: len(sums)] == pytest.approx(sums, rel=1e-7)


def recipe_words(recipe):
    return recipe.to_json() if recipe is not None else ""


def test_sorted_channels_equal_the_file_that_was_shuffled():
    shuffled = understand(contents("nasty_nonmonotonic_axis_a.csv"), Recipe(axis_order="sort")).build()
    source = understand(contents("nasty_three_samples_a.csv")).build()
    assert np.array_equal(shuffled.axis.positions, source.axis.positions)
    assert np.array_equal(shuffled.signal[:3], source.signal)


def test_no_payload_ran_and_no_name_became_a_path():
    for name in ("model_evil.pkl", "model_evil.pt", "zip_slip.zip"):
        with pytest.raises(ReadError):
            understand(contents(name))
    assert not list(Path.cwd().glob("PICKLE_WAS_EXECUTED*"))
    assert not Path("/tmp/ZIPSLIP.csv").exists()
