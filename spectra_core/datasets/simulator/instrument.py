"""What a double-beam spectrophotometer makes of a true absorbance, step by step.

Each step is one function and can be switched off by setting its size to zero. Sizes are anchored on scans of real
instruments: noise of 0.13 to 0.5 mAU at 300 to 620 nm and 0.8 to 1.0 mAU above 1000 nm, plateaus at 2.9 to 4.0.
"""

from dataclasses import dataclass
from typing import Annotated

import numpy as np
from numpy.typing import NDArray

from spectra_core.options import Range, require_options

Array = NDArray[np.float64]
Size = Annotated[float, Range(0, 10_000)]
Share = Annotated[float, Range(0, 0.999)]


@dataclass(frozen=True)
class Instrument:
    """Sizes of an instrument's imperfections; 0 switches one off.

    Parameters
    ----------
    path_sd
        Relative standard deviation of path length and pipetting, one draw per spectrum.
    wavelength_sd
        Repeatability of the wavelength drive, nm, one draw per spectrum.
    slit
        Full width at half maximum of a triangular slit function, nm.
    blank_temperature_sd
        Standard deviation of the temperature difference between sample and water blank, K.
    lamp_change_sd
        Step at the change of lamps, absorbance.
    lamp_change_at
        Where the lamps change, nm.
    offset_sd, slope_sd
        Baseline offset and its tilt from the middle to either end of the axis, absorbance.
    stray_light, stray_light_uv
        Stray light as a share of the lamp's light, in the visible and at 190 nm.
    dark_noise
        Standard deviation of the detector in the dark, transmittance.
    shot_noise, shot_noise_infrared
        Standard deviation at full transmittance below 650 nm and above 1000 nm; it goes with sqrt(T).
    flicker_noise
        Standard deviation relative to the light that is detected.
    max_absorbance
        Where the instrument stops counting, absorbance.
    digit
        Step of the display, absorbance.
    """

    path_sd: Size = 0.003
    wavelength_sd: Size = 0.05
    slit: Size = 1.0
    blank_temperature_sd: Size = 0.7
    lamp_change_sd: Size = 0.001
    lamp_change_at: Annotated[float, Range(0, 1e6)] = 340.0
    offset_sd: Size = 0.001
    slope_sd: Size = 0.0005
    stray_light: Share = 2e-4
    stray_light_uv: Share = 1e-3
    dark_noise: Size = 5e-5
    shot_noise: Size = 3e-4
    shot_noise_infrared: Size = 2e-3
    flicker_noise: Size = 2e-4
    max_absorbance: Annotated[float, Range(1e-3, 1000)] = 5.0
    digit: Size = 0.001

    def __post_init__(self) -> None:
        require_options(self, "The instrument")


PERFECT = Instrument(
    path_sd=0, wavelength_sd=0, slit=0, blank_temperature_sd=0, lamp_change_sd=0, offset_sd=0, slope_sd=0,
    stray_light=0, stray_light_uv=0, dark_noise=0, shot_noise=0, shot_noise_infrared=0, flicker_noise=0,
    max_absorbance=100.0, digit=0,
)  # fmt: skip
"""An instrument that shows the true absorbance."""


def measure(
    absorbance: Array,
    wavelengths: Array,
    instrument: Instrument,
    rng: np.random.Generator,
    *,
    water_by_temperature: Array | None = None,
) -> Array:
    """Return what the instrument shows for the true `absorbance`, (n_spectra, n_channels).

    Parameters
    ----------
    water_by_temperature : (n_channels,), absorbance per K
        Change of the cell's water with temperature, for the mismatch between sample and blank.
    """
    shown = vary_path(absorbance, instrument, rng)
    shown = shift_wavelength(shown, wavelengths, instrument, rng)
    shown = pass_slit(shown, wavelengths, instrument)
    if water_by_temperature is not None:
        shown = mismatch_blank(shown, water_by_temperature, instrument, rng)
    shown = change_lamps(shown, wavelengths, instrument, rng)
    shown = drift_baseline(shown, wavelengths, instrument, rng)
    detected = add_noise(add_stray_light(10.0**-shown, wavelengths, instrument), wavelengths, instrument, rng)
    return digitise(to_absorbance(detected, instrument), instrument)


def vary_path(absorbance: Array, instrument: Instrument, rng: np.random.Generator) -> Array:
    """Scale each spectrum by its path length and pipetting error, N(1, path_sd)."""
    return absorbance * (1.0 + instrument.path_sd * rng.standard_normal((len(absorbance), 1)))


def shift_wavelength(absorbance: Array, wavelengths: Array, instrument: Instrument, rng: np.random.Generator) -> Array:
    """Move each spectrum along the axis by N(0, wavelength_sd), to first order."""
    shift = instrument.wavelength_sd * rng.standard_normal((len(absorbance), 1))
    if instrument.wavelength_sd == 0 or len(wavelengths) < 2:
        return absorbance
    return np.asarray(absorbance + shift * np.gradient(absorbance, wavelengths, axis=1))


def pass_slit(absorbance: Array, wavelengths: Array, instrument: Instrument) -> Array:
    """Average the transmittance over a triangular slit function.

    Second order in the slit width, ``T + (variance / 2) T''`` with the triangle's variance ``slit**2 / 6``: bands here
    are thirty times wider than the slit. Written for absorbance, so that nothing underflows:
    ``T'' / T = (ln 10 A')**2 - ln 10 A''``.
    """
    if instrument.slit == 0 or len(wavelengths) < 3:
        return absorbance
    slope = np.gradient(absorbance, wavelengths, axis=1)
    bend = np.gradient(slope, wavelengths, axis=1)
    relative = instrument.slit**2 / 12.0 * ((np.log(10.0) * slope) ** 2 - np.log(10.0) * bend)
    return np.asarray(absorbance - np.log10(np.maximum(1.0 + relative, 0.1)))


def mismatch_blank(
    absorbance: Array, water_by_temperature: Array, instrument: Instrument, rng: np.random.Generator
) -> Array:
    """Let the blank's water be warmer or colder than the sample's by N(0, blank_temperature_sd)."""
    difference = instrument.blank_temperature_sd * rng.standard_normal((len(absorbance), 1))
    return np.asarray(absorbance + difference * water_by_temperature)


def change_lamps(absorbance: Array, wavelengths: Array, instrument: Instrument, rng: np.random.Generator) -> Array:
    """Add a step below the wavelength where the lamps change, N(0, lamp_change_sd)."""
    step = instrument.lamp_change_sd * rng.standard_normal((len(absorbance), 1))
    return np.asarray(absorbance + step * (wavelengths < instrument.lamp_change_at))


def drift_baseline(absorbance: Array, wavelengths: Array, instrument: Instrument, rng: np.random.Generator) -> Array:
    """Add an offset N(0, offset_sd) and a tilt N(0, slope_sd)."""
    offset, tilt = rng.standard_normal((2, len(absorbance), 1))
    return np.asarray(absorbance + instrument.offset_sd * offset + instrument.slope_sd * tilt * _centred(wavelengths))


def _centred(wavelengths: Array) -> Array:
    """Return the axis mapped to -1 ... 1."""
    span = float(np.ptp(wavelengths)) or 1.0
    return np.asarray(2.0 * (wavelengths - wavelengths.min()) / span - 1.0)


def stray_light_share(wavelengths: Array, instrument: Instrument) -> Array:
    """Return stray light by channel, (n_channels,): rises geometrically from 300 nm to 190 nm, level elsewhere."""
    if instrument.stray_light == 0 or instrument.stray_light_uv == 0:
        return np.full(len(wavelengths), float(max(instrument.stray_light, instrument.stray_light_uv)))
    logs = np.interp(wavelengths, [190.0, 300.0], np.log([instrument.stray_light_uv, instrument.stray_light]))
    return np.asarray(np.exp(logs))


def add_stray_light(transmittance: Array, wavelengths: Array, instrument: Instrument) -> Array:
    """Mix in light that missed the sample: ``(T + s) / (1 + s)``; absorbance cannot exceed about -log10 s."""
    stray = stray_light_share(wavelengths, instrument)
    return np.asarray((transmittance + stray) / (1.0 + stray))


def noise_sd(transmittance: Array, wavelengths: Array, instrument: Instrument) -> Array:
    """Return the noise of the detected transmittance, shape of `transmittance`.

    ``sqrt(dark**2 + shot**2 T + (flicker T)**2)``; shot noise rises geometrically from 650 to 1000 nm, where silicon
    detectors lose their sensitivity.
    """
    ends = np.array([instrument.shot_noise, instrument.shot_noise_infrared])
    if (ends > 0).all():
        shot = np.exp(np.interp(wavelengths, [650.0, 1000.0], np.log(ends)))
    else:
        shot = np.interp(wavelengths, [650.0, 1000.0], ends)
    light = np.maximum(transmittance, 0.0)
    return np.asarray(np.sqrt(instrument.dark_noise**2 + shot**2 * light + (instrument.flicker_noise * light) ** 2))


def add_noise(transmittance: Array, wavelengths: Array, instrument: Instrument, rng: np.random.Generator) -> Array:
    """Add dark, shot and flicker noise, independent from channel to channel."""
    return transmittance + noise_sd(transmittance, wavelengths, instrument) * rng.standard_normal(transmittance.shape)


def to_absorbance(transmittance: Array, instrument: Instrument) -> Array:
    """Return -log10 of the transmittance, which noise may have made negative, up to max_absorbance."""
    return np.asarray(-np.log10(np.maximum(transmittance, 10.0**-instrument.max_absorbance)))


def digitise(absorbance: Array, instrument: Instrument) -> Array:
    """Round to the last digit of the display."""
    if instrument.digit == 0:
        return absorbance
    return np.asarray(np.round(absorbance / instrument.digit) * instrument.digit)


def saturated(absorbance: Array, wavelengths: Array, instrument: Instrument) -> NDArray[np.bool_]:
    """Return where less light passed the sample than went astray or drowns in dark noise."""
    floor = np.maximum(stray_light_share(wavelengths, instrument), instrument.dark_noise)
    floor = np.maximum(floor, 10.0**-instrument.max_absorbance)
    return np.asarray(absorbance > -np.log10(floor))
