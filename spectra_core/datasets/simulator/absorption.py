"""What the species of a solution absorb: bands in wavenumber, water, and how ions disturb both."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from spectra_core.datasets.simulator.constants import Chemistry
from spectra_core.datasets.simulator.ions import IONS

_CM_PER_NM = 1e7
_FWHM_EXPONENT = 4.0 * np.log(2.0)
_TAIL_EDGE, _TAIL_SOFTNESS = 25000.0, 300.0
"""cm-1: beyond 400 nm the tail of iron is uncertain; the factor sets in over about 10 nm."""
_OVERTONES = ((9760.0, 300.0), (9430.0, 350.0))
"""Centre and width [cm-1] of ammonium's N-H overtones near 1025 and 1060 nm [A]."""


def gaussian_bands(
    wavelengths: NDArray[np.float64],
    absorptivity: NDArray[np.float64],
    centre: NDArray[np.float64],
    width: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Return bands that are Gaussian in wavenumber, (n_bands, n_channels), L/mol/cm.

    ``absorptivity * exp(-4 ln 2 ((nu - centre) / width)**2)`` with nu, centre and full width at half maximum in cm-1
    and wavelengths in nm.
    """
    distance = (_CM_PER_NM / wavelengths - centre[:, None]) / width[:, None]
    return np.asarray(absorptivity[:, None] * np.exp(-_FWHM_EXPONENT * distance**2))


def absorptivities(
    wavelengths: NDArray[np.float64],
    chemistry: Chemistry,
    *,
    iron_tail: float = 1.0,
    ammonium_overtones: bool = False,
) -> NDArray[np.float64]:
    """Return the molar absorptivity of every species, (n_species, n_channels), L/mol/cm.

    Parameters
    ----------
    iron_tail
        Factor on every iron species beyond 400 nm, on top of the constant ``visible tail Fe3+``.
    ammonium_overtones
        Whether ammonium's N-H overtones, below 0.01 L/mol/cm, are drawn.
    """
    names = list(chemistry.species["species"])
    result = np.zeros((len(names), len(wavelengths)))
    for bands in _bands_with_inherited(chemistry):
        curves = gaussian_bands(wavelengths, *(bands[name].to_numpy() for name in ("absorptivity", "centre", "width")))
        for species, curve in zip(bands["species"], curves, strict=True):
            result[names.index(species)] += curve
    iron = chemistry.species["Fe3+"].to_numpy() > 0
    result[iron] *= _visible_tail(wavelengths, iron_tail * _of_ion(chemistry, "Fe3+", "visible tail"))
    if ammonium_overtones:
        height = _of_ion(chemistry, "NH4+", "overtone")
        centres, widths = (np.array(values) for values in zip(*_OVERTONES, strict=True))
        result[names.index("NH4+")] += gaussian_bands(wavelengths, np.full(2, height), centres, widths).sum(axis=0)
    return result


def _bands_with_inherited(chemistry: Chemistry) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return own bands, and those taken over from another species with a factor and a shift."""
    likeness = chemistry.absorbs_like.drop(columns=["status", "source"])
    merged = likeness.merge(chemistry.bands.drop(columns=["status", "source"]), left_on="like", right_on="species")
    taken = merged[[band.startswith(group) for band, group in zip(merged["band"], merged["bands"], strict=True)]]
    inherited = pd.DataFrame(
        {
            "species": taken["species_x"],
            "absorptivity": taken["absorptivity"] * taken["factor"],
            "centre": taken["centre"] + taken["shift"],
            "width": taken["width"],
        }
    )
    return chemistry.bands, inherited


def _of_ion(chemistry: Chemistry, ion: str, quantity: str) -> float:
    return float(chemistry.ions[quantity].to_dict()[ion])


def _visible_tail(wavelengths: NDArray[np.float64], factor: float) -> NDArray[np.float64]:
    """Return a factor per channel that goes smoothly from 1 in the ultraviolet to `factor` beyond 400 nm."""
    beyond = 1.0 / (1.0 + np.exp(np.clip((_CM_PER_NM / wavelengths - _TAIL_EDGE) / _TAIL_SOFTNESS, -60.0, 60.0)))
    return np.asarray(factor**beyond)


def nitrate_disturbance(
    ions: NDArray[np.float64], wavelengths: NDArray[np.float64], chemistry: Chemistry, strength: float = 1.0
) -> NDArray[np.float64]:
    """Return how cations change the molar absorptivity of nitrate, (n_solutions, n_channels), L/mol/cm.

    Cations move nitrate's bands to the blue and strengthen them, lithium most (sign: Phys. Chem. Chem. Phys. 2020,
    D0CP00958J; size assumed, linear in concentration).

    Parameters
    ----------
    ions : (n_solutions, 8), mol/L
    strength
        Factor on the constants; 0 switches the effect off.
    """
    shift, gain = (
        strength * ions @ chemistry.ions[name].reindex(list(IONS)).to_numpy()
        for name in ("nitrate shift", "nitrate gain")
    )
    bands = chemistry.bands[chemistry.bands["species"] == "NO3-"]
    changed = np.zeros((len(ions), len(wavelengths)))
    wavenumbers = _CM_PER_NM / wavelengths
    for absorptivity, centre, width in bands[["absorptivity", "centre", "width"]].to_numpy():
        moved = (wavenumbers - (centre + shift)[:, None]) / width
        changed += absorptivity * (
            (1.0 + gain)[:, None] * np.exp(-_FWHM_EXPONENT * moved**2)
            - np.exp(-_FWHM_EXPONENT * ((wavenumbers - centre) / width) ** 2)
        )
    return changed


def nitrate_absorbers(chemistry: Chemistry) -> NDArray[np.float64]:
    """Return how many undisturbed-nitrate absorbers each species counts for, (n_species,)."""
    like = chemistry.absorbs_like[
        (chemistry.absorbs_like["like"] == "NO3-") & (chemistry.absorbs_like["bands"] == "n-pi*")
    ]
    factor = dict(zip(like["species"], like["factor"], strict=True)) | {"NO3-": 1.0}
    return np.array([factor.get(name, 0.0) for name in chemistry.species["species"]])


def water_absorbance(
    wavelengths: NDArray[np.float64], chemistry: Chemistry, temperature: float = 20.0
) -> NDArray[np.float64]:
    """Return the decadic absorbance of 1 cm of water, (n_channels,); taken as zero below 300 nm [A].

    Napierian absorption a [1/m] at 20 C plus its temperature derivative (WOPP v3; Röttgers et al., Opt. Express 22
    (2014) 25093), as ``a / 100 / ln 10``.
    """
    absorption = _water_curve(wavelengths, chemistry, "absorption")
    return absorption + (temperature - 20.0) * water_by_temperature(wavelengths, chemistry)


def water_by_temperature(wavelengths: NDArray[np.float64], chemistry: Chemistry) -> NDArray[np.float64]:
    """Return the change of 1 cm of water's absorbance per kelvin, (n_channels,)."""
    return _water_curve(wavelengths, chemistry, "by_temperature")


def _water_curve(wavelengths: NDArray[np.float64], chemistry: Chemistry, column: str) -> NDArray[np.float64]:
    from scipy.interpolate import PchipInterpolator

    # The last tabulated value is held beyond the table's end at 1110 nm.
    known = chemistry.water["wavelength"].to_numpy(dtype=np.float64)
    curve = PchipInterpolator(known, chemistry.water[column].to_numpy())(np.clip(wavelengths, known[0], known[-1]))
    return np.asarray(np.where(wavelengths < known[0], 0.0, curve / 100.0 / np.log(10.0)))


def ion_effects_on_water(
    wavelengths: NDArray[np.float64],
    chemistry: Chemistry,
    *,
    temperature: float = 25.0,
    exclusion: bool = True,
    hydration: float = 1.0,
) -> NDArray[np.float64]:
    """Return what 1 mol/L of each ion does to the absorbance of 1 cm of water, (8, n_channels).

    Volume exclusion, ``-A_water V / 1000`` with the partial molar volume V in mL/mol, and a change of the water that
    hydrates the ion. The latter takes the shape of sodium chloride's effect (WOPP v3 Psi_S), moved and scaled [A].
    """
    ions = chemistry.ions.reindex(list(IONS))
    effect = np.zeros((len(IONS), len(wavelengths)))
    if exclusion:
        effect -= np.outer(ions["volume"] / 1000.0, water_absorbance(wavelengths, chemistry, temperature))
    if hydration:
        known = chemistry.water["wavelength"].to_numpy(dtype=np.float64)
        peak = np.abs(_water_curve(known, chemistry, "by_salinity")).max()
        for row, (size, shift) in enumerate(ions[["hydration", "hydration shift"]].to_numpy()):
            shape = _water_curve(wavelengths - shift, chemistry, "by_salinity") / peak
            effect[row] += hydration * size / 1000.0 * shape
    return effect
