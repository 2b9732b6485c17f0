"""A capsule: one file with an experiment, its data or their fingerprint, its results, and a checksum of every byte.

A zip archive of JSON, CSV, HTML and safetensors: nothing in it is code, and nothing is unpickled. The last 64
characters, in the archive's comment, are the sha256 of everything before them.
"""

import io
import re
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from json import JSONDecodeError
from typing import Any

from spectra_core.datasets.formulas import table_csv
from spectra_core.errors import ZIP_FAULTS, ReadError, SpectraCoreError, SpectraError, StoreError, json_fault
from spectra_core.experiment import Experiment
from spectra_core.json_text import strict_json
from spectra_core.report.card import Card
from spectra_core.report.finding import DOCUMENT, EXPERIMENT, read_table, require_experiment
from spectra_core.report.page import as_html
from spectra_core.report.study import judged, study_report
from spectra_core.spectra import SpectraSet
from spectra_core.store import ResultRecord, StoredResult
from spectra_core.store.files import directory_size, json_bytes, sha256
from spectra_core.store.sets import SET_FILES, set_files, set_from
from spectra_core.store.shapes import fits
from spectra_core.training.versions import versions

FORMAT, FORMAT_VERSION = "latent-spectra capsule", 1
MANIFEST, REPORT = "capsule.json", "report.html"
SET_MEMBERS = tuple(f"data/{name}" for name in SET_FILES)
MOST_BYTES = 2 * 2**30
"""Of all members together, unpacked."""
MOST_MEMBERS = 200
MOST_PACKED = 40
"""Times that members may be smaller in the archive: tables repeat names, so experiments pack to a third to a seventh,
or to a 21st where every name has 200 letters."""
TELLING = ("predictions",)
"""Tables that hold the reference values of single spectra: they stay behind where the data do."""
_MEMBER = re.compile(
    r"(capsule|experiment|document)\.json|report\.html|tables/[a-z_]{1,60}\.csv|data/set\.(json|safetensors)"
    r"|cards/[0-9a-f]{12}\.(json|html)"
)
_DIGEST = 64
_COMMENT = b"sha256 of all bytes before it: "
_MOST_OF_DIRECTORY = MOST_MEMBERS * 128
"""Bytes: members of ours have names of at most 71 letters, and nothing else of their own."""
_NO_DIRECTORY = (
    f"This is no capsule, which has at most {MOST_MEMBERS} members, or its directory at the end was changed or cut "
    "off. Ask for it again."
)


class CapsuleError(ReadError):
    """A capsule is not what was written, or was never one."""


@dataclass(frozen=True, eq=False)
class Capsule:
    """A capsule whose every byte was checked.

    Parameters
    ----------
    result
        Experiment, document and tables.
    files
        The members by name.
    facts
        The manifest.
    """

    result: StoredResult
    files: Mapping[str, bytes]
    facts: Mapping[str, Any]

    @property
    def fingerprint(self) -> str:
        """Of the data."""
        return str(self.facts["data"]["fingerprint"])

    def data(self) -> SpectraSet | None:
        """Return the data, checked against their fingerprint; None where they stayed behind.

        Raises
        ------
        CapsuleError
            When they are no set, or another one.
        """
        files = {name: self.files[f"data/{name}"] for name in SET_FILES if f"data/{name}" in self.files}
        if not files:
            return None
        try:
            return set_from(self.fingerprint, self.result.record.name, files)
        except StoreError as error:
            raise CapsuleError("The data in this capsule are not those of its experiment. Ask for it again.") from error


def capsule_of(
    result: StoredResult,
    spectra: SpectraSet | None,
    *,
    with_data: bool = True,
    licence: str = "",
    cards: Sequence[Card] = (),
) -> bytes:
    """Pack an experiment into a capsule.

    Parameters
    ----------
    spectra
        The data of the experiment, with its targets only.
    with_data
        Whether they go along; else their fingerprint does, and neither predictions, which stand beside reference
        values, nor anything that shows single spectra.
    licence
        Of the data, as its owner stated it.
    cards
        Of kept generators that were trained on the data; they tell its ranges, and stay behind where it does.

    Raises
    ------
    SpectraError
        When the result is no experiment, or the data are needed and not at hand, or it would be too large.
    """
    require_experiment(result, "A capsule")
    fingerprint = str(result.document["data"].get("fingerprint", ""))
    if with_data and (spectra is None or spectra.fingerprint != fingerprint):
        raise SpectraError(
            f"The data of {result.record.name!r} are not kept here (fingerprint {fingerprint[:12]}). Give them with "
            "--data, or make the capsule without them: --without-data."
        )
    spectra, cards = (spectra, cards) if with_data else (None, ())
    tables = {**result.tables, "comparisons": judged(result)}
    tables = {name: table for name, table in tables.items() if with_data or name not in TELLING}
    experiment = Experiment.from_document(result.document["experiment"])
    document = {name: value for name, value in result.document.items() if name != "experiment"}
    files = {
        EXPERIMENT: experiment.to_json().encode(),
        DOCUMENT: json_bytes({**document, "name": result.record.name, "created": result.record.created}),
        REPORT: as_html(study_report(result, spectra, licence, cards)).encode(),
        **{f"tables/{name}.csv": table_csv(table) for name, table in tables.items()},
        **{f"cards/{card.about['id'][:12]}.json": card.to_json() for card in cards},
        **{f"cards/{card.about['id'][:12]}.html": as_html(card.report()).encode() for card in cards},
    }
    if spectra is not None:
        files |= {f"data/{name}": content for name, content in set_files(spectra).items()}
    return _packed(files, {"data": {"fingerprint": fingerprint, "included": with_data}, "versions": versions()})


def open_capsule(content: bytes) -> Capsule:
    """Check every byte of a capsule and return what is in it; nothing in it is run.

    Raises
    ------
    CapsuleError
        In one sentence that names the member, when anything is not as it was written.
    """
    archive = _archive(content)
    _require_digest(content, archive)
    files = {info.filename: _content(archive, info) for info in archive.infolist()}
    try:
        facts = strict_json(files[MANIFEST])
    except (KeyError, ValueError) as error:
        raise CapsuleError(f"This is no capsule: its member {MANIFEST} is missing or cannot be read.") from error
    if facts.get("format") != FORMAT or repr(facts.get("version")) != repr(FORMAT_VERSION):
        raise CapsuleError(
            f"Expected a capsule of version {FORMAT_VERSION}, got {str(facts.get('version'))[:20]!r}. Verify it with "
            "the version of this program that made it."
        )
    _require_members(files, facts)
    return Capsule(_result(files), files, facts)


def fault(error: Exception) -> str:
    """Say what is wrong with a member's content."""
    if isinstance(error, KeyError):
        return f"{error.args[0]!r} is missing"
    return f"a text {json_fault(error)}" if isinstance(error, (JSONDecodeError, UnicodeDecodeError)) else str(error)


def _packed(files: dict[str, bytes], facts: dict[str, Any]) -> bytes:
    manifest = {
        "format": FORMAT,
        "version": FORMAT_VERSION,
        **facts,
        "members": {name: {"sha256": sha256(content), "size": len(content)} for name, content in files.items()},
    }
    files = {MANIFEST: json_bytes(manifest), **files}
    size = sum(map(len, files.values()))
    foreign = [name for name in files if not _MEMBER.fullmatch(name)]
    if size > MOST_BYTES or foreign:
        what = f"its part {foreign[0]!r} is unknown" if foreign else f"it would hold {size / 2**30:.1f} GB"
        raise SpectraError(f"This cannot be put into a capsule: {what}. Leave the data out: --without-data.")
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.comment = _COMMENT + b"0" * _DIGEST
        for name, member in files.items():
            archive.writestr(zipfile.ZipInfo(name), member, zipfile.ZIP_DEFLATED)
    content = written.getvalue()[:-_DIGEST]
    return content + sha256(content).encode()


def _archive(content: bytes) -> zipfile.ZipFile:
    """Open the archive without unpacking, and refuse what no capsule holds."""
    if not 0 < directory_size(content, len(_COMMENT) + _DIGEST) <= _MOST_OF_DIRECTORY:
        raise CapsuleError(_NO_DIRECTORY)
    try:
        archive = zipfile.ZipFile(io.BytesIO(content))
        members = archive.infolist()
    except ZIP_FAULTS as error:
        raise CapsuleError(_NO_DIRECTORY) from error
    names = [info.filename for info in members]
    if len(names) > MOST_MEMBERS:
        raise CapsuleError(f"This is no capsule: it has {len(names)} members; at most {MOST_MEMBERS} are read.")
    for info in members:
        if not _MEMBER.fullmatch(info.orig_filename):
            raise CapsuleError(f"This is no capsule: no capsule has a member {info.orig_filename[:80]!r}.")
        if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED) or info.flag_bits & 1:
            raise CapsuleError(f"The member {info.filename} is packed in a way that no capsule is, or encrypted.")
    repeated = next((name for name in names if names.count(name) > 1), None)
    if repeated is not None:
        raise CapsuleError(f"This is no capsule: its member {repeated} is there twice.")
    size = sum(info.file_size for info in members)
    if size > min(MOST_BYTES, MOST_PACKED * len(content) + 2**20):
        raise CapsuleError(f"This is no capsule: its {len(content) / 1e6:.1f} MB would unpack to {size / 1e6:.0f} MB.")
    return archive


def _require_digest(content: bytes, archive: zipfile.ZipFile) -> None:
    """Refuse a capsule with a changed byte, and say in which member it is."""
    if content[-_DIGEST:] == sha256(content[:-_DIGEST]).encode():
        return
    try:
        known = strict_json(_content(archive, archive.getinfo(MANIFEST)))["members"]
    except (KeyError, ValueError, CapsuleError) as error:
        raise CapsuleError(f"This capsule was changed after it was made: its member {MANIFEST} is damaged.") from error
    for info in archive.infolist():
        if info.filename == MANIFEST:
            continue
        try:
            intact = sha256(_content(archive, info)) == known[info.filename]["sha256"]
        except (KeyError, TypeError, CapsuleError):
            intact = False
        if not intact:
            raise CapsuleError(f"This capsule was changed after it was made: its member {info.filename} is damaged.")
    raise CapsuleError(
        "This capsule was changed after it was made: its members unpack as they were, but the archive around them, or "
        "its checksum at the end, is not what was written."
    )


def _content(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> bytes:
    """Unpack a member, never more of it than it says."""
    try:
        with archive.open(info) as member:
            content = member.read(info.file_size)
            if len(content) != info.file_size or member.read(1):
                raise zipfile.BadZipFile
    except ZIP_FAULTS as error:
        raise CapsuleError(
            f"This capsule was changed after it was made: its member {info.filename} is damaged."
        ) from error
    return content


def _require_members(files: Mapping[str, bytes], facts: Mapping[str, Any]) -> None:
    known = facts.get("members")
    data = facts.get("data")
    if not (isinstance(known, dict) and isinstance(data, dict) and isinstance(data.get("fingerprint"), str)):
        raise CapsuleError(f"This is no capsule: its member {MANIFEST} names no members or no data.")
    for name in [*known, *files]:
        if name == MANIFEST:
            continue
        if name not in files or name not in known:
            raise CapsuleError(
                f"The member {name[:80]} is {'missing' if name in known else 'not one of this capsule'}."
            )
        if not isinstance(known[name], dict) or known[name].get("sha256") != sha256(files[name]):
            raise CapsuleError(f"The member {name} is not what the capsule says it is: its checksum differs.")


def _result(files: Mapping[str, bytes]) -> StoredResult:
    try:
        experiment, document = strict_json(files[EXPERIMENT]), strict_json(files[DOCUMENT])
        Experiment.from_document(experiment)
        tables = {
            name.removeprefix("tables/").removesuffix(".csv"): read_table(content)
            for name, content in files.items()
            if name.startswith("tables/")
        }
        name, created = document["name"], document["created"]
        if not (fits(document["data"], dict[str, Any]) and fits([name, created], list[str])):
            raise ValueError("its document is of another form")
        missing = [one for one in ("errors", "comparisons", "spreads") if one not in tables]
        if missing:
            raise ValueError(f"its table {missing[0]} is missing")
    except (KeyError, TypeError, ValueError, SpectraCoreError) as error:
        raise CapsuleError(f"This capsule holds no experiment that can be verified: {fault(error)}") from error
    record = ResultRecord("", "study", name, tuple(tables), "", 0, created)
    return StoredResult(record, {**document, "experiment": experiment}, tables)
