"""JCAMP-DX: one linked block per spectrum, as pairs, so that any axis keeps all its digits."""

import json
from dataclasses import dataclass
from typing import ClassVar

from spectra_core.datasets.writers.base import table_of
from spectra_core.spectra import SpectraSet

_X_UNITS = {"nm": "NANOMETERS", "cm-1": "1/CM", "µm": "MICROMETERS", "eV": "EV", "": "ARBITRARY UNITS"}
DOCUMENT, ROW = "$LATENT SPECTRA", "$LATENT SPECTRA ROW"


@dataclass(frozen=True)
class JcampText:
    """The exchange format of IUPAC."""

    title: ClassVar[str] = "JCAMP-DX"
    explanation: ClassVar[str] = "Read by the software of nearly every instrument; one block per spectrum."
    extension: ClassVar[str] = ".jdx"
    mime: ClassVar[str] = "chemical/x-jcamp-dx"

    def write(self, spectra: SpectraSet) -> bytes:
        """Write a link block with the document, then the spectra."""
        table = table_of(spectra)
        x_unit = spectra.axis.unit
        kind = "RAMAN SPECTRUM" if spectra.axis.quantity == "Raman shift" else "UV/VIS SPECTRUM"
        kind = "INFRARED SPECTRUM" if spectra.axis.quantity == "Wavenumber" else kind
        origin = spectra.meta.origin
        lines = [
            f"##TITLE= {_plain(spectra.meta.name)}",
            "##JCAMP-DX= 4.24",
            "##DATA TYPE= LINK",
            f"##BLOCKS= {len(spectra) + 1}",
            f"##ORIGIN= {origin} spectra, written by Latent Spectra",
            "##OWNER= ",
            f"##{DOCUMENT}= {_plain(table.document.to_json())}",
        ]
        positions = [repr(float(position)) for position in spectra.axis.positions]
        for row in range(len(spectra)):
            values = [repr(float(value)) for value in spectra.signal[row]]
            about = {"samples": [cells[row] for cells in table.samples], "targets": table.targets[row].tolist()}
            lines += [
                f"##TITLE= {_plain(table.samples[0][row])}",
                "##JCAMP-DX= 4.24",
                f"##DATA TYPE= {kind}",
                f"##ORIGIN= {origin}",
                "##OWNER= ",
                f"##{ROW}= {_plain(json.dumps(about))}",
                f"##XUNITS= {_X_UNITS.get(x_unit, x_unit)}",
                f"##YUNITS= {spectra.meta.quantity.upper() or 'ARBITRARY UNITS'}",
                "##XFACTOR= 1",
                "##YFACTOR= 1",
                f"##FIRSTX= {positions[0]}",
                f"##LASTX= {positions[-1]}",
                f"##NPOINTS= {len(positions)}",
                f"##FIRSTY= {values[0]}",
                "##XYPOINTS= (XY..XY)",
                *(f"{x}, {y}" for x, y in zip(positions, values, strict=True)),
                "##END=",
            ]
        lines.append("##END=")
        return "\r\n".join([*lines, ""]).encode()


def _plain(text: str) -> str:
    """Keep text on its line and out of comments, which begin with two dollar signs; JSON knows the escape."""
    if text.startswith("{"):
        return text.replace("$", "\\u0024")
    return "".join(letter if letter.isprintable() and letter != "$" else " " for letter in text)
