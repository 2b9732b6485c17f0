"""Figures of sampling strategies."""

import numpy as np
import pandas as pd
import pytest

from spectra_core.figures import ROLE_COLOUR, ROLE_SYMBOL, alt_text, strategies
from spectra_core.figures.theme import thousands


def both_roles(**columns) -> pd.DataFrame:
    n = len(next(iter(columns.values())))
    one = pd.DataFrame(columns)
    return pd.concat([one.assign(role=role, sample=np.arange(n)) for role in ("training", "generated")])


@pytest.fixture
def latent_map() -> pd.DataFrame:
    return both_roles(x=[0.0, 1.0], y=[2.0, 3.0], nearest=[0.1, 0.2], share_x=[0.75, 0.75], share_y=[0.2, 0.2])


def test_points_of_both_roles_differ_in_colour_and_in_shape(latent_map):
    figure = strategies.drawn_points(latent_map)
    assert [trace.marker.color for trace in figure.data] == [ROLE_COLOUR["training"], ROLE_COLOUR["generated"]]
    assert [trace.marker.symbol for trace in figure.data] == [ROLE_SYMBOL["training"], ROLE_SYMBOL["generated"]]
    assert list(figure.data[1].x) == [0.0, 1.0]
    assert "75\xa0%" in figure.layout.xaxis.title.text
    assert "2 experimental spectra and 2 drawn points" in alt_text(figure)


def test_every_strategy_has_a_panel_with_the_data_under_its_points():
    points = pd.concat(
        pd.DataFrame({"strategy": name, "title": title, "x": [place, 1.0], "y": [0.0, 1.0]})
        for place, (name, title) in enumerate(
            [("", "Training spectra"), *((f"s{i}", f"Strategy {i}") for i in range(4))]
        )
    ).assign(share_x=0.7, share_y=0.2)
    figure = strategies.strategy_panels(points)
    assert [note.text for note in figure.layout.annotations] == [f"Strategy {i}" for i in range(4)]
    assert [trace.x[0] for trace in figure.data] == [0, 1, 0, 2, 0, 3, 0, 4]
    assert sum(trace.showlegend for trace in figure.data) == 2
    for axes in (list(figure.select_xaxes()), list(figure.select_yaxes())):
        assert len([axis for axis in axes if axis.matches is None]) == 1
    assert "4 latent strategies over 2 training spectra" in alt_text(figure)


def test_thinned_points_are_said_to_be_thinned():
    n = 2 * strategies.MAX_MARKERS + 1
    many = both_roles(x=np.arange(n), y=np.arange(n), nearest=np.ones(n), share_x=np.ones(n), share_y=np.zeros(n))
    figure = strategies.drawn_points(many)
    assert len(figure.data[0].x) <= strategies.MAX_MARKERS
    assert figure.data[0].name == f"Experimental ({thousands(len(figure.data[0].x))} of {thousands(n)} shown)"


def test_pairs_show_at_most_four_targets_with_their_units():
    names = [f"ion {i}" for i in range(6)]
    table = both_roles(**{f"target {name}": [0.1, 0.2] for name in names})
    figure = strategies.concentration_pairs(table, {name: f"{name}, mol/L" for name in names})
    assert [dimension.label for dimension in figure.data[0].dimensions] == [f"ion {i}, mol/L" for i in range(4)]


@pytest.mark.parametrize("n_targets", [2, 3])
def test_of_pairs_the_data_lie_uppermost_and_come_first_in_the_legend(n_targets):
    names = [f"ion {i}" for i in range(n_targets)]
    table = both_roles(**{f"target {name}": [0.1, 0.2] for name in names})
    drawn = strategies.concentration_pairs(table, {name: name for name in names}).data
    assert [trace.name.partition(" (")[0] for trace in drawn] == ["Generated", "Experimental"]
    assert [trace.legendrank for trace in drawn] == [2, 1]


@pytest.mark.parametrize("n_targets", [1, 4, 8, 20])
def test_every_target_has_a_panel_with_its_unit(n_targets):
    names = [f"a long name of target {i}" for i in range(n_targets)]
    table = pd.concat(
        [
            pd.DataFrame({"target": name, "role": role, "low": [0, 1], "high": [1, 2], "share": [0.25, 0.75]})
            for name in names
            for role in ("training", "generated")
        ]
    )
    figure = strategies.concentration_marginals(table, {name: f"{name}, mol/L" for name in names})
    titles = [axis.title.text for axis in figure.select_xaxes() if axis.title.text]
    assert titles == [f"{name}, mol/L" for name in names]
    # A step line needs the last edge, too: bins 0-1 and 1-2 are drawn from 0 to 2.
    assert list(figure.data[0].x) == [0, 1, 2]
    assert list(figure.data[0].y) == [0.25, 0.75, 0.75]
    assert sum(trace.showlegend for trace in figure.data) == 2


def test_charge_is_shown_per_role_with_its_unit():
    table = both_roles(residual=[-0.25, 0.0], relative=[-1.0, 0.0])
    figure = strategies.charge_balance(table)
    assert "mol/L" in figure.layout.xaxis.title.text
    assert [trace.name for trace in figure.data] == ["Experimental", "Generated"]
    assert "generated up to 0.25 mol/L" in alt_text(figure)


def test_share_inside_the_hull_is_told_without_sight():
    table = both_roles(inside=[True, False], distance=[0.0, 2.0])
    assert "generated 50\xa0% inside" in alt_text(strategies.distance_to_data(table))


def test_spectra_are_drawn_over_both_bands_in_the_field_s_direction():
    band = both_roles(position=[400.0, 500.0], mean=[1.0, 2.0], q05=[0.5, 1.5], q95=[1.5, 2.5])
    examples = pd.DataFrame({"sample": [0, 0, 1, 1], "position": [400.0, 500.0] * 2, "signal": [1.0, 2.0, 1.1, 2.1]})
    figure = strategies.drawn_spectra(band, examples, axis_label="Wavenumber, 1/cm", signal_label="Absorbance")
    assert figure.layout.xaxis.autorange == "reversed"
    singles = [trace for trace in figure.data if trace.name == "Single generated spectra"]
    assert [list(trace.y) for trace in singles] == [[1.0, 2.0], [1.1, 2.1]]
    assert {trace.line.color for trace in figure.data if "mean" in trace.name} == {
        ROLE_COLOUR["training"],
        ROLE_COLOUR["generated"],
    }
