import numpy as np
import pandas as pd
import pytest

from spectra_core.errors import SpectraError
from spectra_core.spectra import SetMeta, SpectralAxis, SpectraSet, Target, stack


def small(signal=((1.0, 2.0, 3.0), (4.0, 5.0, 6.0)), targets=None, **more):
    return SpectraSet(SpectralAxis(np.arange(3.0)), np.array(signal), targets, **more)


class TestSpectralAxis:
    def test_falling_axis_is_accepted(self):
        assert SpectralAxis(np.array([3.0, 2.0, 1.0]), "Wavenumber", "1/cm").label == "Wavenumber, 1/cm"

    def test_repeated_position_is_named(self):
        with pytest.raises(SpectraError, match="channel 3 is at 2 after 2"):
            SpectralAxis(np.array([1.0, 2.0, 2.0, 3.0]))

    def test_positions_cannot_be_changed(self):
        with pytest.raises(ValueError, match="read-only"):
            SpectralAxis(np.arange(3.0)).positions[0] = 9


class TestSpectraSetRefuses:
    def test_axis_shorter_than_spectra(self):
        with pytest.raises(SpectraError, match="axis has 2 channels but the spectra have 3"):
            SpectraSet(SpectralAxis(np.arange(2.0)), np.zeros((2, 3)))

    def test_nan_naming_spectrum_and_channel(self):
        with pytest.raises(SpectraError, match=r"spectrum 2 \(b\) at 1 nm"):
            small([[1, 2, 3], [4, np.nan, 6]], samples=pd.DataFrame({"id": ["a", "b"]}))

    def test_two_targets_of_one_name(self):
        with pytest.raises(SpectraError, match="share the name 'Cu'"):
            small(targets=pd.DataFrame([[1, 2], [3, 4]], columns=["Cu", "Cu"]))

    def test_missing_target_value(self):
        with pytest.raises(SpectraError, match="'Cu' is not a finite number in 1 spectrum, first in spectrum 2"):
            small(targets=pd.DataFrame({"Cu": [1.0, np.nan]}))

    def test_text_target(self):
        with pytest.raises(SpectraError, match="'Cu' must hold numbers"):
            small(targets=pd.DataFrame({"Cu": ["1", "high"]}))

    def test_fewer_target_rows_than_spectra(self):
        with pytest.raises(SpectraError, match="2 spectra but 1 rows of targets"):
            small(targets=pd.DataFrame({"Cu": [1.0]}))

    def test_empty_set(self):
        with pytest.raises(SpectraError, match="holds no spectra"):
            small(np.zeros((0, 3)))

    def test_unknown_origin(self):
        with pytest.raises(SpectraError, match="origin of a set is one of measured, simulated, generated"):
            SetMeta(origin="invented")


class TestSpectraSetIsLocked:
    def test_signal_is_a_read_only_copy(self):
        source = np.ones((2, 3))
        spectra = small(source)
        source[:] = 7
        assert (spectra.signal == 1).all()
        with pytest.raises(ValueError, match="read-only"):
            spectra.signal[0, 0] = 7

    def test_changing_a_returned_table_changes_nothing(self):
        spectra = small(targets=pd.DataFrame({"Cu": [1.0, 2.0]}))
        targets, samples = spectra.targets, spectra.samples
        targets.loc[0, "Cu"] = 9.0
        samples.loc[0, "id"] = "x"
        assert spectra.targets["Cu"].tolist() == [1.0, 2.0]
        assert spectra.samples["id"].tolist() == ["1", "2"]


class TestFingerprint:
    @pytest.mark.parametrize(
        "other",
        [
            small([[1, 2, 3], [4, 5, 6.0000001]]),
            small(targets=pd.DataFrame({"Cu": [1.0, 2.0]})),
            small(meta=SetMeta(origin="simulated")),
            small(samples=pd.DataFrame({"id": ["a", "b"]})),
            SpectraSet(SpectralAxis(np.arange(3.0), unit="1/cm"), [[1.0, 2, 3], [4, 5, 6]]),
            small(np.array([[1, 2, 3], [4, 5, 6]], dtype=np.float32)),
        ],
    )
    def test_every_content_matters(self, other):
        assert other.fingerprint != small().fingerprint

    def test_units_matter(self):
        table = pd.DataFrame({"Cu": [1.0, 2.0]})
        moles = small(targets=table, target_info=[Target("Cu", "mol/L")])
        grams = small(targets=table, target_info=[Target("Cu", "g/L")])
        assert moles.fingerprint != grams.fingerprint

    def test_equal_content_has_one_fingerprint_whatever_its_name(self):
        assert small().fingerprint == small(meta=SetMeta(name="Another name")).fingerprint


class TestTakingAndStacking:
    def test_take_keeps_rows_of_signal_targets_and_samples_together(self, mixtures):
        part = mixtures.take([5, 2])
        assert part.signal.tolist() == mixtures.signal[[5, 2]].tolist()
        assert part.target_values.tolist() == mixtures.target_values[[5, 2]].tolist()
        assert part.samples["id"].tolist() == ["6", "3"]

    def test_take_by_mask(self, mixtures):
        mask = mixtures.target_values[:, 0] > 0.1
        assert len(mixtures.take(mask)) == mask.sum()

    def test_stack_is_inverse_to_take(self, mixtures):
        again = stack([mixtures.take(np.arange(10)), mixtures.take(np.arange(10, len(mixtures)))])
        assert again.fingerprint == mixtures.fingerprint

    def test_stack_refuses_other_axes(self, mixtures):
        with pytest.raises(SpectraError, match="Expected spectra on one axis"):
            stack([mixtures, small(targets=pd.DataFrame([[1.0] * 4] * 2, columns=mixtures.target_names))])

    def test_with_targets_names_what_is_missing(self, mixtures):
        with pytest.raises(SpectraError, match="no target 'Fe3\\+'"):
            mixtures.with_targets(["Fe3+"])


class TestGroups:
    def test_exact_duplicates_share_a_group(self):
        assert small([[1, 2, 3], [4, 5, 6], [1, 2, 3]]).groups.tolist() == [0, 1, 0]
        rows = np.eye(3)[[0, 1, 0, 1, 2, 0, 1]]
        assert small(rows).groups.tolist() == [0, 1, 0, 1, 2, 0, 1]

    def test_spectra_without_a_group_are_no_group(self):
        spectra = small(np.eye(4)[:, :3] + 1, samples=pd.DataFrame({"group": ["a", "", "", "a"]}))
        assert spectra.groups.tolist() == [0, 1, 2, 0]

    def test_named_groups_and_duplicates_join(self):
        spectra = small(
            [[1, 2, 3], [4, 5, 6], [1, 2, 3], [7, 8, 9]],
            samples=pd.DataFrame({"group": ["a", "b", "b", "c"]}),
        )
        assert spectra.groups.tolist() == [0, 0, 0, 1]


def test_constant_channels_are_found():
    assert small([[1, 2, 3], [1, 5, 3]]).constant_channels.tolist() == [True, False, True]


def test_sets_of_one_fingerprint_list_their_provenance_in_one_order():
    # Salts are drawn in the order they are listed; a set read back from disk lists them by name.
    one = SetMeta(provenance={"salts": {"ZnSO4": {"Zn2+": 1}, "CuSO4": {"Cu2+": 1}}})
    other = SetMeta(provenance={"salts": {"CuSO4": {"Cu2+": 1}, "ZnSO4": {"Zn2+": 1}}})
    assert list(one.provenance["salts"]) == list(other.provenance["salts"])
