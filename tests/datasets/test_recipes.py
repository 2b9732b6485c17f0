"""A recipe is a file from anywhere: what holds another kind of value is refused in a sentence, never half used."""

import json
from dataclasses import fields

import pytest

from spectra_core.datasets import Recipe, Understanding
from spectra_core.datasets.questions import UndecidedError
from spectra_core.errors import ConfigError
from tests.changed import VALUES

GIVEN = [value for value in VALUES if value not in (None, {}, [])][1:]
"""All but what stands for nothing said."""


@pytest.mark.parametrize("name", [one.name for one in fields(Recipe)])
def test_every_entry_of_another_kind_is_refused(name):
    taken = []
    for value in GIVEN:
        try:
            recipe = Recipe.from_json(json.dumps({name: value}))
        except ConfigError as refusal:
            str(refusal).encode()
        else:
            taken.append(value)
            assert Recipe.from_json(recipe.to_json()) == recipe
    texts = {"encoding", "separator", "groups", "name", "signal_column"} | {
        f"{what}_{which}" for what in ("axis", "signal") for which in ("quantity", "unit")
    }
    texts |= {f"convert_{what}" for what in ("axis", "signal", "targets")}
    numbers = {"axis_first", "axis_last"}
    kinds = {
        **dict.fromkeys(texts, (str,)),
        **dict.fromkeys(numbers, (int, float)),
        "header_rows": (int,),
        "leave_out_spectra": (list,),
        "limits": (dict,),
    }
    assert {type(value) for value in taken} <= set(kinds.get(name, ()))


@pytest.mark.parametrize("fact", ["name", "unit", "charge", "molar_mass"])
def test_what_is_said_of_a_target_is_of_the_kind_it_is_used_as(fact):
    right = {"name": "Cu", "unit": "g/L", "charge": 2, "molar_mass": 63.5}[fact]
    assert Recipe.from_json(json.dumps({"targets": {"a": {fact: right}}})).targets == {"a": {fact: right}}
    for value in ([1], {"x": 1}, True, 10**400, 3 if fact in ("name", "unit") else "3"):
        with pytest.raises(ConfigError, match=fact):
            Recipe.from_json(json.dumps({"targets": {"a": {fact: value}}}))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[" * 100_000, "nested too deeply"),
        ('{"decimal": ",", "decimal": "."}', "the key 'decimal' occurs twice"),
        ('{"limits": {"Cu": NaN}}', "limits must be a number"),
        ('{"leave_out_spectra": [1.5]}', "leave_out_spectra must be a whole number"),
        ('{"leave_out_spectra": "A1"}', "must be a list"),
    ],
)
def test_recipes_that_say_nothing_or_two_things_are_refused(text, said):
    with pytest.raises(ConfigError, match=said):
        Recipe.from_json(text)


def test_no_files_are_no_crash():
    with pytest.raises(UndecidedError):
        Understanding([], Recipe(), ())
