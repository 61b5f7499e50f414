# Source of en/04_why_gans_fail.ipynb and ko/04_why_gans_fail.ipynb: edit this file, then run tools/build_course.py.

# %% [markdown] lang="en"
# # 4. Why GANs fail: break one, ask the doctor, mend it
#
# Every GAN fails now and then. In this notebook you break a healthy training on purpose, seven times, one fault at a
# time. For each fault:
#
# 1. **Predict**: what will the curves and the samples look like?
# 2. **Run** it and look.
# 3. **Ask** `run.doctor()`: what is wrong, since when, and what should I try?
# 4. **Mend** it, and compare before and after.
#
# After that you can answer the questions that everybody asks: "D's loss is 0, is that good?" "The accuracy on fakes
# stays near 1?" "G's loss rises, but the pictures get better?" "All samples look alike?" "NaN?"
#
# The pictures are Fashion-MNIST at 16 x 16 pixels and the networks are small, so that one training takes seconds.
#
# **On Colab**: build the wheel once in the folder of ganvas (`pip wheel --no-deps .`), upload this notebook, open the
# file pane on the left and drop `ganvas-….whl` into it. The next cell then installs it and leaves Colab's torch alone.
# On your own computer it does nothing.

# %% [markdown] lang="ko"
# # 4. GAN은 왜 실패할까: 망가뜨리고, 진단하고, 고치기
#
# 누구의 GAN이든 가끔 실패합니다. 이 노트북에서는 잘되는 학습을 일부러 일곱 번, 한 번에 한 가지씩 망가뜨려 봅니다.
# 매번 순서는 같습니다.
#
# 1. **예상하기**: 곡선과 샘플이 어떤 모습일까요?
# 2. **실행하기**: 학습하고 결과를 살펴봅니다.
# 3. **진단하기**: `run.doctor()`에 무엇이 언제부터 잘못됐는지, 무엇을 해 보면 좋을지 물어봅니다.
# 4. **고치기**: 고친 다음 전과 후를 비교합니다.
#
# 끝나면 누구나 한 번쯤 하는 질문에 답할 수 있습니다. "D의 손실이 0인데 좋은 건가요?" "가짜 정확도가 계속 1 근처예요."
# "G의 손실은 올라가는데 그림은 좋아져요." "샘플이 다 비슷해요." "NaN이 나왔어요."
#
# 16 x 16 픽셀로 줄인 Fashion-MNIST와 작은 신경망을 쓰므로 학습 한 번에 몇 초밖에 걸리지 않습니다.
#
# **Colab에서**: ganvas 폴더에서 wheel을 한 번 만들고(`pip wheel --no-deps .`), 이 노트북을 업로드한 뒤 왼쪽 파일 창에
# `ganvas-….whl`을 끌어다 놓습니다. 그러면 다음 셀이 ganvas를 설치하며, Colab의 torch는 그대로 둡니다.
# 자신의 컴퓨터에서는 이 셀이 아무 일도 하지 않습니다.

# %%
import sys

if "google.colab" in sys.modules:
    import glob
    import subprocess
    from importlib.metadata import version
    from pathlib import Path

    Path("keep.txt").write_text(f"torch=={version('torch')}\n")
    wheel = glob.glob("ganvas-*.whl")
    assert wheel, "drop the wheel of ganvas into the file pane on the left, then run this cell again"
    subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", "--constraint", "keep.txt", *wheel], check=True)

# %%
import io
import os
import shutil
from itertools import pairwise
from pathlib import Path
from textwrap import fill

import numpy as np
from matplotlib.figure import Figure
from PIL import Image

import ganvas
from ganvas import i18n
from ganvas.diagnostics import text
from ganvas.diagnostics.checks import check_data

MINUTES = float(os.environ.get("GANVAS_COURSE_MINUTES", 4))  # of all trainings together, about
KIMG = 4 * MINUTES  # thousand images for each training

clothes = ganvas.data("fashion-mnist", size=16)
clothes

# %% [markdown] lang="en"
# ## A healthy training first
#
# `train` below trains one GAN. `HEALTHY` are its settings: the recipe `lean` at half its width. Each fault changes some
# of them and nothing else, always from fresh networks with the same seed. `look` draws samples and curves, `ask` prints
# the doctor's answer in English and Korean.
#
# The last graph of each row shows two numbers that ganvas measures at every sample grid:
#
# - **distance**: how far colours and layout of the samples are from real images. 0: the same; 1: as far as real images
#   vary.
# - **spread**: how different two samples are from each other. 1: as different as two real images.

# %% [markdown] lang="ko"
# ## 먼저 건강한 학습부터
#
# 아래의 `train`은 GAN 하나를 학습합니다. `HEALTHY`가 그 설정이며, 레시피 `lean`의 너비를 반으로 줄인 것입니다. 결함마다
# 이 설정의 일부만 바꾸고, 항상 같은 시드의 새 신경망에서 시작합니다. `look`은 샘플과 곡선을 그리고, `ask`는 진단 결과를
# 영어와 한국어로 출력합니다.
#
# 각 줄의 마지막 그래프는 ganvas가 샘플을 그릴 때마다 재는 두 값입니다.
#
# - **distance**: 샘플의 색과 배치가 진짜 이미지와 얼마나 다른지. 0이면 같고, 1이면 진짜 이미지들이 서로 다른 만큼 다릅니다.
# - **spread**: 두 샘플이 서로 얼마나 다른지. 1이면 진짜 이미지 두 장만큼 다릅니다.

# %%
# one thread and plain arithmetic: the same result wherever it runs, and no speed probe
PLAIN = {
    "engine.device": "cpu",
    "engine.threads": 1,
    "engine.dtype": "float32",
    "engine.layout": "channels_last",
    "engine.conv": "direct",
}
HEALTHY = {"generator.width": 0.5, "discriminator.width": 0.5, "g_optim.lr": 1e-3, "d_optim.lr": 2e-3}
gan = ganvas.GAN("lean")


def train(name, data=clothes, tricks=(), **changed):
    """Train fresh networks with some settings changed; double underscores stand for dots."""
    folder = Path("runs/why") / name
    shutil.rmtree(folder, ignore_errors=True)  # this cell may have run before
    settings = PLAIN | HEALTHY | {key.replace("__", "."): value for key, value in changed.items()}
    return gan.fit(data, kimg=KIMG, tricks=tricks, settings=settings, out=folder, display=False)


# as in the report: what belongs to D and to real images is grey, what belongs to G and to fakes is blue
COLOURS = {
    "loss": ("#5b6070", "#2f48c8"),
    "accuracy of D": ("#5b6070", "#2f48c8"),
    "distance and spread": ("#d9541e", "#1a9a5b"),
}


def look(**runs):
    """One row for each run: samples early and at the end, losses, accuracies, distance and spread."""
    figure = Figure((11, 2.6 * len(runs)), dpi=80, layout="constrained")
    rows = figure.subplots(len(runs), 5, squeeze=False, width_ratios=(1, 1, 1.4, 1.4, 1.4))
    for row, (name, run) in zip(rows, runs.items(), strict=True):
        grids = run.sample_grids()
        for panel, (seen, path) in zip(row[:2], (grids[len(grids) // 3], grids[-1]), strict=True):
            panel.imshow(Image.open(path).convert("RGB"))
            panel.set_title(f"{name}: {seen:,} images", fontsize=9)
            panel.axis("off")
        measured = {
            key: [line.get(key, np.nan) for line in run.rows("monitor")] for key in ("nimg", "distance", "spread")
        }
        curves = (
            (run.history, "loss", {"loss/d": "D", "loss/g": "G"}),
            (run.history, "accuracy of D", {"acc/real": "on real", "acc/fake": "on fakes"}),
            (measured, "distance and spread", {"distance": "distance", "spread": "spread"}),
        )
        for panel, (values, title, names) in zip(row[2:], curves, strict=True):
            for (key, label), colour in zip(names.items(), COLOURS[title], strict=True):
                panel.plot(np.array(values["nimg"]) / 1000, values[key], color=colour, label=label, linewidth=1.3)
            panel.set_title(f"{title} / thousand images", fontsize=9)
            panel.tick_params(labelsize=8)
            panel.legend(fontsize=8, frameon=False)
        row[3].set_ylim(-0.03, 1.03)
    file = io.BytesIO()
    figure.savefig(file)
    return Image.open(file).convert("RGB").quantize(128)  # a small picture


def ask(run):
    """The doctor's answer: what it found, in both languages, and the settings to try first."""
    diagnosis = run.doctor().diagnosis
    for lang in ("en", "ko"):
        say = i18n.load(lang)
        print(text.summary(diagnosis, say))
        for found in text.finding_texts(diagnosis, say):
            print(fill(f"- {found.title} ({found.since}). {found.cause}", 110, subsequent_indent="  "))
        print()
    for found in diagnosis.findings:
        print(f"try against {found.rule}:  {'   or   '.join(found.suggestions)}")


# %%
healthy = train("healthy")
look(healthy=healthy)

# %%
ask(healthy)

# %% [markdown] lang="en"
# **How to read it.** The samples become clothes, *distance* falls towards 0 and *spread* rises towards 1. That is what
# health looks like. Now look at the two curves on which most people keep their eyes:
#
# - **Accuracy on fakes.** It need not go to 0.5. D may well recognise most fakes while G still learns from it: D's
#   logit says *how* fake an image is, and this still changes from image to image. 0.5 would be the end of a perfect
#   training.
# - **G's loss.** The next cell goes from sample grid to sample grid and counts: how often did the samples come closer
#   to real images, and in how many of these steps did G's loss *rise*? If loss meant quality, the second number would
#   be 0. Each loss is measured against the *other* network. When D gets better, G's loss rises even though G improves
#   too.
#
# "Still improving" in the doctor's answer is no fault: the training was short. Its last lines say what to try, as you would
# write it in a terminal. Here, `--d-optim.lr 0.001` is `train(..., d_optim__lr=0.001)`, and `--with r1-r2` is
# `tricks=["r1-r2"]`.

# %% [markdown] lang="ko"
# **읽는 법.** 샘플이 옷 모양이 되고, *distance*는 0 쪽으로 내려가고 *spread*는 1 쪽으로 올라갑니다. 건강한 학습은 이런
# 모습입니다. 이제 사람들이 가장 많이 들여다보는 두 곡선을 봅시다.
#
# - **가짜 정확도.** 꼭 0.5로 갈 필요는 없습니다. D가 가짜를 대부분 알아봐도 G는 배울 수 있습니다. D의 로짓은 이미지가
#   *얼마나* 가짜 같은지를 말해 주고, 그 값은 이미지마다 다르기 때문입니다. 0.5는 완벽한 학습의 끝에서나 나오는 값입니다.
# - **G의 손실.** 다음 셀은 샘플 격자 사이마다 셉니다. 샘플이 진짜 이미지에 가까워진 것이 몇 번이고, 그 가운데 G의 손실이
#   *올라간* 것은 몇 번일까요? 손실이 품질을 뜻한다면 두 번째 수는 0이어야 합니다. 각 손실은 *상대* 신경망을 기준으로 잰
#   값입니다. D가 잘하게 되면 G가 나아져도 G의 손실은 올라갑니다.
#
# 진단 결과의 "아직 좋아지고 있습니다"는 결함이 아닙니다. 학습이 짧았을 뿐입니다. 마지막 줄들은 시도해 볼 것을 터미널에서 쓰는
# 형태로 보여 줍니다. 여기서는 `--d-optim.lr 0.001`을 `train(..., d_optim__lr=0.001)`로, `--with r1-r2`를 `tricks=["r1-r2"]`로
# 씁니다.


# %%
def between(run):
    """G's mean loss between two sample grids, and the distance at the second one."""
    measured = [(line["nimg"], line.get("distance", np.nan)) for line in run.rows("monitor")]
    seen, loss = run.history["nimg"], run.history["loss/g"]
    for (begin, _), (end, distance) in pairwise(measured):
        yield loss[(seen > begin) & (seen <= end)].mean(), distance


losses, distances = np.array(list(between(healthy))).reshape(-1, 2).T
closer, higher = np.diff(distances) < 0, np.diff(losses) > 0
print(f"the samples came closer to real images {closer.sum()} of {len(closer)} times;")
print(f"G's loss was higher than before in {(closer & higher).sum()} of these")

# %% [markdown] lang="en"
# ## Fault 1: D is too strong ("D's loss is 0. Good?")
#
# We raise D's learning rate, lower G's far down, and take away the penalty that keeps D smooth.
#
# **Predict**: where will D's two accuracies go? And if D is nearly always right, what can G still learn from it?

# %% [markdown] lang="ko"
# ## 결함 1: D가 너무 강하다 ("D의 손실이 0이에요. 좋은 건가요?")
#
# D의 학습률을 높이고 G의 학습률을 낮추고, D를 매끄럽게 하는 페널티를 없앱니다.
#
# **예상하기**: D의 두 정확도는 어디로 갈까요? D가 거의 항상 맞힌다면 G는 D에게서 무엇을 배울 수 있을까요?

# %%
strong = train("strong", d_optim__lr=1e-2, g_optim__lr=5e-6, penalty__r1=0.0, penalty__r2=0.0)
look(fault=strong, healthy=healthy)

# %%
ask(strong)

# %% [markdown] lang="en"
# **How to read it.** Accuracies near 1 *alone* are no fault. Accuracies near 1 *and* a distance that stays high are: D
# is always right, and G gets nowhere. D's loss near 0 then means that D has nothing left to learn and nothing left to
# teach. (Here D also has to name the class of real images, and that part of its loss stays.) The doctor asks for both
# signs.
#
# If it also names a checkerboard pattern: that is the grid of G's own layers, which shows in most faults below. It goes
# when G learns, so mend the other findings first.
#
# **The mend.** The rates back in balance and the penalty back: that is exactly the healthy training, so you see the
# result in the second row. If you met this in your own work, you would try the doctor's first line.

# %% [markdown] lang="ko"
# **읽는 법.** 정확도가 1 근처라는 것*만으로는* 결함이 아닙니다. 정확도가 1 근처이면서 distance도 높은 채라면 결함입니다.
# D는 항상 맞히고 G는 나아가지 못합니다. 이때 D의 손실이 0에 가깝다는 것은 D가 더 배울 것도, 가르칠 것도 없다는 뜻입니다.
# (여기서는 D가 진짜 이미지의 클래스도 맞혀야 하므로 그만큼의 손실은 남습니다.) doctor는 두 가지를 모두 확인합니다.
#
# 격자무늬도 함께 나왔다면 G의 층이 남긴 자국이며, 아래의 결함 대부분에서 나타납니다. G가 배우면 사라지므로 다른 것부터
# 고치세요.
#
# **고치기.** 학습률의 균형을 되찾고 페널티를 되돌리면 바로 건강한 학습이므로, 결과는 둘째 줄에 있습니다. 자신의
# 프로젝트에서 만났다면 doctor가 제안한 첫 번째 방법부터 시도해 보세요.

# %% [markdown] lang="en"
# ## Fault 2: D is too weak
#
# Now D hardly learns at all: its learning rate is 0.0000001.
#
# **Predict**: G can fool this D easily. Will the pictures be good?

# %% [markdown] lang="ko"
# ## 결함 2: D가 너무 약하다
#
# 이번에는 D가 거의 학습하지 못합니다. 학습률이 0.0000001입니다.
#
# **예상하기**: G는 이런 D를 쉽게 속입니다. 그러면 그림은 좋아질까요?

# %%
weak = train("weak", d_optim__lr=1e-7)
look(fault=weak, healthy=healthy)

# %%
ask(weak)

# %% [markdown] lang="en"
# **How to read it.** A low accuracy on fakes looks like success for G. But G learned to please a judge that knows
# nothing. Look at *distance*, and at the samples: winning is worth nothing when the judge is bad. **The mend** is D's
# learning rate (second row): a GAN is as good as its D.

# %% [markdown] lang="ko"
# **읽는 법.** 가짜 정확도가 낮으면 G가 성공한 것처럼 보입니다. 하지만 G는 아무것도 모르는 심판의 마음에 드는 법을 배웠을
# 뿐입니다. *distance*와 샘플을 보세요. 심판이 엉터리라면 이겨도 소용없습니다. **고치기**는 D의 학습률입니다(둘째 줄). GAN의
# 수준은 D의 수준을 넘지 못합니다.

# %% [markdown] lang="en"
# ## Fault 3: all samples look alike (mode collapse)
#
# G learns fast, D slowly and without its penalty, and we leave out the classes and the moving average of G.
#
# **Predict**: why could one single image be the best answer for such a G? Which of the curves will show it, and which
# will not?

# %% [markdown] lang="ko"
# ## 결함 3: 샘플이 모두 비슷하다 (모드 붕괴)
#
# G는 빠르게, D는 느리고 페널티 없이 학습합니다. 클래스와 G의 이동 평균도 쓰지 않습니다.
#
# **예상하기**: 이런 G에게는 왜 이미지 하나만 만드는 것이 최선일 수 있을까요? 어떤 곡선에 나타나고 어떤 곡선에는
# 나타나지 않을까요?

# %%
no_classes = {
    "data__labels": "ignore",
    "generator__condition": "concat",
    "discriminator__classify": 0.0,
    "loss__g_classify": 0.0,
    "step__ema_kimg": 0.0,
}
collapse = train("collapse", g_optim__lr=5e-3, d_optim__lr=1e-4, penalty__r1=0.0, penalty__r2=0.0, **no_classes)
mended = train("collapse-mended", **no_classes)
look(fault=collapse, mended=mended)

# %%
ask(collapse)

# %%
ask(mended)

# %% [markdown] lang="en"
# **How to read it.** *Spread* is the curve for this fault: near 0, whatever z is. The loss curves cannot show it, since
# they never compare two samples. G found one image that this D accepts; nothing in G's loss asks for variety.
#
# **The mend** keeps the classes out, so that the comparison is fair, and restores the rates and the penalty. Compare
# the two spreads.

# %% [markdown] lang="ko"
# **읽는 법.** 이 결함은 *spread* 곡선에서 보입니다. z가 무엇이든 0 근처입니다. 손실 곡선은 샘플끼리 비교하지 않으므로
# 이것을 보여 주지 못합니다. G는 D를 통과하는 이미지 하나를 찾았고, G의 손실에는 다양하게 만들라는 항이 없습니다.
#
# **고치기**에서는 공정하게 비교하려고 클래스는 그대로 쓰지 않고, 학습률과 페널티만 되돌렸습니다. 두 spread를 비교해 보세요.

# %% [markdown] lang="en"
# ## Fault 4: the learning rate is too high, up to NaN
#
# First both rates are a hundred times too high, then absurdly high.
#
# **Predict**: what do samples look like if every update throws away what the last one learned?

# %% [markdown] lang="ko"
# ## 결함 4: 학습률이 너무 높다, NaN까지
#
# 먼저 두 학습률을 100배로, 그다음에는 터무니없이 높여 봅니다.
#
# **예상하기**: 업데이트할 때마다 바로 전에 배운 것을 잃는다면 샘플은 어떤 모습일까요?

# %%
fast = train("fast", g_optim__lr=1e-1, d_optim__lr=2e-1)
look(fault=fast, healthy=healthy)

# %%
ask(fast)

# %%
try:
    train("nan", g_optim__lr=1e2, d_optim__lr=1e2)
except ganvas.GanvasError as error:
    print("GanvasError:", error)
else:
    print("no NaN in so short a training")

# %% [markdown] lang="en"
# **How to read it.** Look at the scale of the losses, and at samples that are another picture each time. The doctor may
# name what follows from too high a rate, such as saturated samples; look at what it suggests: lower rates. One step
# further, numbers overflow and become NaN ("not a number"). NaN never goes away by itself: every number that meets a
# NaN becomes NaN. So ganvas stops if it meets one, and says so in one line. In a loop of your own nothing stops, and
# the samples turn black or grey. **The mend** is always the same: a tenth of the learning rate, in a *new* run.

# %% [markdown] lang="ko"
# **읽는 법.** 손실의 눈금과, 볼 때마다 달라지는 샘플을 보세요. doctor는 학습률 대신 그 결과, 예를 들어 포화된 샘플을 짚을 수도
# 있습니다. 무엇을 해 보라고 하는지 보세요. 학습률을 낮추라는 것입니다. 한 걸음 더 나아가면 값이 넘쳐 NaN("숫자가 아님")이 됩니다.
# NaN은 저절로 사라지지 않습니다. NaN과 계산한 값은 모두 NaN이 됩니다. 그래서 ganvas는 NaN을 만나면 멈추고 한 줄로
# 알려 줍니다. 직접 작성한 학습 루프는 멈추지 않고, 샘플이 검게 또는 회색으로 변합니다. **고치기**는 언제나 같습니다.
# 학습률을 10분의 1로 낮춰 *새로* 학습합니다.

# %% [markdown] lang="en"
# ## Fault 5: only 100 images
#
# The healthy settings, but only 100 of the images.
#
# **Predict**: D sees each image again and again. What can D do that it could not do before? How would D rate real
# images that it has never seen?

# %% [markdown] lang="ko"
# ## 결함 5: 이미지가 100장뿐이다
#
# 건강한 설정 그대로, 이미지만 100장을 씁니다.
#
# **예상하기**: D는 같은 이미지를 되풀이해서 봅니다. 전에는 할 수 없던 무엇을 할 수 있게 될까요? 한 번도 보지 못한 진짜
# 이미지에는 어떤 점수를 줄까요?

# %%
few = train("few", data=ganvas.data("fashion-mnist", size=16, limit=100))
more = train("more", data=ganvas.data("fashion-mnist", size=16, limit=2000))
look(fault=few, mended=more)


# %%
def ratings(**runs):
    """D's mean logit for training images, for images it never saw, and for fakes, at the end of each run."""
    for name, run in runs.items():
        last = run.rows("monitor")[-1]
        train_, held_out, fake = (last.get(f"eval_logit/{kind}", np.nan) for kind in ("train", "held_out", "fake"))
        print(f"{name:8} training images {train_:6.2f}   held-out images {held_out:6.2f}   fakes {fake:6.2f}")


ratings(healthy=healthy, few=few, more=more)

# %%
ask(few)

# %% [markdown] lang="en"
# **How to read it.** D finds this task easy: compare its loss and accuracies with those of the healthy training. But
# why? That shows when D rates real images that it never saw. In a healthy run they get the same logit as the training
# images. With 100 images the held-out ones slide down towards the fakes: D no longer asks "is it real?" but "have I
# seen it?". From then on G learns to copy.
#
# **The mend** here is more images: the second row has 2,000 of them. Where does its line of the table lie, nearer to
# the first or to the second? If you have no more images, augment them: `tricks=["ada"]`, or the recipe `small-data`.
# Notebook 3 shows how.

# %% [markdown] lang="ko"
# **읽는 법.** D에게 이 문제는 쉽습니다. 손실과 정확도를 건강한 학습과 비교해 보세요. 왜 쉬울까요? D가 처음 보는 진짜 이미지에
# 점수를 매길 때 드러납니다. 건강한 학습에서는 학습 이미지와 같은 로짓을 받습니다. 100장만 쓰면 처음 보는 이미지의 점수가 가짜
# 쪽으로 내려갑니다. D가 "진짜인가?"가 아니라 "본 적이 있는가?"를 묻게 된 것입니다. 그때부터 G는 베끼는 법을 배웁니다.
#
# 여기서 **고치기**는 이미지를 늘리는 것입니다. 둘째 줄은 2,000장입니다. 표에서 이 줄은 첫 줄과 둘째 줄 가운데 어느 쪽에 가깝나요?
# 이미지를 더 구할 수 없다면 증강합니다. `tricks=["ada"]`나 레시피 `small-data`이며, 3번 노트북에서 다룹니다.

# %% [markdown] lang="en"
# ## Fault 6: the labels are wrong
#
# Same images, but the labels are shuffled. It happens easily: images sorted by name, labels in another order.
#
# **Predict**: will the clothes look worse? What will be in each row of the grid, where a row is one class?

# %% [markdown] lang="ko"
# ## 결함 6: 레이블이 틀렸다
#
# 이미지는 같지만 레이블을 섞었습니다. 이미지는 이름순인데 레이블은 다른 순서라면 쉽게 일어나는 일입니다.
#
# **예상하기**: 옷의 모양이 나빠질까요? 한 줄이 한 클래스인 격자에서 줄마다 무엇이 나올까요?

# %%
pixels = clothes.images.images.transpose(0, 2, 3, 1)
shuffled = np.random.default_rng(0).permutation(clothes.images.labels)
mixed = ganvas.data(pixels, shuffled, class_names=clothes.class_names)
wrong = train("labels", data=mixed, data__held_out=0.1)
look(fault=wrong, healthy=healthy)

# %%
ask(wrong)

# %% [markdown] lang="en"
# **How to read it.** Compare the rows of the two grids. No loss says "wrong label". The doctor notices it because D,
# which also has to name the class, does no better than chance on images that it never saw. If it finds nothing here,
# the training was too short for a safe answer: it waits for several measurements. **The mend** takes no training at
# all: *look at your data with their labels* before you start. The first picture of this notebook did that.

# %% [markdown] lang="ko"
# **읽는 법.** 두 격자를 줄끼리 비교해 보세요. "레이블이 틀렸다"고 말해 주는 손실은 없습니다. D는 클래스도 맞혀야 하는데,
# 처음 보는 이미지에서 우연보다 나을 것이 없으면 doctor가 알아차립니다. 여기서 아무것도 찾지 못했다면 확실히 말하기에는
# 학습이 너무 짧았던 것입니다. 여러 번 측정한 다음에야 답하기 때문입니다. **고치기**에는 학습이 필요 없습니다. 시작하기 전에
# *데이터를 레이블과 함께 보세요*. 이 노트북의 첫 그림이 바로 그것입니다.

# %% [markdown] lang="en"
# ## Fault 7: the wrong range
#
# The classic: pictures saved with values from 0 to 15 instead of 0 to 255. D sees nearly black images and calls black
# real. This one we do not even train: the check of the data finds it first.
#
# **Predict**: what will the grid of real images look like?

# %% [markdown] lang="ko"
# ## 결함 7: 값의 범위가 틀렸다
#
# 흔한 실수로, 0 ~ 255가 아니라 0 ~ 15로 저장된 이미지입니다. D는 거의 검은 이미지를 보고 검은색을 진짜라고 배웁니다.
# 이번에는 학습할 필요도 없습니다. 데이터 검사가 먼저 찾아냅니다.
#
# **예상하기**: 진짜 이미지의 격자는 어떤 모습일까요?

# %%
dark = ganvas.data(pixels // 16, clothes.images.labels, class_names=clothes.class_names)
dark

# %%
for lang in ("en", "ko"):
    say = i18n.load(lang)
    for result in check_data(dark.images):
        sentence = say(f"doctor.data.{result.name}.{result.state}", **result.blanks)
        print(fill(f"{result.state:6} {sentence}", 110, subsequent_indent="       "))
    print()

# %% [markdown] lang="en"
# **How to read it.** `bad` is to be mended before training, `advice` is worth a thought. `ganvas doctor --data PATH`
# says the same in a terminal. The caption of the grid says the range of the values too. Your own loop has the same trap
# one step later: images in [0, 1] while G ends in tanh, in [-1, 1]. D then needs one look at the sign of a pixel.
# ganvas brings images to [-1, 1] itself and says so.
#
# ## What to remember
#
# | What you see | What it means | Where you saw it |
# |---|---|---|
# | D's loss near 0, both accuracies near 1 | a fault only if *distance* stays high too | healthy, 1 |
# | Accuracy on fakes far from 0.5 | normal | healthy |
# | Accuracy on fakes near 0 | D is too weak, if the samples are bad | 2 |
# | G's loss rises, pictures get better | normal: D got better as well | healthy |
# | All samples look alike | collapse; look at *spread*, not at losses | 3 |
# | Jumps; NaN | learning rate too high; start a new run | 4 |
# | D's loss near 0, samples are like training images | too few images; look at held-out images | 5 |
# | Good images in wrong rows; dark images | look at your data first | 6, 7 |
#
# **Your turn.** Change one number of a fault so that the doctor no longer finds it. How weak may D be? How few images
# do? All that the doctor knows: [why-gans-fail.md](../../../docs/why-gans-fail.md).

# %% [markdown] lang="ko"
# **읽는 법.** `bad`는 학습하기 전에 고쳐야 하는 것이고, `advice`는 참고할 조언입니다. 터미널에서는 `ganvas doctor --data PATH`로
# 같은 검사를 합니다. 격자의 설명에도 값의 범위가 나옵니다. 직접 작성한
# 학습 루프에도 비슷한 함정이 있습니다. 이미지는 [0, 1]인데 G는 tanh로 끝나 [-1, 1]인 경우입니다. 그러면 D는 픽셀의 부호만
# 보고도 가짜를 알아봅니다. ganvas는 이미지를 스스로 [-1, 1]로 바꾸고, 그렇게 했다고 알려 줍니다.
#
# ## 기억할 것
#
# | 보이는 것 | 뜻 | 어디서 보았나 |
# |---|---|---|
# | D의 손실이 0 근처, 두 정확도가 1 근처 | *distance*도 높을 때만 결함 | 건강한 학습, 1 |
# | 가짜 정확도가 0.5와 멀다 | 정상 | 건강한 학습 |
# | 가짜 정확도가 0 근처 | 샘플이 나쁘다면 D가 너무 약함 | 2 |
# | G의 손실은 올라가는데 그림은 좋아진다 | 정상: D도 나아졌기 때문 | 건강한 학습 |
# | 샘플이 모두 비슷하다 | 모드 붕괴. 손실이 아니라 *spread*를 볼 것 | 3 |
# | 요동친다, NaN | 학습률이 너무 높음. 새로 학습할 것 | 4 |
# | D의 손실이 0 근처, 샘플이 학습 이미지와 비슷하다 | 이미지가 너무 적음. 처음 보는 이미지의 점수를 볼 것 | 5 |
# | 그림은 좋은데 줄이 틀리다, 어둡다 | 데이터부터 볼 것 | 6, 7 |
#
# **해 보기.** 결함의 숫자 하나를 바꾸어 doctor가 더는 찾지 못하게 해 보세요. D는 얼마나 약해도 될까요? 이미지는 얼마나
# 적어도 될까요? doctor가 아는 모든 것은 [why-gans-fail.md](../../../docs/ko/why-gans-fail.md)에 있습니다.
