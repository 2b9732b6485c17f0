"""Small files of every format, written here byte by byte or by other libraries, with the numbers that are in them."""

import gzip
import io
import struct
import zipfile

import h5py
import numpy as np
import pandas as pd
import scipy.io

X = np.linspace(400.0, 460.0, 31)
Y = np.round(0.5 + 0.4 * np.sin(X / 9.0), 4)
SPECTRA = np.stack([Y, 2 * Y, Y**2]).round(4)


def wide() -> bytes:
    table = pd.DataFrame(SPECTRA, columns=[f"{x:g}" for x in X])
    table.insert(0, "Cu2+", [0.1, 0.2, 0.3])
    table.insert(0, "sample", ["a", "b", "c"])
    return table.to_csv(index=False).encode()


def excel() -> bytes:
    stream = io.BytesIO()
    with pd.ExcelWriter(stream, engine="xlsxwriter") as book:
        pd.read_csv(io.BytesIO(wide())).to_excel(book, index=False)
    return stream.getvalue()


def zipped() -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("inside/wide.csv", wide())
    return stream.getvalue()


def npy() -> bytes:
    stream = io.BytesIO()
    np.save(stream, np.vstack([X, SPECTRA]).T)
    return stream.getvalue()


def npz() -> bytes:
    stream = io.BytesIO()
    np.savez(stream, X=SPECTRA, wavelength=X, y=np.array([1.0, 5.0, 2.0]))
    return stream.getvalue()


def parquet() -> bytes:
    stream = io.BytesIO()
    pd.read_csv(io.BytesIO(wide())).to_parquet(stream)
    return stream.getvalue()


def hdf5() -> bytes:
    stream = io.BytesIO()
    with h5py.File(stream, "w") as file:
        file["X"], file["wavelengths"], file["y"] = SPECTRA, X, [1.0, 5.0, 2.0]
    return stream.getvalue()


def matlab() -> bytes:
    stream = io.BytesIO()
    scipy.io.savemat(stream, {"DATA": SPECTRA, "WAV": X, "CONC": np.array([[1.0, 2.0], [5.0, 3.0], [2.0, 9.0]])})
    return stream.getvalue()


def spc_header(flags: int, n_sub: int, n_points: int = len(X), exponent: int = 0) -> bytes:
    head = struct.pack("<BBBb i dd i BBBB", flags, 0x4B, 0, exponent, n_points, X[0], X[-1], n_sub, 3, 2, 0, 0)
    return head.ljust(512, b"\0")


def spc() -> bytes:
    """Three subfiles of 32-bit integers with exponents 1, 2 and -2: values are whole * 2**exponent / 2**32."""
    content = spc_header(0x04, 3)
    for exponent, y in zip((1, 2, -2), SPECTRA * [[1.0], [1.0], [0.1]], strict=True):
        content += struct.pack("<Bb H fff ii f 4x", 0, exponent, 0, 0, 0, 0, 0, 0, 0)
        content += np.round(y * 2.0 ** (32 - exponent)).astype("<i4").tobytes()
    return content


def old_spc() -> bytes:
    """One spectrum of the old format: 32-bit integers with the high half first."""
    head = struct.pack("<BB h fff BB", 0, 0x4D, 1, len(X), X[0], X[-1], 3, 2).ljust(256, b"\0")
    whole = np.round(Y * 2.0**31).astype(np.int64).astype(np.uint32)
    halves = np.stack([whole >> 16, whole & 0xFFFF], axis=1).astype("<u2")
    return head + halves.tobytes()


def jcamp() -> bytes:
    """AFFN lines of ten values, checked by NPOINTS."""
    whole = np.round(Y * 1e4).astype(int)
    lines = [f"{X[at]:.2f} " + " ".join(map(str, whole[at : at + 10])) for at in range(0, len(X), 10)]
    return jcamp_around("\n".join(lines))


def jcamp_packed() -> bytes:
    """The same values in difference form: a squeezed first value, differences, and a check value on each next line."""
    whole = np.round(Y * 1e4).astype(int)
    squeezed = {**{str(d): "@ABCDEFGHI"[d] for d in range(10)}, **{f"-{d}": "abcdefghi"[d - 1] for d in range(1, 10)}}
    difference = {**{str(d): "%JKLMNOPQR"[d] for d in range(10)}, **{f"-{d}": "jklmnopqr"[d - 1] for d in range(1, 10)}}

    def packed(value: int, letters: dict[str, str]) -> str:
        text = str(abs(value))
        return letters[("-" if value < 0 else "") + text[0]] + text[1:]

    lines = []
    for start in range(0, len(whole), 10):
        first = start - 1 if start else 0
        line = f"{X[first]:.2f}" + packed(int(whole[first]), squeezed)
        line += "".join(packed(int(step), difference) for step in np.diff(whole[first : start + 10]))
        lines.append(line)
    return jcamp_around("\n".join(lines))


def jcamp_around(data: str) -> bytes:
    return (
        "##TITLE= test\n##JCAMP-DX= 4.24\n##DATA TYPE= UV/VIS SPECTRUM\n##XUNITS= NANOMETERS\n##YUNITS= ABSORBANCE\n"
        f"##XFACTOR= 1\n##YFACTOR= 0.0001\n##FIRSTX= {X[0]}\n##LASTX= {X[-1]}\n##NPOINTS= {len(X)}\n"
        f"##XYDATA= (X++(Y..Y))\n{data}\n##END=\n"
    ).encode()


def shimadzu() -> bytes:
    """An OLE2 container with two streams of 512 float64 each: header, FAT, directory, then 8 + 8 sectors."""
    x, y = np.linspace(700.0, 189.0, 512), np.sin(np.linspace(0.0, 3.0, 512))
    fat = [0xFFFFFFFD, 0xFFFFFFFE, *range(3, 10), 0xFFFFFFFE, *range(11, 18), 0xFFFFFFFE]
    fat += [0xFFFFFFFF] * (128 - len(fat))
    header = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(16)
    header += struct.pack("<HHHHH6xIIIII", 0x3E, 3, 0xFFFE, 9, 6, 0, 1, 1, 0, 4096)
    header += struct.pack("<IIII", 0xFFFFFFFE, 0, 0xFFFFFFFE, 0) + struct.pack("<109I", 0, *[0xFFFFFFFF] * 108)

    def entry(name: str, kind: int, start: int, size: int, left: int, right: int, child: int) -> bytes:
        raw = name.encode("utf-16-le")
        return raw.ljust(64, b"\0") + struct.pack(
            "<HBBIII36xIQ", len(raw) + 2 if name else 0, kind, 1, left, right, child, start, size
        )

    none = 0xFFFFFFFF
    folder = entry("Root Entry", 5, 0xFFFFFFFE, 0, none, none, 1)
    folder += entry("X Data.1", 2, 2, 4096, none, 2, none) + entry("Y Data.1", 2, 10, 4096, none, none, none)
    folder += entry("", 0, 0, 0, none, none, none)
    return header + struct.pack("<128I", *fat) + folder + x.astype("<f8").tobytes() + y.astype("<f8").tobytes()


def pairs(separator: str = "\t", decimal: str = ".") -> str:
    return "\n".join(f"{x:.2f}{separator}{y:.4f}".replace(".", decimal) for x, y in zip(X, Y, strict=True))


def perkin_elmer() -> bytes:
    head = "PE UV                   SPECTRUM    ASCII       PEDS        1.60\n-1\nTEST.SP\n#HDR\n-1\n-1\n"
    return f"{head}#GR\nNM\nA\n1.0\n0.0\n{X[0]}\n2.0\n{len(X)}\n4\n1\n0\n#DATA\n{pairs()}\n".encode()


def ocean_optics() -> bytes:
    return (
        f"SpectraSuite Data File\n++++\nNumber of Pixels in Processed Spectrum: {len(X)}\n"
        f">>>>>Begin Processed Spectral Data<<<<<\n{pairs(decimal=',')}\n>>>>>End Processed Spectral Data<<<<<\n"
    ).encode()


def avantes() -> bytes:
    rows = "\n".join(f"{x:.2f};1,5;900,5;300,1;{y:.4f}".replace(".", ",") for x, y in zip(X, Y, strict=True))
    names = "Wave   ;Dark     ;Ref      ;Sample   ;Absorbance"
    units = "[nm]   ;[counts] ;[counts] ;[counts] ;[a.u.]"
    return f"M- \r\nIntegration time: 1 ms\r\n{names}\r\n{units}\r\n{rows}\r\n".encode()


def jasco() -> bytes:
    head = f"TITLE\ttest\nXUNITS\tNANOMETERS\nYUNITS\tABSORBANCE\nNPOINTS\t{len(X)}\nXYDATA\n"
    return f"{head}{pairs()}\n\n##### Extended Information\n".encode()


def cary() -> bytes:
    """Two samples on different grids, absorbance and transmittance, and a log."""
    lines = ["one,,two,,", "Wavelength (nm),Abs,Wavelength (nm),%T,"]
    lines += [
        f"{x:.2f},{y:.4f}," + (f"{x + 0.5:.2f},{100 * y:.4f}," if x < 450 else ",,") for x, y in zip(X, Y, strict=True)
    ]
    return "\r\n".join([*lines, "", "one", "Collection Time: 1/1/2020", ""]).encode()


# Reader: file name, content, and the first spectrum in it.
FILES: dict[str, tuple[str, bytes, np.ndarray]] = {
    "text": ("wide.csv", wide(), Y),
    "excel": ("wide.xlsx", excel(), Y),
    "gzip": ("wide.csv.gz", gzip.compress(wide(), mtime=0), Y),
    "zip": ("wide.zip", zipped(), Y),
    "npy": ("matrix.npy", npy(), Y),
    "npz": ("arrays.npz", npz(), Y),
    "parquet": ("wide.parquet", parquet(), Y),
    "hdf5": ("arrays.h5", hdf5(), Y),
    "matlab": ("arrays.mat", matlab(), Y),
    "spc": ("three.spc", spc(), Y),
    "jcamp": ("one.jdx", jcamp(), Y),
    "shimadzu": ("one.spc", shimadzu(), np.sin(np.linspace(0.0, 3.0, 512))),
    "perkin_elmer": ("one.txt", perkin_elmer(), Y),
    "ocean_optics": ("one.txt", ocean_optics(), Y),
    "avantes": ("one.ttt", avantes(), Y),
    "jasco": ("one.txt", jasco(), Y),
    "cary": ("two.csv", cary(), Y),
}
