"""A damaged entry is named where one meets it, and the other pages go on."""

import json
from pathlib import Path

import numpy as np
import pytest
import safetensors.numpy as tensors
from streamlit.testing.v1 import AppTest

from spectra_core.generators import GENERATORS
from spectra_core.store import Store
from tests.conftest import beer_lambert_set
from tests.store.test_other_shapes import signed_again

APP = str(Path(__file__).parents[2] / "app.py")
QUICK = {"epochs": 2, "n_hidden": 8, "n_latent": 3}


def opened(page: str, **query: str) -> AppTest:
    app = AppTest.from_file(APP, default_timeout=60)
    for name, value in query.items():
        app.query_params[name] = value[:12]
    app.switch_page(page).run()
    assert not app.exception
    assert not app.error
    return app


@pytest.mark.parametrize("member", GENERATORS)
@pytest.mark.parametrize("page", ["generation/train", "generation/sample", "comparison/latent_map"])
def test_a_generator_of_other_numbers_is_set_aside_and_named(store: Store, page, member, caplog):
    options = {name: value for name, value in QUICK.items() if name in GENERATORS[member].__dataclass_fields__}
    spectra = beer_lambert_set(24)
    model = GENERATORS[member](**options).fit(spectra, seed=0)
    key = store.save_model(model, registry="generator", member=member, train=spectra, seed=0)
    made = store.save_set(beer_lambert_set(24, seed=1).with_meta(name="Made", origin="generated"))
    content = store.export_model(key)
    header = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])["__metadata__"]
    # Half precision where a model is made of fractions: it is of the right names and shapes.
    arrays = {
        name: np.zeros(values.shape, np.float16) if values.dtype.kind == "f" and name.startswith("state.") else values
        for name, values in tensors.load(content).items()
    }
    signed_again(store.root, "models", key, **{"model.safetensors": tensors.save(arrays, metadata=header)})
    hand = {"set": store.save_set(spectra), "generated": made}
    app = opened(f"pages/{page}.py", model=key, **hand)
    assert sum("of a model holds fractions of 4 or 8 bytes" in one.value for one in app.warning) == 1
    assert not [record for record in caplog.records if record.name == "latent_spectra"]
    opened(f"pages/{page}.py", **hand)
    shown = opened("pages/start/jobs.py", **hand).dataframe
    assert any(GENERATORS[member].title in table.value.to_string() for table in shown)
    assert [one.key for one in store.damaged()] == [key]
