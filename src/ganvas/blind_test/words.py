"""The sentences of the blind test, and its rates as sentences."""

from __future__ import annotations

from ganvas import i18n
from ganvas.blind_test.answers import Answers, Rate
from ganvas.i18n import Translator

SENTENCES = {
    "en": {
        "quiz.title": "Real or generated?",
        "quiz.lead.classes": "{n} images, half of them real, half of them made by a generator, in random order. For each, say what you see, then whether it is real or generated. Results come at the end.",
        "quiz.lead": "{n} images, half of them real, half of them made by a generator, in random order. For each, say whether it is real or generated. Results come at the end.",
        "quiz.keys.classes": "Keyboard: the keys on the buttons; Backspace goes one image back.",
        "quiz.name": "Your name (it is saved with your answers)",
        "quiz.start": "Start",
        "quiz.noscript": "This page needs JavaScript. It loads nothing from the internet.",
        "quiz.image": "image {at} of {n}",
        "quiz.what": "What is it?",
        "quiz.none": "cannot tell",
        "quiz.which": "Real or generated?",
        "quiz.real": "real",
        "quiz.fake": "generated",
        "quiz.back": "Back",
        "quiz.result": "Your result",
        "quiz.save": "Save the answers",
        "quiz.saved": "To add them to the run, so that the hand-in shows them:",
        "quiz.again": "What each image was",
        "quiz.truth.fake": "generated",
        "quiz.truth.real": "real",
        "quiz.you": "you: {answer}",
        "quiz.intervals": "Ranges in brackets are exact 95 % intervals (Clopper and Pearson) for this one person and these images. The images: generator {generator} after {nimg} images, seed {seed}; real images from {reals}.",
        "quiz.rate.named_fake": "Class of generated images named right: {hits} of {of}, {value} % ({low} to {high} %).",
        "quiz.rate.told_fake": "Generated images in which you could name a class: {hits} of {of}, {value} % ({low} to {high} %). This generator has no intended classes, so nobody can say whether the name is right; compare with the real images.",
        "quiz.rate.named_real": "Class of real images named right: {hits} of {of}, {value} % ({low} to {high} %).",
        "quiz.rate.told_real": "Real images in which you could name a class: {hits} of {of}, {value} % ({low} to {high} %).",
        "quiz.rate.fake_as_fake": "Generated images recognised as generated: {hits} of {of}, {value} % ({low} to {high} %).",
        "quiz.rate.real_as_real": "Real images recognised as real: {hits} of {of}, {value} % ({low} to {high} %).",
        "quiz.rate.right": "Real or generated, right answers in all: {hits} of {of}, {value} % ({low} to {high} %).",
        "quiz.chance.class": "Guessing gets 1 in {classes}.",
        "quiz.chance.half": "Guessing gets half.",
        "quiz.by": "Blind test by {name}, {date}, after {nimg} images:",
        "quiz.nameless": "a person without a name",
        "quiz.kept": "added to {run}: ganvas report and ganvas submit show it",
        "quiz.kept_before": "{run} holds these answers already",
    },
    "ko": {
        "quiz.title": "진짜일까요, 생성된 것일까요?",
        "quiz.lead.classes": "이미지 {n}장이 무작위 순서로 나옵니다. 절반은 진짜, 절반은 생성자가 만든 이미지입니다. 무엇으로 보이는지 고른 뒤, 진짜인지 생성된 것인지 골라 주세요. 결과는 마지막에 나옵니다.",
        "quiz.lead": "이미지 {n}장이 무작위 순서로 나옵니다. 절반은 진짜, 절반은 생성자가 만든 이미지입니다. 진짜인지 생성된 것인지 골라 주세요. 결과는 마지막에 나옵니다.",
        "quiz.keys.classes": "키보드: 버튼에 적힌 키를 누르면 됩니다. Backspace를 누르면 앞 이미지로 돌아갑니다.",
        "quiz.name": "이름 (답과 함께 저장됩니다)",
        "quiz.start": "시작",
        "quiz.noscript": "이 페이지에는 자바스크립트가 필요합니다. 인터넷에서는 아무것도 불러오지 않습니다.",
        "quiz.image": "이미지 {n}장 중 {at}번째",
        "quiz.what": "무엇인가요?",
        "quiz.none": "모르겠음",
        "quiz.which": "진짜인가요, 생성된 것인가요?",
        "quiz.real": "진짜",
        "quiz.fake": "생성됨",
        "quiz.back": "뒤로",
        "quiz.result": "결과",
        "quiz.save": "답 저장",
        "quiz.saved": "제출물에 결과가 나오도록 실행에 추가하려면 다음 명령을 입력해 주세요.",
        "quiz.again": "각 이미지의 정답",
        "quiz.truth.fake": "생성됨",
        "quiz.truth.real": "진짜",
        "quiz.you": "내 답: {answer}",
        "quiz.intervals": "괄호 안은 한 사람이 이 이미지들을 보고 답한 결과의 정확한 95% 신뢰구간입니다(Clopper and Pearson). 이미지: 학습한 이미지 수 {nimg}장 시점의 생성자 {generator}, 시드 {seed}. 진짜 이미지의 출처: {reals}.",
        "quiz.rate.named_fake": "생성된 이미지의 클래스를 맞힌 비율: {of}장 중 {hits}장, {value}%({low} ~ {high}%).",
        "quiz.rate.told_fake": "생성된 이미지에서 클래스를 고를 수 있었던 비율: {of}장 중 {hits}장, {value}%({low} ~ {high}%). 클래스를 지정하지 않는 생성자이므로 고른 답이 맞는지는 알 수 없습니다. 진짜 이미지의 비율과 비교해 주세요.",
        "quiz.rate.named_real": "진짜 이미지의 클래스를 맞힌 비율: {of}장 중 {hits}장, {value}%({low} ~ {high}%).",
        "quiz.rate.told_real": "진짜 이미지에서 클래스를 고를 수 있었던 비율: {of}장 중 {hits}장, {value}%({low} ~ {high}%).",
        "quiz.rate.fake_as_fake": "생성된 이미지를 생성된 것으로 알아본 비율: {of}장 중 {hits}장, {value}%({low} ~ {high}%).",
        "quiz.rate.real_as_real": "진짜 이미지를 진짜로 알아본 비율: {of}장 중 {hits}장, {value}%({low} ~ {high}%).",
        "quiz.rate.right": "진짜인지 생성된 것인지 맞힌 비율: 모두 {of}장 중 {hits}장, {value}%({low} ~ {high}%).",
        "quiz.chance.class": "찍어서 맞힐 확률은 {classes}분의 1입니다.",
        "quiz.chance.half": "찍어서 맞힐 확률은 절반입니다.",
        "quiz.by": "{name}의 블라인드 테스트({date}, 학습한 이미지 수 {nimg}장 시점):",
        "quiz.nameless": "이름을 적지 않은 사람",
        "quiz.kept": "{run}에 추가했습니다. ganvas report와 ganvas submit에 나타납니다",
        "quiz.kept_before": "{run}에 이미 있는 답입니다",
    },
}

i18n.add_all(SENTENCES)


def rate_line(rate: Rate, classes: int, say: Translator) -> str:
    """One rate: hits of how many, its interval, and what guessing gets."""
    value, low, high = (f"{100 * share:.0f}" for share in rate.estimate)
    line = say(f"quiz.rate.{rate.key}", hits=rate.hits, of=rate.of, value=value, low=low, high=high)
    return line + chance_line(rate.key, classes, say)


def chance_line(key: str, classes: int, say: Translator) -> str:
    """What guessing gets, where that is a figure; begins with a space."""
    if key.startswith("named"):
        return " " + say("quiz.chance.class", classes=classes)
    return " " + say("quiz.chance.half") if key == "right" else ""


def lines(answers: Answers, say: Translator) -> list[str]:
    """Who answered, and every rate, a sentence each."""
    name = answers.name.strip() or say("quiz.nameless")
    head = say("quiz.by", name=name, date=answers.date[:10], nimg=f"{answers.nimg:,}")
    return [head, *(rate_line(rate, len(answers.classes), say) for rate in answers.rates())]
