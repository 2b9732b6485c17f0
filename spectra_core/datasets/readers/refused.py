"""Content that is certainly no table of spectra: called by its name in one sentence, before any reader touches it."""

import re

from spectra_core.errors import ReadError

_HTML = re.compile(rb"\A\s*(?:<!doctype html|<html|<head|<\?xml[^>]*>\s*<!doctype html)", re.IGNORECASE)
_TORCH_ZIP = re.compile(rb"\APK\x03\x04.{26,120}?/data\.pkl", re.DOTALL)
_NAMED_PICKLE = (".pkl", ".pickle", ".pt", ".pth", ".joblib")
# Protocols 2 to 5 begin with their number; 0 and 1 with what builds the first object.
_PICKLE = re.compile(
    rb"\A(?:\x80[\x02-\x05]|\([dl]p\d+\n|[})\]]q\x00"
    rb"|c(?:__builtin__|builtins|posix|nt|os|subprocess|copy_reg|copyreg|collections|numpy[\w.]*|pandas[\w.]*)\n)"
)
_SPECTRA_AS_TEXT = "Export the spectra as JCAMP-DX or text with the instrument's own program."
_NUMBERS = "Export the numbers as CSV or Excel."
_UNPACK = "Unpack it, and load the file inside."

_KINDS: tuple[tuple[bytes, str, str], ...] = (
    (rb"\x89PNG", "a PNG picture, not data", _NUMBERS),
    (rb"\xff\xd8\xff", "a JPEG picture, not data", _NUMBERS),
    (rb"GIF8[79]a", "a GIF picture, not data", _NUMBERS),
    (rb"II\*\0|MM\0\*", "a TIFF picture, not data", _NUMBERS),
    (rb"BM.{4}\0{4}|RIFF....WEBP", "a picture, not data", _NUMBERS),
    (rb"%PDF", "a PDF document, not data", _NUMBERS),
    (rb"\{\\rtf", "a formatted text (RTF), not data", _NUMBERS),
    (rb"(?:.*?PK\x03\x04.{26})(?:word|ppt)/", "a document or presentation, not a table", _NUMBERS),
    (rb"PK\x03\x04.{26,400}?opendocument\.(?:text|presentation)", "a document, not a table", _NUMBERS),
    (rb"SIMPLE  =", "a FITS file, as astronomy uses", "Convert it to CSV first, for example with astropy."),
    (rb"CDF[\x01\x02\x05]", "a netCDF file of the classic format", "Convert it first: nccopy -k nc4 IN OUT."),
    (rb"\x0e\x03\x13\x01", "an HDF4 file", "Convert it to HDF5 first: h4toh5 IN OUT."),
    (rb"SQLite format 3\0", "an SQLite database", "Export the table with the spectra as CSV."),
    (rb"7z\xbc\xaf\x27\x1c", "a 7-Zip archive", _UNPACK),
    (rb"Rar!\x1a\x07", "a RAR archive", _UNPACK),
    (rb".{257}ustar", "a tar archive", _UNPACK),
    (rb"BZh[1-9]1AY&SY", "a file packed with bzip2", _UNPACK),
    (rb"\xfd7zXZ\0", "a file packed with xz", _UNPACK),
    (rb"\x28\xb5\x2f\xfd", "a file packed with Zstandard", _UNPACK),
    (rb"\x04\x22\x4d\x18", "a file packed with LZ4", _UNPACK),
    (rb"\x1f\x9d", "a file packed with compress (.Z)", _UNPACK),
    (rb"ARROW1\0\0|FEA1", "an Arrow or Feather file", "Save the table as Parquet."),
    (rb"Obj\x01", "an Avro file", "Save the table as Parquet."),
    (rb"ORC[\x00-\x1f\x80-\xff]", "an ORC file", "Save the table as Parquet."),
    (rb"\$FL[23]", "an SPSS file", _NUMBERS),
    (rb"<stata_dta>", "a Stata file", _NUMBERS),
    (rb"\0{12}\xc2\xea\x81\x60", "a SAS file", _NUMBERS),
    (rb"TDSm", "a LabVIEW TDMS file", _NUMBERS),
    (rb".{128}DICM", "a DICOM file", _NUMBERS),
    (rb"CPYU?A ", "an Origin project", "Export the worksheet as text from Origin."),
    (rb"Andor Technology Multi-Channel File", "an Andor SIF file", _SPECTRA_AS_TEXT),
    (rb"AVS8[0-9]", "an Avantes binary file", _SPECTRA_AS_TEXT),
    (rb"X\n\0\0\0[\x02\x03]", "an R data file", "Give it back its ending .rds, or write the table as CSV."),
    (rb"Octave-1-[LB]", "an Octave binary file", "Save it with save -v7."),
    (rb"MZ.{20,}?(?:DOS mode|PE\0\0)|\x7fELF|\xcf\xfa\xed\xfe|\xca\xfe\xba\xbe", "a program, not data", _NUMBERS),
    (rb"\s*(?:<\?xml.{0,200}?)?<office:document", "a flat OpenDocument text (.fods)", "Save it as .ods or .xlsx."),
    (rb"\A\s*<\?xml|<(?:mzML|AnIML|GAML|SpectroML|svg)\b", "an XML document, not a table", _NUMBERS),
    (rb"\A\s*[{\[]\s*(?:[\"{\[]|\}|\])", "a JSON text, not a table", _NUMBERS),
)  # fmt: skip
"""First bytes, what the file is, and what to do instead."""
_PATTERNS = [(re.compile(rb"\A(?:" + magic + rb")", re.DOTALL), what, instead) for magic, what, instead in _KINDS]


def refuse(head: bytes, name: str) -> None:
    """Raise for content that is known to be no spectra; `name` is in lower case.

    Raises
    ------
    ReadError
        Saying what the file is, and what to export instead.
    """
    if not head.strip(b" \t\r\n\x00\xef\xbb\xbf"):
        raise ReadError("The file is empty. Export it again, or choose another one.")
    if _HTML.match(head):
        raise ReadError(
            "This is an HTML web page, not data: often a sign-in page saved by a download. "
            "Log in and download the file again."
        )
    if head.startswith(b"version https://git-lfs.github.com/spec"):
        raise ReadError(
            "This is a Git LFS pointer: it stands for a file that was not downloaded. "
            "Fetch it with 'git lfs pull' first."
        )
    if (head.startswith(b"version ") and b"/annex/objects/" in head[:300]) or head.startswith(b"/annex/objects/"):
        raise ReadError("This is a git-annex pointer: it stands for a file that was not downloaded. Fetch it first.")
    if _TORCH_ZIP.match(head) or _PICKLE.match(head) or name.endswith(_NAMED_PICKLE):
        raise ReadError(
            "This is a Python pickle or PyTorch file. It could run code when opened, so it is never read: "
            "models are exchanged as safetensors, spectra as CSV or npz."
        )
    if name.endswith((".rdata", ".rda", ".rds")):
        return  # packed like other files, but read as what they are
    for pattern, what, instead in _PATTERNS:
        if pattern.match(head):
            raise ReadError(f"This is {what}. {instead}")
