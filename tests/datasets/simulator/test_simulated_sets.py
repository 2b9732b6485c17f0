"""What a simulated set promises: reproducible, labelled as simulated, made as it says, and refused with a sentence."""

import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from spectra_core.contracts import Cancelled
from spectra_core.datasets.simulator import (
    DESIGNS,
    IONS,
    PRESETS,
    SALTS,
    SimulationSettings,
    constants_table,
    simulate,
    simulate_in_detail,
    simulate_like,
    solution_tables,
)
from spectra_core.datasets.simulator.constants import STATUS, load_chemistry
from spectra_core.datasets.simulator.ions import CHARGES, salt_matrix
from spectra_core.errors import ConfigError, SimulationError, SpectraCoreError

SMALL = SimulationSettings(step=20.0)
LINEAR = PRESETS["beer_lambert"]


@pytest.mark.parametrize("name", PRESETS)
class TestEveryPreset:
    def test_says_that_it_is_simulated_and_how(self, name):
        spectra = simulate(PRESETS[name], n_spectra=4, seed=7)
        assert spectra.meta.origin == "simulated"
        assert "simulated" in spectra.meta.name
        provenance = spectra.meta.provenance
        assert provenance["assumed"] is True
        assert provenance["seed"] == 7
        assert provenance["salts"] == SALTS
        assert 0 <= provenance["saturation"]["share_of_values"] < 1
        assert provenance["versions"]["latent-spectra"]
        assert SimulationSettings.from_dict(provenance["simulator"]) == PRESETS[name]

    def test_labels_are_eight_ions_with_charge_and_mass_on_a_cone(self, name):
        spectra = simulate(PRESETS[name], n_spectra=20, seed=0)
        assert spectra.target_names == IONS
        assert [target.unit for target in spectra.target_info] == ["mol/L"] * 8
        assert [target.charge for target in spectra.target_info] == [2, 2, 1, 3, 2, 1, -2, -1]
        assert all(target.molar_mass for target in spectra.target_info)
        assert np.abs(spectra.target_values @ CHARGES).max() < 1e-12
        assert (spectra.target_values >= 0).all()
        assert np.linalg.matrix_rank(simulate(LINEAR, n_spectra=20, seed=0).target_values) == 7

    def test_goes_through_json_unchanged(self, name):
        assert SimulationSettings.from_json(PRESETS[name].to_json()) == PRESETS[name]


def test_the_reference_preset_has_the_shape_and_name_of_the_study():
    settings = PRESETS["msu_like"]
    assert (settings.n_spectra, len(settings.axis)) == (3744, 911)
    assert (settings.axis.positions[0], settings.axis.positions[-1]) == (190.0, 1100.0)
    assert settings.title == "MSU-like (assumed)"


def test_one_seed_gives_the_same_bits_and_another_seed_other_spectra():
    one, again, other = (simulate(SMALL, n_spectra=300, seed=seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(one.signal, again.signal)
    assert one.fingerprint == again.fingerprint
    assert not np.array_equal(one.signal, other.signal)
    np.testing.assert_array_equal(simulate_like(SMALL, 300, 1).signal, one.signal)


def test_the_number_of_processes_changes_nothing():
    # In a process of its own: a spawned child imports its parent's main module, and pytest's is not ours.
    script = (
        "from spectra_core.datasets.simulator import SimulationSettings, simulate\n"
        "if __name__ == '__main__':\n"
        "    settings = SimulationSettings(step=50.0)\n"
        "    print(*(simulate(settings, n_spectra=300, seed=0, n_workers=n).fingerprint for n in (1, 2)))\n"
    )
    found = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=120
    ).stdout.split()
    assert found[0] == found[1]


def test_detail_and_plain_simulation_are_the_same_spectra():
    found = simulate_in_detail(SMALL, n_spectra=5, seed=3)
    np.testing.assert_array_equal(found.spectra.signal, simulate(SMALL, n_spectra=5, seed=3).signal)
    assert found.clean.shape == found.saturated.shape == found.spectra.signal.shape
    assert len(found.species) == len(found.ph) == len(found.ionic_strength) == 5
    share = found.spectra.meta.provenance["saturation"]["share_of_values"]
    assert found.saturated.mean() == pytest.approx(share)


def test_ions_and_the_salts_that_bring_them_give_the_same_spectrum():
    by_salt = simulate_in_detail(SMALL, salts=pd.DataFrame({"CuSO4": [0.1], "Fe(NO3)3": [0.05]}), seed=0)
    ions = pd.DataFrame({"Cu2+": [0.1], "SO4 2-": [0.1], "Fe3+": [0.05], "NO3-": [0.15]})
    np.testing.assert_allclose(simulate_in_detail(SMALL, ions=ions, seed=0).clean, by_salt.clean, rtol=1e-9)


def test_acid_lowers_ph_and_counts_as_nitrate():
    settings = SimulationSettings(step=20.0, salts=["CuSO4"], design="random", acid=0.1)
    found = simulate_in_detail(settings, salts=pd.DataFrame({"CuSO4": [0.0]}), seed=0)
    assert found.ph[0] == pytest.approx(1.1, abs=0.05)  # 0.1 M nitric acid, activity coefficient about 0.8
    assert found.spectra.targets["NO3-"].tolist() == [0.1]


@pytest.mark.parametrize("name", DESIGNS)
class TestEveryDesign:
    def test_stays_between_nothing_and_the_largest_concentration(self, name):
        shares = DESIGNS[name]().draw(500, 6, np.random.default_rng(0))
        assert shares.shape == (500, 6)
        assert (shares >= 0).all()
        assert (shares <= 1).all()
        assert (shares.std(axis=0) > 0.1).all()

    def test_a_solution_moved_by_its_whole_room_is_still_in_the_design(self, name):
        rng = np.random.default_rng(0)
        design = DESIGNS[name]()
        shares, direction = design.draw(200, 6, rng), np.array([1.0, -0.5, 0, 0, 0, 0])
        room = design.room(shares, direction)
        moved = shares + room[:, None] * direction
        assert (room >= 0).all()
        assert room.max() > 0.05
        assert moved.min() > -1e-12
        assert moved.max() < 1 + 1e-12
        if name == "sparse":
            assert moved.sum(axis=1).max() < 1 + 1e-12


def test_sparse_mixtures_hold_as_many_salts_as_they_should():
    shares = DESIGNS["sparse"](min_salts=2, max_salts=4).draw(3000, 10, np.random.default_rng(0))
    n_present = (shares > 0).sum(axis=1)
    assert set(n_present) == {2, 3, 4}
    # each number equally likely; 3 % is three standard deviations of a share of a third of 3000
    assert np.bincount(n_present)[2:] / 3000 == pytest.approx([1 / 3] * 3, abs=0.03)
    # volumes of k stocks and water are Dirichlet(1, ..., 1): mean 1 / (k + 1)
    assert shares[n_present == 3].sum() / (3 * (n_present == 3).sum()) == pytest.approx(1 / 4, abs=0.02)


def test_perturbed_physics_is_another_physics_and_reproducible():
    settings = [SimulationSettings(step=20.0, perturbation_seed=seed) for seed in (None, 5, 5, 6)]
    salts = pd.DataFrame({"CuSO4": [0.2], "Fe(NO3)3": [0.01]})
    clean = [simulate_in_detail(one, salts=salts, seed=0).clean for one in settings]
    np.testing.assert_array_equal(clean[1], clean[2])
    assert not np.allclose(clean[0], clean[1])
    assert not np.allclose(clean[1], clean[3])


def test_perturbed_constants_scatter_by_their_stated_uncertainty():
    table = constants_table().set_index("constant")
    draws = pd.DataFrame([load_chemistry(perturbation_seed=seed).bands["centre"] for seed in range(100)]).to_numpy()
    stated = load_chemistry().bands
    names = "centre " + stated["species"] + " " + stated["band"]
    sd = table.loc[names, "uncertainty"].to_numpy()
    # 100 draws, clipped at three standard deviations: 7 % scatter, taken four times
    np.testing.assert_allclose(draws.std(axis=0), sd, rtol=0.28)
    np.testing.assert_allclose(draws.mean(axis=0), stated["centre"], atol=4 * sd.max() / 10)


def test_an_overridden_constant_is_used():
    salts = pd.DataFrame({"CuSO4": [0.2]})
    weak = simulate_in_detail(SimulationSettings(step=20.0, constants={"log_k CuSO4": -5.0}), salts=salts, seed=0)
    assert weak.species["CuSO4"].iloc[0] < 1e-6
    assert simulate_in_detail(SMALL, salts=salts, seed=0).species["CuSO4"].iloc[0] > 0.05


def test_every_constant_has_a_status_a_source_and_a_name_of_its_own():
    table = constants_table()
    assert set(table["status"]) == set(STATUS)
    assert table["constant"].is_unique
    assert (table["source"].str.len() > 1).all()
    assert (table["uncertainty"] > 0).all()
    assert len(table) > 200
    assert table["constant"].str.startswith("log_k").sum() == 24


def test_beer_lambert_needs_no_phreeqc():
    script = (
        "import sys\nsys.modules['phreeqc'] = None\n"
        "from spectra_core.datasets.simulator import PRESETS, simulate\n"
        "print(len(simulate(PRESETS['beer_lambert'], n_spectra=3, seed=0)))\n"
    )
    assert subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout == "3\n"


def test_progress_is_told_and_cancelling_is_heard():
    told = []

    class Impatient:
        def progress(self, stage, done, total, values=None):
            told.append((stage, done, total))
            if stage == "Measuring":
                raise Cancelled

        def message(self, text): ...

    with pytest.raises(Cancelled):
        simulate(SMALL, n_spectra=300, seed=0, reporter=Impatient())
    assert told == [
        ("Finding the equilibrium of each solution", 256, 300),
        ("Finding the equilibrium of each solution", 300, 300),
        ("Measuring", 256, 300),
    ]


class TestWhatIsRefused:
    @pytest.mark.parametrize(
        ("salts", "sentence"),
        [
            ({"CuSO4": [-0.1]}, r"concentration of CuSO4 in solution 1 is negative \(-0.1 mol/L\). Give 0 or more"),
            ({"CuSO4": [0.1, 500.0]}, r"CuSO4 in solution 2 is above 10 mol/L"),
            ({"CuSO4": [float("nan")]}, r"CuSO4 in solution 1 is not a finite number"),
            ({"NaCl": [0.1]}, r"Unknown salt 'NaCl'. Known salts: Zn\(NO3\)2, ZnSO4"),
        ],
    )
    def test_salts_that_no_solution_has(self, salts, sentence):
        with pytest.raises(SimulationError, match=sentence):
            simulate_in_detail(SMALL, salts=pd.DataFrame(salts), seed=0)

    def test_ions_whose_charges_do_not_cancel(self):
        with pytest.raises(SimulationError, match=r"Charges must cancel, but solution 1 has \+0.1 mol/L of charge"):
            simulate_in_detail(SMALL, ions=pd.DataFrame({"Cu2+": [0.1], "NO3-": [0.1]}), seed=0)

    def test_ions_that_it_does_not_know(self):
        with pytest.raises(SimulationError, match="Unknown ion 'Na\\+'"):
            simulate_in_detail(SMALL, ions=pd.DataFrame({"Na+": [0.1]}), seed=0)

    @pytest.mark.parametrize(
        ("settings", "sentence"),
        [
            (
                {"temperature": -273.15},
                r"The simulator: Temperature, °C \(temperature\) must be a number from 0 to 60, got -273.15",
            ),
            (
                {"limits": {"CuSO4": 1e6}},
                r"Largest concentration of CuSO4, mol/L .* must be a number from 0 to 10, got",
            ),
            ({"salts": ["NaCl"]}, r"Unknown salt 'NaCl'"),
            ({"salts": []}, r"Give at least one salt"),
            ({"design": "fractal"}, r"Unknown design 'fractal'. Known designs: levels, random, sparse, sobol"),
            (
                {"design_options": {"levels": 3}},
                r"The design 'sparse' has no setting 'levels'. Its settings: min_",
            ),
            ({"instrument": {"fog": 1}}, r"The instrument has no setting 'fog'"),
            ({"constants": {"log_k Gold": 1.0}}, r"Unknown constant 'log_k Gold'"),
            ({"constants": {"log_k CuSO4": float("inf")}}, r"'log_k CuSO4' must be a finite number"),
            ({"last_wavelength": 190.0}, r"axis must end above its start, got 190 to 190 nm"),
            ({"colour": "blue"}, r"The simulator has no setting 'colour'"),
        ],
    )
    def test_settings_that_make_no_sense(self, settings, sentence):
        with pytest.raises(ConfigError, match=sentence):
            SimulationSettings.from_dict(settings)

    def test_what_is_no_json(self):
        with pytest.raises(ConfigError, match="not valid JSON"):
            SimulationSettings.from_json("{")

    def test_more_salts_than_there_are(self):
        settings = SimulationSettings(salts=["CuSO4"], step=50.0)
        with pytest.raises(SpectraCoreError, match="cannot hold 5 of 1 salts"):
            simulate(settings, n_spectra=2, seed=0)

    def test_salts_and_ions_at_once(self):
        table = pd.DataFrame({"CuSO4": [0.1]})
        with pytest.raises(SimulationError, match="either by salts or by ions"):
            simulate_in_detail(SMALL, salts=table, ions=table, seed=0)


def test_salt_matrix_balances_charge():
    assert np.abs(salt_matrix(list(SALTS)) @ CHARGES).max() == 0


def test_tables_of_one_solution_say_the_same_as_the_simulation():
    settings, salts = PRESETS["msu_like"], {"CuSO4": 0.1, "Fe(NO3)3": 0.01, "LiNO3": 0.3}
    tables = solution_tables(settings, salts)
    found = simulate_in_detail(settings, salts=pd.DataFrame([salts]), seed=0)
    np.testing.assert_allclose(tables["spectrum"]["clean"], found.clean[0])
    summed = tables["contributions"].groupby("position")["absorbance"].sum()
    np.testing.assert_allclose(summed, found.clean[0], atol=1e-9)
    absorbers = list(dict.fromkeys(tables["contributions"]["absorber"]))
    assert len(absorbers) == 10  # water, eight species, others
    assert {"Water", "Others", "Cu2+", "CuSO4", "NO3-"} <= set(absorbers)
    assert tables["species"]["concentration"].is_monotonic_decreasing
    assert tables["species"].iloc[0]["species"] == "NO3-"
    assert tables["solution"]["ph"].iloc[0] == found.ph[0]


def test_no_two_spectra_share_their_noise():
    """Streams belong to blocks of 256 spectra: the first rows of two blocks must not repeat each other."""
    settings = SimulationSettings.from_dict({**LINEAR.to_dict(), "instrument": {"digit": 0.0}})
    found = simulate_in_detail(settings, n_spectra=512, seed=0)
    noise = found.spectra.signal - found.clean
    likeness = np.corrcoef(np.diff(noise[:, -200:], axis=1))
    np.fill_diagonal(likeness, 0.0)
    # 199 channels: correlations scatter by 0.07 (differences of white noise by 0.09); six times that never happens
    assert np.abs(likeness).max() < 0.55
