"""DCGANs that the course and its learners point to, with the settings of the code that ran, at 32 px."""

from __future__ import annotations

from dataclasses import replace

from ganvas.config import (
    Config,
    DataConfig,
    DiscriminatorConfig,
    GeneratorConfig,
    LossConfig,
    OptimConfig,
    StepConfig,
)
from ganvas.config.recipes.registry import Recipe, register_recipe

CIFAR10 = DataConfig("cifar10")

MAFDA_OPTIM = OptimConfig(lr=3e-4, beta1=0.5)
register_recipe(
    Recipe(
        Config(
            "mafda-dcgan",
            data=CIFAR10,
            generator=GeneratorConfig(base=512, widths=(256, 128, 64), strides=(2, 2, 2, 2)),
            discriminator=DiscriminatorConfig(widths=(64, 128, 256, 512), norms=(False,) * 4),
            loss=LossConfig(smooth=0.1),
            g_optim=MAFDA_OPTIM,
            d_optim=MAFDA_OPTIM,
            step=StepConfig("separate", batch=32, fresh=True),
        ),
        title="A well-known DCGAN for CIFAR-10: four layers each, label smoothing, a step of D for each kind of image",
        korean="널리 알려진 CIFAR-10 DCGAN: 네 층씩, 레이블 스무딩, 진짜와 가짜마다 판별자 한 스텝",
        source="mafda, generative_adversarial_networks_101 (src/cifar10/02_DCGAN_CIFAR10.ipynb, TensorFlow 2.10); its "
        "text says batch 64 and 100 epochs, its code ran 32 and 151",
        year=2023,
        reported="151 epochs: last losses D 0.41 (half the sum), G 1.92; pictures, no score",
        measured="CIFAR-10, 28,896 images in 5 CPU-minutes of one core (AMD EPYC, AVX-512 bf16), seed 0, n = 5,000: "
        "fd_efficientnet 1035 (real baseline 29, noise 1007), a few textures",
    )
)

PYTORCH_OPTIM = OptimConfig(lr=2e-4, beta1=0.5, epsilon=1e-8)
register_recipe(
    Recipe(
        Config(
            "pytorch-dcgan",
            data=CIFAR10,
            generator=GeneratorConfig("pytorch-example", base=256, widths=(128, 64), kernel=4, slope=0.0),
            discriminator=DiscriminatorConfig(
                "pytorch-example",
                widths=(64, 128, 256),
                norms=(False, True, True),
                kernel=4,
                slope=0.2,
                dropout=0.0,
            ),
            g_optim=PYTORCH_OPTIM,
            d_optim=PYTORCH_OPTIM,
            step=StepConfig("alternating", batch=128),
        ),
        title="DCGAN of the PyTorch tutorial, one layer fewer for 32 px",
        korean="PyTorch 튜토리얼의 DCGAN, 32픽셀에 맞춰 한 층 줄인 것",
        source="PyTorch, DCGAN Tutorial (beginner_source/dcgan_faces_tutorial.py), for faces of 64 px",
        year=2018,
        reported="faces of CelebA at 64 px after 5 epochs of batch 128: pictures, no score",
    )
)

KERAS_OPTIM = OptimConfig(lr=1e-4)
register_recipe(
    Recipe(
        Config(
            "keras-dcgan",
            data=CIFAR10,
            generator=GeneratorConfig(
                "keras-example", latent_dim=128, base=128, widths=(128, 256, 512), norm="none", kernel=4, slope=0.2
            ),
            discriminator=DiscriminatorConfig(
                "keras-example", widths=(64, 128, 128), norms=(), kernel=4, slope=0.2, dropout=0.0
            ),
            loss=LossConfig(soft=0.05, soft_below=True),
            g_optim=KERAS_OPTIM,
            d_optim=replace(KERAS_OPTIM, epsilon=2e-7),  # D's loss is twice that of the source, which takes a mean
            step=StepConfig("alternating", batch=32, joint=True, fresh=True),
        ),
        title="DCGAN of Keras' own example at 32 px: no normalisation, noisy labels",
        korean="Keras 공식 예제의 DCGAN을 32픽셀로: 정규화 없음, 레이블에 노이즈",
        source="Keras, DCGAN to generate face images (examples/generative/dcgan_overriding_train_step.py), for 64 px; "
        "its dropout is never on while it trains",
        year=2023,
        reported="CelebA at 64 px, one epoch in 557 s on a GPU: losses D 0.56 (half the sum), G 1.41; no score",
    )
)
