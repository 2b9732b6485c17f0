"""Pickers built from registries, seen by a visitor."""

from dataclasses import dataclass, field
from typing import Annotated, ClassVar, Literal

import pytest
from streamlit.testing.v1 import AppTest

from spectra_core.errors import ConfigError
from spectra_core.options import Range, WithOptions
from ui import widgets


@dataclass
class Smooth(WithOptions):
    """Smooths.

    Parameters
    ----------
    n_latent
        How many dimensions
        to keep.
    strength : unitless
        How much.
    """

    title: ClassVar[str] = "Smoothing"
    explanation: ClassVar[str] = "Removes what is fast."
    n_latent: Annotated[int, Range(1, 99), "Latent dimensions"] = 3
    strength: Annotated[float, Range(0, 1)] = 0.5
    sharp: bool = False
    way: Literal["mean", "sum"] = "mean"
    layers: tuple[Annotated[int, Range(1, 99)], ...] = (64, 16)
    limit: Annotated[int | None, Range(0, 10)] = None


@dataclass
class Nothing:
    """Does nothing."""

    title: ClassVar[str] = "Nothing at all"
    explanation: ClassVar[str] = "Leaves spectra as they are."


def page() -> None:
    import streamlit as st

    from tests.ui.test_widgets import Nothing, Smooth
    from ui import widgets

    choice = widgets.pick("Filter", {"smooth": Smooth, "nothing": Nothing}, key="filter")
    st.json({} if choice is None else choice.to_json())


@pytest.fixture
def app() -> AppTest:
    return AppTest.from_function(page, default_timeout=60).run()


def chosen(app: AppTest) -> dict:
    import json

    assert not app.exception
    return json.loads(app.json[0].value)


def test_untouched_widgets_give_the_defaults(app):
    assert chosen(app) == {"name": "smooth", "options": {}}
    assert app.caption[0].value == "Removes what is fast."


def test_every_field_has_a_widget_with_its_docstring_as_help(app):
    labels = [one.label for one in (*app.number_input, *app.toggle, *app.selectbox, *app.text_input)]
    assert set(labels) == {"Filter", "Latent dimensions", "Strength", "Sharp", "Way", "Layers", "Limit"}
    assert app.number_input[0].help == "How many dimensions to keep."


def test_options_that_differ_from_the_default_are_returned(app):
    app.number_input[0].set_value(5)
    app.toggle[0].set_value(True)
    app.text_input[0].set_value("32, 8")
    app.selectbox[1].set_value("sum")
    assert chosen(app.run())["options"] == {"n_latent": 5, "sharp": True, "layers": [32, 8], "way": "sum"}


def test_a_value_out_of_range_does_not_get_past_the_widget(app):
    # A browser does not let it through; what sends it all the same gets the default.
    app.number_input[0].set_value(0).run()
    assert chosen(app) == {"name": "smooth", "options": {}}


def test_a_value_the_method_refuses_is_answered_with_its_sentence(app):
    app.text_input[0].set_value("8, 0").run()
    assert app.error[0].value == "Smoothing: layers must be a whole number from 1 to 99, got 0."
    assert chosen(app) == {}


def test_text_where_whole_numbers_belong_is_answered_with_a_sentence(app):
    app.text_input[0].set_value("many").run()
    assert "whole numbers separated by commas, got 'many'" in app.error[0].value


def test_a_method_without_options_shows_none(app):
    app.selectbox[0].set_value("nothing").run()
    assert chosen(app) == {"name": "nothing", "options": {}}
    assert not app.number_input


def all_options() -> None:
    import streamlit as st

    from spectra_core.conditions import CONDITIONS
    from spectra_core.generators import GENERATORS
    from spectra_core.preprocessing import PREPROCESSINGS
    from spectra_core.regressors import REGRESSORS
    from spectra_core.samplers import CONDITIONAL_SAMPLERS, SAMPLERS
    from spectra_core.sampling.labelling import LABELLINGS
    from spectra_core.training.plan import kernels_here
    from ui import widgets

    for registry in (GENERATORS, REGRESSORS, SAMPLERS, CONDITIONAL_SAMPLERS, CONDITIONS, PREPROCESSINGS, LABELLINGS):
        for name, member in registry.items():
            options = widgets.pick_options(member, key=name)
            if options.pop("kernels", kernels_here()) != kernels_here() or options:
                st.error(f"{name}: {options}")


def test_every_number_of_every_method_can_be_set_within_its_declared_range_and_not_beyond():
    from spectra_core.options import options_of
    from tests.test_options import REGISTRIES

    app = AppTest.from_function(all_options, default_timeout=60).run()
    assert not app.exception
    assert not app.error  # untouched widgets give the defaults
    shown = {one.key: one for one in app.number_input}
    for registry in REGISTRIES:
        for name, member in registry.items():
            for option in options_of(member).values():
                if option.kind in (int, float):
                    widget = shown.pop(f"{name}_{member.__name__}_{option.name}")
                    assert (widget.min, widget.max) == (option.range.least, option.range.most)
                    assert (widget.label, widget.value) == (option.label, option.default)
                    assert widget.help, "the docstring says what the option does"
    assert not shown


def test_a_field_without_default_cannot_be_a_widget():
    @dataclass
    class Incomplete:
        value: int = field()

    with pytest.raises(ConfigError, match="'value' has no default"):
        widgets.pick_options(Incomplete, key="x")
