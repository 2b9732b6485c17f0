"""What pages and reports read of every kind of result is asked for before."""

import json
from contextlib import nullcontext
from typing import get_args

import numpy as np
import pandas as pd
import pytest

from spectra_core.choices import Choice
from spectra_core.evaluation.physics.checks import CHECKS
from spectra_core.evaluation.similarity.distances import DISTANCES
from spectra_core.experiment import Arm, Experiment
from spectra_core.figures.latent_map import METHODS
from spectra_core.store import Store
from spectra_core.store.result_shapes import _COUNTED, _FINITE, _MARKS, SHAPES, require_shape
from spectra_core.store.shapes import fits
from tests.changed import MISSING, documents_changed

CHECK = next(iter(CHECKS))
"""A check of physics."""


def of_hint(hint):
    """Return a value of an annotated kind, for contracts."""
    values = [value for value in ("x", 3, 0.5, [], {}, *get_args(hint)) if fits(value, hint)]
    return values[0]


def result_of(shape):
    """Return the least that a result of a shape holds."""
    document: dict = {}
    for name, hint in shape.document.items():
        place = document
        *above, last = name.split(".")
        for one in above:
            place = place.setdefault(one, {})
        place[last] = of_hint(hint)
    if "experiment" in document:
        experiment = Experiment((Arm("baseline", "baseline"),), (Choice("ridge"),), reference="baseline")
        document["experiment"] = json.loads(experiment.to_json())
    words = {"verdict": "as real", "arm": "baseline", "regressor": "ridge", "target": "Cu", "check": CHECK}
    tables = {
        name: pd.DataFrame(
            {column.removesuffix("?"): [column in _MARKS or words.get(column, "x")] for column in of_words.split()}
            | {column: [1] for column in of_numbers.split()}
        )
        for name, (of_words, of_numbers) in {**shape.tables, **shape.sometimes}.items()
    }
    if "physics" in tables:
        tables["physics"][CHECKS[CHECK].column] = [0.5]
    return document, tables


@pytest.mark.parametrize("kind", SHAPES)
def test_every_field_and_column_that_a_kind_of_result_needs_is_asked_for(kind):
    document, tables = result_of(SHAPES[kind])
    require_shape(kind, document, tables)
    for name, hint in SHAPES[kind].document.items():
        wrong = [one for one in (MISSING, None, 10**400) if one is MISSING or not fits(one, hint)]
        here = [one for one in documents_changed(document) if ".".join(one[0]) == name]
        others = [changed for _, value, changed in here if any(value is one or value == one for one in wrong)]
        assert len(others) >= len(wrong) > 1
        for other in others:
            with pytest.raises(ValueError, match=f"{name.partition('.')[0]}|experiment"):
                require_shape(kind, other, tables)
    for name, table in tables.items():
        for column, cells in table.items():
            wrong = [[1, 2]] if isinstance(cells[0], str | bool) else "x"
            for other in (table.drop(columns=column), table.assign(**{column: [wrong]})):
                with pytest.raises(ValueError, match=f"{column}.*{name}|{name} are"):
                    require_shape(kind, document, {**tables, name: other})
        if name in SHAPES[kind].filled:
            with pytest.raises(ValueError, match=f"{name!r} has no rows"):
                require_shape(kind, document, {**tables, name: table.iloc[:0]})
        if name in SHAPES[kind].tables:
            with pytest.raises(ValueError, match=f"{name!r} is missing"):
                require_shape(kind, document, {at: one for at, one in tables.items() if at != name})


def test_a_result_that_lacks_what_its_kind_is_read_for_is_set_aside_and_named(tmp_path):
    store = Store(tmp_path)
    arguments = {"set": "a", "generated": None, "model": None, "method": "pca"}
    document = {"arguments": arguments, "n_spectra": {"training": 1}, "n_shown": {}, "trustworthiness": 0.9}
    table = pd.DataFrame({"role": ["training"], "id": ["1"], "sample": [0], "x": [0.5], "y": [np.nan]})
    table = table.assign(share_x=0.5, share_y=np.nan)
    right = store.save_result("map", document, {"map": table}, name="Right")
    odd = [
        ("field 'trustworthiness'", {**document, "trustworthiness": "high"}, table),
        ("field 'arguments'", {"trustworthiness": 0.9}, table),
        ("field 'arguments.model'", {**document, "arguments": {"set": "a", "method": "pca", "generated": None}}, table),
        ("field 'arguments.method'", {**document, "arguments": {**arguments, "method": "isomap"}}, table),
        ("'n_shown' counts", {**document, "n_shown": {"generated": 3}}, table),
        ("table 'map' has no rows", document, table.iloc[:0]),
        ("table 'map' is missing", document, None),
        ("column 'x' of its table 'map' is missing", document, table.drop(columns="x")),
        ("column 'y' of its table 'map' holds no numbers", document, table.assign(y=["north"])),
        ("column 'sample' of its table 'map' holds numbers that cannot be", document, table.assign(sample=[np.nan])),
        ("column 'id' of its table 'map' holds something else", document, table.assign(id=[True])),
        ("column 'more' of its table 'map' holds neither words nor", document, table.assign(more=[[1, 2]])),
        ("column 'role' of its table 'map' holds something else than words", document, table.assign(role=[3])),
    ]
    for number, (_, said, cells) in enumerate(odd):
        store.save_result("map", said, {} if cells is None else {"map": cells}, name=f"Odd {number}")
    assert [result.record.id for result in store.loaded_results("map")] == [right]
    reasons = {one.name: one.reason for one in store.damaged()}
    assert len(reasons) == len(odd)
    for number, (words, _, _) in enumerate(odd):
        assert words in reasons[f"Odd {number}"]


@pytest.mark.parametrize("kind", SHAPES)
def test_numbers_that_no_row_has_are_read_as_numbers(tmp_path, kind):
    """A column of nothing has no kind of its own when it is written; pages calculate with it."""
    document, tables = result_of(SHAPES[kind])
    for name, (_, of_numbers) in {**SHAPES[kind].tables, **SHAPES[kind].sometimes}.items():
        free = [one for one in of_numbers.split() if one not in _COUNTED and name not in _FINITE]
        tables[name] = tables[name].assign(**dict.fromkeys(free))
    store = Store(tmp_path)
    store.save_result(kind, document, tables, name="Empty")
    (found,) = store.loaded_results(kind)
    for name, table in found.tables.items():
        for column in tables[name].columns[tables[name].isna().all()]:
            assert table[column].dtype == np.float64, (name, column)


def test_kinds_of_results_know_every_method_there_is_and_tables_about_what_there_is():
    assert set(get_args(SHAPES["neighbours"].document["arguments.metric"])) == set(DISTANCES)
    assert set(get_args(SHAPES["map"].document["arguments.method"])) == set(METHODS)
    for kind, changes, said in [
        ("neighbours", {"sample": [3]}, "'sample'"),
        ("neighbours", {"nearest_training": [-1]}, "'nearest_training'"),
    ]:
        document, tables = result_of(SHAPES[kind])
        with pytest.raises(ValueError, match=f"{said}.*cannot be"):
            require_shape(kind, document, {**tables, kind: tables[kind].assign(**changes)})
    document, tables = result_of(SHAPES["fidelity"])
    limits = tables["physics_limits"]
    for other in (limits.assign(check="astrology"), pd.concat([limits] * 2)):
        with pytest.raises(ValueError, match="checks that there are not, or tells of one twice"):
            require_shape("fidelity", document, {**tables, "physics_limits": other})
    document, tables = result_of(SHAPES["bench"])
    with pytest.raises(ValueError, match="verdicts"):
        require_shape("bench", document, {"bench": tables["bench"].assign(verdict="good")})
    with pytest.raises(ValueError, match="twice"):
        require_shape("bench", document, {"bench": pd.concat([tables["bench"]] * 2)})


@pytest.mark.parametrize(
    ("table", "column", "cell", "said"),
    [
        ("errors", "arm", "another", "errors are those of other arms"),
        ("predictions", "regressor", "pls", "predictions are those of other arms"),
        ("errors", "target", "Zn", "errors are about targets whose spread"),
        ("predictions", "predicted", np.inf, "'predicted'.*cannot be"),
        ("spreads", "sd", -np.inf, "'sd'.*cannot be"),
        ("errors", "n_train", np.nan, "'n_train'.*cannot be"),
        ("reasons", "effect", np.inf, None),
    ],
)
def test_tables_of_an_experiment_are_about_its_own_arms_and_finite(table, column, cell, said):
    document, tables = result_of(SHAPES["study"])
    changed = {**tables, table: tables[table].assign(**{column: [cell]})}
    with pytest.raises(ValueError, match=said) if said else nullcontext():
        require_shape("study", document, changed)
