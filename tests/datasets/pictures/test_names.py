"""Names that are not ASCII: zips of other Windows, macOS's split letters, bytes that are no text."""

from __future__ import annotations

import os
import unicodedata
import zipfile
from pathlib import Path

import pytest

from ganvas.datasets.pictures.names import decode_all, decode_text, readable
from ganvas.errors import UsageError
from picture_sets import Set, by_class, png, read

WORDS = {
    "cp949": "고양이 강아지 토끼 자동차 비행기 개구리 사진 정상 불량 꽃 원 별",
    "cp932": "ねこ 犬 トラック 表示 ソース 能力 飛行機 写真 りんご 正常 異常",
    "gbk": "小猫 狗 鸟 汽车 青蛙 照片 苹果 正常 异常 玫瑰 大象 新建文件夹",
    "big5": "貓 狗 鳥 汽車 青蛙 照片 蘋果 正常 異常 功能 許可 新增資料夾",
    "cp437": "café forêt Müller häuser grün élève",
    "utf-8": "고양이 ねこ 猫 café кошка",
}


def windows_zip(at: Path, names: list[str], encoding: str) -> Path:
    """A zip whose writer stores names in the encoding of its Windows and does not say so: flag 0x800 is not set."""
    placeholders = {f"{i:04d}" + "x" * (len(name.encode(encoding)) - 4): name for i, name in enumerate(names)}
    with zipfile.ZipFile(at, "w") as archive:
        for placeholder in placeholders:
            archive.writestr(placeholder, png())
    content = at.read_bytes()
    for placeholder, name in placeholders.items():
        content = content.replace(placeholder.encode(), name.encode(encoding))
    at.write_bytes(content)
    return at


@pytest.mark.parametrize("encoding", WORDS)
def test_zips_of_other_windows(tmp_path: Path, encoding: str) -> None:
    words = WORDS[encoding].split()
    names = [f"{word}/{k}.png" for word in words for k in range(2)]
    raw = read(windows_zip(tmp_path / "x.zip", names, encoding))
    assert by_class(raw) == dict.fromkeys(sorted(words), 2)
    told = () if encoding == "utf-8" else (f"the names in x.zip are read as {encoding}; data.encoding names another",)
    assert raw.notes == told


@pytest.mark.parametrize("encoding", ["cp949", "cp932", "gbk", "big5"])
def test_three_names_are_enough(encoding: str) -> None:
    words = WORDS[encoding].split()
    for i in range(len(words) - 2):
        some = words[i : i + 3]
        assert decode_all([word.encode(encoding) for word in some]) == (some, encoding)


def test_a_letter_that_ends_in_a_backslash_is_one_letter(tmp_path: Path) -> None:
    assert "表".encode("cp932")[1] == "功".encode("big5")[1] == 0x5C
    raw = read(windows_zip(tmp_path / "x.zip", [f"表示\\ソース{k}.png" for k in range(2)]
                           + [f"能力/予定{k}.png" for k in range(2)], "cp932"))  # fmt: skip
    assert raw.class_names == ("能力", "表示")


def test_the_encoding_can_be_named(tmp_path: Path) -> None:
    path = windows_zip(tmp_path / "x.zip", ["고양/1.png", "고양/2.png", "강아/1.png"], "cp949")
    assert read(path, encoding="cp949").class_names == ("강아", "고양")
    with pytest.raises(UsageError, match=r"names are not in utf-8 .*another data\.encoding"):
        read(path, encoding="utf-8")
    with pytest.raises(UsageError, match="'klingon' is unknown"):
        read(path, encoding="klingon")


def test_macos_names_are_compared_whole(files: Set) -> None:
    """HFS+ and APFS store 강 as three letters; people type one."""
    apart = [unicodedata.normalize("NFD", name) for name in ("강아지", "고양이", "café")]
    files.add(*(f"{name}/{k}.png" for name in apart for k in range(2)), f"{unicodedata.normalize('NFC', 'café')}/9.png")
    raw = files.read()
    assert by_class(raw) == {"café": 3, "강아지": 2, "고양이": 2}
    assert by_class(files.read(classes=("고양이", unicodedata.normalize("NFD", "café")))) == {"café": 3, "고양이": 2}


def test_bytes_that_are_no_text_are_shown_escaped(files: Set) -> None:
    for name in (b"\xb0\xed", b"dog"):
        os.makedirs(os.path.join(os.fsencode(files.at), name))
        for k in range(2):
            with open(os.path.join(os.fsencode(files.at), name, b"%d.png" % k), "wb") as file:
                file.write(png())
    raw = files.add("dog/bad.png", content=b"no").read()
    assert raw.class_names == (r"\xb0\xed", "dog")
    assert readable(os.fsdecode(b"\xb0\xed")) == r"\xb0\xed"


def test_tables_that_excel_saved() -> None:
    text = "file,label\n1.png,고양이\n2.png,강아지\n"
    for encoding in ("utf-8", "utf-8-sig", "utf-16", "cp949"):
        assert decode_text(text.encode(encoding)) == text
