"""Texts whose letters, ends or neighbours are odd: read for what they are, asked about, or refused in a sentence."""

import io
import zipfile

import pytest

from spectra_core.datasets import Recipe, read, understand
from spectra_core.datasets.readers import parse
from spectra_core.datasets.readers.base import Dialect
from spectra_core.datasets.readers.encodings import readings
from spectra_core.datasets.understanding import Understanding
from spectra_core.errors import ReadError
from tests.datasets.tables import IDS, lines_of
from tests.datasets.test_jcamp import block
from tests.datasets.test_strangers import HEAD, ROWS, asked, require_whole, understood

TABLE = lines_of([HEAD, *ROWS])
WORDS = {
    "cp932": "試料,銅濃度",
    "gb18030": "样品,铜浓度",
    "cp950": "樣品,銅濃度",
    "cp949": "시료,구리",
    "euc_jp": "サンプル,銅濃度",
    "cp1251": "Проба,медь",
    "koi8_r": "Проба,медь",
    "cp1253": "Δείγμα,νιτρικά",
    "cp1250": "Próbka,Stężenie",
    "cp850": "Größe,Öl",
    "mac_roman": "Größe,Öl",
}
WESTERN = [
    *(
        "Größe in µm",
        "25 °C",
        "cm³; m²/s",
        "«Öl»",
        "“x” € 5",
        "l\u2019eau, é",
        "Ångström",
        "Äthanol [µg/mL]",
        "ÜBERSICHT",
    ),
    *("naïve", "10 ± 2 µm", "mg·L", "½ Señal", "Špela, œuf", "T/°C", "5 ‰", "© Müller"),
]


def zipped(**members: str | bytes) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, content in members.items():
            archive.writestr(name.replace("_", "."), content)
    return stream.getvalue()


class TestEncodings:
    @pytest.mark.parametrize("encoding", WORDS)
    def test_letters_that_make_no_western_words_are_asked_about_and_read_as_said(self, encoding):
        content = TABLE.replace("sample,Cu", WORDS[encoding]).encode(encoding)
        found = understood(content)
        assert asked(found) == ["encoding"]
        (answer,) = [one for one in found.open_questions[0].choices if one.changes == {"encoding": encoding}]
        assert WORDS[encoding].split(",")[0] in answer.label
        parts = parse(content, "f.csv", Dialect(encoding=encoding))
        again = Understanding(parts, Recipe(groups="none", encoding=encoding), [("f.csv", "0" * 64)])
        assert asked(again) == []
        name, target = WORDS[encoding].split(",")
        assert [row.column.name for row in again.roles] == [name, target]
        require_whole(again.with_recipe(again.recipe.but(targets={target: {"name": "Cu"}})).build())

    @pytest.mark.parametrize("words", WESTERN)
    def test_western_words_are_no_question(self, words):
        assert readings(words.encode("cp1252")) == {}

    def test_a_text_of_an_instrument_is_asked_about_too(self):
        assert asked(understood(block(TITLE="試料").encode("cp932"), name="a.jdx")) == ["encoding"]

    def test_utf_8_with_a_wrong_byte_is_refused_by_its_line(self):
        with pytest.raises(ReadError, match=r"are UTF-8, but not all bytes \(1 wrong, the first in line 3\)"):
            understood(TABLE.replace("Cu", "µ°ä", 1).encode().replace(b"s1,", b"s\xe41,", 1))


class TestEnds:
    def test_marks_that_nobody_sees_are_no_part_of_a_cell(self):
        text = TABLE.replace("s4,", "\ufeffs4,").replace(f"{ROWS[6][5]}", f"\u200b{ROWS[6][5]}\ufeff")
        found = understood("\ufeff" + text + "\x1a")
        assert list(found.ids) == IDS
        require_whole(found.build())

    def test_text_after_its_end_is_refused(self):
        with pytest.raises(ReadError, match="Line 14 holds the mark at which old programs end a text"):
            understood(f"{TABLE}\x1a{TABLE[:40]}")

    def test_a_last_number_that_may_be_cut_off_is_named(self):
        lines = TABLE.splitlines()
        for row in range(1, len(lines)):
            lines[row] = f"{lines[row].rpartition(',')[0]},0.{row:04d}5"
        cut = [said for said in understood("\n".join(lines)[:-2]).table.notes if "may be cut off" in said]
        assert "its last number, 0.001, has fewer digits" in cut[0]
        assert not any("cut off" in said for said in understood("\n".join(lines)).table.notes)

    def test_a_line_that_counts_the_columns_is_no_spectrum(self):
        with pytest.raises(ReadError, match=r"Line 2 of f\.csv counts the columns"):
            understood(lines_of([HEAD, range(len(HEAD)), *ROWS]))


BESIDE = {"README_txt": "About these spectra.\n", "meta_json": '{"a": 1}', "paper_pdf": b"%PDF-1.4 x"}


class TestBeside:
    @pytest.mark.parametrize("name", BESIDE)
    def test_what_lies_beside_a_table_is_named_and_not_used(self, tmp_path, name):
        whole = zipped(**{name: BESIDE[name], "table_csv": TABLE})
        file = tmp_path / name.replace("_", ".")
        file.write_bytes(BESIDE[name].encode() if isinstance(BESIDE[name], str) else BESIDE[name])
        (tmp_path / "table.csv").write_text(TABLE)
        for found in (understood(whole, name="a.zip"), understand({path.name: path for path in tmp_path.iterdir()})):
            require_whole(found.build())
            assert any(f"{file.name!r}" in said and "is not used: " in said for said in found.warnings)

    def test_nothing_but_a_readme_and_what_may_be_data_are_refused(self, tmp_path):
        with pytest.raises(ReadError, match=r"'README\.txt': The text holds no table"):
            understood(zipped(README_txt="Words.\n"), name="a.zip")
        with pytest.raises(ReadError, match=r"'s1\.csv': The file is empty.* take it out of the archive"):
            understood(zipped(s1_csv="", table_csv=TABLE), name="a.zip")
        (tmp_path / "README.md").write_text("Words.\n")
        with pytest.raises(ReadError, match="holds no table"):
            read(tmp_path)
