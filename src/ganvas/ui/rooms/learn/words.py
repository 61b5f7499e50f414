"""The sentences of the room, in English and Korean, and what each rule of the doctor asks."""

from __future__ import annotations

from functools import cache

from ganvas import i18n
from ganvas.diagnostics.history import FAR_FROM_REAL
from ganvas.diagnostics.rule import MIN_G_UPDATES
from ganvas.diagnostics.rules import collapse, d_wins, exploding, g_wins, swings, tiny_batch, too_fast, too_slow

SENTENCES = {
    "en": {
        "ui.learn.title": "Learn: a GAN on points",
        "ui.learn.lead": "Two small networks learn a shape in the plane. The generator G makes fakes from random numbers. "
        "The discriminator D says of each place whether real points lie there. Press play: the fakes should move onto "
        "the real points. A point is an image of one pixel with two channels, x and y, so the code that trains on "
        "images trains here too.",
        "ui.learn.noscript": "This page needs JavaScript.",
        "ui.learn.world": "Real points, fakes, D’s field and arrows in the plane, from −1.2 to 1.2 in x and y",
        "ui.learn.play": "Play",
        "ui.learn.pause": "Pause",
        "ui.learn.one": "One update",
        "ui.learn.again": "Restart",
        "ui.learn.speed": "Speed",
        "ui.learn.speed.0": "1 update a second",
        "ui.learn.speed.1": "5 a second",
        "ui.learn.speed.2": "30 a second",
        "ui.learn.speed.3": "120 a second",
        "ui.learn.speed.4": "as fast as it can",
        "ui.learn.key.real": "real point",
        "ui.learn.key.fake": "fake, made by G",
        "ui.learn.key.arrow": "where G’s loss falls",
        "ui.learn.ramp.low": "D: fake, logit {value}",
        "ui.learn.ramp.high": "{value}, D: real",
        "ui.learn.caption.modes": "Update {updates}: {covered} of {places} modes are covered (a mode with a quarter of "
        "its share of the fakes counts); {share} % of the fakes lie on a mode.",
        "ui.learn.caption.places": "Update {updates}: {covered} of {places} places along the curve are covered (a place "
        "with a quarter of its share of the fakes counts); {share} % of the fakes lie on the curve.",
        "ui.learn.caption.outside": "{count} of 256 fakes are outside the picture and drawn at its edge.",
        "ui.learn.caption.logits": "D’s mean logit is {real} for real points and {fake} for fakes. The longest arrow "
        "means that G’s loss changes by {longest} per unit of distance; the picture is 2.4 units wide.",
        "ui.learn.ended.nan": "A network is no longer finite, so training has ended. Restart, or turn a control.",
        "ui.learn.ended.long": "Training ends after 50,000 updates. Restart to see it again.",
        "ui.learn.controls": "Controls",
        "ui.learn.control.data": "Data",
        "ui.learn.control.loss": "Loss",
        "ui.learn.control.update": "Order of updates",
        "ui.learn.control.g_lr": "Learning rate of G",
        "ui.learn.control.d_lr": "Learning rate of D",
        "ui.learn.control.d_steps": "Updates of D for each of G",
        "ui.learn.control.r1": "R1 penalty, gamma",
        "ui.learn.control.gp": "Gradient penalty, lambda",
        "ui.learn.control.spectral": "Spectral normalisation in D",
        "ui.learn.control.batch_norm": "Batch normalisation in G",
        "ui.learn.control.batch": "Batch, in points",
        "ui.learn.control.seed": "Seed",
        "ui.learn.zero": "0 (off)",
        "ui.learn.on": "{name}: on",
        "ui.learn.off": "{name}: off",
        "ui.learn.data.ring": "ring of 8 Gaussians",
        "ui.learn.data.grid": "grid of 25 Gaussians",
        "ui.learn.data.spiral": "spiral",
        "ui.learn.data.moons": "two moons",
        "ui.learn.loss.bce": "cross-entropy (bce)",
        "ui.learn.update.simultaneous": "G and D at once",
        "ui.learn.update.alternating": "D first, then G",
        "ui.learn.update.one-stage": "both, one backward pass",
        "ui.learn.defaults": "Back to the defaults",
        "ui.learn.at_once": "{changes}: in effect from update {updates} on.",
        "ui.learn.from_start": "{changes}: training began again from update 0.",
        "ui.learn.broken": "Began again with {changes}; everything else as by default.",
        "ui.learn.doctor": "What the doctor says",
        "ui.learn.doctor.lead": "The rules of ganvas doctor, applied to the updates since a control last changed. Rules "
        "about colours, classes or copies do not apply to points.",
        "ui.learn.doctor.young": "Too early to say: the first word comes after {updates} updates.",
        "ui.learn.doctor.well": "No problems found.",
        "ui.learn.condition": "Condition: {condition}",
        "ui.learn.evidence": "{name}: {first} at update {begin}, {last} at update {end}",
        "ui.learn.evidence.one": "{name}: {value} at update {update}",
        "ui.learn.curve.distance": "Distance of the fakes’ mean and spread from the real points’ (0: the same)",
        "ui.learn.cure": "Try {changes}",
        "ui.learn.log": "Findings so far",
        "ui.learn.log.begins": "Update {updates}: {title}",
        "ui.learn.log.ends": "Update {updates}: no longer found: {title}",
        "ui.learn.condition.nan": "a loss or a gradient is NaN or infinite.",
        "ui.learn.condition.exploding": f"a mean logit beyond ±{exploding.LARGE_LOGIT:g}, or gradients "
        f"{exploding.GRADIENT_GROWTH:g} times as large as in the first half of the measurements.",
        "ui.learn.condition.too-fast": f"an update changes G’s weights by more than {too_fast.LARGE_UPDATE:.0%} of their "
        f"norm, and the distance stays above {FAR_FROM_REAL:g}.",
        "ui.learn.condition.swings": f"D’s accuracy on fakes went from above {swings.HIGH_ACCURACY:g} to below "
        f"{swings.LOW_ACCURACY:g} or back at least {swings.MIN_SWINGS} times in the last third, and the fakes keep moving.",
        "ui.learn.condition.d-wins": f"both accuracies at least {d_wins.HIGH_ACCURACY:g}, distance above "
        f"{FAR_FROM_REAL:g}, and either no progress or mean logits more than {d_wins.LOGIT_GAP:g} apart, after "
        f"{MIN_G_UPDATES} updates.",
        "ui.learn.condition.g-wins": f"the chance that D rates a real point above a fake is below {g_wins.LOW_AUC:g}, "
        f"although the distance is above {FAR_FROM_REAL:g}, after {MIN_G_UPDATES} updates.",
        "ui.learn.condition.too-slow": f"an update changes the weights by less than {too_slow.SMALL_UPDATE:.2%} of their "
        f"norm, and the distance is above {too_slow.NOT_DONE:g}.",
        "ui.learn.condition.collapse": f"the distance between two fakes is below {collapse.LOW_SPREAD:g} of that between "
        f"real points and does not grow, after {MIN_G_UPDATES} updates.",
        "ui.learn.condition.tiny-batch": f"batch normalisation over fewer than {tiny_batch.MIN_IMAGES} points; read from "
        "the settings, not from a curve.",
        "ui.learn.curves": "Curves",
        "ui.learn.chart.loss": "Loss by update",
        "ui.learn.chart.loss.text": "Each loss is measured against the other network, so neither has to fall. Dotted "
        "lines: a control was turned.",
        "ui.learn.chart.acc": "Accuracy of D by update",
        "ui.learn.chart.acc.text": "Share of the points that D names rightly, 0 to 1. Near 0.5: it can hardly tell them "
        "apart.",
        "ui.learn.line.d": "D",
        "ui.learn.line.g": "G",
        "ui.learn.line.real": "real",
        "ui.learn.line.fake": "fake",
        "ui.learn.breaks": "Break it on purpose",
        "ui.learn.breaks.lead": "Each button begins again on the ring with the defaults but for what it is named after. "
        "The sentences say what was seen in the median of three seeds (0, 1, 2) within 1,000 updates.",
        "ui.learn.break.no-penalty": "No penalty",
        "ui.learn.break.wasserstein": "Wasserstein, no penalty",
        "ui.learn.break.high-rate": "High rate for G",
        "ui.learn.break.d-ahead": "D far ahead",
        "ui.learn.break.g-ahead": "G far ahead",
        "ui.learn.break.collapse": "Collapse",
        "ui.learn.break.tiny-batch": "Batch of 4",
        "ui.learn.break.no-penalty.look": "R1 is off, so nothing keeps D smooth. Look at the fakes: instead of spreading "
        "over the ring they gather in a clump that moves on. At most one of 8 modes is covered. The doctor finds that G and "
        "D oscillate. This starts from seed 1: with seed 0 most modes are covered by update 1,000.",
        "ui.learn.break.wasserstein.look": "This loss has no bound, and nothing limits D’s slope. Look at the clump of fakes "
        "that chases the places where D says real: at most one of 8 modes is covered. This loss only compares, so the two "
        "accuracies are taken at the median logit and are equal. The doctor finds that D is too weak. This starts from seed "
        "2: with seed 0 the doctor finds that G and D oscillate.",
        "ui.learn.break.high-rate.look": "G’s rate is ten times the default. Look at the fakes: they jump, and each jump "
        "undoes the last. At most one of 8 modes is covered. The doctor finds that the learning rate is too high.",
        "ui.learn.break.d-ahead.look": "D’s rate is 100 times G’s, it takes five updates for each of G, and R1 is off. Look "
        "at the arrows, which are very long, and at the accuracies, both above 0.9. The fakes slide into one or two modes. "
        "The doctor finds that D is too strong.",
        "ui.learn.break.g-ahead.look": "D hardly learns. Look at the fakes: G follows D’s first guess and leaves the "
        "picture, all to one side, and the arrows vanish. The doctor finds that D is too weak.",
        "ui.learn.break.collapse.look": "G’s rate is ten times D’s, without R1. Look at the fakes: they are nearly one "
        "point, which jumps about. The doctor finds that G and D oscillate. With seed 0 it has recovered by update 2,000.",
        "ui.learn.break.tiny-batch.look": "4 points a batch, with batch normalisation in G. Look at the fakes: they stay "
        "scattered between the modes, at most 3 of 8 covered. The doctor reads the cause from the settings.",
    },
    "ko": {
        "ui.learn.title": "배우기: 점으로 보는 GAN",
        "ui.learn.lead": "작은 신경망 두 개가 평면 위의 모양을 학습합니다. 생성자 G는 난수로 가짜를 만듭니다. 판별자 D는 "
        "어느 자리에 진짜 점이 있는지 판단합니다. 재생을 누르면 가짜가 진짜 점 위로 옮겨 가야 합니다. 점 하나는 채널이 "
        "둘(x, y)인 1픽셀 이미지이므로, 이미지를 학습하는 코드가 여기서도 그대로 학습합니다.",
        "ui.learn.noscript": "이 페이지에는 자바스크립트가 필요합니다.",
        "ui.learn.world": "평면 위의 진짜 점, 가짜, D의 판단, 화살표. x와 y 모두 −1.2에서 1.2까지",
        "ui.learn.play": "재생",
        "ui.learn.pause": "일시 정지",
        "ui.learn.one": "한 단계",
        "ui.learn.again": "다시 시작",
        "ui.learn.speed": "속도",
        "ui.learn.speed.0": "초당 1번",
        "ui.learn.speed.1": "초당 5번",
        "ui.learn.speed.2": "초당 30번",
        "ui.learn.speed.3": "초당 120번",
        "ui.learn.speed.4": "가장 빠르게",
        "ui.learn.key.real": "진짜 점",
        "ui.learn.key.fake": "G가 만든 가짜",
        "ui.learn.key.arrow": "G의 손실이 줄어드는 방향",
        "ui.learn.ramp.low": "D: 가짜, 로짓 {value}",
        "ui.learn.ramp.high": "{value}, D: 진짜",
        "ui.learn.caption.modes": "업데이트 {updates}번: 모드 {places}개 가운데 {covered}개를 덮었습니다(고르게 나눈 몫의 "
        "4분의 1 이상이 모이면 덮은 것으로 셉니다). 가짜의 {share}%가 모드 위에 있습니다.",
        "ui.learn.caption.places": "업데이트 {updates}번: 곡선 위의 자리 {places}곳 가운데 {covered}곳을 덮었습니다(고르게 "
        "나눈 몫의 4분의 1 이상이 모이면 덮은 것으로 셉니다). 가짜의 {share}%가 곡선 위에 있습니다.",
        "ui.learn.caption.outside": "가짜 256개 가운데 {count}개는 그림 밖에 있어 가장자리에 그렸습니다.",
        "ui.learn.caption.logits": "D의 평균 로짓은 진짜에서 {real}, 가짜에서 {fake}입니다. 가장 긴 화살표는 거리 1마다 G의 "
        "손실이 {longest}만큼 변한다는 뜻입니다. 그림의 너비는 2.4입니다.",
        "ui.learn.ended.nan": "신경망의 값이 더는 유한하지 않아 학습이 끝났습니다. 다시 시작하거나 설정을 바꿔 보세요.",
        "ui.learn.ended.long": "학습은 업데이트 50,000번에서 끝납니다. 다시 보려면 다시 시작하세요.",
        "ui.learn.controls": "설정",
        "ui.learn.control.data": "데이터",
        "ui.learn.control.loss": "손실",
        "ui.learn.control.update": "업데이트 순서",
        "ui.learn.control.g_lr": "G의 학습률",
        "ui.learn.control.d_lr": "D의 학습률",
        "ui.learn.control.d_steps": "G 한 번에 D의 업데이트 횟수",
        "ui.learn.control.r1": "R1 페널티의 감마",
        "ui.learn.control.gp": "그래디언트 페널티의 람다",
        "ui.learn.control.spectral": "D의 스펙트럴 정규화",
        "ui.learn.control.batch_norm": "G의 배치 정규화",
        "ui.learn.control.batch": "배치(점의 수)",
        "ui.learn.control.seed": "시드",
        "ui.learn.zero": "0 (끔)",
        "ui.learn.on": "{name}: 켬",
        "ui.learn.off": "{name}: 끔",
        "ui.learn.data.ring": "원 위의 가우시안 8개",
        "ui.learn.data.grid": "격자 위의 가우시안 25개",
        "ui.learn.data.spiral": "나선",
        "ui.learn.data.moons": "두 개의 반달",
        "ui.learn.loss.bce": "교차 엔트로피 (bce)",
        "ui.learn.update.simultaneous": "G와 D를 동시에",
        "ui.learn.update.alternating": "D 먼저, 다음에 G",
        "ui.learn.update.one-stage": "동시에, 역전파 한 번으로",
        "ui.learn.defaults": "기본값으로",
        "ui.learn.at_once": "{changes}: 업데이트 {updates}번부터 바로 적용됩니다.",
        "ui.learn.from_start": "{changes}: 학습을 처음부터 다시 시작했습니다.",
        "ui.learn.broken": "{changes}, 나머지는 기본값으로 다시 시작했습니다.",
        "ui.learn.doctor": "doctor의 진단",
        "ui.learn.doctor.lead": "설정을 마지막으로 바꾼 뒤의 학습에 ganvas doctor의 규칙을 그대로 적용합니다. 색, 클래스, "
        "베끼기에 관한 규칙은 점에는 해당하지 않습니다.",
        "ui.learn.doctor.young": "아직 판단하기 이릅니다. 업데이트 {updates}번 뒤부터 진단합니다.",
        "ui.learn.doctor.well": "문제를 찾지 못했습니다.",
        "ui.learn.condition": "조건: {condition}",
        "ui.learn.evidence": "{name}: 업데이트 {begin}번에 {first}, {end}번에 {last}",
        "ui.learn.evidence.one": "{name}: 업데이트 {update}번에 {value}",
        "ui.learn.curve.distance": "가짜의 평균과 퍼진 정도가 진짜와 떨어진 거리(0: 같음)",
        "ui.learn.cure": "이렇게 해 보기: {changes}",
        "ui.learn.log": "지금까지의 진단",
        "ui.learn.log.begins": "업데이트 {updates}번: {title}",
        "ui.learn.log.ends": "업데이트 {updates}번: 더는 보이지 않음: {title}",
        "ui.learn.condition.nan": "손실이나 그래디언트가 NaN이나 무한대입니다.",
        "ui.learn.condition.exploding": f"평균 로짓이 ±{exploding.LARGE_LOGIT:g}를 넘거나, 그래디언트가 앞쪽 절반의 "
        f"{exploding.GRADIENT_GROWTH:g}배보다 큽니다.",
        "ui.learn.condition.too-fast": f"업데이트 한 번에 G의 가중치가 그 크기의 {too_fast.LARGE_UPDATE:.0%}보다 많이 "
        f"바뀌고, 거리가 {FAR_FROM_REAL:g}보다 큰 채로 있습니다.",
        "ui.learn.condition.swings": f"마지막 3분의 1 동안 가짜에 대한 D의 정확도가 {swings.HIGH_ACCURACY:g} 위와 "
        f"{swings.LOW_ACCURACY:g} 아래 사이를 {swings.MIN_SWINGS}번 이상 오가고, 가짜가 계속 움직입니다.",
        "ui.learn.condition.d-wins": f"업데이트 {MIN_G_UPDATES}번 뒤에 두 정확도가 모두 {d_wins.HIGH_ACCURACY:g} 이상이고 "
        f"거리가 {FAR_FROM_REAL:g}보다 큰데, 나아지지 않거나 평균 로짓의 차이가 {d_wins.LOGIT_GAP:g}보다 큽니다.",
        "ui.learn.condition.g-wins": f"업데이트 {MIN_G_UPDATES}번 뒤에 거리가 {FAR_FROM_REAL:g}보다 큰데도 D가 가짜보다 "
        f"진짜에 더 높은 점수를 줄 확률이 {g_wins.LOW_AUC:g}보다 작습니다.",
        "ui.learn.condition.too-slow": f"업데이트 한 번에 가중치가 그 크기의 {too_slow.SMALL_UPDATE:.2%}도 바뀌지 않는데 "
        f"거리가 {too_slow.NOT_DONE:g}보다 큽니다.",
        "ui.learn.condition.collapse": f"업데이트 {MIN_G_UPDATES}번 뒤에 가짜끼리의 거리가 진짜끼리의 거리의 "
        f"{collapse.LOW_SPREAD:g}배보다 작고 늘어나지 않습니다.",
        "ui.learn.condition.tiny-batch": f"배치 정규화가 점 {tiny_batch.MIN_IMAGES}개 미만으로 계산됩니다. 곡선이 아니라 "
        "설정에서 읽습니다.",
        "ui.learn.curves": "곡선",
        "ui.learn.chart.loss": "업데이트에 따른 손실",
        "ui.learn.chart.loss.text": "각 손실은 상대 신경망을 기준으로 잰 값이므로 꼭 줄어들 필요는 없습니다. 점선은 설정을 바꾼 "
        "때입니다.",
        "ui.learn.chart.acc": "업데이트에 따른 D의 정확도",
        "ui.learn.chart.acc.text": "D가 맞힌 점의 비율(0~1)입니다. 0.5에 가까우면 거의 구별하지 못합니다.",
        "ui.learn.line.d": "D",
        "ui.learn.line.g": "G",
        "ui.learn.line.real": "진짜",
        "ui.learn.line.fake": "가짜",
        "ui.learn.breaks": "일부러 망가뜨리기",
        "ui.learn.breaks.lead": "버튼을 누르면 원 위의 가우시안에서, 버튼에 적힌 것만 바꾸고 나머지는 기본값으로 다시 "
        "시작합니다. 설명은 시드 세 개(0, 1, 2)의 중앙값으로 업데이트 1,000번 안에 본 것입니다.",
        "ui.learn.break.no-penalty": "페널티 없이",
        "ui.learn.break.wasserstein": "Wasserstein, 페널티 없이",
        "ui.learn.break.high-rate": "G의 학습률을 크게",
        "ui.learn.break.d-ahead": "D가 훨씬 앞설 때",
        "ui.learn.break.g-ahead": "G가 훨씬 앞설 때",
        "ui.learn.break.collapse": "모드 붕괴",
        "ui.learn.break.tiny-batch": "배치 4개",
        "ui.learn.break.no-penalty.look": "R1을 꺼서 D를 매끄럽게 하는 것이 없습니다. 가짜를 보세요. 원 위로 퍼지지 않고 한 "
        "덩어리로 모여 옮겨 다닙니다. 모드 8개 가운데 많아야 하나만 덮습니다. doctor는 G와 D가 진동한다고 진단합니다. "
        "시드 1로 시작합니다. 시드 0에서는 업데이트 1,000번이면 대부분의 모드를 덮습니다.",
        "ui.learn.break.wasserstein.look": "이 손실에는 한계가 없고, D의 기울기를 제한하는 것도 없습니다. D가 진짜라고 하는 "
        "자리를 쫓아다니는 가짜 덩어리를 보세요. 모드 8개 가운데 많아야 하나만 덮습니다. 이 손실은 비교만 하므로 두 "
        "정확도는 로짓의 중앙값에서 재며, 서로 같습니다. doctor는 D가 너무 약하다고 진단합니다. 시드 2로 시작합니다. "
        "시드 0에서는 doctor가 G와 D가 진동한다고 진단합니다.",
        "ui.learn.break.high-rate.look": "G의 학습률이 기본값의 열 배입니다. 가짜를 보세요. 이리저리 뛰고, 뛸 때마다 앞서 배운 "
        "것을 잃습니다. 모드 8개 가운데 많아야 하나만 덮습니다. doctor는 학습률이 너무 높다고 진단합니다.",
        "ui.learn.break.d-ahead.look": "D의 학습률이 G의 100배이고, G 한 번에 D가 다섯 번 업데이트하며, R1은 꺼져 있습니다. 매우 "
        "긴 화살표와 둘 다 0.9가 넘는 정확도를 보세요. 가짜는 모드 한두 개로 미끄러져 들어갑니다. doctor는 D가 너무 강하다고 "
        "진단합니다.",
        "ui.learn.break.g-ahead.look": "D가 거의 학습하지 않습니다. 가짜를 보세요. G가 D의 첫 추측만 따라가 모두 한쪽으로 그림을 "
        "벗어나고, 화살표가 사라집니다. doctor는 D가 너무 약하다고 진단합니다.",
        "ui.learn.break.collapse.look": "R1 없이 G의 학습률이 D의 열 배입니다. 가짜를 보세요. 거의 한 점이 되어 이리저리 "
        "뛰어다닙니다. doctor는 G와 D가 진동한다고 진단합니다. 시드 0에서는 업데이트 2,000번이면 회복해 있습니다.",
        "ui.learn.break.tiny-batch.look": "배치는 점 4개이고, G에 배치 정규화가 있습니다. 가짜를 보세요. 모드 사이에 흩어져 있고, "
        "8개 가운데 많아야 3개만 덮습니다. doctor는 원인을 설정에서 읽습니다.",
    },
}  # fmt: skip


@cache
def register() -> None:
    """Add them, once."""
    i18n.add_all(SENTENCES)
