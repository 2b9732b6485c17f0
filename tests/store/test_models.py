"""A model file is read exactly or refused in one sentence; nothing in it is trusted."""

import json
import tracemalloc

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from pandas.testing import assert_frame_equal
from safetensors import safe_open
from safetensors.numpy import load, save

from spectra_core.contracts import configuration
from spectra_core.errors import ReadError, SpectraCoreError, StoreError
from spectra_core.generators import GENERATORS
from spectra_core.options import options_of
from spectra_core.regressors import REGRESSORS
from spectra_core.store import Store
from spectra_core.store.models import read_frame, read_model
from spectra_core.training import devices
from tests.store.model_files import kept, with_header


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path / "home")


@pytest.fixture(scope="module")
def fitted(mixtures):
    return REGRESSORS["ridge"]().fit(mixtures.take(np.arange(40)))


@pytest.fixture(scope="module")
def exported(fitted, mixtures, tmp_path_factory):
    store = Store(tmp_path_factory.mktemp("home"))
    return store.export_model(kept(store, fitted, mixtures))


def _quick(member):
    """Options that make a training short."""
    options = {"epochs": 2, "n_hidden": 8, "n_latent": 3, "max_components": 3, "n_members": 2}
    return {name: value for name, value in options.items() if name in member.__dataclass_fields__}


def parts(content):
    """Take a model file apart with the library alone."""
    length = int.from_bytes(content[:8], "little")
    header = json.loads(content[8 : 8 + length])
    return json.loads(header["__metadata__"]["latent_spectra"]), load(content)


def forged(content, change=lambda document, arrays: None, text=None):
    document, arrays = parts(content)
    arrays = {name: values.copy() for name, values in arrays.items()}
    change(document, arrays)
    return save(arrays, metadata={"latent_spectra": json.dumps(document) if text is None else text(document)})


class TestAKeptModel:
    def test_predicts_the_same_bits_and_remembers_where_it_comes_from(self, store, fitted, mixtures):
        model_id = kept(store, fitted, mixtures)
        found = store.load_model(model_id)
        assert_array_equal(found.model.predict(mixtures), fitted.predict(mixtures))
        record = found.record
        assert configuration(found.model) == configuration(fitted)
        assert (record.registry, record.member, record.title) == ("regressor", "ridge", fitted.title)
        assert (record.trained_on, record.seed, record.extra) == (mixtures.fingerprint, 7, {"note": "µ"})
        assert record.held_out_rows == tuple(range(40, 60))
        assert record.target_names == mixtures.target_names
        assert {"python", "numpy", "torch", "latent-spectra"} <= set(record.versions)
        assert found.model.frame_ == mixtures.frame

    def test_goes_through_a_file_into_another_store(self, store, fitted, mixtures, tmp_path):
        model_id = kept(store, fitted, mixtures)
        other = Store(tmp_path / "other")
        assert other.import_model(store.export_model(model_id)) == model_id
        assert_array_equal(other.load_model(model_id).model.predict(mixtures), fitted.predict(mixtures))

    def test_is_a_safetensors_file_with_json_in_its_header(self, exported, tmp_path, mixtures):
        path = tmp_path / "model.safetensors"
        path.write_bytes(exported)
        with safe_open(path, framework="numpy") as file:
            assert json.loads(file.metadata()["latent_spectra"])["member"] == "ridge"
            assert_array_equal(file.get_tensor("frame.positions"), mixtures.axis.positions)

    def test_is_listed_by_the_set_it_was_trained_on(self, store, fitted, mixtures):
        model_id = kept(store, fitted, mixtures)
        assert [record.id for record in store.models(trained_on=mixtures.fingerprint)] == [model_id]
        assert store.models(trained_on="0" * 64) == []
        store.delete_model(model_id)
        assert store.models() == []

    def test_same_training_gives_the_same_id(self, store, mixtures):
        ids = {kept(store, REGRESSORS["ridge"]().fit(mixtures), mixtures) for _ in range(2)}
        assert len(ids) == len(store.models()) == 1

    def test_names_the_accelerator_it_was_trained_on(self, store, mixtures, monkeypatch):
        monkeypatch.setattr(devices, "accelerator", lambda: "cpu:0")  # torch's other name of the processor
        trained = {device: REGRESSORS["mlp"](epochs=1, device=device).fit(mixtures) for device in ("auto", "cpu")}
        found = {}
        for device, model in trained.items():
            model_id = store.save_model(model, registry="regressor", member="mlp", train=mixtures, seed=0)
            found[device] = store.load_model(model_id).record
        assert found["auto"].versions["device"] == "cpu:0"
        assert "device" not in found["auto"].configuration
        assert "device" not in found["cpu"].versions
        assert found["cpu"].configuration["device"] == "cpu"

    def test_values_that_are_not_finite_are_notkept(self, store, fitted, mixtures, monkeypatch):
        arrays = {name: values.astype(float) for name, values in fitted.to_arrays().items()}
        arrays[next(iter(arrays))].flat[0] = np.nan
        monkeypatch.setattr(type(fitted), "to_arrays", lambda self: arrays)
        with pytest.raises(SpectraCoreError, match="not finite"):
            kept(store, fitted, mixtures)
        assert store.models() == []

    @pytest.mark.parametrize("member", GENERATORS)
    def test_every_generator_comes_back_with_its_curve(self, store, mixtures, member):
        model = GENERATORS[member](**_quick(GENERATORS[member])).fit(mixtures.take(np.arange(50)), seed=1)
        model_id = store.save_model(model, registry="generator", member=member, train=mixtures, seed=1)
        found = store.load_model(model_id)
        assert configuration(found.model) == configuration(model)
        assert_frame_equal(found.history, model.history_, check_column_type=False)
        back = found.model.to_arrays()
        for name, values in model.to_arrays().items():
            assert_array_equal(back[name], values)
        assert store.import_model(store.export_model(model_id)) == model_id

    @pytest.mark.parametrize("member", GENERATORS)
    def test_generator_that_claims_to_be_huge_is_refused_in_little_memory(self, store, mixtures, member):
        model = GENERATORS[member](**_quick(GENERATORS[member])).fit(mixtures, seed=1)
        model_id = store.save_model(model, registry="generator", member=member, train=mixtures, seed=1)

        def claim(document, arrays):
            arrays["frame.positions"] = np.arange(200_000.0)
            sizes = [one for one in options_of(GENERATORS[member]).values() if one.kind is int and one.range]
            document["configuration"] |= {one.name: one.range.most for one in sizes}

        lie = forged(store.export_model(model_id), claim)
        tracemalloc.start()
        with pytest.raises(ReadError):
            store.import_model(lie)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < 100 * 2**20  # the axis, a few times; one layer would take 6.5 GB

    @pytest.mark.parametrize("member", GENERATORS)
    def test_arrays_of_a_generator_that_are_not_of_its_numbers_are_refused(self, store, mixtures, member):
        model = GENERATORS[member](**_quick(GENERATORS[member])).fit(mixtures, seed=1)
        content = store.export_model(
            store.save_model(model, registry="generator", member=member, train=mixtures, seed=1)
        )
        others = {"f": (bool, np.int64, np.float16, np.complex64), "i": (bool, np.float64), "u": (bool, np.float64)}
        for name, values in model.to_arrays().items():
            for other in others[values.dtype.kind]:
                with pytest.raises(ReadError, match=rf"'{name}' of a model holds .*, but here {np.dtype(other)}"):
                    read_model(forged(content, _array(f"state.{name}", lambda a, to=other: np.zeros(a.shape, to))))
            if name.endswith(".scale"):
                for nothing in (0.0, -1.0):
                    with pytest.raises(ReadError, match="must be positive"):
                        read_model(forged(content, _array(f"state.{name}", lambda a, to=nothing: a * 0 + to)))
        read_model(content)

    @pytest.mark.parametrize(
        ("name", "change", "said"),
        [
            ("state.curve.loss", lambda curve: curve[:-1], "differ in length"),
            ("state.curve.kl", lambda curve: curve[None], "differ in length"),
            ("history.0", lambda epochs: epochs * np.nan, "does not count epochs"),
            ("history.0", lambda epochs: epochs + 0.5, "does not count epochs"),
            ("history.0", lambda epochs: epochs * 1e30, "does not count epochs"),
            ("history.1", lambda curve: curve[:-1], "incomplete or wrong"),
            ("history.1", lambda curve: curve[None], "training curve is none"),
            ("history.1", lambda curve: curve > 0, "training curve is none"),
        ],
    )
    def test_training_curves_that_are_none_are_refused(self, store, mixtures, name, change, said):
        model = GENERATORS["vae"](**_quick(GENERATORS["vae"])).fit(mixtures, seed=1)
        content = store.export_model(
            store.save_model(model, registry="generator", member="vae", train=mixtures, seed=1)
        )
        with pytest.raises(ReadError, match=said):
            read_model(forged(content, _array(name, change)))

    @pytest.mark.parametrize(
        ("name", "change"),
        [
            ("design.amounts", lambda amounts: amounts[:0]),
            ("design.targets", lambda targets: targets[:0]),
            ("input_scale", lambda scale: scale * 0 + 1e-300),
        ],
    )
    def test_physics_that_draws_nothing_is_refused(self, store, mixtures, name, change):
        kind = GENERATORS["physics_residual"]
        model = kind().fit(mixtures, seed=1)
        content = store.export_model(
            store.save_model(model, registry="generator", member="physics_residual", train=mixtures, seed=1)
        )
        with pytest.raises(ReadError, match="do not fit its configuration"):
            read_model(forged(content, _array(f"state.{name}", change)))

    @pytest.mark.parametrize("member", REGRESSORS)
    def test_every_regressor_comes_back(self, store, mixtures, member):
        model = REGRESSORS[member](**_quick(REGRESSORS[member])).fit(mixtures, seed=1)
        model_id = store.save_model(model, registry="regressor", member=member, train=mixtures, seed=1)
        assert_array_equal(store.load_model(model_id).model.predict(mixtures), model.predict(mixtures))


def _array(name, make):
    """Put another array in place of one."""

    def change(document, arrays):
        arrays[name] = np.ascontiguousarray(make(arrays[name]))

    return change


def _set(*path, value):
    def change(document, arrays):
        for name in path[:-1]:
            document = document[name]
        document[path[-1]] = value

    return change


def _grow_configuration(document, arrays):
    document["configuration"]["penalty_of_nobody"] = 1


def _drop_an_array(document, arrays):
    arrays.pop(next(name for name in arrays if name.startswith("state.")))


def _transpose(document, arrays):
    name = next(name for name, values in arrays.items() if values.ndim == 2 and name.startswith("state."))
    arrays[name] = np.ascontiguousarray(arrays[name].T)


def _not_a_number(document, arrays):
    arrays[
        next(name for name, values in arrays.items() if values.dtype.kind == "f" and name.startswith("state."))
    ].flat[0] = np.nan


def _astronomical(document, arrays):
    arrays[next(name for name, values in arrays.items() if values.dtype == np.float64 and name.startswith("state."))][
        ...
    ] = -1e101


def _foreign(document, arrays):
    arrays["../../x"] = np.zeros(2)


def _unsorted_axis(document, arrays):
    arrays["frame.positions"][0] = arrays["frame.positions"][5]


FORGERIES = {
    "member": (_set("member", value="os.system"), "Unknown regressor 'os.system'. Known ones are: .*pls.*ridge"),
    "registry": (_set("registry", value="pickles"), "A model is a generator or a regressor, not 'pickles'"),
    "registry of another kind": (_set("registry", value=["generator"]), "generator or a regressor"),
    "member of another kind": (_set("member", value={"a": 1}), "model file"),
    "version": (_set("version", value=99), "Expected a model file of format version 1, got '99'"),
    "foreign setting": (_grow_configuration, "sets 'penalty_of_nobody', which Ridge does not know"),
    "settings are no mapping": (_set("configuration", value=[1]), "incomplete or wrong"),
    "missing array": (_drop_an_array, "do not fit its configuration"),
    "transposed array": (_transpose, "do not fit its configuration"),
    "not finite": (_not_a_number, "not finite"),
    "astronomical": (_astronomical, r"Nothing can be computed with numbers beyond 1e\+100"),
    "foreign array": (_foreign, "an array that no model has: '../../x'"),
    "axis": (_unsorted_axis, "must rise or fall"),
    "missing part": (lambda document, arrays: document.pop("frame"), "'frame' is missing"),
    "rows": (_set("held_out_rows", value=[-1]), "held-out rows are whole numbers"),
    "seed": (_set("seed", value=True), "a seed is a whole number"),
    "target": (_set("frame", "targets", 0, "charge", value="2"), "a charge is a whole number"),
    "same targets": (_set("frame", "targets", 0, "name", value="Ni2+"), "two targets share a name"),
    "fewer targets": (lambda document, arrays: document["frame"]["targets"].pop(), "do not fit its configuration"),
    "more channels": (
        lambda document, arrays: arrays.update({"frame.positions": np.arange(200_001.0)}),
        "more than 200000 channels",
    ),
}

TOLD_UNBUILT = ("target", "same targets", "not finite", "astronomical", "foreign array")
"""What is told when a model is taken in hand, before it is built."""


class TestAForgedFile:
    @pytest.mark.parametrize("name", FORGERIES)
    def test_is_refused_in_one_sentence(self, store, exported, name):
        change, sentence = FORGERIES[name]
        with pytest.raises(ReadError, match=sentence):
            store.import_model(forged(exported, change))
        assert store.models() == []
        if name in TOLD_UNBUILT:
            with pytest.raises(ReadError, match=sentence):
                read_frame(forged(exported, change))

    def test_unchanged_is_accepted(self, store, exported):
        """Otherwise the refusals above may have another cause."""
        model = store.import_model(forged(exported))
        assert len(store.models()) == 1
        assert read_frame(exported) == store.load_model(model).model.frame_

    @pytest.mark.parametrize("value", [1001, 10**400, "1" * 10**5, [2], {"a": 1}, None, True])
    def test_with_a_setting_that_no_page_allows_is_refused_in_a_short_sentence(self, store, exported, value):
        with pytest.raises(ReadError, match=r"A setting of this model file is refused\. Ridge.*from 2 to 1000") as told:
            store.import_model(forged(exported, _set("configuration", "n_penalties", value=value)))
        assert len(str(told.value)) < 300

    def test_repeated_key_is_refused_in_header_and_description(self, store, exported):
        twice = with_header(exported, lambda header: b'{"__metadata__":{},' + header[1:])
        with pytest.raises(ReadError, match="the key '__metadata__' occurs twice"):
            store.import_model(twice)
        description = forged(exported, text=lambda document: '{"seed": 1, ' + json.dumps(document)[1:])
        with pytest.raises(ReadError, match="the key 'seed' occurs twice"):
            store.import_model(description)

    @pytest.mark.parametrize(
        "text",
        ["", "[]", "null", "NaN", '{"format": NaN}', "[" * 100_000, '{"a":' * 50_000, '{"format": ' + "9" * 5000 + "}"],
    )
    def test_with_another_description_is_refused(self, store, exported, text):
        with pytest.raises(ReadError, match="model file"):
            store.import_model(forged(exported, text=lambda _: text))

    def test_of_another_program_is_refused(self, store):
        with pytest.raises(ReadError, match="was not exported by this program"):
            store.import_model(save({"weight": np.zeros(3)}))


def test_stored_model_of_a_member_that_is_gone_is_told(store, fitted, mixtures, monkeypatch):
    model_id = kept(store, fitted, mixtures)
    monkeypatch.delitem(REGRESSORS, "ridge")
    with pytest.raises(StoreError, match=r"This model can no longer be used: .*Unknown regressor 'ridge'"):
        store.load_model(model_id)
    assert [record.id for record in store.models()] == [model_id]
