"""The sentences of the pages, in English and Korean. Those below `ui.js.` go to every script."""

from __future__ import annotations

from functools import cache

from ganvas import i18n

SENTENCES = {
    "en": {
        "ui.nav": "Rooms",
        "ui.nav.runs": "Runs",
        "ui.nav.compare": "Compare",
        "ui.nav.experiments": "Experiments",
        "ui.nav.play": "Playground",
        "ui.nav.learn": "Learn",
        "ui.skip": "Skip to the content",
        "ui.language": "Language",
        "ui.theme": "Colours",
        "ui.theme.auto": "as the system",
        "ui.theme.light": "light",
        "ui.theme.dark": "dark",
        "ui.error": "This did not work",
        "ui.error.404": "Not found",
        "ui.error.back": "To the runs",
        "ui.empty": "Nothing here yet.",
        "ui.login": "Password",
        "ui.login.lead": "This server was started with a password.",
        "ui.login.enter": "Enter",
        "ui.js.offline": "ganvas ui does not answer: was it ended in the terminal?",
    },
    "ko": {
        "ui.nav": "메뉴",
        "ui.nav.runs": "실행",
        "ui.nav.compare": "비교",
        "ui.nav.experiments": "실험",
        "ui.nav.play": "놀이터",
        "ui.nav.learn": "배우기",
        "ui.skip": "본문으로 건너뛰기",
        "ui.language": "언어",
        "ui.theme": "색상",
        "ui.theme.auto": "시스템 설정",
        "ui.theme.light": "밝게",
        "ui.theme.dark": "어둡게",
        "ui.error": "처리하지 못했습니다",
        "ui.error.404": "찾을 수 없습니다",
        "ui.error.back": "실행 목록으로",
        "ui.empty": "아직 내용이 없습니다.",
        "ui.login": "비밀번호",
        "ui.login.lead": "이 서버는 비밀번호로 보호되어 있습니다.",
        "ui.login.enter": "들어가기",
        "ui.js.offline": "ganvas ui가 응답하지 않습니다. 터미널에서 종료되었는지 확인하십시오.",
    },
}


@cache
def register() -> None:
    """Add them, once."""
    i18n.add_all(SENTENCES)
