"""The generator that knows physics: its forward model, its residual, its designs and its leftovers."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from spectra_core.conditions.as_measured import Design, fewest_salts
from spectra_core.datasets.simulator import PRESETS, simulate_in_detail
from spectra_core.datasets.simulator.ions import IONS, TARGETS
from spectra_core.errors import ConfigError, SpectraError
from spectra_core.generators.physics import PHYSICS, BeerLambert, SaltSimulator
from spectra_core.generators.physics.beer_lambert import table_options
from spectra_core.generators.physics_residual import PhysicsResidual
from spectra_core.generators.residual_process import ResidualProcess, most_likely
from spectra_core.sampling.generation import generate_spectra
from spectra_core.spectra import Frame, SetMeta, SpectralAxis, SpectraSet, Target
from tests.conftest import BANDS, beer_lambert_set, relabelled

ADDITIVE = beer_lambert_set(n_spectra=40, noise=0.0)
POSITIONS = ADDITIVE.axis.positions
TABLE = {
    "wavelengths": POSITIONS.tolist(),
    "absorptivities": {
        name: (height * np.exp(-0.5 * ((POSITIONS - centre) / width) ** 2)).tolist()
        for name, (centre, width, height) in BANDS.items()
    },
}


def one_target(n=30):
    rng = np.random.default_rng(0)
    c = rng.uniform(0, 1, n)
    signal = np.outer(c + 0.3 * c**2, np.sin(np.arange(25) / 4) + 2) + 1e-3 * rng.standard_normal((n, 25))
    info = [Target("glucose", "g/L")]
    return SpectraSet(
        SpectralAxis(np.arange(25.0)), signal, pd.DataFrame({"glucose": c}), target_info=info, meta=SetMeta("one")
    )


@pytest.mark.parametrize("physics", ["pure_components", {"name": "beer_lambert", "options": TABLE}])
def test_an_additive_set_is_reproduced_at_concentrations_never_seen(physics):
    fitted = PhysicsResidual(physics).fit(ADDITIVE.take(range(20)))
    new = ADDITIVE.take(range(20, 40))
    assert_allclose(fitted.forward(new.target_values), new.signal, atol=1e-9)
    made = fitted.generate(50, np.random.default_rng(0))
    curves = np.array([TABLE["absorptivities"][name] for name in ADDITIVE.target_names])
    assert_allclose(made.signal, made.target_values @ curves, atol=1e-9)
    assert made.meta.origin == "generated"


def test_curvature_that_physics_lacks_is_learned():
    spectra = one_target(60)
    fitted = PhysicsResidual().fit(spectra.take(range(40)))
    physics, both = fitted.channels_[1], fitted.channels_[2]
    assert both.max() < 2e-3  # the noise is 1e-3
    assert np.median(physics / both) > 5
    missed = fitted.forward(spectra.target_values[40:]) - spectra.signal[40:]
    assert np.sqrt((missed**2).mean()) == pytest.approx(np.sqrt((both**2).mean()), rel=0.3)


def test_leftovers_bring_as_much_noise_as_the_data_have():
    spectra = beer_lambert_set(n_spectra=80, noise=0.02)
    fitted = PhysicsResidual("pure_components").fit(spectra)
    made = fitted.generate(2000, np.random.default_rng(0))
    noise = made.signal - fitted.forward(made.target_values)
    assert noise.std() == pytest.approx(0.02, rel=0.1)
    # 20 leftovers repeated as they are would span 20 of 50 dimensions, and a regressor could see through them.
    few = PhysicsResidual("pure_components").fit(spectra.take(range(20)))
    made = few.generate(200, np.random.default_rng(0))
    assert np.linalg.matrix_rank(made.signal - few.forward(made.target_values)) == 50


def test_noise_is_that_of_spectra_with_as_much_signal():
    rng = np.random.default_rng(3)
    c = rng.uniform(0, 1, 60)
    sd = np.where(c > 0.5, 0.2, 0.002)[:, None]  # hardly any light is left above half
    signal = np.outer(c, np.ones(30)) + sd * rng.standard_normal((60, 30))
    spectra = SpectraSet(SpectralAxis(np.arange(30.0)), signal, pd.DataFrame({"a": c}), meta=SetMeta("two noises"))
    fitted = PhysicsResidual("pure_components").fit(spectra)
    fitted.inside_ = np.zeros_like(fitted.inside_)
    clean, repeated = fitted.forward(np.array([[0.2], [0.8]])), np.repeat([0, 1], 400)
    made = fitted._with_leftovers(clean, repeated, np.zeros(800, dtype=int), rng)
    quiet, loud = (made - clean[repeated]).reshape(2, -1).std(axis=1)
    assert loud == pytest.approx(0.2, rel=0.3)
    assert quiet < 0.1 * loud


def test_a_state_without_levels_is_read_and_sorted():
    fitted = PhysicsResidual("pure_components").fit(ADDITIVE.take(range(20)))
    arrays = fitted.to_arrays()
    noise = np.random.default_rng(0).standard_normal((20, ADDITIVE.n_channels)).astype(np.float32)
    old = {name: array for name, array in arrays.items() if name != "levels"} | {"outside": noise}
    found = PhysicsResidual("pure_components").from_arrays(old, ADDITIVE.frame)
    assert_allclose(found.levels_, arrays["levels"], atol=1e-6)
    order = ADDITIVE.signal[:20, 7].argsort()
    assert_array_equal(found.outside_[:, 7], noise[order, 7])


def test_few_rows_do_not_talk_noise_away(process):
    fitted, outputs, _ = process
    length, curved, noise = most_likely(fitted.inputs, outputs, least_noise=0.1)
    for output in range(2):
        kernel = 1.0 + fitted.inputs @ fitted.inputs.T
        squares = ((fitted.inputs[:, None] - fitted.inputs) ** 2).sum(axis=2)
        kernel += 3 * curved[output] * np.exp(-squares / (6 * length[output] ** 2)) + noise[output] * np.eye(25)
        y = outputs[:, output]
        assert noise[output] * (y @ np.linalg.solve(kernel, y)) / 25 >= 0.1


@pytest.mark.parametrize(
    ("physics", "beyond"), [("pure_components", False), ({"name": "beer_lambert", "options": TABLE}, True)]
)
def test_only_knowledge_reaches_beyond_the_data_unless_told(physics, beyond):
    made = PhysicsResidual(physics).fit(ADDITIVE).generate(200, np.random.default_rng(1)).target_values
    assert (made > ADDITIVE.target_values.max(axis=0) + 1e-9).any() == beyond
    inside = PhysicsResidual(physics, reach=0.0).fit(ADDITIVE).generate(200, np.random.default_rng(1)).target_values
    assert (inside <= ADDITIVE.target_values.max(axis=0) + 1e-9).all()


@pytest.fixture(scope="module")
def process():
    rng = np.random.default_rng(1)
    inputs = rng.standard_normal((25, 3))
    outputs = np.column_stack([np.sin(inputs[:, 0]) + inputs[:, 1], inputs[:, 2] ** 2])
    outputs += 0.05 * rng.standard_normal(outputs.shape)
    chosen = np.array([1.0, 2.0]), np.array([0.3, 0.0]), np.array([0.05, 0.4])
    return ResidualProcess.of(inputs, outputs, *chosen), outputs, rng.standard_normal((7, 3))


@pytest.mark.parametrize("output", [0, 1])
def test_the_residual_is_predicted_as_scikit_learn_does(process, output):
    from sklearn.gaussian_process import GaussianProcessRegressor
    from sklearn.gaussian_process.kernels import RBF, ConstantKernel, DotProduct, WhiteKernel

    fitted, outputs, new = process
    length, w, noise = (getattr(fitted, name)[output] for name in ("lengths", "curvatures", "noises"))
    kernel = DotProduct(1.0) + ConstantKernel(max(3 * w, 1e-300)) * RBF(length * np.sqrt(3))
    model = GaussianProcessRegressor(kernel + WhiteKernel(noise), alpha=0.0, optimizer=None)
    model.fit(fitted.inputs, outputs[:, output])
    assert_allclose(fitted.predict(new)[:, output], model.predict(new), atol=1e-9)


def test_parameters_have_the_largest_likelihood_that_scikit_learn_finds_on_the_grid(process):
    from sklearn.gaussian_process import GaussianProcessRegressor
    from sklearn.gaussian_process.kernels import RBF, ConstantKernel, DotProduct, WhiteKernel

    from spectra_core.generators.residual_process import CURVATURES, LENGTHS, NOISES

    fitted, outputs, _ = process
    chosen = np.array(most_likely(fitted.inputs, outputs))
    z, y = fitted.inputs, outputs[:, 0]
    found = []
    for length in LENGTHS:
        for w in CURVATURES:
            plain = DotProduct(1.0) + ConstantKernel(max(3 * w, 1e-300)) * RBF(length * np.sqrt(3))
            for share in NOISES[4:]:
                noise = share * np.trace(plain(z)) / len(z)
                scale = y @ np.linalg.solve(plain(z) + noise * np.eye(len(z)), y) / len(z)
                model = GaussianProcessRegressor(plain + WhiteKernel(noise), alpha=0.0, optimizer=None)
                likelihood = model.fit(z, y / np.sqrt(scale)).log_marginal_likelihood_value_
                found.append((likelihood - 0.5 * len(z) * np.log(scale), length, w, noise))
    assert_allclose(chosen[:, 0], max(found)[1:], rtol=1e-9)


def test_leaving_out_by_leverage_equals_refitting(process):
    fitted, outputs, _ = process
    for row in (0, 11, 24):
        rest = np.delete(np.arange(25), row)
        parameters = fitted.lengths, fitted.curvatures, fitted.noises
        refitted = ResidualProcess.of(fitted.inputs[rest], outputs[rest], *parameters)
        missed = outputs[row] - refitted.predict(fitted.inputs[[row]])[0]
        assert_allclose(fitted.missed[row], missed, atol=1e-9)
    hat = outputs - fitted.predict(fitted.inputs)  # t - t^ = (1 - h) times what is missed
    assert_allclose(hat, (1 - fitted.leverages) * fitted.missed, atol=1e-9)


def test_pure_components_know_their_own_leverage():
    spectra = beer_lambert_set(n_spectra=15, noise=0.05)
    fitted, targets = PHYSICS["pure_components"]().fit(spectra), spectra.target_values
    missed = spectra.signal - fitted.spectra(targets, spectra.frame)
    for row in (0, 7):
        rest = spectra.take(np.delete(np.arange(15), row))
        left_out = spectra.signal[row] - PHYSICS["pure_components"]().fit(rest).spectra(targets[[row]], rest.frame)[0]
        assert_allclose(missed[row] / (1 - fitted.leverages(targets)[row]), left_out, atol=1e-9)


class TestDesigns:
    def test_keep_range_charge_balance_and_the_salts_that_go_together(self):
        rng = np.random.default_rng(0)
        salts = rng.uniform(0.01, 0.2, (60, 3)) * (rng.random((60, 3)) < 0.6)
        salts[~salts.any(axis=1), 0] = 0.1
        ions = salts @ np.array([[1, 0, 1, 0], [0, 1, 0, 2], [0, 1, 1, 0]], float)
        spectra = relabelled(beer_lambert_set(), pd.DataFrame(ions, columns=list(BANDS)))
        made = Design.of(spectra).draw(500, np.random.default_rng(1))
        assert (made >= ions.min(axis=0) - 1e-12).all()
        assert (made <= ions.max(axis=0) + 1e-12).all()
        assert_allclose(made @ [2, 2, -2, -1], 0.0, atol=1e-12)
        patterns, measured = ({tuple(row) for row in (sets > 1e-9)} for sets in (made, ions))
        assert patterns <= measured
        shares = [(sets > 1e-9).mean(axis=0) for sets in (made, ions)]
        assert_allclose(*shares, atol=0.1)
        assert len(np.unique(made, axis=0)) > 450  # a measured set stands in where none else is found

    def test_without_salts_stay_within_the_hull(self):
        rng = np.random.default_rng(0)
        targets = pd.DataFrame(rng.multivariate_normal([5, 3], [[1, 0.9], [0.9, 1]], 50), columns=["fat", "water"])
        spectra = SpectraSet(SpectralAxis(np.arange(2.0)), np.ones((50, 2)), targets)
        made = Design.of(spectra).draw(300, rng)
        from scipy.spatial import Delaunay

        assert (Delaunay(targets.to_numpy()).find_simplex(made) >= 0).mean() > 0.99  # the rest lies on an edge
        assert np.corrcoef(made.T)[0, 1] == pytest.approx(targets.corr().iloc[0, 1], abs=0.1)

    def test_explain_a_solution_by_the_fewest_salts(self):
        # Zn(NO3)2, ZnSO4, Cu(NO3)2, CuSO4 as Zn, Cu, SO4, NO3
        matrix = np.array([[1, 0, 0, 2], [1, 0, 1, 0], [0, 1, 0, 2], [0, 1, 1, 0]], float)
        two = np.array([0.3, 0.0, 0.0, 0.1]) @ matrix
        assert_allclose(fewest_salts(two[None], matrix, np.ones((1, 4))), [[0.3, 0, 0, 0.1]], atol=1e-9)

    def test_reach_beyond_the_data_where_asked_to(self):
        top = ADDITIVE.target_values.max(axis=0)
        made = Design.of(ADDITIVE).draw(400, np.random.default_rng(0), reach=0.3)
        assert (made.max(axis=0) > top).any()
        assert (made <= 1.3 * top + 1e-12).all()


class TestPhysics:
    frame = Frame(SpectralAxis(np.arange(300.0, 901.0, 2.5)), "Absorbance", "", TARGETS)

    def test_of_the_simulator_equals_its_clean_spectra(self):
        noiseless = dict.fromkeys(("path_sd", "wavelength_sd", "blank_temperature_sd", "lamp_change_sd"), 0.0)
        noiseless |= dict.fromkeys(("offset_sd", "slope_sd", "dark_noise", "shot_noise", "shot_noise_infrared"), 0.0)
        from spectra_core.datasets.simulator.settings import changed_settings

        changes = {"first_wavelength": 300.0, "last_wavelength": 900.0, "step": 2.5}
        noiseless |= {"flicker_noise": 0.0, "digit": 0.0}
        settings = changed_settings(PRESETS["dilute"], {**changes, "instrument": noiseless})
        truth = simulate_in_detail(settings, n_spectra=5, seed=0).spectra
        made = SaltSimulator().spectra(truth.target_values, self.frame)
        # The slit sees curvature on the grid of the axis, 2.5 nm here and 1 nm there.
        assert_allclose(made, truth.signal, atol=3e-3)
        millimolar = Frame(self.frame.axis, "Absorbance", "", tuple(Target(ion, "mmol/L") for ion in IONS))
        assert_allclose(SaltSimulator().spectra(1000 * truth.target_values, millimolar), made, atol=1e-9)
        crude = SaltSimulator(speciation=False).spectra(truth.target_values, self.frame)
        assert np.abs(crude - made).max() > 0.05

    def test_perturbed_constants_are_wrong_in_number_only(self):
        ions = np.array([[0.0, 0.2, 0, 0, 0, 0, 0.2, 0]])
        true, wrong = (SaltSimulator(perturbation_seed=seed).spectra(ions, self.frame)[0] for seed in (None, 3))
        assert 0.01 < np.abs(wrong / true - 1)[200:].max() < 0.5

    @pytest.mark.parametrize(
        ("physics", "frame", "reason"),
        [
            ("salt_simulator", Frame(frame.axis, "Intensity", "", TARGETS), "absorbance, and these spectra hold"),
            ("salt_simulator", Frame(frame.axis, "Absorbance", "", (Target("Co2+", "mol/L"),)), "Co2"),
            ("salt_simulator", Frame(frame.axis, "Absorbance", "", (Target("Cu2+", "%"),)), "mol/L or the like"),
            ("salt_simulator", Frame(SpectralAxis(np.arange(1000.0, 1400)), "Absorbance", "", TARGETS), "covers"),
            ("beer_lambert", frame, "no table"),
        ],
    )
    def test_that_does_not_fit_says_why_and_names_others(self, physics, frame, reason):
        names = list(frame.target_names)
        targets = pd.DataFrame(np.random.default_rng(0).random((9, len(names))), columns=names)
        signal = np.random.default_rng(1).random((9, len(frame.axis)))
        meta = SetMeta(quantity=frame.quantity, unit=frame.unit)
        spectra = SpectraSet(frame.axis, signal, targets, target_info=frame.target_info, meta=meta)
        with pytest.raises(SpectraError, match=reason) as said:
            PhysicsResidual(physics).fit(spectra)
        assert "pure_components" in str(said.value)

    def test_by_default_is_the_simulator_where_it_fits_and_says_so(self):
        assert "Pure components" in PhysicsResidual().fit(one_target()).notes_[0]
        known = beer_lambert_set(n_spectra=12)  # copper, nickel, sulfate and nitrate
        assert "Salt simulator" in PhysicsResidual().fit(known).notes_[0]

    def test_missing_counter_ions_are_named(self):
        with pytest.raises(SpectraError, match="counter-ions are missing"):
            SaltSimulator().spectra(np.array([[0.1]]), Frame(self.frame.axis, "Absorbance", "", TARGETS[1:2]))

    def test_a_table_read_as_spectra_becomes_options_by_formula(self):
        table = SpectraSet(
            SpectralAxis(np.array([900.0, 500.0, 300.0])),
            np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]),
            samples=pd.DataFrame({"id": ["eps_Cu", "eps_Co"]}),
        )
        options = table_options(table, self.frame)
        assert options == {"wavelengths": [300.0, 500.0, 900.0], "absorptivities": {"Cu2+": [3.0, 2.0, 1.0]}}
        physics = BeerLambert(**options, path_length=2.0)
        made = physics.spectra(np.array([[0, 0.5, 0, 0, 0, 0, 0, 0]]), self.frame)[0]
        assert made[self.frame.axis.positions == 400.0] == pytest.approx(0.5 * 2.0 * 2.5)
        assert "Zn2+" in physics.notes(self.frame)[0]

    @pytest.mark.parametrize(
        "options",
        [{"wavelengths": [2, 1], "absorptivities": {}}, {"wavelengths": [1, 2], "absorptivities": {"a": [1]}}],
    )
    def test_refuses_a_table_that_is_none(self, options):
        with pytest.raises(ConfigError, match="Beer-Lambert"):
            BeerLambert(**options)

    def test_every_member_explains_itself(self):
        assert all(one.title and one.explanation.endswith(".") for one in PHYSICS.values())


def test_works_with_one_target_and_few_spectra_and_comes_back_to_the_bit():
    fitted = PhysicsResidual().fit(one_target(30))
    again = PhysicsResidual().from_arrays(fitted.to_arrays(), fitted.frame_)
    one, other = (model.generate(120, np.random.default_rng(3)) for model in (fitted, again))
    assert_array_equal(one.signal, other.signal)
    assert_array_equal(one.target_values, other.target_values)
    assert (one.target_values >= 0).all()
    asked = pd.DataFrame({"glucose": [0.2, 0.4]})
    assert_array_equal(fitted.generate(2, np.random.default_rng(0), asked).target_values, asked.to_numpy())


def test_signals_beyond_single_precision_stay_in_order():
    """Levels are kept in single precision, where 1e60 is infinite; warnings are errors here."""
    usual = beer_lambert_set(24)
    spectra = SpectraSet(usual.axis, 1e60 * usual.signal, usual.targets)
    made = PhysicsResidual().fit(spectra, seed=0)
    assert np.isfinite(generate_spectra(made, spectra, 6, seed=0).signal).all()
