"""Simulated solutions: what absorbs in them, what they hold, and what can be known of their ions at all."""

import pandas as pd
import plotly.graph_objects as go

from spectra_core.figures.theme import (
    BLUE,
    GREEN,
    GREY,
    HEIGHT,
    PURPLE,
    TARGET_COLOURS,
    VERMILION,
    styled,
    transparent,
)
from spectra_core.shares import percent

_PATTERNS = ("", "/", "\\", "x", "-", "|", "+", ".")
"""Fill patterns, so that absorbers are told apart without their colour."""
_HIGHEST = 5.0
"""Absorbance that no instrument shows; the axis ends below."""


def stacked_contributions(contributions: pd.DataFrame, spectrum: pd.DataFrame, *, axis_label: str) -> go.Figure:
    """Draw one spectrum as the sum of what absorbs, with what the instrument shows and where it is saturated.

    Parameters
    ----------
    contributions
        Row per absorber and channel: ``absorber``, ``position``, ``absorbance``; the largest absorber first. "Water",
        which may be negative against a blank, is drawn as a line.
    spectrum
        Row per channel: ``position``, ``clean``, ``measured``, ``saturated``.
    """
    figure = go.Figure()
    absorbers = [str(name) for name in dict.fromkeys(contributions["absorber"]) if name != "Water"]
    for place, name in enumerate(absorbers):
        rows = contributions[contributions["absorber"] == name]
        colour = GREY if name == "Others" else TARGET_COLOURS[place % len(TARGET_COLOURS)]
        figure.add_scatter(
            x=rows["position"],
            y=rows["absorbance"].clip(lower=0.0, upper=2 * _HIGHEST),
            name=name,
            stackgroup="absorbers",
            mode="lines",
            line={"width": 0.5, "color": colour},
            fillcolor=transparent(colour, 0.45),
            fillpattern={"shape": _PATTERNS[place % len(_PATTERNS)], "fgcolor": colour, "size": 7, "solidity": 0.25},
            hovertemplate=f"%{{x:g}}: %{{y:.3g}}<extra>{name}</extra>",
        )
    water = contributions[contributions["absorber"] == "Water"]
    if not water.empty:
        figure.add_scatter(
            x=water["position"],
            y=water["absorbance"],
            name="Water",
            mode="lines",
            line={"width": 1, "color": GREY, "dash": "dot"},
            hovertemplate="%{x:g}: %{y:.3g}<extra>Water</extra>",
        )
    figure.add_scatter(
        x=spectrum["position"],
        y=spectrum["measured"],
        name="Instrument shows",
        mode="lines",
        line={"width": 1.6, "color": BLUE},
        hovertemplate="%{x:g}: %{y:.3f}<extra>Instrument shows</extra>",
    )
    _shade_saturated(figure, spectrum)
    top = min(_HIGHEST, 1.1 * float(spectrum["measured"].max()))
    figure.update_layout(xaxis_title=axis_label, yaxis_title="Absorbance")
    figure.update_xaxes(range=[float(spectrum["position"].min()), float(spectrum["position"].max())])
    figure.update_yaxes(range=[min(-0.02, float(spectrum["measured"].min())), max(top, 0.05)])
    saturated = float(spectrum["saturated"].mean())
    alt = f"Spectrum as a sum of {', '.join(absorbers) or 'nothing'}; {percent(saturated)} of channels are saturated."
    return styled(figure, alt=alt, height=HEIGHT + 60)


def species_bars(species: pd.DataFrame, *, n_species: int = 16) -> go.Figure:
    """Draw the concentration of the most abundant species as bars on a logarithmic scale.

    Parameters
    ----------
    species
        Row per species, most abundant first: ``species``, ``concentration`` [mol/L].
    """
    rows = species.head(n_species).iloc[::-1]
    figure = go.Figure()
    figure.add_bar(
        x=rows["concentration"],
        y=rows["species"],
        orientation="h",
        marker={"color": GREEN},
        hovertemplate="%{y}: %{x:.3g} mol/L<extra></extra>",
        showlegend=False,
    )
    figure.update_layout(xaxis_title="Concentration, mol/L", bargap=0.25)
    figure.update_xaxes(type="log", dtick=1, exponentformat="power")
    figure.update_yaxes(automargin=True)
    alt = "Species by concentration: " + ", ".join(
        f"{row.species} {row.concentration:.2g}" for row in rows.itertuples()
    )
    return styled(figure, alt=alt, height=90 + 24 * max(len(rows), 4))


def identifiability_bars(table: pd.DataFrame) -> go.Figure:
    """Draw, per ion, the spread of the design and the floors of error under it, on a logarithmic scale.

    Parameters
    ----------
    table
        Row per target: ``target``, ``unit``, ``prior_sd``, ``plain_bound``, ``plain_low``, ``plain_high``,
        ``expected_error``, ``bayesian_bound``, ``identifiable``.
    """
    figure = go.Figure()
    for name, mask, colour, pattern in (
        ("Spread of the design", table["identifiable"], GREY, ""),
        ("Spread of the design, ion hardly identifiable", ~table["identifiable"], VERMILION, "/"),
    ):
        rows = table[mask]
        figure.add_bar(
            x=rows["target"],
            y=rows["prior_sd"],
            name=name,
            marker={"color": transparent(colour, 0.35), "pattern": {"shape": pattern, "fgcolor": colour}},
            hovertemplate="%{x}: %{y:.2g}<extra>Always guessing the mean</extra>",
        )
    _add_markers(figure, table, "expected_error", name="Best calibration, about", colour=GREEN, symbol="circle")
    _add_markers(figure, table, "bayesian_bound", name="Bayesian bound", colour=PURPLE, symbol="line-ew-open")
    _add_markers(figure, table, "plain_bound", name="Cramér-Rao bound, without bias", colour=BLUE, symbol="diamond")
    figure.data[-1].update(
        error_y={
            "type": "data",
            "symmetric": False,
            "array": table["plain_high"] - table["plain_bound"],
            "arrayminus": table["plain_bound"] - table["plain_low"],
            "thickness": 1,
            "width": 4,
        }
    )
    unit = str(table["unit"].iloc[0])
    figure.update_layout(yaxis_title=f"Error (one standard deviation), {unit}", barmode="overlay", bargap=0.35)
    figure.update_xaxes(categoryorder="array", categoryarray=list(table["target"]))
    figure.update_yaxes(type="log", dtick=1, exponentformat="power")
    hidden = ", ".join(table.loc[~table["identifiable"], "target"]) or "none"
    return styled(
        figure, alt=f"Floor of error per ion against the spread of the design; hardly identifiable: {hidden}."
    )


def _add_markers(figure: go.Figure, table: pd.DataFrame, column: str, *, name: str, colour: str, symbol: str) -> None:
    figure.add_scatter(
        x=table["target"],
        y=table[column],
        name=name,
        mode="markers",
        marker={"color": colour, "symbol": symbol, "size": 11, "line": {"width": 2, "color": colour}},
        hovertemplate=f"%{{x}}: %{{y:.2g}}<extra>{name}</extra>",
    )


def _shade_saturated(figure: go.Figure, spectrum: pd.DataFrame) -> None:
    """Shade every run of saturated channels, over what absorbs there, and say so in the legend."""
    run = (spectrum["saturated"] != spectrum["saturated"].shift()).cumsum()
    runs = spectrum[spectrum["saturated"]].groupby(run)["position"].agg(["min", "max"])
    shade = transparent(VERMILION, 0.16)
    for low, high in runs.itertuples(index=False):
        figure.add_vrect(x0=low, x1=high, fillcolor=shade, line_width=0)
    if len(runs):
        marker = {"symbol": "square", "size": 12, "color": transparent(VERMILION, 0.4)}
        figure.add_scatter(x=[None], y=[None], mode="markers", marker=marker, name="Saturated")
