"""What a calibration reads, what it says against it, and how it treats another axis."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from spectra_core.calibration import calibrate, diagnostics, figures_of_merit, read
from spectra_core.calibration.conformal import ErrorScale
from spectra_core.calibration.merit import line_of
from spectra_core.calibration.reading import CHANNEL, CLIPPED, FLAGS, LOD, OUTSIDE, T2, Q
from spectra_core.choices import Choice
from spectra_core.errors import ConfigError, SpectraError
from spectra_core.regressors import REGRESSORS, Ridge
from spectra_core.regressors.choice import RegressorChoice
from spectra_core.regressors.inner_folds import inner_folds
from spectra_core.spectra import SpectralAxis, SpectraSet, stack
from tests.conftest import beer_lambert_set


@pytest.fixture(scope="module")
def made(mixtures):
    return calibrate(mixtures, regressor="ridge", n_folds=5, seed=3)


@pytest.fixture(scope="module")
def unknown():
    fresh = beer_lambert_set(40, seed=7)
    return SpectraSet(fresh.axis, fresh.signal, samples=fresh.samples, meta=fresh.meta)


class Told:
    """A reporter that remembers what it was told."""

    def __init__(self):
        self.messages = []

    def progress(self, *_):
        pass

    def message(self, text):
        self.messages.append(text)


def copies_of(spectra):
    ids = pd.DataFrame({"id": [f"g{row}" for row in range(len(spectra))], "parent": spectra.samples["id"]})
    info, meta = spectra.target_info, spectra.with_meta(origin="generated").meta
    return SpectraSet(spectra.axis, spectra.signal, spectra.targets, target_info=info, samples=ids, meta=meta)


def moved(spectra, positions, signal, **meta):
    axis = SpectralAxis(np.asarray(positions), meta.pop("quantity", "Wavelength"), meta.pop("unit", "nm"))
    return SpectraSet(axis, signal, samples=spectra.samples, meta=spectra.meta)


class TestCalibrating:
    def test_every_row_is_predicted_by_a_model_that_never_saw_its_group(self, mixtures):
        samples = mixtures.samples.assign(group=[str(row // 3) for row in range(60)])
        info, meta = mixtures.target_info, mixtures.meta
        grouped = SpectraSet(
            mixtures.axis, mixtures.signal, mixtures.targets, target_info=info, samples=samples, meta=meta
        )
        found = calibrate(grouped, regressor="ridge", n_folds=4)
        assert all(len(set(found.fold[row : row + 3])) == 1 for row in range(0, 60, 3))
        for number in range(4):
            out = np.flatnonzero(found.fold == number)
            by_hand = Ridge().fit(grouped.take(np.flatnonzero(found.fold != number)))
            assert_allclose(found.held_out[out], by_hand.predict(grouped.take(out)), rtol=1e-9)

    def test_every_target_may_have_a_regressor_of_its_own(self, mixtures):
        chosen = {"Cu2+": "pls", "NO3-": RegressorChoice("ridge", {}, (Choice("snv"),))}
        found = calibrate(mixtures, regressor=chosen, targets=["NO3-", "Cu2+"], n_folds=3)
        assert found.train.target_names == ("NO3-", "Cu2+")
        alone = calibrate(mixtures, regressor="pls", targets=["Cu2+"], n_folds=3)
        assert_allclose(found.held_out[:, 1], alone.held_out[:, 0])
        with pytest.raises(ConfigError, match="No regressor is chosen for the target 'Ni2\\+'"):
            calibrate(mixtures, regressor={"Cu2+": "pls"}, targets=["Cu2+", "Ni2+"])
        with pytest.raises(ConfigError, match="Unknown regressor 'magic'"):
            calibrate(mixtures, regressor="magic")

    def test_copies_train_beside_their_parents_and_are_never_tested(self, mixtures):
        told = Told()
        copies = copies_of(mixtures)
        plain, more = (calibrate(mixtures, regressor="pls", generated=one, n_folds=3) for one in (None, copies))
        assert more.held_out.shape == plain.held_out.shape
        assert_array_equal(more.train.signal, mixtures.signal)
        # A copy in another fold than its parent would let it be predicted far better than the parent's own error.
        assert_allclose(np.std(more.held_out - mixtures.target_values, axis=0), more.errors[0].above.start, atol=0.02)
        assert "generated" in more.data
        # Neither does a file say where its spectra came from, nor must the marked rows of one set stand in two.
        for spectra, generated in ((mixtures, copies.with_meta(origin="measured")), (stack([mixtures, copies]), None)):
            same = calibrate(spectra, regressor="pls", generated=generated, n_folds=3, reporter=told)
            assert_array_equal(same.held_out, more.held_out)
            assert_array_equal(same.train.signal, mixtures.signal)
        assert not told.messages

    def test_generated_spectra_without_a_parent_are_told(self, mixtures):
        told, copies = Told(), copies_of(mixtures)
        samples = copies.samples
        samples.loc[:9, "parent"] = ""
        samples.loc[10:14, "parent"] = "nobody + 3"
        orphans = SpectraSet(mixtures.axis, copies.signal, copies.targets, samples=samples, meta=copies.meta)
        calibrate(mixtures, regressor="ridge", generated=orphans, n_folds=3, reporter=told)
        assert [message.split(" name")[0] for message in told.messages] == ["15 of 60 generated spectra"]

    def test_where_an_id_repeats_copies_stay_out_with_every_spectrum_of_it(self, mixtures):
        samples = mixtures.samples
        samples.loc[30:, "id"] = samples["id"][:30].to_numpy()
        twice = SpectraSet(mixtures.axis, mixtures.signal, mixtures.targets, samples=samples)
        copies = copies_of(twice).with_meta(quantity=twice.meta.quantity)
        whole = stack([twice, copies])
        for split in inner_folds(whole, 5, seed=0):
            assert not {samples["id"][row] for row in split.test} & set(whole.samples["parent"].iloc[split.train])

    @pytest.mark.parametrize(
        ("changes", "said"),
        [
            ({"seed": -1}, "A seed is a whole number from 0"),
            ({"n_folds": 1}, "at least 2 folds"),
            ({"targets": []}, "at least one target"),
        ],
    )
    def test_what_could_not_be_kept_or_read_again_is_refused(self, mixtures, changes, said):
        with pytest.raises(ConfigError, match=said):
            calibrate(mixtures, regressor="ridge", **changes)

    def test_generated_labels_in_another_unit_are_refused(self, mixtures):
        info = [replace(one, unit="mM") for one in mixtures.target_info]
        other = SpectraSet(mixtures.axis, mixtures.signal, mixtures.targets, target_info=info, meta=mixtures.meta)
        with pytest.raises(SpectraError, match="is given in mM in the set 'Beer-Lambert mixtures', but in mol/L"):
            calibrate(mixtures, regressor="ridge", generated=other)


class TestReading:
    def test_gives_a_row_per_spectrum_and_target_with_the_model_of_all_rows(self, made, mixtures, unknown):
        table = made.read(unknown)
        assert list(table) == ["id", "target", "value", "low", "high", "unit", "flags"]
        whole = Ridge().fit(mixtures, seed=0).predict(unknown).to_numpy().ravel()
        assert_allclose(table["value"], whole, rtol=1e-9)
        assert list(table["id"][:4]) == ["1"] * 4
        assert list(table["target"][:4]) == list(mixtures.target_names)
        assert ((table["low"] <= table["value"]) & (table["value"] <= table["high"])).all()
        assert (table["flags"] == "").mean() > 0.9

    def test_the_interval_covers_about_as_many_as_its_level_says(self):
        made = calibrate(beer_lambert_set(240, seed=2), regressor="ridge")
        fresh = beer_lambert_set(1500, seed=11)
        widths = []
        for level in (0.8, 0.9, 0.95):
            table = made.read(fresh, level)
            inside = (table["low"] <= fresh.target_values.ravel()) & (fresh.target_values.ravel() <= table["high"])
            assert abs(inside.mean() - level) < 0.04
            widths.append((table["high"] - table["low"]).mean())
        assert widths == sorted(widths)

    def test_what_speaks_against_a_value_stands_beside_it(self, made, unknown):
        signal = np.array(unknown.signal[:5])
        signal[1] *= 6.0  # beyond every concentration
        signal[2] += 0.006 * np.sin(np.arange(50))  # what no salt looks like
        signal[3, 7] = 9.0  # a spike
        signal[4] = 0.0  # a blank
        flags = read(made, moved(unknown.take(range(5)), unknown.axis.positions, signal))["flags"]
        of = [set("; ".join(filter(None, flags[4 * row : 4 * row + 4])).split("; ")) for row in range(5)]
        assert of[0] == {""}
        assert {OUTSIDE, CLIPPED, T2} <= of[1]
        assert Q in of[2]
        assert not of[2] & {T2, CHANNEL}
        assert {CHANNEL, Q} <= of[3]
        assert LOD in of[4]
        assert all(one <= {"", *FLAGS} for one in of)

    def test_values_end_20_percent_beyond_the_labels(self, made, unknown):
        signal = np.array(unknown.signal[:2])
        signal *= [[50.0], [-50.0]]
        table = read(made, moved(unknown.take(range(2)), unknown.axis.positions, signal))
        labels = made.train.target_values
        reach = np.ptp(labels, axis=0)
        assert_allclose(table["value"][:4], labels.max(axis=0) + 0.2 * reach)
        assert_allclose(table["value"][4:], labels.min(axis=0) - 0.2 * reach)
        # Errors that grow as fast as the value must not hide that it lies outside.
        guess = replace(made)
        grown = ErrorScale(0.01, 2.0, 0.0)
        vars(guess)["errors"] = tuple(replace(one, below=grown, above=grown) for one in made.errors)
        assert (
            guess.read(moved(unknown.take(range(2)), unknown.axis.positions, signal))["flags"]
            .str.contains(OUTSIDE)
            .all()
        )

    def test_eight_spectra_one_of_whose_targets_never_varies(self, mixtures):
        few = mixtures.take(range(8))
        values = few.targets.assign(**{"Ni2+": 0.05})[["Ni2+"]]
        found = calibrate(SpectraSet(few.axis, few.signal, values, meta=few.meta), regressor="pls")
        table = found.read(few, 0.8)
        assert_allclose(table[["value", "low", "high"]], 0.05)
        assert (table["flags"] == "").all()
        with pytest.raises(ConfigError, match="more independent calibration samples than 8"):
            found.read(few)
        merit = figures_of_merit(found).iloc[0]
        assert merit["rmsecv"] == 0
        assert np.isnan(merit[["slope", "rpd", "lod_most"]].to_numpy(float)).all()
        assert line_of(found.train.target_values[:, 0], found.held_out[:, 0]).region().empty

    def test_the_nearest_calibration_spectrum_of_a_calibration_spectrum_is_itself(self, made, mixtures):
        table = diagnostics(made, mixtures)
        assert list(table["nearest"]) == list(mixtures.samples["id"])

    @pytest.mark.parametrize("member", sorted(set(REGRESSORS) - {"stack"}))
    def test_every_regressor_calibrates(self, member, mixtures, unknown):
        quick = {"epochs": 2, "n_members": 2, "max_components": 4}
        options = {name: value for name, value in quick.items() if name in REGRESSORS[member].__dataclass_fields__}
        found = calibrate(mixtures.take(range(30)), regressor=Choice(member, options), n_folds=2)
        assert np.isfinite(found.read(unknown)[["value", "low", "high"]]).all(axis=None)


class TestAnotherAxis:
    def test_nothing_is_done_unasked(self, made, unknown):
        rows = np.r_[0:50:7]  # the last channel is the last of the calibration
        fewer = moved(unknown, unknown.axis.positions[rows], unknown.signal[:, rows])
        for other, ways in ((fewer, "interpolate"), (_wider(unknown), "interpolate or cut")):
            with pytest.raises(SpectraError, match=f"Say what to do with another axis: {ways}\\."):
                read(made, other)

    def test_digits_are_no_other_axis(self, made, unknown):
        rounded = moved(unknown, np.round(unknown.axis.positions, 2), unknown.signal)
        assert_array_equal(read(made, rounded)["value"], read(made, unknown)["value"])

    def test_cutting_takes_the_channels_of_the_calibration(self, made, unknown):
        turned = moved(unknown, unknown.axis.positions[::-1], unknown.signal[:, ::-1])
        for other in (_wider(unknown), turned):
            assert_array_equal(read(made, other, axis="cut")["value"], read(made, unknown)["value"])

    def test_interpolating_reads_between_the_channels_in_either_direction(self, made, unknown):
        positions = np.linspace(1010.0, 210.0, 300)
        signal = np.stack([np.interp(positions, unknown.axis.positions, row) for row in unknown.signal])
        back = np.stack([np.interp(made.train.axis.positions, positions[::-1], row[::-1]) for row in signal])
        by_hand = read(made, moved(unknown, made.train.axis.positions, back))
        assert_allclose(read(made, moved(unknown, positions, signal), axis="interpolate")["value"], by_hand["value"])

    def test_what_cannot_be_put_there_is_refused_in_a_sentence(self, made, unknown):
        shorter = moved(unknown, unknown.axis.positions[5:], unknown.signal[:, 5:])
        with pytest.raises(SpectraError, match="lack some of its range"):
            read(made, shorter, axis="interpolate")
        holed = np.r_[0:20, 26:50]
        with pytest.raises(SpectraError, match=r"They lack all channels between 522\.449 and 633\.878: calibrate"):
            read(made, moved(unknown, unknown.axis.positions[holed], unknown.signal[:, holed]), axis="interpolate")
        other = moved(unknown, unknown.axis.positions, unknown.signal, quantity="Wavenumber", unit="cm-1")
        with pytest.raises(SpectraError, match="over Wavenumber, cm-1"):
            read(made, other, axis="interpolate")
        with pytest.raises(ConfigError, match="one of: refuse, interpolate, cut"):
            read(made, unknown, axis="guess")


def _wider(spectra):
    positions = np.sort(np.concatenate([spectra.axis.positions, [100.0, 231.7]]))
    signal = np.stack([np.interp(positions, spectra.axis.positions, row) for row in spectra.signal])
    return moved(spectra, positions, signal)
