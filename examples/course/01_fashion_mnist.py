# Source of en/01_fashion_mnist.ipynb and ko/01_fashion_mnist.ipynb: edit this file, then run tools/build_course.py.

# %% [markdown] lang="en"
# # 1. A DCGAN for Fashion-MNIST, written by you
#
# Two networks learn together. The **generator** G turns random numbers into images. The **discriminator** D looks at an
# image and says whether it is real or made by G. D learns to tell them apart; G learns to make images that D takes for
# real. Nobody ever shows G how to draw a shoe: all it gets is D's answer.
#
# ```
# z ──> G ──> fake ──┐
#                    ├──> D ──> logit
# Fashion-MNIST ─────┘
# ```
#
# In this notebook you write both networks layer by layer, check them against the library, train them for a few minutes
# and look at the result. You need basic PyTorch, and no GPU.
#
# **On Colab**: build the wheel once in the folder of ganvas (`pip wheel --no-deps .`), upload this notebook, open the
# file pane on the left and drop `ganvas-….whl` into it. The next cell then installs it and leaves Colab's torch alone.
# On your own computer it does nothing.

# %% [markdown] lang="ko"
# # 1. 직접 작성하는 Fashion-MNIST DCGAN
#
# 두 신경망이 함께 학습합니다. **생성자** G는 무작위 숫자를 이미지로 바꿉니다. **판별자** D는 이미지를 보고 진짜인지
# G가 만든 것인지 답합니다. D는 둘을 구별하도록 학습하고, G는 D가 진짜라고 답할 이미지를 만들도록 학습합니다.
# G에게 신발을 어떻게 그리는지 알려 주는 사람은 없습니다. G가 받는 것은 D의 답뿐입니다.
#
# ```
# z ──> G ──> fake ──┐
#                    ├──> D ──> logit
# Fashion-MNIST ─────┘
# ```
#
# 이 노트북에서는 두 신경망을 층별로 직접 작성하고, 라이브러리의 신경망과 같은지 확인한 다음, 몇 분 동안 학습하고
# 결과를 살펴봅니다. PyTorch 기초만 알면 되고 GPU는 필요 없습니다.
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

import torch
from PIL import Image
from torch import nn

import ganvas

MINUTES = float(os.environ.get("GANVAS_COURSE_MINUTES", 4))  # of training, on one core: more gives better images
torch.manual_seed(0)
print(f"ganvas {ganvas.__version__}, torch {torch.__version__}: {MINUTES:g} CPU-minutes for the training below")

# %% [markdown] lang="en"
# ## The data
#
# The first use downloads Fashion-MNIST (30 MB) and checks its bytes. `data` shows itself: how many images, which
# classes, and a sheet of them.

# %% [markdown] lang="ko"
# ## 데이터
#
# 처음 실행하면 Fashion-MNIST(30 MB)를 내려받고 파일이 올바른지 검사합니다. `data`는 스스로를 보여 줍니다. 이미지가 몇 장인지,
# 어떤 클래스가 있는지, 어떻게 생겼는지 알 수 있습니다.

# %%
data = ganvas.data("fashion-mnist")
data

# %% [markdown] lang="en"
# An image is stored as whole numbers from 0 (black) to 255 (white). The networks get them scaled to [-1, 1]:
# `pixel / 127.5 - 1`. For a picture on the screen the scaling has to be undone. Write that once, as a function, and use
# it for every picture: forgetting it is one of the most common mistakes of this course.

# %% [markdown] lang="ko"
# 이미지는 0(검정)부터 255(흰색)까지의 정수로 저장되어 있습니다. 신경망에는 [-1, 1]로 바꾸어 넣습니다:
# `pixel / 127.5 - 1`. 화면에 그릴 때는 이 변환을 되돌려야 합니다. 함수로 한 번 작성해 두고 모든 그림에 사용하세요.
# 이것을 잊는 것이 이 과정에서 가장 흔한 실수 중 하나입니다.


# %%
def to_network(pixels):
    """uint8 0..255 -> float -1..1."""
    return torch.as_tensor(pixels).float() / 127.5 - 1


def show(images, columns=8, zoom=2):
    """A grid of images [n, c, h, w] of -1..1; n must be a multiple of columns."""
    n, c, h, w = images.shape
    pixels = ((images.detach() + 1) * 127.5).round().clamp(0, 255).byte()
    grid = pixels.view(n // columns, columns, c, h, w).permute(0, 3, 1, 4, 2).reshape(n // columns * h, columns * w, c)
    picture = Image.fromarray(grid.squeeze(-1).numpy())
    return picture.resize((picture.width * zoom, picture.height * zoom), Image.Resampling.NEAREST)


pixels = data.images.images[:16]
real = to_network(pixels)
print("stored:     ", pixels.dtype, pixels.shape, "from", pixels.min(), "to", pixels.max())
print("for G and D:", real.dtype, tuple(real.shape), "from", real.min().item(), "to", real.max().item())
show(real)

# %% [markdown] lang="en"
# The shape `(16, 1, 28, 28)` reads: 16 images, 1 channel (grey), 28 pixels high, 28 wide. PyTorch has the channel first,
# Keras has it last.
#
# ## The pieces of a generator
#
# **z**, the input: 100 numbers drawn from the normal distribution. Another z, another image.
#
# **Convolution and stride.** D looks at an image with convolutions of *stride 2*: the window moves by two pixels, so the
# map that comes out has half the height and width. G goes the other way: a *transposed* convolution of stride 2 doubles
# them. The next cell measures it.

# %% [markdown] lang="ko"
# 크기 `(16, 1, 28, 28)`은 이미지 16장, 채널 1개(흑백), 세로 28픽셀, 가로 28픽셀이라는 뜻입니다. PyTorch에서는 채널이
# 앞에 오고 Keras에서는 뒤에 옵니다.
#
# ## 생성자의 구성 요소
#
# **z**, 입력: 정규분포에서 뽑은 숫자 100개입니다. z가 다르면 이미지도 다릅니다.
#
# **합성곱과 stride.** D는 *stride 2* 합성곱으로 이미지를 봅니다. 창이 두 픽셀씩 움직이므로 출력되는 특징 맵의 높이와 너비가
# 절반이 됩니다. G는 반대로 갑니다. stride 2인 *전치* 합성곱은 높이와 너비를 두 배로 늘립니다. 다음 셀에서 크기를 재어 봅니다.

# %%
maps = torch.randn(1, 1, 28, 28)
for stride in (1, 2):
    half = nn.Conv2d(1, 1, 5, stride, padding=2)(maps)
    double = nn.ConvTranspose2d(1, 1, 5, stride, padding=2, output_padding=stride - 1)(half)
    print(
        f"stride {stride}: 28x28 -> Conv2d -> {half.shape[2]}x{half.shape[3]} -> ConvTranspose2d -> {double.shape[2]}x{double.shape[3]}"
    )

# %% [markdown] lang="en"
# So G starts from a small map, 7x7, and doubles it twice: 7 -> 14 -> 28. Pooling would halve as well, but it has a fixed
# rule; with a stride the network learns how to shrink and grow.
#
# **Batch normalisation** brings every channel to mean 0 and standard deviation 1 over the batch, whatever came in. Without
# it, the signal in a deep generator easily becomes too small or too large to learn from.
#
# **LeakyReLU** lets positive numbers pass and shrinks negative ones. Plain ReLU makes them 0, and where the output is 0 no
# gradient flows back. G learns from gradients that come back through D, so D should not swallow them.
#
# **tanh** at the end brings every number into [-1, 1]: exactly the range of the real images above. If G's range were
# another one, D could tell fakes by their range alone.

# %% [markdown] lang="ko"
# 그래서 G는 작은 7x7 맵에서 시작하여 두 번 두 배로 늘립니다: 7 -> 14 -> 28. 풀링도 크기를 반으로 줄이지만 규칙이 고정되어
# 있습니다. stride를 쓰면 줄이고 늘리는 방법까지 신경망이 학습합니다.
#
# **배치 정규화**는 어떤 값이 들어오든 채널마다 배치 전체의 평균을 0, 표준편차를 1로 맞춥니다. 이것이 없으면 깊은 생성자에서
# 신호가 너무 작아지거나 커져서 학습하기 어렵습니다.
#
# **LeakyReLU**는 양수를 그대로 통과시키고 음수는 줄입니다. 일반 ReLU는 음수를 0으로 만드는데, 출력이 0인 곳에서는 그래디언트가
# 되돌아 흐르지 않습니다. G는 D를 거쳐 되돌아온 그래디언트로 학습하므로 D가 그래디언트를 막지 않아야 합니다.
#
# 마지막의 **tanh**는 모든 숫자를 [-1, 1]로 만듭니다. 위에서 본 진짜 이미지의 범위와 똑같습니다. G의 범위가 다르다면 D는
# 범위만 보고도 가짜를 알아낼 수 있습니다.

# %%
x = torch.tensor([-10.0, -1.0, 0.0, 1.0, 10.0])
print("x         ", x.tolist())
print("ReLU      ", torch.relu(x).tolist())
print("LeakyReLU ", [round(v, 3) for v in nn.functional.leaky_relu(x, 0.3).tolist()])
print("tanh      ", [round(v, 3) for v in torch.tanh(x).tolist()])
far_off = 5 * torch.randn(256, 1, 8, 8) + 20
normal = nn.BatchNorm2d(1)(far_off)
print(
    f"BatchNorm  mean {far_off.mean():.2f}, std {far_off.std():.2f} -> mean {normal.mean():.2f}, std {normal.std():.2f}"
)

# %% [markdown] lang="en"
# ## The generator
#
# Read the comments at the line ends: they are the shapes, without the batch. Two details follow Keras, so that this is
# the network of the course to the last pixel:
# - `Up` cuts the right and the lower edge, as Keras does with `padding="same"`.
# - The Dense layer's 12,544 numbers are read as height, width, channels.
#
# The layers before a BatchNorm have no bias: BatchNorm subtracts the mean, and a bias would vanish with it.

# %% [markdown] lang="ko"
# ## 생성자
#
# 줄 끝의 주석을 읽어 보세요. 배치를 뺀 크기입니다. 과정의 신경망과 마지막 픽셀까지 같도록 두 가지를 Keras에 맞추었습니다.
# - `Up`은 Keras의 `padding="same"`처럼 오른쪽과 아래쪽 가장자리를 잘라 냅니다.
# - Dense 층의 숫자 12,544개는 높이, 너비, 채널 순서로 읽습니다.
#
# BatchNorm 앞의 층에는 bias가 없습니다. BatchNorm이 평균을 빼므로 bias를 더해도 사라지기 때문입니다.


# %%
class Up(nn.Module):
    """Twice the height and width: a transposed 5x5 convolution of stride 2, cut as Keras cuts it."""

    def __init__(self, channels_in, channels_out):
        super().__init__()
        self.conv = nn.ConvTranspose2d(channels_in, channels_out, 5, stride=2, padding=1, bias=False)  # h -> 2h + 1
        nn.init.xavier_uniform_(self.conv.weight)

    def forward(self, x):
        return self.conv(x)[:, :, :-1, :-1]  # 2h + 1 -> 2h


class Generator(nn.Module):
    """z [n, 100] -> images [n, 1, 28, 28] in [-1, 1]."""

    def __init__(self):
        super().__init__()
        self.dense = nn.Linear(100, 7 * 7 * 256, bias=False)
        self.norm0 = nn.BatchNorm1d(7 * 7 * 256, eps=1e-3, momentum=0.01)
        self.same = nn.ConvTranspose2d(256, 128, 5, stride=1, padding=2, bias=False)
        self.norm1 = nn.BatchNorm2d(128, eps=1e-3, momentum=0.01)
        self.up1 = Up(128, 64)
        self.norm2 = nn.BatchNorm2d(64, eps=1e-3, momentum=0.01)
        self.up2 = Up(64, 1)
        self.act = nn.LeakyReLU(0.3)
        nn.init.xavier_uniform_(self.dense.weight)
        nn.init.xavier_uniform_(self.same.weight)

    def forward(self, z):
        x = self.act(self.norm0(self.dense(z)))  # 100 -> 12544
        x = x.view(-1, 7, 7, 256).permute(0, 3, 1, 2)  # 256 x 7 x 7
        x = self.act(self.norm1(self.same(x)))  # 128 x 7 x 7
        x = self.act(self.norm2(self.up1(x)))  # 64 x 14 x 14
        return torch.tanh(self.up2(x))  # 1 x 28 x 28


G = Generator()
z = torch.randn(16, 100)
fake = G(z)
print("z", tuple(z.shape), "-> images", tuple(fake.shape), f"from {fake.min():.2f} to {fake.max():.2f}")
show(fake)

# %% [markdown] lang="en"
# Noise: G has learned nothing yet. But the size and the range are already those of the real images.
#
# ## The discriminator
#
# The same way back: 28 -> 14 -> 7, then one number. It ends **without** an activation. The number is called a *logit*: any
# real number, positive for "real", negative for "fake", the farther from 0 the surer. **Dropout** sets 30 % of the numbers
# to 0 at random while training, so that D cannot rely on a few details.

# %% [markdown] lang="ko"
# 잡음입니다. G는 아직 아무것도 배우지 않았습니다. 하지만 크기와 범위는 이미 진짜 이미지와 같습니다.
#
# ## 판별자
#
# 같은 길을 되돌아갑니다: 28 -> 14 -> 7, 그리고 숫자 하나입니다. 마지막에 활성화 함수가 **없습니다**. 이 숫자를 *로짓*이라고
# 합니다. 어떤 실수든 될 수 있으며 양수면 "진짜", 음수면 "가짜"이고, 0에서 멀수록 확신이 큽니다. **Dropout**은 학습할 때 숫자의
# 30 %를 무작위로 0으로 만들어 D가 몇 가지 세부에만 의존하지 못하게 합니다.


# %%
class Discriminator(nn.Module):
    """images [n, 1, 28, 28] -> logits [n, 1]."""

    def __init__(self):
        super().__init__()
        self.pad = nn.ZeroPad2d((1, 2, 1, 2))  # left, right, top, bottom: Keras' "same" for stride 2
        self.down1 = nn.Conv2d(1, 64, 5, stride=2)
        self.down2 = nn.Conv2d(64, 128, 5, stride=2)
        self.dense = nn.Linear(7 * 7 * 128, 1)
        self.act = nn.LeakyReLU(0.3)
        self.drop = nn.Dropout(0.3)
        for layer in (self.down1, self.down2, self.dense):
            nn.init.xavier_uniform_(layer.weight)
            nn.init.zeros_(layer.bias)

    def forward(self, x):
        x = self.drop(self.act(self.down1(self.pad(x))))  # 64 x 14 x 14
        x = self.drop(self.act(self.down2(self.pad(x))))  # 128 x 7 x 7
        return self.dense(x.permute(0, 2, 3, 1).flatten(1))  # 6272 -> 1


D = Discriminator()
with torch.no_grad():
    print("logits of 4 real images:", [round(v, 3) for v in D(real[:4]).flatten().tolist()])
    print("logits of 4 fakes:      ", [round(v, 3) for v in D(fake[:4]).flatten().tolist()])
print(
    "logit -> probability of real:",
    {logit: round(torch.sigmoid(torch.tensor(float(logit))).item(), 2) for logit in (-4, -2, -0.5, 0, 0.5, 2, 4)},
)

# %% [markdown] lang="en"
# The sigmoid turns a logit into a probability. The border between "fake" and "real", probability 0.5, is **logit 0**. So D's
# accuracy counts logits above and below 0. Comparing a logit with 0.5 would put the border at a probability of 0.62, as the
# last line shows. Many notebooks do that by mistake.
#
# D is untrained as well: what it says now means nothing.
#
# ## Two losses
#
# The two networks want different things, so each has a loss of its own. Both are the binary cross-entropy, the usual loss
# for a yes-or-no question.
# - **D** wants 1 for real images and 0 for fakes. Its loss is the sum of both parts.
# - **G** wants D to say 1 for its fakes. Real images do not occur in its loss.

# %% [markdown] lang="ko"
# 시그모이드는 로짓을 확률로 바꿉니다. "가짜"와 "진짜"의 경계인 확률 0.5는 **로짓 0**입니다. 그러므로 D의 정확도는 로짓이 0보다
# 큰지 작은지로 셉니다. 로짓을 0.5와 비교하면 마지막 줄에서 보듯이 경계가 확률 0.62에 놓입니다. 많은 노트북에서 저지르는
# 실수입니다.
#
# D도 아직 학습하지 않았으므로 지금의 답에는 의미가 없습니다.
#
# ## 두 손실
#
# 두 신경망은 원하는 것이 다르므로 손실도 따로 있습니다. 둘 다 예/아니오 문제에 쓰는 이진 교차 엔트로피입니다.
# - **D**는 진짜 이미지에 1, 가짜에 0이라고 답하려 합니다. 손실은 두 부분의 합입니다.
# - **G**는 D가 자신의 가짜에 1이라고 답하기를 원합니다. G의 손실에는 진짜 이미지가 나오지 않습니다.

# %%
bce = nn.functional.binary_cross_entropy_with_logits


def discriminator_loss(real_logits, fake_logits):
    """Real images should get 1, fakes 0."""
    return bce(real_logits, torch.ones_like(real_logits)) + bce(fake_logits, torch.zeros_like(fake_logits))


def generator_loss(fake_logits):
    """Fakes should get 1."""
    return bce(fake_logits, torch.ones_like(fake_logits))


print("D says (real, fake)     D's loss  G's loss")
for name, real_logit, fake_logit in (
    ("right        (+3, -3)", 3.0, -3.0),
    ("cannot tell  ( 0,  0)", 0.0, 0.0),
    ("wrong        (-3, +3)", -3.0, 3.0),
):
    r, f = torch.tensor([real_logit]), torch.tensor([fake_logit])
    print(f"{name}   {discriminator_loss(r, f):8.3f}  {generator_loss(f):8.3f}")

# %% [markdown] lang="en"
# When one loss falls the other rises. So a falling loss is **not** a sign of success here, as it is for a classifier: a D
# whose loss goes to 0 has won, and G learns little from it. The middle row is where a GAN would end if all went perfectly.
#
# Why logits, and not a sigmoid at D's end? Computers round. A D that is very sure has a probability that is rounded to
# exactly 0 or 1, and its logarithm is infinite. From the logit the same loss is computed without that step:

# %% [markdown] lang="ko"
# 한쪽 손실이 내려가면 다른 쪽은 올라갑니다. 그래서 분류기와 달리 손실이 내려간다고 성공은 **아닙니다**. 손실이 0으로 가는 D는
# 이긴 것이고, G는 그런 D에게서 배우는 것이 거의 없습니다. 모든 것이 완벽하다면 GAN은 가운데 줄에서 끝납니다.
#
# 왜 D의 끝에 시그모이드 대신 로짓을 쓸까요? 컴퓨터는 반올림을 합니다. D가 아주 확신하면 확률이 정확히 0이나 1로 반올림되고,
# 그 로그는 무한대가 됩니다. 로짓에서는 이 단계를 거치지 않고 같은 손실을 계산합니다.

# %%
logit = torch.tensor([20.0])
p = torch.sigmoid(logit)
print(
    "probability:",
    p.item(),
    "  -log(1 - p):",
    (-torch.log(1 - p)).item(),
    "  from the logit:",
    bce(logit, torch.zeros(1)).item(),
)

# %% [markdown] lang="en"
# ## The same network as the library's?
#
# ganvas has this network as the recipe `fashion-dcgan`. Three checks: the table of layers, the number of parameters (trained
# ones and the running statistics of BatchNorm, as Keras counts), and, strictest of all, the outputs. We take the library's
# weights, put them into your networks, and give both the same z and the same images.

# %% [markdown] lang="ko"
# ## 라이브러리의 신경망과 같을까요?
#
# ganvas에는 이 신경망이 `fashion-dcgan`이라는 레시피로 들어 있습니다. 세 가지를 확인합니다. 층의 표, 파라미터 수(학습되는 값과
# BatchNorm의 이동 통계, Keras와 같은 방식), 그리고 가장 엄격한 확인인 출력입니다. 라이브러리의 가중치를 여러분의 신경망에 넣고
# 같은 z와 같은 이미지를 양쪽에 줍니다.

# %%
library = ganvas.GAN("fashion-dcgan")
library.summary()

# %%
step = next(library.steps(data))  # the library's networks, after one update


def parameters(network):
    """Numbers in all weights and running statistics."""
    return sum(tensor.numel() for tensor in network.state_dict().values() if tensor.ndim)


for name, own, theirs in (("G", G, step.G), ("D", D, step.D)):
    own.load_state_dict(dict(zip(own.state_dict(), theirs.state_dict().values(), strict=True)))
    print(f"{name}: yours {parameters(own):,}, the library's {parameters(theirs):,} parameters")

for network in (G, D, step.G, step.D):
    network.eval()  # no dropout, fixed BatchNorm: the same input gives the same output
with torch.no_grad():
    print(f"largest difference of G's images: {(G(z) - step.G(z, None)).abs().max():.1e}")
    print(f"largest difference of D's logits: {(D(real).flatten() - step.D(real, None).logits).abs().max():.1e}")

# %% [markdown] lang="en"
# Differences of about 1e-6 or less are rounding. (Do you write Keras? `ganvas.GAN` takes Keras 3 models as well: see
# [the page on notebooks](../../../docs/notebook.md).)
#
# ## Training
#
# One update, in words:
# 1. Draw z, let G make fakes, take as many real images.
# 2. D gives logits to both; compute both losses.
# 3. Move D's weights a little so that D's loss falls, and G's weights so that G's loss falls.
#
# `ganvas.GAN` takes the two classes, not the two objects, since every training starts from fresh networks. It checks them
# first. `fit` uses *your* losses. One cell shows the newest samples, the real images and the curves. You may press the stop
# button: what was trained is kept, and the same cell goes on. `cpu_minutes` is the work of one core: with two cores the wait
# is about half as long. `minutes=` and `epochs=` are other ways to say how long. The course takes batches of 256; with 32 the
# same images give eight times as many updates, and a few minutes are short of updates.

# %% [markdown] lang="ko"
# 1e-6 정도이거나 더 작은 차이는 반올림 오차입니다. (Keras로 작성하시나요? `ganvas.GAN`은 Keras 3 모델도 받습니다.
# [노트북 안내 페이지](../../../docs/ko/notebook.md)를 참고하세요.)
#
# ## 학습
#
# 업데이트 한 번을 말로 설명하면 다음과 같습니다.
# 1. z를 뽑아 G로 가짜를 만들고, 같은 수의 진짜 이미지를 가져옵니다.
# 2. D가 둘 모두에 로짓을 매기고, 두 손실을 계산합니다.
# 3. D의 손실이 줄도록 D의 가중치를, G의 손실이 줄도록 G의 가중치를 조금 움직입니다.
#
# 모든 학습은 새 신경망에서 시작하므로 `ganvas.GAN`에는 객체가 아니라 클래스 두 개를 줍니다. 학습 전에 신경망을 먼저 검사합니다.
# `fit`은 *여러분의* 손실을 사용합니다. 셀 하나에 가장 새로운 샘플, 진짜 이미지, 곡선이 표시됩니다. 정지 버튼을 눌러도 됩니다.
# 학습한 것은 저장되고, 같은 셀을 다시 실행하면 이어서 학습합니다. `cpu_minutes`는 코어 하나의 작업량이므로 코어가 두 개면 기다리는
# 시간이 절반쯤 됩니다. `minutes=`나 `epochs=`로도 길이를 정할 수 있습니다. 과정에서는 배치 크기가 256입니다. 32로 하면 같은 수의
# 이미지로 여덟 배 자주 업데이트하는데, 몇 분뿐인 학습에는 업데이트가 모자라기 때문입니다.

# %%
gan = ganvas.GAN(Generator, Discriminator)
run = gan.fit(data, cpu_minutes=MINUTES, batch=32, d_loss=discriminator_loss, g_loss=generator_loss)

# %% [markdown] lang="en"
# The first picture has the last samples beside real images, and the curves. The second is the animation of the samples:
# the same z all the way, so that you can follow one image.
#
# How far did it get?

# %% [markdown] lang="ko"
# 첫 번째 그림에는 진짜 이미지와 나란히 놓인 마지막 샘플과 곡선이 있습니다. 두 번째는 샘플의 변화를 보여 주는 애니메이션입니다.
# 처음부터 끝까지 같은 z를 쓰므로 이미지 하나가 변해 가는 모습을 따라갈 수 있습니다.
#
# 어디까지 학습했을까요?

# %%
history = run.history
updates = history["nimg"][-1] / run.config.step.batch
print(f"{history['epoch'][-1]:.2f} epochs: {updates:,.0f} updates; D has seen {history['nimg'][-1]:,.0f} real images")
for name in ("disc_loss", "gen_loss", "real_accuracy", "fake_accuracy"):
    print(f"{name:14} first {history[name][0]:6.3f}   last {history[name][-1]:6.3f}")
run.samples()

# %% [markdown] lang="en"
# Compare with the real images. What to look for: outlines first, then kinds of clothes, then texture.
#
# - `fake_accuracy` is the share of fakes that D recognises. 1 means that D sees through every fake; 0.5 that it guesses.
# - `real_accuracy` is the same for real images.
#
# The course trains this network for 50 epochs or more. Compare with the number of epochs above. To go on:
# `ganvas.resume(run, data=data.images, minutes=10)`, or a larger `MINUTES` at the top.
#
# The doctor reads the curves and the samples for you, in English or in Korean:

# %% [markdown] lang="ko"
# 진짜 이미지와 비교해 보세요. 먼저 윤곽, 다음에 옷의 종류, 그다음에 질감을 봅니다.
#
# - `fake_accuracy`는 D가 알아낸 가짜의 비율입니다. 1이면 D가 모든 가짜를 꿰뚫어 보는 것이고, 0.5면 찍고 있는 것입니다.
# - `real_accuracy`는 진짜 이미지에 대한 같은 비율입니다.
#
# 과정에서는 이 신경망을 50 에포크 이상 학습합니다. 위의 에포크 수와 비교해 보세요. 더 학습하려면
# `ganvas.resume(run, data=data.images, minutes=10)`을 실행하거나 맨 위의 `MINUTES`를 늘립니다.
#
# doctor는 곡선과 샘플을 대신 읽어 줍니다. 영어와 한국어로 볼 수 있습니다.

# %%
run.doctor()

# %%
run.doctor(lang="ko")

# %% [markdown] lang="en"
# ## Between two images
#
# G has learned more than a list of images. Between two z lie other z, and each is an image:

# %% [markdown] lang="ko"
# ## 두 이미지 사이
#
# G가 배운 것은 이미지 목록이 아닙니다. 두 z 사이에는 다른 z가 있고, 그 하나하나가 이미지입니다.

# %%
run.generator.interpolate(8)

# %% [markdown] lang="en"
# ## Try it yourself
#
# Change one thing, train again, and compare the pictures:
# - Take `self.norm1` and `self.norm2` out of the generator.
# - Put `torch.relu` in place of `self.act` in the discriminator.
# - Take dropout out of the discriminator, and watch `fake_accuracy`.
#
# **Next**: [02_cifar10](02_cifar10.ipynb): the same with colour, the course's eight steps, and the hand-in.

# %% [markdown] lang="ko"
# ## 직접 해 보기
#
# 한 가지만 바꾸어 다시 학습하고 그림을 비교해 보세요.
# - 생성자에서 `self.norm1`과 `self.norm2`를 빼 보세요.
# - 판별자에서 `self.act` 대신 `torch.relu`를 써 보세요.
# - 판별자에서 dropout을 빼고 `fake_accuracy`를 지켜보세요.
#
# **다음**: [02_cifar10](02_cifar10.ipynb): 같은 일을 컬러 이미지로 합니다. 과정의 여덟 단계와 제출까지 다룹니다.
