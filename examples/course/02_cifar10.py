# Source of en/02_cifar10.ipynb and ko/02_cifar10.ipynb: edit this file, then run tools/build_course.py.

# %% [markdown] lang="en"
# # 2. CIFAR-10 in eight steps
#
# The course's project: take the DCGAN that makes Fashion-MNIST (28x28, grey) and make it draw CIFAR-10 (32x32, colour).
# This notebook does the eight steps in the order of the course, and ends with a folder to hand in:
#
# | step | what |
# |---|---|
# | 1 | set up |
# | 2 | the data: load, scale to [-1, 1], look, make mini-batches |
# | 3 | the generator, and an untrained sample |
# | 4 | the discriminator, and its logit on that sample |
# | 5 | losses, accuracies, optimisers |
# | 6 | the training step, sample grids, curves, checkpoints |
# | 7 | train, GIF, read the curves |
# | 8 | an idea: applied, and compared with before |
#
# Have you never seen a GAN? Begin with [01_fashion_mnist](01_fashion_mnist.ipynb), which explains every layer. Something
# goes wrong? See *Stuck?* at the end.
#
# The networks here are those of the course, and a few minutes of CPU are far too few for them to draw objects. What you get
# is the whole way: every step, what to look at in it, and an idea whose effect you can see and test. With an evening or a GPU
# you go the same way with more images: one number, `MINUTES`.
#
# ## Step 1: set up
#
# **On Colab**: build the wheel once in the folder of ganvas (`pip wheel --no-deps .`), upload this notebook, open the
# file pane on the left and drop `ganvas-….whl` into it. The next cell then installs it and leaves Colab's torch alone.
# On your own computer it does nothing.

# %% [markdown] lang="ko"
# # 2. CIFAR-10을 여덟 단계로
#
# 과정의 프로젝트입니다. Fashion-MNIST(28x28, 흑백)를 만드는 DCGAN으로 CIFAR-10(32x32, 컬러)을 그리게 합니다. 이 노트북은
# 과정의 순서대로 여덟 단계를 진행하고, 마지막에 제출할 폴더를 만듭니다.
#
# | 단계 | 내용 |
# |---|---|
# | 1 | 준비 |
# | 2 | 데이터: 불러오기, [-1, 1]로 바꾸기, 살펴보기, 미니배치 만들기 |
# | 3 | 생성자와 학습 전 샘플 |
# | 4 | 판별자와 그 샘플에 대한 로짓 |
# | 5 | 손실, 정확도, 옵티마이저 |
# | 6 | 학습 단계, 샘플 그리드, 곡선, 체크포인트 |
# | 7 | 학습, GIF, 곡선 읽기 |
# | 8 | 개선 아이디어: 적용하고 적용 전과 비교하기 |
#
# GAN이 처음이라면 모든 층을 설명하는 [01_fashion_mnist](01_fashion_mnist.ipynb)부터 시작하세요. 문제가 생기면
# 마지막의 *막혔을 때*를 보세요.
#
# 여기서 쓰는 신경망은 과정의 신경망이며, CPU로 몇 분 학습해서는 물체를 그리지 못합니다. 대신 처음부터 끝까지 모든 단계를 거치며 단계마다
# 무엇을 보아야 하는지 알아보고, 아이디어 하나의 효과를 눈과 숫자로 확인합니다. 시간이나 GPU가 있으면 숫자 하나(`MINUTES`)만 키워
# 같은 과정을 더 많은 이미지로 진행하면 됩니다.
#
# ## 1단계: 준비
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
import copy
import os
import shutil
import time

import numpy as np
import torch
from PIL import Image
from torch import nn

import ganvas

MINUTES = float(os.environ.get("GANVAS_COURSE_MINUTES", 1))  # of each of the six trainings, on one core, about
KIMG = 16 * MINUTES  # thousand images for each of them
torch.manual_seed(0)
print(f"ganvas {ganvas.__version__}, torch {torch.__version__}: {KIMG:g} thousand images for each training")

# %% [markdown] lang="en"
# ## Step 2: the data
#
# The first use downloads CIFAR-10 (160 MB) and checks its bytes. Fashion-MNIST comes along, to compare.

# %% [markdown] lang="ko"
# ## 2단계: 데이터
#
# 처음 실행하면 CIFAR-10(160 MB)을 내려받고 파일이 올바른지 검사합니다. 비교할 수 있도록 Fashion-MNIST도 불러옵니다.

# %%
train = ganvas.data("cifar10")
train

# %% [markdown] lang="en"
# Why is CIFAR-10 harder? Three numbers for each data set:
# - how many numbers an image has;
# - how far an image is from the mean image of its class, as a share of how far images are from the overall mean. 1 would
#   mean that knowing the class tells nothing about the pixels;
# - how often a very small classifier is right on test images. It compares a test image with the mean image of every class
#   and takes the nearest. With 10 classes, guessing gives 0.1.

# %% [markdown] lang="ko"
# 왜 CIFAR-10이 더 어려울까요? 데이터 세트마다 세 가지 값을 구해 봅니다.
# - 이미지 한 장이 숫자 몇 개로 되어 있는지
# - 이미지가 자기 클래스의 평균 이미지에서 얼마나 떨어져 있는지(전체 평균에서 떨어진 정도에 대한 비율). 1이면 클래스를 알아도
#   픽셀에 대해 알 수 있는 것이 없다는 뜻입니다.
# - 아주 작은 분류기가 테스트 이미지를 얼마나 맞히는지. 이 분류기는 테스트 이미지를 각 클래스의 평균 이미지와 비교하여 가장 가까운
#   클래스를 고릅니다. 클래스가 10개이므로 찍으면 0.1입니다.


# %%
def flat(data):
    """Images as rows of numbers, and their labels."""
    pixels = data.images.images
    return pixels.reshape(len(pixels), -1).astype(np.float32) / 255, data.images.labels


for name in ("fashion-mnist", "cifar10"):
    x, y = flat(ganvas.data(name))
    test_x, test_y = flat(ganvas.data(name, split="test"))
    means = np.stack([x[y == k].mean(0) for k in range(10)])
    inside = ((x - means[y]) ** 2).sum(1).mean() / ((x - x.mean(0)) ** 2).sum(1).mean()
    distances = (means**2).sum(1) - 2 * test_x @ means.T  # to each mean, up to a constant
    right = (distances.argmin(1) == test_y).mean()
    print(
        f"{name:14} {len(x):,} images of {x.shape[1]:4} numbers   distance within classes {inside:.2f}   "
        f"nearest mean right {right:.2f}"
    )
del x, test_x

# %% [markdown] lang="en"
# The lower the last number, the less the images of a class have in common, pixel by pixel. Look at the ships in the grid
# above: any size, any colour, any background. (A shirt of Fashion-MNIST is always in the middle on black: see 01.) And G has
# fewer examples to learn from.
#
# ### Showing colour right
#
# Many a training was given up because of a wrong *picture* of right images. Here is one batch of real images, shown once
# right and three times wrong. Remember what each mistake looks like.

# %% [markdown] lang="ko"
# 마지막 값이 낮을수록 같은 클래스의 이미지들이 픽셀 단위로 닮은 점이 적습니다. 위 그림에서 배(ship)를 보세요. 크기도 색도 배경도
# 제각각입니다. (Fashion-MNIST의 셔츠는 언제나 검은 바탕의 가운데에 있습니다. 01을 보세요.) 게다가 학습에 쓸 이미지도 더 적습니다.
#
# ### 컬러 이미지를 올바르게 표시하기
#
# 올바른 이미지를 잘못 *표시*하여 학습을 포기하는 경우가 많습니다. 진짜 이미지 한 묶음을 한 번은 올바르게, 세 번은 잘못 표시해
# 봅니다. 실수마다 어떻게 보이는지 기억해 두세요.


# %%
def to_network(pixels):
    """uint8 0..255 -> float -1..1."""
    return torch.as_tensor(pixels).float() / 127.5 - 1


def to_pixels(images):
    """float -1..1 -> uint8 0..255."""
    return ((images.detach() + 1) * 127.5).round().clamp(0, 255).byte()


def grid(pixels, columns=8, zoom=2):
    """uint8 [n, c, h, w] as one picture; n must be a multiple of columns."""
    n, c, h, w = pixels.shape
    rows = n // columns
    picture = pixels.view(rows, columns, c, h, w).permute(0, 3, 1, 4, 2).reshape(rows * h, columns * w, c)
    picture = Image.fromarray(picture.squeeze(-1).numpy())
    return picture.resize((picture.width * zoom, picture.height * zoom), Image.Resampling.NEAREST)


images = to_network(train.images.images[:8])
print("for G and D:", tuple(images.shape), f"from {images.min():.2f} to {images.max():.2f}")
print("right: scaled back, channels last")
display(grid(to_pixels(images)))
print("wrong: one channel in false colours, imshow(image[0])")
from matplotlib import colormaps

green = torch.from_numpy(colormaps["viridis"]((images[:, 0].numpy() + 1) / 2)[..., :3] * 255).byte().permute(0, 3, 1, 2)
display(grid(green))
print("wrong: not scaled back, so that everything below 0 is black")
display(grid((images.clamp(0, 1) * 255).byte()))
print("wrong: reshape(32, 32, 3) in place of permute(1, 2, 0)")
display(grid(to_pixels(images.reshape(8, 32, 32, 3).permute(0, 3, 1, 2))))

# %% [markdown] lang="en"
# Green and blue pictures: one channel. Dark pictures: not scaled back. Grey pictures with small copies in them: `reshape`
# mixed up the numbers. If your samples look like one of these, look at the display before you look at the networks.
#
# ### Mini-batches
#
# Training goes through the images in random order, one mini-batch at a time. After each, both networks are changed a little:
# an *update*. One pass over all images is an *epoch*. The course takes 256 images a batch. We take 32: the same images then
# give eight times as many updates, and a few minutes are short of updates. The library makes the batches itself; by hand it
# is two lines:

# %% [markdown] lang="ko"
# 초록색이나 파란색 그림: 채널 하나만 표시한 것입니다. 어두운 그림: 범위를 되돌리지 않은 것입니다. 작은 복사본이 늘어선 회색 그림:
# `reshape`가 숫자를 뒤섞은 것입니다. 샘플이 이 중 하나처럼 보이면 신경망을 의심하기 전에 표시 방법부터 확인하세요.
#
# ### 미니배치
#
# 학습은 이미지를 무작위 순서로 한 미니배치씩 사용합니다. 미니배치마다 두 신경망을 조금씩 바꾸는 것이 한 번의 *업데이트*이고, 전체
# 이미지를 한 번 도는 것이 한 *에포크*입니다. 과정의 배치 크기는 256입니다. 여기서는 32로 합니다. 같은 수의 이미지로 여덟 배 자주
# 업데이트하는데, 몇 분뿐인 학습에는 업데이트가 모자라기 때문입니다. 라이브러리가 알아서 하지만 직접 써도 두 줄입니다.


# %%
def batches(pixels, size, generator):
    """Mini-batches of one epoch, in random order; what is left at the end is not used."""
    order = torch.randperm(len(pixels), generator=generator)
    for first in range(0, len(pixels) - size + 1, size):
        yield to_network(pixels[order[first : first + size]])


BATCH = 32
for size in (256, BATCH):
    print(f"{len(train):,} images in batches of {size}: {len(train) // size:,} updates an epoch")
print("one batch:", tuple(next(batches(train.images.images, BATCH, torch.Generator().manual_seed(0))).shape))

# %% [markdown] lang="en"
# ## Step 3: the generator
#
# From 28x28x1 to 32x32x3, two things change:
# - **Size.** 28 is 7 doubled twice. 32 is 4 doubled three times, so G starts at 4x4 and has three layers of stride 2.
# - **Colour.** The last layer has 3 channels in place of 1: red, green, blue.

# %% [markdown] lang="ko"
# ## 3단계: 생성자
#
# 28x28x1에서 32x32x3으로 가면서 두 가지가 바뀝니다.
# - **크기.** 28은 7을 두 번 두 배로 한 것입니다. 32는 4를 세 번 두 배로 한 것이므로 G는 4x4에서 시작하고 stride 2인 층이 세 개입니다.
# - **색.** 마지막 층의 채널이 1개에서 3개(빨강, 초록, 파랑)로 바뀝니다.


# %%
class Up(nn.Module):
    """Twice the height and width: a transposed convolution of stride 2, cut as Keras does."""

    def __init__(self, c_in, c_out):
        super().__init__()
        # height and width h become 2h + 1
        self.conv = nn.ConvTranspose2d(c_in, c_out, 5, stride=2, padding=1, bias=False)
        nn.init.xavier_uniform_(self.conv.weight)

    def forward(self, x):
        return self.conv(x)[:, :, :-1, :-1]  # 2h + 1 -> 2h


class Generator(nn.Module):
    """z [n, 100] -> images [n, 3, 32, 32] in [-1, 1]."""

    def __init__(self):
        super().__init__()
        self.dense = nn.Linear(100, 4 * 4 * 256, bias=False)
        self.norm0 = nn.BatchNorm1d(4 * 4 * 256, eps=1e-3, momentum=0.01)
        self.up1 = Up(256, 128)
        self.norm1 = nn.BatchNorm2d(128, eps=1e-3, momentum=0.01)
        self.up2 = Up(128, 64)
        self.norm2 = nn.BatchNorm2d(64, eps=1e-3, momentum=0.01)
        self.up3 = Up(64, 3)
        self.act = nn.LeakyReLU(0.3)
        nn.init.xavier_uniform_(self.dense.weight)

    def forward(self, z):
        x = self.act(self.norm0(self.dense(z)))  # 100 -> 4096
        x = x.view(-1, 4, 4, 256).permute(0, 3, 1, 2)  # 256 x 4 x 4
        x = self.act(self.norm1(self.up1(x)))  # 128 x 8 x 8
        x = self.act(self.norm2(self.up2(x)))  # 64 x 16 x 16
        return torch.tanh(self.up3(x))  # 3 x 32 x 32


G = Generator()
z = torch.randn(16, 100)
fake = G(z)
print("z", tuple(z.shape), "-> images", tuple(fake.shape), f"from {fake.min():.2f} to {fake.max():.2f}")
grid(to_pixels(fake))

# %% [markdown] lang="en"
# An untrained sample: coloured noise, of the right size and in the right range.
#
# ## Step 4: the discriminator
#
# The same as for Fashion-MNIST, with 3 channels at its start and a Dense layer for 8x8 maps (32 -> 16 -> 8). It ends in one
# number for each image, the *logit*, without an activation: above 0 D takes the image for real, below 0 for fake. A sigmoid
# would make a probability of it.

# %% [markdown] lang="ko"
# 학습 전 샘플입니다. 크기와 범위가 올바른 컬러 잡음입니다.
#
# ## 4단계: 판별자
#
# Fashion-MNIST 때와 같습니다. 처음 채널이 3개이고 Dense 층이 8x8 맵을 받는 것만 다릅니다(32 -> 16 -> 8). 이미지마다 숫자 하나인
# *로짓*으로 끝나며 활성화 함수는 없습니다. 0보다 크면 진짜, 작으면 가짜라고 판단한 것입니다. 시그모이드를 거치면 확률이 됩니다.


# %%
class Discriminator(nn.Module):
    """images [n, 3, 32, 32] -> logits [n, 1]."""

    def __init__(self, dropout=0.3):
        super().__init__()
        # left, right, top, bottom: what Keras calls "same" for stride 2
        self.pad = nn.ZeroPad2d((1, 2, 1, 2))
        self.down1 = nn.Conv2d(3, 64, 5, stride=2)
        self.down2 = nn.Conv2d(64, 128, 5, stride=2)
        self.dense = nn.Linear(8 * 8 * 128, 1)
        self.act = nn.LeakyReLU(0.3)
        self.drop = nn.Dropout(dropout)
        for layer in (self.down1, self.down2, self.dense):
            nn.init.xavier_uniform_(layer.weight)
            nn.init.zeros_(layer.bias)

    def forward(self, x):
        x = self.drop(self.act(self.down1(self.pad(x))))  # 64 x 16 x 16
        x = self.drop(self.act(self.down2(self.pad(x))))  # 128 x 8 x 8
        return self.dense(x.permute(0, 2, 3, 1).flatten(1))  # 8192 -> 1


D = Discriminator()
with torch.no_grad():
    logit = D(fake)[0].item()
print(f"D's logit on the first untrained sample: {logit:+.3f}")
print(f"as a probability of 'real':              {1 / (1 + np.exp(-logit)):.3f}")

# %% [markdown] lang="en"
# `summary` prints both networks layer by layer: what each layer returns, and its number of parameters. (A transposed
# convolution returns 9x9, 17x17 and 33x33 here; `Up` cuts it to 8x8, 16x16 and 32x32.) Below it: are they as large as the
# course's?

# %% [markdown] lang="ko"
# `summary`는 두 신경망의 층마다 출력의 크기와 파라미터 수를 보여 줍니다. (전치 합성곱의 출력은 여기서 9x9, 17x17, 33x33이며,
# `Up`이 8x8, 16x16, 32x32로 자릅니다.) 그 아래에서 과정의 신경망과 크기가 같은지 확인합니다.

# %%
gan = ganvas.GAN(Generator, Discriminator)
gan.summary()
for name, rows in ganvas.GAN("cifar-dcgan").layers().items():
    yours = sum(row.params for row in gan.layers()[name])
    print(f"{name}: yours {yours:,}, the course's {sum(row.params for row in rows):,} parameters")

# %% [markdown] lang="en"
# ## Step 5: losses, accuracies, optimisers
#
# D has a loss and G has a loss (01 explains both). The **accuracies** belong to D: the share of real images that it calls
# real, and the share of fakes that it calls fake.
#
# The threshold for a *logit* is **0**. Code that was written for probabilities compares with 0.5. The next cell shows what
# that does to a D that cannot tell yet: it gives real images and fakes the same eight logits, most of them a little above 0.

# %% [markdown] lang="ko"
# ## 5단계: 손실, 정확도, 옵티마이저
#
# D와 G에는 각자의 손실이 있습니다(01에서 설명합니다). **정확도**는 D의 것입니다. 진짜 이미지를 진짜라고 한 비율과 가짜를 가짜라고
# 한 비율입니다.
#
# *로짓*의 기준값은 **0**입니다. 확률용으로 작성한 코드는 0.5와 비교합니다. 그러면 아직 구별하지 못하는 D에 어떤 일이 생기는지 다음
# 셀에서 봅니다. 이 D는 진짜와 가짜에 똑같은 로짓 여덟 개를 주며, 대부분 0보다 조금 큽니다.

# %%
bce = nn.functional.binary_cross_entropy_with_logits


def discriminator_loss(real_logits, fake_logits):
    """Real images should get 1, fakes 0."""
    real_loss = bce(real_logits, torch.ones_like(real_logits))
    return real_loss + bce(fake_logits, torch.zeros_like(fake_logits))


def generator_loss(fake_logits):
    """Fakes should get 1."""
    return bce(fake_logits, torch.ones_like(fake_logits))


def accuracies(real_logits, fake_logits, threshold=0.0):
    """(share of real images called real, share of fakes called fake)."""
    return (real_logits > threshold).float().mean().item(), (fake_logits <= threshold).float().mean().item()


made_up = torch.tensor([-0.3, -0.1, 0.1, 0.2, 0.3, 0.4, 0.6, 0.8])
print("logit       ", [round(v, 2) for v in made_up.tolist()])
print("probability ", [round(v, 2) for v in torch.sigmoid(made_up).tolist()])
for threshold in (0.0, 0.5):
    real_accuracy, fake_accuracy = accuracies(made_up, made_up, threshold)
    p = torch.sigmoid(torch.tensor(threshold))
    print(
        f"threshold {threshold} (probability {p:.2f}): real accuracy {real_accuracy:.2f}, fake accuracy {fake_accuracy:.2f}"
    )

# %% [markdown] lang="en"
# The same D, and the fake accuracy differs much. With logits between the two thresholds, 0.5 makes D look strong on fakes
# and weak on real images. The rubric wants a fake accuracy that goes down towards 0.5: measure it at logit 0.
#
# **Optimisers**: two, one for each network. Adam keeps a running mean of each weight's gradient, so an Adam belongs to *its*
# weights. New networks need new Adams.

# %% [markdown] lang="ko"
# 같은 D인데 fake accuracy가 크게 다릅니다. 로짓이 두 기준값 사이에 있으면, 기준값 0.5에서는 D가 가짜에 강하고 진짜에 약해 보입니다.
# 루브릭은 fake accuracy가 0.5를 향해 내려가는 것을 요구합니다. 로짓 0에서 재세요.
#
# **옵티마이저**는 신경망마다 하나씩, 두 개입니다. Adam은 가중치마다 그래디언트의 이동 평균을 간직하므로 Adam은 *자기* 가중치에 딸려
# 있습니다. 새 신경망에는 새 Adam이 필요합니다.

# %%
g_adam = torch.optim.Adam(G.parameters(), lr=1e-4, eps=1e-7)
d_adam = torch.optim.Adam(D.parameters(), lr=1e-4, eps=1e-7)
print("G:", len(g_adam.param_groups[0]["params"]), "tensors of weights; D:", len(d_adam.param_groups[0]["params"]))

# %% [markdown] lang="en"
# ## Step 6: the training step
#
# One update, written out. Both gradients are taken at the weights as they are; only then both networks move. (That is what
# the two `GradientTape`s of the course do.)

# %% [markdown] lang="ko"
# ## 6단계: 학습 단계
#
# 업데이트 한 번을 직접 작성합니다. 두 그래디언트를 모두 지금의 가중치에서 구한 다음에 두 신경망을 함께 움직입니다. (과정의
# `GradientTape` 두 개가 하는 일과 같습니다.)


# %%
def gradients(G, D, images, z):
    """Losses, accuracies and the gradients of both networks for one batch."""
    fake = G(z)
    real_logits, fake_logits = D(images), D(fake)
    d_loss, g_loss = discriminator_loss(real_logits, fake_logits), generator_loss(fake_logits)
    d_grads = torch.autograd.grad(d_loss, list(D.parameters()), retain_graph=True)
    g_grads = torch.autograd.grad(g_loss, list(G.parameters()))
    return d_loss.item(), g_loss.item(), accuracies(real_logits, fake_logits), d_grads, g_grads


def train_step(G, D, g_adam, d_adam, images):
    """One update of both networks."""
    z = torch.randn(len(images), 100)
    d_loss, g_loss, accuracy, d_grads, g_grads = gradients(G, D, images, z)
    for network, adam, grads in ((G, g_adam, g_grads), (D, d_adam, d_grads)):
        for weight, gradient in zip(network.parameters(), grads, strict=True):
            weight.grad = gradient
        adam.step()
    return d_loss, g_loss, *accuracy


fixed_z = torch.randn(16, 100)  # the same z for every grid, or you cannot see what training changes
UPDATES = 12
start = time.process_time()
print("update  D's loss  G's loss  real accuracy  fake accuracy")
for number, images in enumerate(batches(train.images.images, BATCH, torch.Generator().manual_seed(0)), 1):
    d_loss, g_loss, real_accuracy, fake_accuracy = train_step(G, D, g_adam, d_adam, images)
    if number in (1, 2, 4, 8, UPDATES):
        print(f"{number:6} {d_loss:9.3f} {g_loss:9.3f} {real_accuracy:14.2f} {fake_accuracy:14.2f}")
    if number == min(UPDATES, len(train) // BATCH):
        break
seconds = (time.process_time() - start) / number
hours = 50 * len(train) / BATCH * seconds / 3600
print(f"{seconds:.2f} CPU-seconds an update here: the 50 epochs of the course would take {hours:.1f} CPU-hours")
with torch.no_grad():
    picture = grid(to_pixels(G(fixed_z)))
picture

# %% [markdown] lang="en"
# The loop works. It has no curves, no checkpoints, no live picture yet. Most notebooks of this course write all of that by
# hand. From here the library does it, with *your* networks and *your* losses.
#
# Is its step the same as yours? `gan.steps` is the library's training, opened after every update. We take its networks after
# the first update, then give your `gradients` the very images and z of the second, and compare. (Without dropout: it draws at
# random.)

# %% [markdown] lang="ko"
# 반복문이 동작합니다. 하지만 아직 곡선도, 체크포인트도, 학습 중에 보는 그림도 없습니다. 이 과정의 노트북은 대부분 이것을 모두 직접
# 작성합니다. 여기서부터는 *여러분의* 신경망과 *여러분의* 손실로 라이브러리가 대신합니다.
#
# 라이브러리의 학습 단계는 여러분이 작성한 것과 같을까요? `gan.steps`는 라이브러리의 학습을 업데이트할 때마다 열어 보여 줍니다. 첫
# 업데이트 뒤의 신경망을 가져온 다음, 두 번째 업데이트의 이미지와 z를 여러분의 `gradients`에 그대로 넣어 비교합니다. (dropout은
# 무작위이므로 빼고 비교합니다.)


# %%
def discriminator_without_dropout():
    return Discriminator(dropout=0.0)


steps = ganvas.GAN(Generator, discriminator_without_dropout).steps(train, settings={"step.batch": BATCH})
first = next(steps)
copies = copy.deepcopy(first.G.network), copy.deepcopy(first.D.network)
second = next(steps)
d_loss, g_loss, _, d_grads, g_grads = gradients(*copies, second.images, second.z)
print(f"D's loss: yours {d_loss:.6f}, the library's {second.d_loss:.6f}")
print(f"G's loss: yours {g_loss:.6f}, the library's {second.g_loss:.6f}")
for name, own, theirs in (("D", d_grads, second.d_gradients), ("G", g_grads, second.g_gradients)):
    largest = max((a - b).abs().max().item() for a, b in zip(own, theirs.values(), strict=True))
    print(
        f"{name}: largest difference of a gradient {largest:.1e}, largest gradient {max(g.abs().max().item() for g in own):.1e}"
    )
steps.close()

# %% [markdown] lang="en"
# ## Step 7: train
#
# The next cell trains **fresh** networks, shows one output that is redrawn, and writes everything into a folder of its own
# below `runs/`: curves, sample grids of fixed z, and checkpoints. Nothing of an earlier run is overwritten, and the GIF can
# only be made of this run's pictures.
#
# You may press **stop** at any time: the run is saved. Run the same cell again, and it goes on where it was.

# %% [markdown] lang="ko"
# ## 7단계: 학습
#
# 다음 셀은 **새** 신경망을 학습합니다. 출력 하나가 계속 다시 그려지며, 모든 것은 `runs/` 아래의 전용 폴더에 저장됩니다. 곡선, 고정된
# z의 샘플 그리드, 체크포인트가 들어 있습니다. 이전 실행을 덮어쓰지 않으며, GIF는 이 실행의 그림으로만 만들어집니다.
#
# 언제든지 **정지** 버튼을 눌러도 됩니다. 실행이 저장되고, 같은 셀을 다시 실행하면 멈춘 곳에서 이어집니다.

# %%
losses = {"d_loss": discriminator_loss, "g_loss": generator_loss}
run = gan.fit(train, kimg=KIMG, batch=BATCH, **losses)

# %% [markdown] lang="en"
# The first picture has the newest samples beside real images, and the curves; the second is the GIF.
#
# ### Honestly
#
# The first line below says how many epochs this was. The second says what a public notebook reported of this very network:
# far more epochs, on a GPU, and still no objects. So expect patterns and patches of colour, and do not blame yourself. The
# pattern is that of G's own layers (see the doctor below), not the `reshape` of step 2: this display is right.

# %% [markdown] lang="ko"
# 첫 번째 그림에는 진짜 이미지와 나란히 놓인 최신 샘플과 곡선이 있고, 두 번째는 GIF입니다.
#
# ### 솔직하게
#
# 아래 첫 줄에 몇 에포크를 학습했는지 나옵니다. 둘째 줄은 어느 공개 노트북이 바로 이 신경망에 대해 보고한 내용입니다. GPU로 훨씬 많은
# 에포크를 학습했는데도 물체는 나오지 않았습니다("coloured smears"는 색 얼룩이라는 뜻입니다). 그러니 무늬나 색 얼룩이 나와도 여러분
# 탓이 아닙니다. 이 무늬는 G의 층에서 생긴 것이며(아래 doctor를 보세요) 2단계의 `reshape` 실수가 아닙니다. 표시는 올바릅니다.

# %%
history = run.history
print(
    f"{history['epoch'][-1]:.2f} epochs: {history['nimg'][-1]:,.0f} images, {history['nimg'][-1] / BATCH:,.0f} updates"
)
print("a public notebook:", ganvas.RECIPES["cifar-dcgan"].reported)
run.samples()

# %% [markdown] lang="en"
# ### Checkpoints
#
# A checkpoint holds both networks, **both Adams**, and where the training was. Going on with a new Adam would be another
# training. `resume` goes on with everything, as if it had never stopped. Here it trains a copy for a tenth of the images more:
# the run itself stays as it is, since step 8 compares it with others of the same length.

# %% [markdown] lang="ko"
# ### 체크포인트
#
# 체크포인트에는 두 신경망, **두 Adam**, 그리고 어디까지 학습했는지가 들어 있습니다. 새 Adam으로 이어 가면 다른 학습이 됩니다.
# `resume`은 멈춘 적이 없는 것처럼 모든 것을 이어 갑니다. 여기서는 복사본을 지금까지의 10분의 1만큼 더 학습합니다. 8단계에서 같은
# 길이의 실행과 비교하므로 원래 실행은 그대로 둡니다.

# %%
for path in sorted(run.path.glob("checkpoints/*/*")):
    if path.stat().st_size > 100_000:
        print(f"{path.relative_to(run.path)}  {path.stat().st_size / 1e6:.1f} MB")
longer = shutil.copytree(run.path, "longer", dirs_exist_ok=True)
longer = ganvas.resume(longer, data=train.images, kimg=KIMG / 10, progress=False)
events = ", ".join(row["event"] for row in longer.rows("events") if row["event"] in ("start", "finish", "resume"))
print(f"went on from {history['nimg'][-1]:,.0f} to {longer.history['nimg'][-1]:,.0f} images; events: {events}")

# %% [markdown] lang="en"
# ### GIF
#
# The animation below the live cell is kept in the notebook. `save` writes it as a file. In a Markdown cell:
# `![training](cifar10.gif)`.

# %% [markdown] lang="ko"
# ### GIF
#
# 학습 셀 아래의 애니메이션은 노트북에 저장됩니다. `save`를 쓰면 파일로 저장됩니다. 마크다운 셀에서는
# `![training](cifar10.gif)`로 넣습니다.

# %%
path = run.gif().save("cifar10.gif")
with Image.open(path) as animation:
    print(f"{path}: {animation.n_frames} frames, {path.stat().st_size / 1000:.0f} kB")

# %% [markdown] lang="en"
# ### Reading the curves

# %% [markdown] lang="ko"
# ### 곡선 읽기

# %%
run.curves()

# %%
history = run.history
n = max(1, len(history["epoch"]) // 3)
print("                first third   last third")
for name in ("disc_loss", "gen_loss", "real_accuracy", "fake_accuracy"):
    print(f"{name:14} {history[name][:n].mean():11.3f}  {history[name][-n:].mean():11.3f}")
if trend := run.facts.trend:
    print(
        f"trend of the fake accuracy: {trend.slope:+.2f} an epoch, 95 % interval {trend.low:+.2f} to {trend.high:+.2f}"
    )

# %% [markdown] lang="en"
# Which of the two networks is weak? Read the two accuracies of the last third together:
#
# | real accuracy | fake accuracy | what it means |
# |---|---|---|
# | near 1 | near 1 | D is far ahead. Its answers hardly change when G changes a little, so G learns little. |
# | near 0.5 | near 0.5 | D cannot tell. Either G is good, or D is weak: only the pictures say which. |
# | high | near 0 | G is ahead: D takes the fakes for real. D learns too slowly. |
# | jumps | jumps | the two chase each other. The learning rates are too high. |
# | between | between | the usual state of a training that goes on. |
#
# The losses add little: each is measured against the other network, which changes all the time. G's loss can rise while the
# pictures get better. A fake accuracy near 1 is no goal, and a D loss that goes to 0 is no success.
#
# The rubric asks for a fake accuracy that goes *down* towards 0.5, over 50 epochs or more. At the start it goes *up*: D first
# has to learn what a fake looks like. So the trend (the dashed line, with its 95 % interval shaded) leaves out the first tenth
# of the training. An interval that holds 0 shows no trend: hand in what you measured, and say so. The doctor says what else
# there is to see, and whether it is too early to judge:

# %% [markdown] lang="ko"
# 두 신경망 중 어느 쪽이 약할까요? 마지막 3분의 1의 두 정확도를 함께 읽습니다.
#
# | real accuracy | fake accuracy | 의미 |
# |---|---|---|
# | 1 근처 | 1 근처 | D가 크게 앞섭니다. G가 조금 바뀌어도 D의 답이 거의 바뀌지 않아 G가 배우는 것이 적습니다. |
# | 0.5 근처 | 0.5 근처 | D가 구별하지 못합니다. G가 좋거나 D가 약한 것이며, 어느 쪽인지는 그림을 보아야 압니다. |
# | 높음 | 0 근처 | G가 앞섭니다. D가 가짜를 진짜로 봅니다. D의 학습이 너무 느립니다. |
# | 크게 오르내림 | 크게 오르내림 | 서로 쫓고 쫓깁니다. 학습률이 너무 높습니다. |
# | 중간 | 중간 | 진행 중인 학습의 보통 상태입니다. |
#
# 손실에서 더 알 수 있는 것은 적습니다. 각 손실은 계속 바뀌는 상대 신경망에 대해 잰 값이기 때문입니다. 그림이 좋아지는데도 G의 손실이
# 올라갈 수 있습니다. fake accuracy가 1에 가까운 것은 목표가 아니고, D의 손실이 0으로 가는 것은 성공이 아닙니다.
#
# 루브릭이 요구하는 것은 50 에포크 이상에 걸쳐 fake accuracy가 0.5를 향해 *내려가는* 것입니다. 처음에는 오히려 *올라갑니다*. D가 먼저
# 가짜가 어떻게 생겼는지 배워야 하기 때문입니다. 그래서 추세(점선, 음영은 95% 구간)는 학습의 처음 10분의 1을 빼고 구합니다. 구간에 0이 들어
# 있으면 추세가 확인되지 않은 것입니다. 측정한 그대로 제출하고 그렇게 적으세요. 그 밖에 볼 것과, 판단하기에 아직 이른지는 doctor가 알려 줍니다.

# %%
run.doctor()

# %%
run.doctor(lang="ko")

# %% [markdown] lang="en"
# ## Step 8: an idea, applied and compared
#
# **The idea**: Adam as the DCGAN paper advises (Radford et al. 2016): a learning rate of 2e-4 in place of 1e-4, and `beta1`
# 0.5 in place of 0.9. **Why it might help**: `beta1` is how long Adam remembers old gradients. D changes all the time, so old
# gradients of G are out of date; and a few minutes are short of updates, so each may be larger. **Why it might not**: larger
# steps can also make the two networks chase each other.
#
# Such ideas have names in ganvas: `ganvas.tricks()` lists them all, and `tricks=[...]` switches them on.
#
# How to find out whether it helps:
# 1. One change, everything else equal, the same number of images for both.
# 2. **Fresh** networks for every training, never the trained ones.
# 3. Three seeds for each side. Two trainings that differ *only* in their seed give different pictures too. A difference is
#    only worth something if it is larger than that.
#
# The training of step 7 had seed 0: two more seeds make "before" complete.

# %% [markdown] lang="ko"
# ## 8단계: 아이디어를 적용하고 비교하기
#
# **아이디어**: DCGAN 논문(Radford et al. 2016)이 권하는 Adam을 씁니다. 학습률은 1e-4 대신 2e-4, `beta1`은 0.9 대신 0.5입니다.
# **도움이 될 수 있는 이유**: `beta1`은 Adam이 지난 그래디언트를 얼마나 오래 기억하는지를 정합니다. D는 계속 바뀌므로 G의 지난
# 그래디언트는 금방 낡습니다. 또 몇 분뿐인 학습에는 업데이트가 모자라므로 한 번에 더 크게 움직이는 편이 나을 수 있습니다. **도움이 되지
# 않을 수 있는 이유**: 크게 움직이면 두 신경망이 서로 쫓고 쫓기기 쉽습니다.
#
# ganvas에는 이런 아이디어마다 이름이 있습니다. `ganvas.tricks()`가 모두 보여 주며 `tricks=[...]`로 켭니다.
#
# 도움이 되는지 알아보는 방법은 다음과 같습니다.
# 1. 한 가지만 바꾸고 나머지는 같게, 이미지 수도 같게 합니다.
# 2. 학습할 때마다 **새** 신경망에서 시작합니다. 이미 학습한 신경망을 쓰지 않습니다.
# 3. 양쪽 모두 시드 세 개로 학습합니다. 시드*만* 다른 두 학습도 서로 다른 그림을 만듭니다. 차이가 그보다 커야 의미가 있습니다.
#
# 7단계의 학습이 시드 0이었으므로, 시드 두 개를 더하면 "적용 전"이 완성됩니다.

# %%
same = {"kimg": KIMG, "batch": BATCH, "display": False, **losses}
before = [run, *gan.fit(train, seeds=[1, 2], **same)]
after = gan.fit(train, seeds=[0, 1, 2], tricks=["dcgan-adam"], **same)
for name, runs in (("before", before), ("after", after)):
    for each in runs:
        adam = each.config.g_optim
        print(
            f"{name:6}  seed {each.config.seed}: {each.history['nimg'][-1]:,.0f} images, Adam {adam.lr:g}, beta1 {adam.beta1:g}"
        )

# %% [markdown] lang="en"
# First by eye: eight images of each training, one row a seed. Above before, below after. The z are the same.

# %% [markdown] lang="ko"
# 먼저 눈으로 비교합니다. 학습마다 이미지 여덟 장씩, 한 줄이 시드 하나입니다. 위는 적용 전, 아래는 적용 후입니다. z는 같습니다.

# %%
for runs in (before, after):
    display(grid(torch.cat([torch.from_numpy(each.generator.sample(8)) for each in runs])))

# %% [markdown] lang="en"
# Then by number. `compare` makes 2,000 images with every trained G and gives them, and real test images, to a *classifier*: a
# small network that comes with ganvas and was trained to name the ten classes. `fd_classifier` is the distance between what
# it sees in fakes and in real images. The tables are built from the settings that really ran; nobody typed them.

# %% [markdown] lang="ko"
# 다음은 숫자로 비교합니다. `compare`는 학습한 G마다 이미지 2,000장을 만들어 진짜 테스트 이미지와 함께 *분류기*에 넣습니다. 분류기는
# 열 가지 클래스를 알아보도록 학습하여 ganvas에 넣어 둔 작은 신경망입니다. `fd_classifier`는 분류기가 본 가짜와 진짜 사이의 거리입니다.
# 표는 실제로 실행한 설정에서 만들어지며 사람이 입력하지 않습니다.

# %%
groups = {"course Adam": before, "DCGAN Adam": after}
comparison = ganvas.compare(groups, features=["classifier"], n=2000, sets=1, progress=False)
comparison

# %% [markdown] lang="en"
# How to read it:
# - The bold line is the answer. The first table has the distance of each side: the mean over the seeds ± their spread. Lower
#   is better.
# - **better** or **worse**: the difference is larger than seeds explain. **no evidence** does *not* mean "equal". It means that
#   three seeds of this length cannot tell. That is a result too: write it down with its numbers, and do not claim more.
# - *adjusted interval*: where the true difference may well lie. If 0 is inside, there is no evidence.
# - *Changed settings*: what differs between the two sides, read from the runs. Here it should be the two Adams and nothing
#   else.
#
# Do your eyes and the number agree? Far from real images they need not: the classifier has only ever seen real ones. Then write
# down both, and train longer. And "better" is not yet "good": look at the pictures again. Rubric item 3 asks for exactly this: the idea, and before and after
# in a table or picture.

# %% [markdown] lang="ko"
# 읽는 방법은 다음과 같습니다.
# - 굵은 줄이 결론입니다. 첫 번째 표에는 양쪽의 거리가 시드 평균 ± 흩어진 정도로 나옵니다. 낮을수록 좋습니다.
# - **better**나 **worse**: 차이가 시드만으로 설명되는 것보다 큽니다. **no evidence**는 "같다"는 뜻이 *아닙니다*. 이 길이의 학습과
#   시드 세 개로는 알 수 없다는 뜻입니다. 이것도 결과입니다. 숫자와 함께 그대로 적고 그 이상을 주장하지 마세요.
# - *adjusted interval*: 실제 차이가 있을 만한 범위입니다. 0이 들어 있으면 근거가 없는 것입니다.
# - *Changed settings*: 실행에서 읽은, 양쪽이 서로 다른 설정입니다. 여기서는 두 Adam만 나와야 합니다.
#
# 눈으로 본 것과 숫자가 일치하나요? 진짜와 거리가 멀 때는 다를 수 있습니다. 분류기는 진짜 이미지만 보고 배웠기 때문입니다. 그럴 때는 둘 다
# 적고 더 오래 학습하세요. 그리고 "better"가 곧 "좋다"는 아닙니다. 그림을 다시 보세요. 루브릭 3번이 요구하는 것이 바로 이것입니다: 아이디어, 그리고 적용 전후를 비교한
# 표나 그림. (`ganvas.compare(..., lang="ko")`는 표를 한국어로 보여 줍니다.)

# %% [markdown] lang="en"
# ### A modern network
#
# Another Adam stays inside the course's DCGAN. `quick` is a recipe of today: residual networks, spectral normalisation, hinge
# loss, and G is told which class to draw. Columns are classes, in the order of the line above the picture.

# %% [markdown] lang="ko"
# ### 최근의 신경망
#
# Adam을 바꾸는 것은 과정의 DCGAN 안에 머무는 일입니다. `quick`은 요즘 방식의 레시피입니다. 잔차 신경망, 스펙트럼 정규화, 힌지 손실을
# 쓰고, G에게 어떤 클래스를 그릴지 알려 줍니다. 열은 그림 위에 나온 순서의 클래스입니다.

# %%
quick = ganvas.GAN("quick").fit(train, cpu_minutes=1.5 * MINUTES, display=False)
print(f"{quick.history['nimg'][-1]:,.0f} images in {1.5 * MINUTES:g} CPU-minutes")
print(", ".join(train.class_names))
labels = list(range(10)) * 3
grid(torch.from_numpy(quick.generator.sample(30, labels=labels)), columns=10)

# %% [markdown] lang="en"
# Compare with the samples of step 7. [05_from_dcgan_to_today](05_from_dcgan_to_today.ipynb) goes there one idea at a time.
#
# ## Retrospective
#
# What went well (keep), what did not (problem), what you would do next (try), in your own words. The report and the hand-in
# read it from `notes.md` in the folder of a run: here of the first run with the idea. The lines below are an example: replace
# them by yours.

# %% [markdown] lang="ko"
# 7단계의 샘플과 비교해 보세요. [05_from_dcgan_to_today](05_from_dcgan_to_today.ipynb)에서는 아이디어를 하나씩 더해 가며 거기까지
# 갑니다.
#
# ## 회고
#
# 잘된 점(Keep), 아쉬운 점(Problem), 다음에 해 볼 것(Try)을 자신의 말로 적습니다. 보고서와 제출물은 실행 폴더의 `notes.md`에서 이것을
# 읽습니다. 여기서는 아이디어를 적용한 첫 번째 실행의 폴더입니다. 아래는 예시이니 여러분의 글로 바꾸세요. 한국어로 적어도 됩니다.

# %%
notes = """## Keep
One change at a time, three seeds a side, the same number of images.

## Problem
The samples show patches of colour and no objects: a part of one epoch is far from 50.

I took the pattern for a wrong reshape. The same function shows real images right, so it is G's.

## Try
The same comparison with more images, then another idea from `ganvas tricks`.
"""
path = after[0].path / "notes.md"
path.write_text(notes, encoding="utf-8")
print("written:", path)

# %% [markdown] lang="en"
# The whole flow of one update, as the course asks for it, drawn from your networks (`lang="ko"` draws it in Korean):

# %% [markdown] lang="ko"
# 과정에서 요구하는 전체 흐름도입니다. 여러분의 신경망에서 그린 업데이트 한 번의 흐름입니다(`lang="ko"`를 주면 한국어로 그립니다).

# %%
run.diagram()

# %% [markdown] lang="en"
# ## Hand in
#
# One folder with everything: a page with the rubric's three items and the reviewers' five questions, each with its evidence or
# with what is still missing; the same as a notebook; GIF, curves, diagram, the table before and after, your code, and an empty
# checklist for your reviewer. Open `submission/submission.html`. With `lang="ko"` all of it is in Korean.

# %% [markdown] lang="ko"
# ## 제출
#
# 모든 것을 폴더 하나에 모읍니다. 루브릭 세 항목과 리뷰어 질문 다섯 개에 대해 각각 근거나 아직 부족한 점을 적은 페이지, 같은 내용의
# 노트북, GIF, 곡선, 흐름도, 적용 전후의 표, 여러분의 코드, 그리고 리뷰어가 채울 빈 체크리스트가 들어 있습니다.
# `submission/submission.html`을 여세요. `lang="ko"`를 주면 모두 한국어로 만들어집니다.

# %%
ganvas.submit(groups, "submission", name="Your name", progress=False)

# %% [markdown] lang="en"
# Hand in the folder, and this notebook with its outputs: GitHub shows the pictures and the GIF without running anything. Read
# what the page says is *not yet* shown. For the first rubric item someone has to look: `after[0].quiz()` makes a blind test for
# a friend.
#
# **To do better**: more images (`MINUTES` at the top; the course trains 50 epochs, 2.5 million images), an idea of your own
# in step 8, and [05_from_dcgan_to_today](05_from_dcgan_to_today.ipynb).

# %% [markdown] lang="ko"
# 폴더와 함께 이 노트북을 출력이 있는 채로 제출하세요. GitHub에서는 아무것도 실행하지 않아도 그림과 GIF가 보입니다. 페이지에서 *아직*
# 확인되지 않은 항목을 읽어 보세요. 루브릭 1번은 사람이 보고 판단해야 합니다. `after[0].quiz()`는 친구에게 줄 블라인드 테스트를 만듭니다.
#
# **더 잘하려면**: 더 많은 이미지(맨 위의 `MINUTES`. 과정에서는 50 에포크, 곧 이미지 250만 장을 학습합니다), 8단계에 여러분의
# 아이디어, 그리고 [05_from_dcgan_to_today](05_from_dcgan_to_today.ipynb)입니다.

# %% [markdown] lang="en"
# ## Stuck?
#
# The errors that learners meet, made on purpose. Each message says what is wrong and what to do.

# %% [markdown] lang="ko"
# ## 막혔을 때
#
# 자주 만나는 오류를 일부러 일으켜 봅니다. 메시지마다 무엇이 잘못되었고 어떻게 해야 하는지 나옵니다.


# %%
class GreyG(Generator):
    """Still one channel, as for Fashion-MNIST."""

    def __init__(self):
        super().__init__()
        self.up3 = Up(64, 1)


class GreyD(Discriminator):
    def __init__(self):
        super().__init__()
        self.down1 = nn.Conv2d(1, 64, 5, stride=2)


class WithoutTanh(Generator):
    def forward(self, z):
        return 3 * torch.atanh(super().forward(z) * 0.999)


class WrongDense(Discriminator):
    """Its Dense layer is still the one for 7x7 maps."""

    def __init__(self):
        super().__init__()
        self.dense = nn.Linear(7 * 7 * 128, 1)


class WithoutDense(Discriminator):
    def forward(self, x):
        return self.down2(self.pad(self.act(self.down1(self.pad(x)))))


class WithSigmoid(Discriminator):
    def forward(self, x):
        return torch.sigmoid(super().forward(x))


def attempt(what, action):
    """Print what an action says."""
    print(f"--- {what}")
    try:
        action()
    except ganvas.GanvasError as error:
        print(f"{type(error).__name__}: {error}")


few = train.images.images[:64]
attempt("G and D are still grey", lambda: ganvas.GAN(GreyG, GreyD).fit(train, epochs=1))
attempt("only G is still grey", lambda: ganvas.GAN(GreyG, Discriminator))
attempt("G without tanh", lambda: ganvas.GAN(WithoutTanh, Discriminator))
attempt("D's Dense layer has another size", lambda: ganvas.GAN(Generator, WrongDense))
attempt("D returns a map", lambda: ganvas.GAN(Generator, WithoutDense))
attempt("D ends in a sigmoid", lambda: print(*ganvas.GAN(Generator, WithSigmoid).interface().notes))
attempt("networks that were trained by hand", lambda: ganvas.GAN(G, D))
attempt("labels of another length", lambda: ganvas.data(few, train.images.labels[:60], progress=False))
attempt("a trick's name is misspelt", lambda: gan.fit(few, epochs=1, tricks=["label-smoothin"]))

# %% [markdown] lang="en"
# | what you see | what it means, and what to do |
# |---|---|
# | `UsageError` | a request that cannot be right; the message ends with what to do |
# | `mat1 and mat2 shapes cannot be multiplied` | a Linear layer gets another number of inputs than it was made for: print the shape before it |
# | samples green, blue or dark | the display: see step 2 |
# | all samples alike | early it is normal; later see `collapse` in [why GANs fail](../../../docs/why-gans-fail.md) |
# | losses NaN | the learning rate is too high, or a loss of yours takes the log of 0: use logits |
# | nothing moves, loss of D near 0 | D is too far ahead: a lower learning rate for D, or the trick `r1-r2` |
# | the cell of the training was stopped | the run is saved: run the cell again, and it goes on |
# | the kernel died | run the cells of the networks and of the training again: it goes on from its last checkpoint. Mostly there was too little memory; then a smaller `batch=` starts a new training |

# %% [markdown] lang="ko"
# | 보이는 것 | 의미와 해결 방법 |
# |---|---|
# | `UsageError` | 올바를 수 없는 요청입니다. 메시지 끝에 해결 방법이 있습니다. |
# | `mat1 and mat2 shapes cannot be multiplied` | Linear 층이 만들 때와 다른 수의 입력을 받았습니다. 그 앞에서 크기를 출력해 보세요. |
# | 초록색, 파란색, 어두운 샘플 | 표시 방법의 문제입니다. 2단계를 보세요. |
# | 모든 샘플이 비슷함 | 초기에는 정상입니다. 나중에도 그렇다면 [GAN이 실패하는 이유](../../../docs/ko/why-gans-fail.md)의 `collapse`를 보세요. |
# | 손실이 NaN | 학습률이 너무 높거나, 직접 작성한 손실이 0의 로그를 구합니다. 로짓을 사용하세요. |
# | 변화가 없고 D의 손실이 0 근처 | D가 너무 앞섰습니다. D의 학습률을 낮추거나 `r1-r2` 트릭을 쓰세요. |
# | 학습 셀이 중단됨 | 실행이 저장되어 있습니다. 셀을 다시 실행하면 이어집니다. |
# | 커널이 죽음 | 신경망 셀과 학습 셀을 다시 실행하면 마지막 체크포인트에서 이어집니다. 대개 메모리 부족이 원인이며, 그때는 `batch=`를 줄여 새로 학습합니다. |
