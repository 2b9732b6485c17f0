"""Generate spectra, see how they differ from measured ones, find out whether they improve a calibration.

The packages follow the flow of data: `datasets`, `splits`, `generators`, `samplers` and `conditions`,
`labelling`, `evaluation`, `figures`, `experiment`.
"""

__version__ = "0.3.0"
