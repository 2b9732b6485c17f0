"""Absorptivities against stated values and against measured ones of two laboratories."""

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from spectra_core.datasets.simulator import PRESETS, SimulationSettings, absorption, simulate_in_detail
from spectra_core.datasets.simulator.constants import load_chemistry
from spectra_core.datasets.simulator.ions import IONS

CHEMISTRY = load_chemistry()
NAMES = list(CHEMISTRY.species["species"])
AXIS = np.arange(190.0, 1101.0)
REFERENCE = os.environ.get("SPECTRA_REFERENCE_DATA", "")
needs_reference = pytest.mark.skipif(
    not (Path(REFERENCE) / "epsilon_harvey_standards.csv").is_file(),
    reason="SPECTRA_REFERENCE_DATA does not name the folder of measured absorptivities",
)


def absorptivity(species: str, wavelengths) -> np.ndarray:
    return absorption.absorptivities(np.asarray(wavelengths, dtype=float), CHEMISTRY)[NAMES.index(species)]


@pytest.mark.parametrize(
    ("species", "wavelength", "stated", "tolerance"),
    [
        ("Cu2+", 810, 11.9, 0.3),
        ("Cu2+", 700, 6.5, 0.1),
        ("Cu2+", 950, 8.5, 0.1),
        ("Cu2+", 1050, 5.9, 0.1),
        ("Ni2+", 394, 5.2, 0.2),
        ("Ni2+", 720, 2.2, 0.1),
        ("NO3-", 302, 7.1, 0.2),
        ("FeOH2+", 297, 2030, 30),
        ("Fe2(OH)2 4+", 335, 4300, 30),
    ],
)
def test_molar_absorptivity_is_the_stated_one(species, wavelength, stated, tolerance):
    assert absorptivity(species, [wavelength])[0] == pytest.approx(stated, abs=tolerance)


@pytest.mark.parametrize(
    ("wavelength", "measured", "tolerance"),
    [(280, 1.08, 0.05), (300, 0.21, 0.10), (700, 0.361, 0.05), (810, 0.658, 0.05), (1050, 0.329, 0.05)],
)
def test_copper_sulfate_has_the_absorbance_that_was_measured(wavelength, measured, tolerance):
    found = simulate_in_detail(SimulationSettings(), salts=pd.DataFrame({"CuSO4": [0.055]}), seed=0)
    assert found.clean[0, wavelength - 190] == pytest.approx(measured, rel=tolerance)


def test_water_absorbs_as_tabulated():
    # 0.197 per cm at 970 nm; 1e-3: PCHIP between the points of the table errs below 0.9 mAU.
    found = absorption.water_absorbance(np.array([970.0, 740.0, 836.0, 1000.0, 250.0]), CHEMISTRY)
    np.testing.assert_allclose(found, [0.197, 0.0108, 0.0147, 0.164, 0.0], atol=1e-3)
    # Psi_T in mAU per K at 960, 980 and 1040 nm
    slope = 1e3 * absorption.water_by_temperature(np.array([960.0, 980.0, 1040.0]), CHEMISTRY)
    np.testing.assert_allclose(slope, [1.30, 0.64, -0.34], atol=0.01)


@needs_reference
@pytest.mark.parametrize(
    ("species", "column", "low", "high"), [("Cu2+", "eps_Cu", 550, 900), ("Ni2+", "eps_Ni", 380.5, 800)]
)
def test_absorptivity_agrees_with_another_laboratory(species, column, low, high):
    """Within 10 % of the highest absorptivity, as laboratories differ, and 1 nm, as wavelength scales do."""
    table = pd.read_csv(Path(REFERENCE) / "epsilon_harvey_standards.csv").query(f"{low} <= nm <= {high}")
    theirs = table[column].to_numpy()
    ours = np.stack([absorptivity(species, table["nm"] + shift) for shift in (-1.0, 0.0, 1.0)])
    assert np.abs(ours - theirs).min(axis=0).max() < 0.1 * theirs.max()
    assert ours.max() == pytest.approx(theirs.max(), rel=0.1)


@needs_reference
def test_nickel_agrees_with_a_third_laboratory():
    table = pd.read_csv(Path(REFERENCE) / "epsilon_wentzell_pure_and_noise.csv")
    # Above 360 nm: below, their column carries what is left of nitrate's band at 302 nm.
    table = table[table["nm"] >= 370].drop_duplicates("nm")
    theirs, ours = table["eps_Ni"].to_numpy(), absorptivity("Ni2+", table["nm"])
    assert np.abs(ours - theirs).max() < 0.1 * np.nanmax(theirs)


def test_dilute_nitrates_add_up():
    """At 1e-5 mol/L hardly anything is bound: what salts add to a trace of acid sums to what their mixture adds."""
    salts = ["LiNO3", "NH4NO3", "Ni(NO3)2", "Zn(NO3)2"]
    rows = pd.DataFrame([dict.fromkeys(salts, 1e-5), *({one: 1e-5} for one in salts), dict.fromkeys(salts, 0.0)])
    # Acid, since hydroxide from hydrolysis absorbs below 215 nm and does not add up.
    clean = simulate_in_detail(SimulationSettings(acid=1e-4), salts=rows.fillna(0.0), seed=0).clean
    mixture, alone, acid = clean[0], clean[1:5], clean[5]
    assert (mixture - acid).max() > 0.1
    np.testing.assert_allclose(mixture - acid, (alone - acid).sum(axis=0), atol=1e-6)


def test_without_speciation_and_disturbance_spectra_add_up_exactly():
    settings = SimulationSettings.from_dict({**PRESETS["beer_lambert"].to_dict()})
    one, other = (
        pd.DataFrame({"Cu(NO3)2": [a], "NiSO4": [b], "Fe(NO3)3": [c]})
        for a, b, c in ((0.01, 0.02, 1e-4), (0.003, 0.0, 1e-4))
    )
    clean = [simulate_in_detail(settings, salts=table, seed=0).clean for table in (one, other, one + other)]
    np.testing.assert_allclose(clean[0] + clean[1], clean[2], atol=1e-12)


def test_bands_are_gaussian_in_wavenumber():
    """A band is half its height half a width from its centre, on the wavenumber scale."""
    curve = absorption.gaussian_bands(
        1e7 / np.array([20000.0, 19000.0, 21000.0]), np.array([7.0]), np.array([20000.0]), np.array([2000.0])
    )
    np.testing.assert_allclose(curve[0], [7.0, 3.5, 3.5], rtol=1e-12)


def test_contributions_sum_to_the_spectrum():
    found = simulate_in_detail(PRESETS["msu_like"], n_spectra=3, seed=5)
    for row in range(3):
        parts = found.contributions(row)
        np.testing.assert_allclose(parts.groupby("position")["absorbance"].sum(), found.clean[row], atol=1e-9)


def test_lithium_moves_nitrate_to_the_blue_and_strengthens_it():
    ions = np.zeros((2, 8))
    ions[1, IONS.index("Li+")] = 1.0
    wavelengths = np.arange(280.0, 330.0, 0.1)
    plain = absorptivity("NO3-", wavelengths)
    changed = plain + absorption.nitrate_disturbance(ions, wavelengths, CHEMISTRY)
    np.testing.assert_array_equal(changed[0], plain)
    peak, moved = wavelengths[plain.argmax()], wavelengths[changed[1].argmax()]
    # 80 cm-1 at 302 nm is 0.73 nm; 3 % more height
    assert peak - moved == pytest.approx(0.73, abs=0.11)
    assert changed[1].max() / plain.max() == pytest.approx(1.03, abs=0.002)


def test_iron_tail_is_a_factor_beyond_400_nm_and_nothing_below():
    plain, more = (absorption.absorptivities(AXIS, CHEMISTRY, iron_tail=tail) for tail in (1.0, 3.0))
    iron, other = NAMES.index("Fe2(OH)2 4+"), NAMES.index("Cu2+")
    np.testing.assert_allclose(more[iron][AXIS >= 440], 3 * plain[iron][AXIS >= 440], rtol=0.01)
    np.testing.assert_allclose(more[iron][AXIS <= 360], plain[iron][AXIS <= 360], rtol=0.01)
    np.testing.assert_array_equal(more[other], plain[other])


def test_colourless_ions_push_water_aside():
    """Nitrate takes 29 mL/mol, so 1 mol/L lowers water's 0.197 by 2.9 %."""
    effect = absorption.ion_effects_on_water(np.array([970.0]), CHEMISTRY, temperature=20.0, hydration=0.0)
    assert effect[IONS.index("NO3-"), 0] == pytest.approx(-0.029 * 0.197, rel=0.01)
    assert effect[IONS.index("Zn2+"), 0] == pytest.approx(0.0216 * 0.197, rel=0.01)


def test_hydration_stays_within_the_stated_size():
    effect = absorption.ion_effects_on_water(AXIS, CHEMISTRY, exclusion=False)
    peaks = 1e3 * np.abs(effect).max(axis=1)
    assert (peaks >= 0.9).all()
    assert (peaks <= 3.1).all()  # 1 to 3 mAU per mol/L


def test_ammonium_overtones_stay_below_a_hundredth():
    with_them = absorption.absorptivities(AXIS, CHEMISTRY, ammonium_overtones=True)[NAMES.index("NH4+")]
    assert 0 < with_them[AXIS > 1000].max() < 0.011
    assert absorptivity("NH4+", AXIS).max() == 0
