# Source of en/03_your_own_images.ipynb and ko/03_your_own_images.ipynb: edit this file, then run tools/build_course.py.

# %% [markdown] lang="en"
# # 3. Your own images
#
# Bring your own pictures. This notebook shows in which forms ganvas reads them, how to look at what was read, what to
# check before training, how many pictures are enough, and what happens if they are not.
#
# So that it runs anywhere, it makes a folder of pictures first: bags and ankle boots of Fashion-MNIST. Wherever
# you see `my-pictures`, put the path of your own.
#
# **On Colab**: build the wheel once in the folder of ganvas (`pip wheel --no-deps .`), upload this notebook, open the
# file pane on the left and drop `ganvas-….whl` into it. The next cell then installs it and leaves Colab's torch alone.
# On your own computer it does nothing.

# %% [markdown] lang="ko"
# # 3. 나만의 이미지로 학습하기
#
# 이제 자신의 그림을 가져올 차례입니다. ganvas가 어떤 형태의 그림을 읽는지, 무엇이 읽혔는지 어떻게 확인하는지, 학습하기 전에 무엇을
# 검사하는지, 몇 장이면 충분한지, 모자라면 어떻게 되는지 살펴봅니다.
#
# 어디서나 실행되도록 먼저 그림 폴더를 만듭니다. Fashion-MNIST의 가방과 앵클부츠입니다. `my-pictures`가 나오는 곳에 자신의 폴더
# 경로를 넣으면 됩니다.
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
import time
from pathlib import Path
from textwrap import fill

import numpy as np
from matplotlib.figure import Figure
from PIL import Image, ImageDraw

import ganvas
from ganvas import i18n
from ganvas.diagnostics.checks import check_data
from ganvas.media import grid
from ganvas.metrics.neighbours import copying_test, nearest

MINUTES = float(os.environ.get("GANVAS_COURSE_MINUTES", 4))  # of both trainings together, about
KIMG = 3 * MINUTES  # thousand images for each training

HERE = Path("my-pictures")
shutil.rmtree(HERE, ignore_errors=True)  # this cell may have run before
two = ("Bag", "Ankle boot")
known = {split: ganvas.data("fashion-mnist", classes=two, split=split, limit=300).images for split in ("train", "test")}


def save(pixels, path):
    """Write one image [1, h, w] as a file; the suffix chooses the format."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels[0]).save(path)


# %% [markdown] lang="en"
# ## The forms that are read
#
# The next cell writes the same 40 pictures in six forms and reads each. Two things in each line matter most: *how many
# images*, and *which classes*. If they are not what you expect, your folder was understood in another way.

# %% [markdown] lang="ko"
# ## 읽을 수 있는 형태
#
# 다음 셀은 같은 그림 40장을 여섯 가지 형태로 저장하고 하나씩 읽습니다. 가장 중요한 것은 *몇 장인지*와 *어떤 클래스인지*입니다. 예상과
# 다르다면 폴더가 다른 뜻으로 읽힌 것입니다.

# %%
names = [two[k].lower().replace(" ", "-") for k in known["train"].labels]
some = list(enumerate(zip(known["train"].images[:40], names[:40], strict=True)))
for i, (pixels, name) in some:
    save(pixels, HERE / "plain" / f"{i:03}.png")  # one folder, no classes
    save(pixels, HERE / "classes" / name / f"{i:03}.png")  # one folder for each class
    save(pixels, HERE / "splits" / ("test" if i % 4 == 0 else "train") / name / f"{i:03}.png")
    save(pixels, HERE / "names" / f"{name}_{i:03}.jpg")  # the class is in the file's name
    save(pixels, HERE / "table" / f"{i:03}.png")  # the class is in a table
rows = "".join(f"{i:03}.png,{name}\n" for i, (_, name) in some)
(HERE / "table" / "labels.csv").write_text(f"file,label\n{rows}")
shutil.make_archive(str(HERE / "zipped"), "zip", HERE / "classes")

for form, settings in {
    "plain": {}, "classes": {}, "splits": {}, "table": {}, "zipped.zip": {}, "names": {"label_from": "name:([a-z-]+)_"},
}.items():  # fmt: skip
    print(ganvas.data(HERE / form, progress=False, **settings).line(), "\n")

# %% [markdown] lang="en"
# `train` is read, and `test` is held out: training never sees it. All forms, with Hugging Face folders, numpy files,
# parquet and more: [data.md](../../../docs/data.md).
#
# ## Difficult pictures
#
# Real folders hold surprises. The next cell draws one picture, a red triangle that points up, and saves it as cameras
# and programs do. **Predict** what will be read from each file.

# %% [markdown] lang="ko"
# `train`을 읽고 `test`는 남겨 둡니다. 학습에서는 절대 보지 않습니다. Hugging Face 폴더, numpy 파일, parquet 등 모든 형태는
# [data.md](../../../docs/ko/data.md)에 있습니다.
#
# ## 까다로운 그림
#
# 실제 폴더에는 뜻밖의 것이 들어 있습니다. 다음 셀은 위를 가리키는 빨간 삼각형을 하나 그려서, 카메라와 프로그램이 하듯 여러 방식으로
# 저장합니다. 파일마다 어떻게 읽힐지 **예상해** 보세요.

# %%
odd = HERE / "odd"
odd.mkdir()
picture = Image.new("RGB", (96, 64), "navy")
ImageDraw.Draw(picture).polygon([(48, 6), (20, 58), (76, 58)], fill="red")
picture.save(odd / "1-wide.png")  # wider than high
turned = Image.Exif()
turned[0x0112] = 6  # "turn me by 90 degrees to see me upright", as phones write it
picture.rotate(90, expand=True).save(odd / "2-turned.jpg", exif=turned)
picture.convert("CMYK").save(odd / "3-print.jpg")  # colours for printing
see_through = picture.convert("RGBA")
see_through.putalpha(Image.eval(picture.getchannel("R"), lambda red: 255 if red > 128 else 0))
see_through.save(odd / "4-transparent.png")  # only the triangle is opaque
picture.convert("L").save(odd / "5-grey.png")
picture.save(odd / "6-moving.gif", save_all=True, append_images=[picture.rotate(180)])
whole = (odd / "2-turned.jpg").read_bytes()
(odd / "7-broken.jpg").write_bytes(whole[: len(whole) // 2])  # a download that broke off
(odd / "8-text.png").write_text("not a picture")

mixed = ganvas.data(odd, size=64, progress=False)
print(mixed.line())
print("not read:", *mixed.images.skipped, sep="\n  ")
mixed.show(8)

# %% [markdown] lang="en"
# **How to read it.** The images stand in the order of their names. Wide pictures lose their ends (`fit="pad"` and
# `fit="stretch"` are the other two ways), turned ones stand upright, see-through parts become white, grey ones become
# RGB because others have colours, and of a moving picture the first frame is taken. Files that cannot be read are left
# out and *named*. So compare the number of images with the number of your files.
#
# ## The check before training
#
# Now the folder that we train on: few pictures on purpose, and as many to hold out. Then the doctor looks at it.

# %% [markdown] lang="ko"
# **읽는 법.** 이미지는 이름순입니다. 넓은 그림은 양 끝이 잘리고(`fit="pad"`와 `fit="stretch"`도 있습니다), 돌아간 그림은 바로
# 서고, 투명한 부분은 흰색이 되고, 다른 그림에 색이 있으므로 회색 그림은 RGB가 되고, 움직이는 그림은 첫 프레임만 씁니다. 읽을 수 없는
# 파일은 빼고 *이름을 알려 줍니다*. 그러니 이미지 수를 자신의 파일 수와 비교해 보세요.
#
# ## 학습하기 전에 검사하기
#
# 이제 학습에 쓸 폴더입니다. 일부러 적게, 그리고 남겨 둘 그림도 같은 수만큼 준비합니다. 그다음 doctor가 검사합니다.

# %%
FEW = 100
bags = HERE / "few"
for split, images in known.items():
    for i, (pixels, k) in enumerate(zip(images.images[:FEW], images.labels[:FEW], strict=True)):
        save(pixels, bags / split / two[k].lower().replace(" ", "-") / f"{i:03}.png")

few = ganvas.data(bags, size=16, progress=False)
few


# %%
def check(found, only=None):
    """What the doctor says of the data, in English and Korean; `only`: one of its checks."""
    for lang in ("en", "ko"):
        say = i18n.load(lang)
        for result in check_data(found.images):
            if only in (None, result.name):
                sentence = say(f"doctor.data.{result.name}.{result.state}", **result.blanks)
                print(fill(f"{result.state:6} {sentence}", 110, subsequent_indent="       "))


check(few)

# %% [markdown] lang="en"
# `bad` is to be mended first, `advice` is worth a thought; `ganvas doctor --data PATH` says the same in a terminal. Now
# spoil the set as it happens in life: a class copied twice, and test pictures that lie in the training folder as well.

# %% [markdown] lang="ko"
# `bad`는 먼저 고쳐야 하는 것이고 `advice`는 참고할 조언입니다. 터미널에서는 `ganvas doctor --data PATH`로 같은 검사를
# 합니다. 이제 실제로 흔히 일어나는 일을 만들어 봅시다. 한 클래스를 두 번 복사하고, 테스트 그림을 학습 폴더에도 넣습니다.

# %%
spoilt = HERE / "spoilt"
shutil.copytree(bags, spoilt)
shutil.copytree(spoilt / "train" / "bag", spoilt / "train" / "bag" / "copy")
for path in sorted((spoilt / "test" / "bag").glob("*.png"))[:5]:
    shutil.copy(path, spoilt / "train" / "bag" / f"new-{path.name}")

check(ganvas.data(spoilt, size=16, progress=False))


# %%
def leaks(folder):
    """Number of test images that are training images as well, pixel by pixel."""
    train, test = (
        ganvas.data(folder, split=split, size=16, progress=False).images.images for split in ("train", "test")
    )
    return len({image.tobytes() for image in train} & {image.tobytes() for image in test})


print("leaks before:", leaks(bags), "  leaks after:", leaks(spoilt))

# %% [markdown] lang="en"
# **Copies** count more than other pictures: G will make them more often. **Leaks** are worse. Held-out pictures are
# there to notice when D or G learns by heart; if training has seen them, they cannot tell. Two pictures of the same
# object, a minute apart, leak too, and no hash finds them: split by object or day, not by file.
#
# ## How many pictures are enough?
#
# Ask the doctor about three numbers of pictures. If it says nothing, the number is enough for `quick`.

# %% [markdown] lang="ko"
# **중복**된 그림은 그만큼 비중이 커져 G가 더 자주 만듭니다. **누출**은 더 나쁩니다. 남겨 둔 그림은 D나 G가 외우는지 알아내려고 있는
# 것인데, 학습에서 이미 봤다면 알아낼 수 없습니다. 같은 물건을 1분 간격으로 찍은 사진 두 장도 누출이며 해시로는 찾지 못합니다. 파일이
# 아니라 물건이나 날짜를 기준으로 나누세요.
#
# ## 몇 장이면 충분할까?
#
# 장수를 세 가지로 바꾸어 doctor에게 물어봅니다. 아무 말이 없으면 `quick`에 충분한 수입니다.

# %%
for number in (100, 1000, 6000):
    print(f"{number:,} pictures:")
    check(ganvas.data("fashion-mnist", limit=number, size=16, progress=False), only="few")

# %% [markdown] lang="en"
# ## What overfitting looks like
#
# Two trainings on the few pictures, same networks, same number of images seen. Both keep a fifth of the pictures
# out of training (`data.held_out`), to watch D with them:
#
# - `quick`, made for large sets;
# - `small-data`: `quick` with augmentation. Everything that D sees, real or fake, is mirrored, shifted, recoloured or
#   partly covered, the more so the more D learns by heart (ADA, Karras et al. 2020, arXiv 2006.06676).
#
# **Predict**: D's logit of training images, of held-out images and of fakes: which two will stay close to each other?

# %% [markdown] lang="ko"
# ## 과적합은 어떤 모습일까
#
# 얼마 안 되는 이 그림으로 두 번 학습합니다. 신경망도, 보는 이미지 수도 같습니다. 둘 다 그림의 5분의 1을 학습에서 빼 두고
# (`data.held_out`) D를 지켜보는 데 씁니다.
#
# - `quick`: 큰 데이터셋을 위한 레시피
# - `small-data`: `quick`에 증강을 더한 레시피. D가 보는 모든 이미지를 진짜든 가짜든 뒤집고, 옮기고, 색을 바꾸고, 일부를 가립니다.
#   D가 많이 외울수록 더 세게 합니다(ADA, Karras et al. 2020, arXiv 2006.06676).
#
# **예상하기**: 학습 이미지, 남겨 둔 이미지, 가짜에 대한 D의 로짓 가운데 어느 둘이 가까이 머물까요?

# %%
# one thread and plain arithmetic: the same result wherever it runs, and no speed probe
PLAIN = {
    "engine.device": "cpu",
    "engine.threads": 1,
    "engine.dtype": "float32",
    "engine.layout": "channels_last",
    "engine.conv": "direct",
}
HALF = {"generator.width": 0.5, "discriminator.width": 0.5, "data.held_out": 0.2}
runs = {}
for recipe in ("quick", "small-data"):
    folder = Path("runs/own") / recipe
    shutil.rmtree(folder, ignore_errors=True)
    quickly = {"augment.adapt_kimg": KIMG / 4} if recipe == "small-data" else {}  # it has little time to act
    settings = PLAIN | HALF | quickly
    runs[recipe] = ganvas.GAN(recipe).fit(few, kimg=KIMG, settings=settings, out=folder, display=False)

figure = Figure((9, 2.8), dpi=80, layout="constrained")
for panel, (recipe, run) in zip(figure.subplots(1, 2, sharey=True), runs.items(), strict=True):
    measured = run.rows("monitor")
    for kind, colour in (("train", "#5b6070"), ("held_out", "#1a9a5b"), ("fake", "#2f48c8")):
        values = [line.get(f"eval_logit/{kind}", np.nan) for line in measured]
        panel.plot(
            [line["nimg"] / (0.8 * FEW) for line in measured], values, color=colour, label=kind.replace("_", " ")
        )
    panel.set_title(f"{recipe}: D's mean logit / times that each picture was seen", fontsize=9)
    panel.legend(fontsize=8, frameon=False)
file = io.BytesIO()
figure.savefig(file)
Image.open(file).convert("RGB").quantize(128)

# %% [markdown] lang="en"
# **How to read it.** Grey (training) and green (held out) are both *real* pictures. A D that knows what a bag looks
# like gives both the same logit. As soon as green leaves grey and goes towards blue (fakes), D knows the training
# pictures by heart. Logits have no fixed scale, so compare *how much of the way* from grey to blue green has gone.
# The next cell prints it (ADA's number; above 50 % the doctor speaks of overfitting if D can also tell the two apart),
# and how strong the augmentation has become.

# %% [markdown] lang="ko"
# **읽는 법.** 회색(학습)과 초록색(남겨 둔 이미지)은 모두 *진짜* 그림입니다. 가방이 어떻게 생겼는지 아는 D라면 둘에 같은
# 로짓을 줍니다. 초록색이 회색을 떠나 파란색(가짜) 쪽으로 가면 D가 학습 이미지를 외운 것입니다. 로짓의 눈금은 정해져 있지
# 않으므로, 초록색이 회색에서 파란색까지의 길을 *얼마나* 갔는지 비교하세요. 다음 셀이 그 값(ADA가 쓰는 값이며, 50%를 넘고
# D가 둘을 구별할 수도 있으면 doctor가 과적합이라고 합니다)과 증강이 얼마나 강해졌는지 출력합니다.

# %%
for recipe, run in runs.items():
    found = [finding.rule for finding in run.doctor().diagnosis.findings]
    way = np.nanmedian([line.get("overfit", np.nan) for line in run.rows("monitor")[-3:]])
    strength = run.rows("metrics")[-1].get("augment/p", 0)
    print(f"{recipe}: held-out pictures lie {way:.0%} of the way from training pictures to fakes;")
    print(f"    augmentation at {strength:.0%} of its strength; the doctor finds: {', '.join(found) or 'nothing'}")

# %% [markdown] lang="en"
# Is the second recipe better here? Look at the two percentages, and be careful: one seed, one fifth of a hundred
# pictures to judge by, a minute of training. Change the number of pictures (`FEW`) or the seed, and see whether it stays so.
# What is sure: augmentation grows *because* D overfits, and the number tells you when more
# pictures are needed. Three seeds on 300 and 2,000 pictures: [own-images.md](../../../docs/own-images.md).

# %% [markdown] lang="ko"
# 여기서는 둘째 레시피가 더 나은가요? 두 백분율을 보되 조심하세요. 시드 하나, 판단할 그림은 백 장의 5분의 1, 학습은 1분 남짓입니다.
# 장수(`FEW`)나 시드를 바꾸어도 그대로인지 확인해 보세요. 분명한 것은 D가 과적합하기 *때문에*
# 증강이 강해진다는 것, 그리고 이 값을 보면 그림이 더 필요한 때를 알 수 있다는 것입니다. 그림 300장과 2,000장, 시드 세 개로 비교한
# 결과는 [own-images.md](../../../docs/ko/own-images.md)에 있습니다.

# %% [markdown] lang="en"
# ## Does G copy?
#
# Left of each pair a sample, right of it the training picture that is nearest to it. Your eyes are a good judge here,
# but not a fair one: to anything, something is nearest. So the test compares distances: are samples nearer to the
# training pictures than *held-out real pictures* are? (Meehan et al. 2020, arXiv 2004.05675; distances of 8 x 8
# thumbnails.)

# %% [markdown] lang="ko"
# ## G가 베끼고 있을까?
#
# 각 쌍의 왼쪽은 샘플, 오른쪽은 그것에 가장 가까운 학습 이미지입니다. 눈으로 보는 것도 좋지만 공정하지는 않습니다. 무엇이든 가장 가까운
# 것은 있기 때문입니다. 그래서 거리를 비교합니다. 샘플이 *남겨 둔 진짜 그림*보다 학습 이미지에 더 가까운가요?
# (Meehan et al. 2020, arXiv 2004.05675; 8 x 8로 줄인 이미지의 거리)


# %%
def small(images):
    """8 x 8 thumbnails [n, 64] of images [n, 1, 16, 16]: fine grain, which G never gets right, must not count."""
    return images.astype(np.float64).reshape(len(images), 8, 2, 8, 2).mean((2, 4)).reshape(len(images), 64)


held_out = ganvas.data(bags, split="test", size=16, progress=False).images.images
train = few.images.images
_, real_distances = nearest(small(held_out), small(train))
pairs = []
for recipe, run in runs.items():
    samples = run.generator.sample(200, seed=1)
    index, distances = nearest(small(samples), small(train))
    test = copying_test(distances, real_distances)
    print(f"{recipe}: a sample is nearer than a held-out picture in {test.nearer:.0%} of pairs, p = {test.p_value:.3f}")
    pairs.append(np.stack([samples[:10], train[index[:10]]], 1).reshape(20, *train.shape[1:]))
grid(np.concatenate(pairs), 20).resize((20 * 48, 2 * 48), Image.Resampling.NEAREST)  # quick above small-data

# %% [markdown] lang="en"
# **How to read it.** 50 % is what honest samples give. Near 100 % with a small p: copies. Far below 50 %: the samples
# are not like the training pictures at all yet, which is bad, but no copying. With longer training the number can only
# get more serious: repeat it before you publish samples. A sharper test, with features of a network trained on
# photographs: `run.evaluate(features="efficientnet-lite0", metrics=["copying"])`.
#
# ## Size and minutes
#
# How much does a larger picture cost? A few updates at each size, in CPU seconds for 1,000 images on this machine.

# %% [markdown] lang="ko"
# **읽는 법.** 베끼지 않은 샘플이라면 50%입니다. 100%에 가깝고 p가 작으면 베낀 것입니다. 50%보다 훨씬 낮으면 샘플이 아직 학습 이미지와
# 닮지도 않은 것입니다. 나쁘지만 베낀 것은 아닙니다. 더 오래 학습하면 더 심각해질 수 있으니, 샘플을 공개하기 전에 다시 검사하세요. 사진으로
# 학습한 신경망의 특징을 쓰는 더 예민한 검사는 `run.evaluate(features="efficientnet-lite0", metrics=["copying"])`입니다.
#
# ## 크기와 시간
#
# 그림이 커지면 얼마나 더 걸릴까요? 크기마다 몇 번씩 업데이트해 보고, 이 컴퓨터에서 이미지 1,000장에 걸리는 CPU 시간을 잽니다.

# %%
for size in (16, 32, 64):
    images = ganvas.data(bags, size=size, progress=False)
    steps = ganvas.GAN("quick").steps(images, epochs=10, settings=PLAIN | HALF)
    next(steps)  # the first update is slower
    begun, seen = time.process_time(), sum(len(next(steps).real) for _ in range(2))
    print(f"{size} x {size}: {1000 * (time.process_time() - begun) / seen:6.1f} CPU seconds for 1,000 images")

# %% [markdown] lang="en"
# **How to read it.** Twice the side is four times the pixels; small sizes pay a fixed price on top. A training needs
# some hundred thousand images to be seen (each picture many times), so multiply. Start at 32, see whether it works,
# then go up.
#
# ## What you may use
#
# A picture on the web is not free because you can download it: use your own, or pictures whose licence allows it (and
# name their authors), ask people before you train on their faces, and say that your samples were generated.
#
# ## Your turn
#
# - Put your own path into `ganvas.data(...)`, and look before you train.
# - Fewer than 5,000 pictures: `ganvas.GAN("small-data")`. Fewer than 500: collect more.
# - `run.generator.show(16, label="bag")` draws from what you trained.
#
# | If you read | then |
# |---|---|
# | `no data set or folder is named ...` | the path is wrong: `os.listdir()` shows what is there |
# | `... holds no picture that can be read` | the folder is empty, or the files are of another kind |
# | fewer images than files | look at `data.images.skipped` |
# | a class too many | a folder that is no class, such as `__MACOSX` or a backup: move it out |
# | `trained without classes` | your pictures have no labels; put each class in a folder |

# %% [markdown] lang="ko"
# **읽는 법.** 한 변이 두 배면 픽셀은 네 배입니다. 작은 크기에서는 고정 비용이 더해집니다. 학습하려면 (그림마다 여러 번씩) 수십만 장을 봐야
# 하므로 곱해 보세요. 32에서 시작해 잘되는지 본 다음 키우는 것이 좋습니다.
#
# ## 무엇을 써도 될까
#
# 내려받을 수 있다고 해서 마음대로 써도 되는 것은 아닙니다. 자신의 그림이나 라이선스가 허락하는 그림을 쓰고(저작자를 밝히고), 얼굴을 학습하기
# 전에는 본인에게 허락을 구하고, 샘플이 생성된 것임을 밝히세요.
#
# ## 해 보기
#
# - `ganvas.data(...)`에 자신의 경로를 넣고, 학습하기 전에 먼저 살펴보세요.
# - 5,000장보다 적으면 `ganvas.GAN("small-data")`, 500장보다 적으면 더 모으세요.
# - `run.generator.show(16, label="bag")`으로 학습한 모델에서 그림을 뽑을 수 있습니다.
#
# | 이런 글이 나오면 | 이렇게 |
# |---|---|
# | `no data set or folder is named ...` | 경로가 틀림. `os.listdir()`로 무엇이 있는지 볼 것 |
# | `... holds no picture that can be read` | 폴더가 비었거나 그림이 아닌 파일임 |
# | 파일보다 이미지가 적다 | `data.images.skipped`를 볼 것 |
# | 클래스가 하나 많다 | `__MACOSX`나 백업처럼 클래스가 아닌 폴더를 밖으로 옮길 것 |
# | `trained without classes` | 레이블이 없음. 클래스마다 폴더를 만들 것 |
