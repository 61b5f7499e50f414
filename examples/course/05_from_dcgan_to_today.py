# Source of en/05_from_dcgan_to_today.ipynb and ko/05_from_dcgan_to_today.ipynb: edit this file, then run
# tools/build_course.py.

# %% [markdown] lang="en"
# # 5. From DCGAN to today: one idea at a time
#
# DCGAN is from 2015. What has been found since then? You climb a ladder of eight trainings, from the network of the
# course to `quick`, the recipe that ganvas recommends. **Each step adds one idea and keeps all ideas below it.** All
# train on the same images, with the same seed and on the same number of images.
#
# Before each step, read the idea and **predict**: better, worse, or no difference that you could see?
#
# The pictures are Fashion-MNIST at 16 x 16 pixels and the networks have half their width, so that a step takes seconds.
# The same ladder on CIFAR-10, five minutes a step, is in [ladder.md](../../../docs/ladder.md).
#
# **On Colab**: build the wheel once in the folder of ganvas (`pip wheel --no-deps .`), upload this notebook, open the
# file pane on the left and drop `ganvas-….whl` into it. The next cell then installs it and leaves Colab's torch alone.
# On your own computer it does nothing.

# %% [markdown] lang="ko"
# # 5. DCGAN에서 오늘까지: 한 번에 한 가지 아이디어
#
# DCGAN은 2015년에 나왔습니다. 그 뒤로 무엇이 밝혀졌을까요? 과정에서 쓴 신경망에서 ganvas가 권하는 레시피 `quick`까지,
# 여덟 번 학습하며 사다리를 올라갑니다. **단계마다 아이디어를 하나만 더하고, 그 아래의 아이디어는 모두 그대로 둡니다.** 모두
# 같은 이미지, 같은 시드, 같은 장수로 학습합니다.
#
# 단계마다 아이디어를 읽고 **예상해** 보세요. 좋아질까요, 나빠질까요, 눈에 띄는 차이가 없을까요?
#
# 16 x 16 픽셀로 줄인 Fashion-MNIST와 너비를 반으로 줄인 신경망을 쓰므로 한 단계에 몇십 초도 걸리지 않습니다. CIFAR-10에서
# 단계마다 5분씩 학습한 같은 사다리는 [ladder.md](../../../docs/ladder.md)(영어)에 있습니다.
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
import os
import shutil
from itertools import pairwise
from pathlib import Path

import numpy as np
from PIL import Image

import ganvas
from ganvas.media import grid

MINUTES = float(os.environ.get("GANVAS_COURSE_MINUTES", 5))  # of all trainings together, about
KIMG = 2 * MINUTES  # thousand images for each training
N = 500  # images in each of five sets that are scored

clothes = ganvas.data("fashion-mnist", size=16)
clothes

# %% [markdown] lang="en"
# ## How a step is measured
#
# `climb` trains one step from fresh networks, scores it and returns twenty of its samples.
#
# The score is a **Fréchet distance** (`fd`), the idea behind FID (Heusel et al. 2017): a trained classifier turns each
# image into a list of numbers, its features, and the distance compares the features of the samples with those of real
# test images. Lower is better. Five sets of samples give five scores, and these an interval of 95 %.
#
# The classifier knows images of 28 x 28, so ours are enlarged first. That alone costs something: the next cell sends
# *real* training images the same way, down to 16 pixels and up again. No step can be expected to get below that score.

# %% [markdown] lang="ko"
# ## 단계마다 무엇을 재나
#
# `climb`은 한 단계를 새 신경망에서 학습하고, 점수를 매기고, 샘플 스무 장을 돌려줍니다.
#
# 점수는 **프레셰 거리**(`fd`)로, FID(Heusel et al. 2017)와 같은 생각입니다. 학습된 분류기가 이미지마다 숫자 목록(특징)을 만들고,
# 샘플의 특징과 진짜 테스트 이미지의 특징이 얼마나 떨어져 있는지 잽니다. 낮을수록 좋습니다. 샘플 다섯 묶음에서 점수 다섯 개를 얻어
# 95% 신뢰구간을 구합니다.
#
# 분류기는 28 x 28 이미지를 배웠으므로 먼저 확대합니다. 확대만으로도 점수가 나빠집니다. 다음 셀에서는 *진짜* 학습 이미지를
# 똑같이 16픽셀로 줄였다가 다시 키워 봅니다. 어떤 단계도 이 점수보다 낮아지기는 어렵습니다.

# %%
ROOT = Path("runs/ladder")
# one thread and plain arithmetic: the same result wherever it runs, and no speed probe
PLAIN = {
    "engine.device": "cpu",
    "engine.threads": 1,
    "engine.dtype": "float32",
    "engine.layout": "channels_last",
    "engine.conv": "direct",
}
HALF = {"generator.width": 0.5, "discriminator.width": 0.5}
results = {}  # name -> (score, samples, images per second)


def score(images):
    """Fréchet distance of 16 x 16 images to the real test images, with its interval."""
    large = np.stack(
        [np.array(Image.fromarray(image[0]).resize((28, 28), Image.Resampling.BICUBIC)) for image in images]
    )
    return ganvas.evaluate(
        large, reference="fashion-mnist:test", features="classifier", metrics=["fd"], n=len(images) // 5, progress=False
    )[0]


def climb(name, recipe, tricks=(), **changed):
    """Train one step, score it, and return twenty samples: two of each class where there are classes."""
    shutil.rmtree(ROOT / name, ignore_errors=True)  # this cell may have run before
    settings = PLAIN | HALF | {key.replace("__", "."): value for key, value in changed.items()}
    run = ganvas.GAN(recipe).fit(clothes, kimg=KIMG, settings=settings, tricks=tricks, out=ROOT / name, display=False)
    G = run.generator
    labels = list(np.repeat(np.arange(10), 2)) if G.class_names else None
    samples, found = G.sample(20, labels=labels), score(G.sample(5 * N, seed=1))
    speed = KIMG * 1000 / run.rows("events")[-1]["cpu_sec"]
    results[name] = found, samples, speed
    print(f"{name}: fd {found.value:.0f}, 95 % interval {found.low:.0f} to {found.high:.0f}")
    return grid(samples, 10).resize((640, 128), Image.Resampling.NEAREST)


real = score(clothes.images.images[: 5 * N])
print(f"real images through 16 pixels: fd {real.value:.0f}, 95 % interval {real.low:.0f} to {real.high:.0f}")

# %% [markdown] lang="en"
# ## Step 1: the DCGAN of the course
#
# Transposed convolutions, batch normalisation in G, cross-entropy, Adam at 1e-4, batch 256 (after Radford et al. 2015,
# arXiv 1511.06434).

# %% [markdown] lang="ko"
# ## 1단계: 과정의 DCGAN
#
# 전치 합성곱, G의 배치 정규화, 교차 엔트로피, 학습률 1e-4의 Adam, 배치 256입니다(Radford et al. 2015, arXiv 1511.06434 참고).

# %%
climb("1 DCGAN", "cifar-dcgan")

# %% [markdown] lang="en"
# ## Step 2: more updates from the same images
#
# Batch 32 instead of 256: eight times as many updates of both networks for the same number of images. Each is noisier.
# With so few images, the number of updates is what is missing. **Predict**: does it pay?

# %% [markdown] lang="ko"
# ## 2단계: 같은 이미지로 더 많이 업데이트하기
#
# 배치를 256에서 32로 줄입니다. 같은 수의 이미지로 두 신경망을 여덟 배 더 많이 업데이트합니다. 업데이트마다 잡음은 커집니다. 이미지가 이렇게
# 적을 때 모자란 것은 업데이트 횟수입니다. **예상하기**: 효과가 있을까요?

# %%
climb("2 + batch 32", "cifar-dcgan", step__batch=32)

# %% [markdown] lang="en"
# ## Step 3: residual networks
#
# Each block computes `x + f(x)`: what it was given, plus a change (He et al. 2015, arXiv 1512.03385; in GANs: Gulrajani
# et al. 2017, arXiv 1704.00028). The gradient has a short way through the plus signs, and a block may begin by doing
# nothing. Learning rates and momentum are those that DCGAN's authors recommend, 2e-4 and 0.5. So more than one thing
# changes here: networks of another kind need rates of their own.

# %% [markdown] lang="ko"
# ## 3단계: 잔차 신경망
#
# 블록마다 `x + f(x)`, 곧 입력에 변화를 더한 값을 계산합니다(He et al. 2015, arXiv 1512.03385; GAN에서는 Gulrajani et al.
# 2017, arXiv 1704.00028). 덧셈을 따라 그래디언트가 짧은 길로 흐르고, 블록은 아무것도 하지 않는 상태에서 시작할 수 있습니다. 학습률과
# 모멘텀은 DCGAN 논문이 권하는 2e-4와 0.5입니다. 그래서 이 단계에서는 바뀌는 것이 하나가 아닙니다. 종류가 다른 신경망에는 그에 맞는
# 학습률이 필요하기 때문입니다.

# %%
plain = {
    "data__labels": "ignore", "generator__condition": "concat",
    "g_optim__beta1": 0.5, "d_optim__beta1": 0.5, "g_optim__lr": 2e-4, "d_optim__lr": 2e-4,
    "g_optim__decay": "constant", "d_optim__decay": "constant", "step__ema_kimg": 0.0,
}  # fmt: skip
unlimited = {
    "loss__name": "bce",
    "discriminator__spectral": False,
    "penalty__r1": 0.0,
    "penalty__r2": 0.0,
    "penalty__adapt": 0.0,
}
climb("3 + residual blocks", "quick", **plain, **unlimited)

# %% [markdown] lang="en"
# ## Step 4: a D that cannot be too steep
#
# - **Spectral normalisation** (Miyato et al. 2018, arXiv 1802.05957) divides each of D's weights by its largest
#   singular value: no layer can enlarge a difference. D stays smooth, so its gradient stays useful for G.
# - **Hinge loss** (Lim & Ye 2017, arXiv 1705.02894): an image that D already judges right by a margin of 1 costs
#   nothing. D does not waste its strength on becoming surer.
# - **R1 + R2** (Mescheder et al. 2018, arXiv 1801.04406): a penalty on D's gradient at real and at fake images. `quick`
#   uses it only while D is far ahead.
#
# **Predict**: at low learning rates nothing was about to explode. Will you see a difference?

# %% [markdown] lang="ko"
# ## 4단계: 지나치게 가팔라질 수 없는 D
#
# - **스펙트럼 정규화**(Miyato et al. 2018, arXiv 1802.05957)는 D의 가중치를 각각 가장 큰 특잇값으로 나눕니다. 어느 층도 차이를 키울 수
#   없으므로 D가 매끄럽고, 그 그래디언트는 G에게 계속 쓸모가 있습니다.
# - **힌지 손실**(Lim & Ye 2017, arXiv 1705.02894): D가 이미 1만큼의 여유로 맞힌 이미지에는 손실이 없습니다. D는 더 확신하려고 힘을
#   낭비하지 않습니다.
# - **R1 + R2**(Mescheder et al. 2018, arXiv 1801.04406): 진짜와 가짜 이미지에서 D의 그래디언트에 주는 페널티입니다. `quick`은 D가 크게
#   앞설 때만 씁니다.
#
# **예상하기**: 학습률이 낮아 터질 위험은 없었습니다. 차이가 보일까요?

# %%
climb("4 + hinge, spectral norm", "quick", **plain)

# %% [markdown] lang="en"
# ## Step 5: high rates, two of them, and no momentum
#
# With a D that cannot explode the rates can be raised: 1e-3 for G and 2e-3 for D. Two rates are TTUR (Heusel et al.
# 2017, arXiv 1706.08500). Momentum goes to 0: it pushes on in a direction that was good when the *other* network was
# still another one.

# %% [markdown] lang="ko"
# ## 5단계: 서로 다른 높은 학습률, 모멘텀 없음
#
# D가 터지지 않으므로 학습률을 높일 수 있습니다. G는 1e-3, D는 2e-3입니다. 학습률을 둘로 나누는 것이 TTUR입니다(Heusel et al. 2017,
# arXiv 1706.08500). 모멘텀은 0으로 둡니다. 모멘텀은 *상대* 신경망이 지금과 달랐을 때 좋았던 방향으로 계속 밀기 때문입니다.

# %%
fast = {key: value for key, value in plain.items() if "beta1" not in key and "lr" not in key}
climb("5 + high rates, no momentum", "quick", **fast)

# %% [markdown] lang="en"
# ## Step 6: come to rest
#
# High rates never settle: the last update is as large as the first. **Decay** lowers them to 0 until the end. The
# **moving average of G** (EMA; Yazıcı et al. 2018, arXiv 1806.04498) draws samples from an average of G's latest
# weights: what swings to and fro cancels.

# %% [markdown] lang="ko"
# ## 6단계: 안정시키기
#
# 학습률이 높으면 자리를 잡지 못합니다. 마지막 업데이트도 처음만큼 크기 때문입니다. **감소**(decay)는 끝날 때까지 학습률을 0으로
# 낮춥니다. **G의 이동 평균**(EMA; Yazıcı et al. 2018, arXiv 1806.04498)은 G의 최근 가중치를 평균한 신경망에서 샘플을 뽑습니다. 이리저리
# 흔들리는 부분은 서로 상쇄됩니다.

# %%
without_classes = {"data__labels": "ignore", "generator__condition": "concat"}
climb("6 + decay, EMA", "quick", **without_classes)

# %% [markdown] lang="en"
# ## Step 7: classes
#
# G gets the class as scale and shift of every normalisation, D as a projection: a dot product of its features with a
# vector for the class (Miyato & Koyama 2018, arXiv 1802.05637). Now you can ask for a shoe. From here on, the picture
# shows two samples of each class, in order.

# %% [markdown] lang="ko"
# ## 7단계: 클래스
#
# G에서는 클래스가 정규화마다 스케일과 이동을 정하고, D에서는 특징과 클래스 벡터의 내적(프로젝션)으로 들어갑니다(Miyato & Koyama 2018,
# arXiv 1802.05637). 이제 신발을 만들어 달라고 할 수 있습니다. 여기서부터 그림은 클래스마다 두 장씩 순서대로 보여 줍니다.

# %%
climb("7 + classes", "quick", discriminator__classify=0.0)

# %% [markdown] lang="en"
# ## Step 8: `quick`
#
# D's projection also has to name the class of real images (after ECGAN, Chen et al. 2021, arXiv 2111.01035; auxiliary
# classifiers: Odena et al. 2016, arXiv 1610.09585). The aim: a requested shoe is a shoe.

# %% [markdown] lang="ko"
# ## 8단계: `quick`
#
# D의 프로젝션이 진짜 이미지의 클래스도 맞혀야 합니다(ECGAN, Chen et al. 2021, arXiv 2111.01035 참고; 보조 분류기는 Odena et
# al. 2016, arXiv 1610.09585). 목표는 신발을 요청하면 신발이 나오는 것입니다.

# %%
climb("8 quick", "quick")

# %% [markdown] lang="en"
# ## The whole ladder
#
# One row for each step, from 1 at the top to 8 at the bottom; below it, real images. Then the table.

# %% [markdown] lang="ko"
# ## 사다리 전체
#
# 맨 위 1단계부터 아래로 8단계까지 한 줄씩이고, 맨 아래는 진짜 이미지입니다. 그다음은 표입니다.

# %%
rows = [samples for _, samples, _ in results.values()] + [clothes.show(20).array]
grid(np.concatenate(rows), 20).resize((20 * 48, len(rows) * 48), Image.Resampling.NEAREST)

# %%
print(f"{'step':30}{'fd':>6}   95 % interval    images per CPU second")
for name, (found, _, speed) in results.items():
    print(f"{name:30}{found.value:6.0f}   {found.low:5.0f} to {found.high:5.0f}   {speed:12,.0f}")
print(f"{'real images':30}{real.value:6.0f}   {real.low:5.0f} to {real.high:5.0f}")
for (before, (a, _, _)), (after, (b, _, _)) in pairwise(results.items()):
    apart = b.high < a.low or b.low > a.high
    word = ("lower" if b.value < a.value else "higher") if apart else "intervals overlap"
    print(f"{before[0]} -> {after[0]}: {b.value - a.value:+6.0f}   {word}")

# %% [markdown] lang="en"
# **How to read it.** An interval says how much the score changes with the *samples that were drawn* from one trained G.
# It says nothing of another seed: train the same step again from other random weights, and you may land outside. So:
#
# - Can one seed of such a short training show that step 5 beats step 4? **No.** It shows what happened once.
# - Can it show that an idea is useless? **No.** Decay and EMA, for example, are made for long trainings: an average
#   over the first seconds contains networks that knew nothing. If a step looks worse here, look at it in
#   [ladder.md](../../../docs/ladder.md): longer trainings, but one seed as well.
# - A large jump that you can see with your own eyes is worth believing until three seeds say otherwise.
# - Scores of steps 7 and 8 measure all images; they do not say whether the *requested* class appears. Look at the rows.
# - Equal numbers of images are not equal time: see the last column of the table.
#
# **Your turn.** Choose two neighbours and compare them over three seeds, as in notebook 2:
# `ganvas.GAN("quick").fit(clothes, seeds=3, ...)` for both, then `ganvas.compare(before, after)`. Did the order hold?

# %% [markdown] lang="ko"
# **읽는 법.** 신뢰구간은 학습된 G 하나에서 *어떤 샘플을 뽑았는지*에 따라 점수가 얼마나 달라지는지를 말합니다. 시드가 다르면
# 어떻게 되는지는 말해 주지 않습니다. 같은 단계를 다른 초기 가중치로 다시 학습하면 구간 밖으로 나갈 수도 있습니다. 그러므로
#
# - 이렇게 짧은 학습을 시드 하나로 해서 5단계가 4단계보다 낫다고 할 수 있을까요? **아니요.** 한 번 그랬다는 것뿐입니다.
# - 어떤 아이디어가 쓸모없다고 할 수 있을까요? **아니요.** 예를 들어 감소와 EMA는 긴 학습을 위한 것입니다. 처음 몇 초 동안의 평균에는
#   아무것도 모르던 신경망이 들어 있습니다. 여기서 나빠 보이는 단계는 [ladder.md](../../../docs/ladder.md)(영어)에서 확인해 보세요. 더 오래
#   학습했지만 그것도 시드는 하나입니다.
# - 눈으로도 보이는 큰 차이라면, 시드 세 개가 아니라고 할 때까지는 믿어 볼 만합니다.
# - 7단계와 8단계의 점수는 이미지 전체를 잽니다. *요청한* 클래스가 나왔는지는 말해 주지 않으므로 줄을 직접 보세요.
# - 이미지 수가 같다고 시간도 같은 것은 아닙니다. 표의 마지막 열을 보세요.
#
# **해 보기.** 이웃한 두 단계를 골라 2번 노트북처럼 시드 세 개로 비교해 보세요. 둘 다
# `ganvas.GAN("quick").fit(clothes, seeds=3, ...)`으로 학습한 뒤 `ganvas.compare(before, after)`를 실행합니다. 순서가 그대로인가요?

# %% [markdown] lang="en"
# ## Where the ladder leads
#
# `cifar10-cpu-v1` ships with ganvas: a wider `quick`, trained on CIFAR-10 for under an hour of two CPU cores. One class
# a row.

# %% [markdown] lang="ko"
# ## 사다리의 끝
#
# `cifar10-cpu-v1`은 ganvas에 들어 있는 모델입니다. 더 넓은 `quick`을 CPU 코어 두 개로 한 시간이 안 되게 CIFAR-10에서 학습했습니다. 한 줄이
# 한 클래스입니다.

# %%
model = ganvas.load("cifar10-cpu-v1")
print(", ".join(model.class_names))
model.grid(80).resize((512, 640), Image.Resampling.NEAREST)

# %% [markdown] lang="en"
# **Choose a class**, and a seed. Image number i of a seed stays the same whenever you ask.

# %% [markdown] lang="ko"
# **클래스를 골라 보세요.** 시드도 바꿀 수 있습니다. 같은 시드의 i번째 이미지는 언제 요청해도 같습니다.

# %%
model.show(16, label="ship", seed=3)

# %% [markdown] lang="en"
# **From one image to another.** If G had learned its training images by heart, the way between two of them would jump
# or blur. What do you see in the middle? Change `label`: the same two z, another class.

# %% [markdown] lang="ko"
# **한 이미지에서 다른 이미지로.** G가 학습 이미지를 외웠다면 두 이미지 사이에서 갑자기 바뀌거나 흐려질 것입니다. 가운데에서는 무엇이
# 보이나요? `label`을 바꾸어 보세요. z 두 개는 그대로이고 클래스만 바뀝니다.

# %%
model.interpolate(8, label="ship", seed=3)

# %%
model.interpolate(8, label="horse", seed=3)

# %% [markdown] lang="en"
# The model card says how it was trained, how good it is and what it cannot do: [models.md](../../../docs/models.md).

# %% [markdown] lang="ko"
# 어떻게 학습했고, 얼마나 좋고, 무엇을 못하는지는 모델 카드에 있습니다: [models.md](../../../docs/models.md)(영어).
