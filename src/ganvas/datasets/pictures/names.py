"""Names of files as people read them: archives whose names are not UTF-8, macOS's split letters, undecodable bytes.

A zip file made on Windows holds names in the encoding of that Windows and does not say which. Each candidate is a small
model of how its language writes; the whole archive's names are read by the one under which they are most probable.
"""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Callable, Sequence

from ganvas.errors import UsageError

UNLIKELY = -14.0
"""Log-probability of a character that a language does not use; a common one has -4 to -9."""


def readable(name: str) -> str:
    """A name to show and to compare: letters in one piece (NFC), bytes that are no text as \\xNN."""
    if name.isascii():
        return name
    whole = name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    return unicodedata.normalize("NFC", whole)


def decode_all(names: Sequence[bytes], encoding: str = "auto") -> tuple[list[str], str]:
    """Names of one archive as text, and the encoding that all of them are in ("" where nothing had to be guessed).

    Raises UsageError for an encoding that does not exist or does not fit.
    """
    if all(name.isascii() for name in names):
        return [name.decode("ascii") for name in names], ""
    if encoding != "auto":
        try:
            return [name.decode(encoding) for name in names], encoding
        except LookupError as error:
            raise UsageError(f"data.encoding '{encoding}' is unknown: try cp949, cp932, gbk or big5") from error
        except UnicodeDecodeError as error:
            raise UsageError(f"names are not in {encoding} ({error.object!r}): try another data.encoding") from error
    scores = {name: _score(text, model) for name, model in MODELS.items() if (text := _strict(names, name))}
    best = max(scores, key=lambda name: scores[name])
    return [name.decode(best) for name in names], "" if best == "utf-8" else best


def decode_text(content: bytes) -> str:
    """A text file, such as a table that Excel saved: UTF-8 with or without a mark, UTF-16, else the likeliest."""
    if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return content.decode("utf-16", "replace")
    content = content.removeprefix(b"\xef\xbb\xbf")
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        _, encoding = decode_all(content.splitlines()[:2000])
        return content.decode(encoding or "utf-8", "replace")


def _strict(names: Sequence[bytes], encoding: str) -> list[str] | None:
    try:
        return [name.decode(encoding) for name in names]
    except UnicodeDecodeError:
        return None


def _score(names: Sequence[str], model: Callable[[str], float]) -> float:
    """Log-probability of the folders and files that are named, each once."""
    parts = {part for name in names for part in name.replace("\\", "/").split("/")}
    return sum(-3.4 if c.isascii() else model(c) for part in parts for c in part)


def _korean(c: str) -> float:
    """Hangul by its letters: most syllables end in none or one of seven consonants."""
    if not "가" <= c <= "힣":
        return UNLIKELY
    number = ord(c) - ord("가")
    parts = (FIRST, number // 588), (VOWEL, number // 28 % 21), (LAST, number % 28)
    score = sum(math.log(counts[letter] / sum(counts)) for counts, letter in parts)
    return max(score, -6.5) if c in SYLLABLES else score


SYLLABLES = frozenset(
    "꽃별원불량합격검증훈련얼굴삼각형옷닭쥐뱀빵물풀숲흙없있않많좋싫웃놀빛쌀떡딸꿀끼뿌쪽왼흰색붉밝글귀위획확환활황회왕관광권"
)
"""Frequent ones that have rare letters."""
# Counts of ㄱ to ㅎ as first letters, ㅏ to ㅣ as vowels, none and ㄱ to ㅎ as last letters, in the order of Unicode
FIRST = (12, 2, 7, 7, 2, 6, 6, 6, 1, 10, 1, 17, 9, 1, 3, 2, 3, 3, 7)
VOWEL = (
    22, 6, 2, 0.2, 10, 4, 6, 0.7, 10, 2, 0.3, 1, 2, 9, 1, 0.2, 1.5, 2, 9, 1, 19,
)  # fmt: skip
LAST = (
    50, 8, 0.1, 0.02, 14, 0.1, 0.3, 0.8, 9, 0.2, 0.1, 0.1, 0.02, 0.02,
    0.02, 0.1, 5, 3, 0.3, 2, 0.6, 13, 0.3, 0.3, 0.1, 0.3, 0.5, 0.2,
)  # fmt: skip


def _japanese(c: str) -> float:
    """Half of the text kana, the rest kanji, most of them of the standard's first level."""
    if "ぁ" <= c <= "ん" or "ァ" <= c <= "ー":
        return -5.5
    if "｡" <= c <= "ﾟ":
        return -9.5
    return _levels(c, "shift_jis", 0x88, 0x98, -8.9)


def _simplified(c: str) -> float:
    """Hanzi, most of them of the first level of GB 2312."""
    return _levels(c, "gb2312", 0xB0, 0xD7, -8.3)


def _traditional(c: str) -> float:
    """Hanzi, most of them of the first level of Big5."""
    return _levels(c, "big5", 0xA4, 0xC6, -8.65)


def _levels(c: str, standard: str, first: int, last: int, common: float) -> float:
    """A Chinese character: one of what pictures show, a common one of the standard, a rare one, or none of it."""
    if not "一" <= c <= "鿿":
        return UNLIKELY
    try:
        lead = c.encode(standard)[0]
    except UnicodeEncodeError:
        return UNLIKELY
    if c in SHOWN:
        return common + 2
    return common if first <= lead <= last else common - 3


SHOWN = frozenset(
    "一二三四五六七八九十人男女子儿兒童老年大小中上下左右前后後新旧舊正常异異好坏壞不良品有无無的动動物植"
    "猫貓狗犬鸟鳥马馬牛羊猪豬鸡雞鸭鴨鱼魚虎象熊鹿蛙虫蟲蝶兔鼠蛇龟龜花草树樹木叶葉森林山水火海河天空日月星云雲雨雪"
    "车車汽卡船飞飛机機自行電电脑腦手头頭脸臉顔眼口心身衣服裤褲裙鞋帽包衬襯衫外套袋房屋家门門桌椅床书書杯瓶"
    "果苹蘋香蕉桃梨瓜菜米面饭飯肉红紅黄黃蓝藍青绿綠白黑灰色圆圓方形角数數字文件夹夾资資料图圖片照像画畫写寫真"
    "训訓练練习習验驗检檢证證测測试試类類别別集名号號样樣本例学學国國"
)
"""Characters of the things that pictures show, and of names that folders have."""


def _unicode(c: str) -> float:
    """Bytes that form three-byte letters by chance are rare; two-byte ones outside of the usual alphabets as well."""
    if c >= "ࠀ":
        return -5.0
    if unicodedata.combining(c) or c in WESTERN:
        return -6.0
    return -7.0 if "Ͱ" <= c <= "ӿ" and c.isalpha() and unicodedata.name(c, "").count(" LETTER ") else -12.0


def _western(c: str) -> float:
    return -6.0 if c in WESTERN else UNLIKELY


WESTERN = "éèêëàáâäåçñóòôöúùûüíìîïÉÅÄÖÜÑæÆßÇ"
MODELS: dict[str, Callable[[str], float]] = {
    "utf-8": _unicode,
    "cp949": _korean,
    "cp932": _japanese,
    "gbk": _simplified,
    "big5": _traditional,
    "cp437": _western,
}
"""Encoding -> log-probability of a character in names of its language. cp437 decodes anything."""
