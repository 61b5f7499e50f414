"""The networks of the course project: two public notebooks, TensorFlow 2.6.

All of them: latent dimension 100, batch 256 unless stated, simultaneous updates.
"""

from __future__ import annotations

from ganvas.config import Config, DataConfig, DiscriminatorConfig, GeneratorConfig, OptimConfig, StepConfig
from ganvas.config.recipes.registry import Recipe, register_recipe

NOTEBOOK_A = "course notebook A (TensorFlow 2.6)"
NOTEBOOK_B = "course notebook B (TensorFlow 2.6)"
CIFAR10 = DataConfig("cifar10")
FROM_8X8 = GeneratorConfig(base=256, widths=(128, 64), strides=(1, 2, 2))

register_recipe(
    Recipe(
        Config("fashion-dcgan", data=DataConfig("fashion-mnist"), generator=FROM_8X8),
        title="The course's starting point: DCGAN for Fashion-MNIST",
        korean="과정의 출발점: Fashion-MNIST용 DCGAN",
        source="course material, after Radford et al. 2016 (arXiv 1511.06434)",
        year=2021,
        reported="100 epochs in 1548 s on their GPU",
    )
)
register_recipe(
    Recipe(
        Config("cifar-dcgan", data=CIFAR10, generator=GeneratorConfig(base=256, widths=(128, 64))),
        title="The same network for 32x32x3 images, starting from a 4x4 map",
        korean="같은 네트워크를 32x32x3 이미지에 맞춘 것, 4x4 맵에서 시작",
        source=f"{NOTEBOOK_B}, initial network",
        year=2021,
        reported="200 epochs in 3649 s on their GPU: coloured smears",
    )
)
register_recipe(
    Recipe(
        Config("cifar-dcgan-8x8", data=CIFAR10, generator=FROM_8X8),
        title="The same network for 32x32x3 images, starting from an 8x8 map",
        korean="같은 네트워크를 32x32x3 이미지에 맞춘 것, 8x8 맵에서 시작",
        source=f"{NOTEBOOK_A}, initial network",
        year=2021,
        reported="50 + 50 epochs in 798 + 796 s on their GPU (first version: 752 + 751 s): coloured smears",
    )
)
register_recipe(
    Recipe(
        Config(
            "cifar-dcgan-slow-d",
            data=CIFAR10,
            generator=FROM_8X8,
            d_optim=OptimConfig(lr=1e-5),
            step=StepConfig(batch=1024),
        ),
        title="D's learning rate ten times lower, batch 1024",
        korean="판별자의 학습률을 10분의 1로, 배치 1024",
        source=f"{NOTEBOOK_A}, experiment 2 (there continued from trained networks; here trained from scratch)",
        year=2021,
        reported="100 epochs in 1337 s on their GPU",
    )
)
register_recipe(
    Recipe(
        Config(
            "cifar-dcgan-deep",
            data=CIFAR10,
            generator=GeneratorConfig(base=256, widths=(128, 64), strides=(1, 2, 2), extra=(128, 32)),
            d_optim=OptimConfig(lr=5e-5),
            step=StepConfig(batch=512),
        ),
        title="A deeper generator: a 3x3 convolution after each block",
        korean="더 깊은 생성자: 블록마다 3x3 합성곱 추가",
        source=f"{NOTEBOOK_A}, experiment 3",
        year=2021,
        reported="100 epochs in 1501 s on their GPU",
    )
)
register_recipe(
    Recipe(
        Config(
            "cifar-dcgan-recap",
            data=CIFAR10,
            generator=GeneratorConfig(base=256, widths=(256, 128), slope=0.0),
            discriminator=DiscriminatorConfig(norms=(False, True), slope=0.2, dropout=0.0),
            g_optim=OptimConfig(lr=2e-4, beta1=0.5),
            d_optim=OptimConfig(lr=2e-4, beta1=0.5),
        ),
        title="Recap GAN: wider, ReLU in G, batch normalisation in D, Adam 2e-4 with beta1 0.5",
        korean="Recap GAN: 더 넓은 층, 생성자에 ReLU, 판별자에 배치 정규화, Adam 2e-4, beta1 0.5",
        source=f"{NOTEBOOK_B}, Recap GAN",
        year=2021,
        reported="100 epochs in 2646 s on their GPU: hints of objects",
    )
)
