"""Optimisers, learning rates, the update, and what D sees of a batch."""

from __future__ import annotations

from ganvas.config.tricks.registry import Trick, both_optimisers, register_trick
from ganvas.config.tricks.sources import STYLEGAN2

ORDER = 60

register_trick(
    Trick(
        "ema",
        "Samples from a moving average of G",
        f"Yazici et al. 2019 (arXiv 1806.04498); {STYLEGAN2}",
        {"step.ema_kimg": 20.0, "step.ema_warmup": 0.1},
        korean="생성자의 이동 평균으로 샘플을 만듭니다",
        helps="almost always: averages out the oscillation of G and D",
        hurts="one more copy of G; a long fixed half-life lags in short runs (hence the warm-up)",
        order=ORDER,
    )
)
register_trick(
    Trick(
        "ttur",
        "D's learning rate is four times G's",
        "Heusel et al. 2017 (arXiv 1706.08500)",
        lambda config: {"d_optim.lr": 4 * config.g_optim.lr},
        korean="판별자의 학습률을 생성자의 네 배로 합니다",
        helps="one D step per G step is enough",
        hurts="D may win",
        order=ORDER,
    )
)
register_trick(
    Trick(
        "more-d-steps",
        "Five D steps per G step",
        "Arjovsky et al. 2017 (arXiv 1701.07875)",
        {"step.update": "alternating", "step.d_steps": 5},
        korean="생성자 한 번에 판별자를 다섯 번 업데이트합니다",
        helps="Wasserstein loss: D must be near its optimum",
        hurts="five times as many real images per G step",
        order=ORDER,
    )
)
register_trick(
    Trick(
        "linear-decay",
        "Learning rates decrease linearly to zero over the second half",
        "common; Miyato et al. 2018",
        both_optimisers(decay="linear", decay_from=0.5),
        korean="후반부에 학습률을 0까지 일정하게 줄입니다",
        helps="the end of a run settles",
        hurts="the length of the run must be known",
        order=ORDER,
    )
)
register_trick(
    Trick(
        "cosine-decay",
        "Learning rates decrease to zero along a cosine",
        "Loshchilov & Hutter 2017 (arXiv 1608.03983)",
        both_optimisers(decay="cosine", decay_from=0.0),
        korean="학습률을 코사인 곡선을 따라 0까지 줄입니다",
        helps="the end of a run settles",
        hurts="the length of the run must be known",
        order=ORDER,
    )
)
register_trick(
    Trick(
        "adamw",
        "Decoupled weight decay",
        "Loshchilov & Hutter 2019 (arXiv 1711.05101)",
        both_optimisers(name="adamw", weight_decay=0.01),
        korean="가중치 감쇠를 그래디언트와 분리합니다",
        helps="keeps weights small without normalisation",
        hurts="one more hyperparameter",
        order=ORDER,
    )
)
register_trick(
    Trick(
        "rmsprop",
        "RMSProp without momentum",
        "Tieleman & Hinton 2012; Arjovsky et al. 2017",
        both_optimisers(name="rmsprop", beta2=0.9),
        korean="모멘텀 없는 RMSProp",
        helps="no momentum that makes G overshoot",
        hurts="slower at first",
        order=ORDER,
    )
)
register_trick(
    Trick(
        "muon",
        "Orthogonalised updates of hidden convolutions",
        "Jordan et al. 2024, Muon",
        both_optimisers(muon=0.02),
        korean="은닉 합성곱 층의 업데이트를 직교화합니다",
        helps="more progress per update",
        hurts="small batches: the iteration costs time; the learning rate must be tuned",
        order=ORDER,
    )
)
register_trick(
    Trick(
        "gradient-accumulation",
        "A batch in four parts",
        "common",
        {"step.accumulate": 4},
        korean="배치를 넷으로 나누어 계산합니다",
        helps="a quarter of the memory",
        hurts="batch normalisation sees only one part at a time",
        order=ORDER,
    )
)
register_trick(
    Trick(
        "gradient-clipping",
        "Gradient norms of at most 1",
        "Pascanu et al. 2013 (arXiv 1211.5063)",
        both_optimisers(clip=1.0),
        korean="그래디언트 노름을 1 이하로 제한합니다",
        helps="a single bad batch does little harm",
        hurts="hides an unstable loss",
        order=ORDER,
    )
)
register_trick(
    Trick(
        "simultaneous",
        "Both gradients are computed before either network changes",
        "the course's update",
        {"step.update": "simultaneous"},
        korean="두 그래디언트를 모두 구한 다음 두 네트워크를 바꿉니다",
        helps="one forward pass of G and D serves both",
        hurts="G learns from a D that is one step behind",
        order=ORDER,
    )
)
register_trick(
    Trick(
        "one-stage",
        "G's gradient is read from D's backward pass",
        "Shen et al. 2021, OSGAN (arXiv 2103.00430)",
        {"step.update": "one-stage", "step.joint": True},
        korean="판별자의 역전파에서 생성자의 그래디언트도 얻습니다",
        helps="a sixth less work per update in quick",
        hurts="no less work with losses and layers that depend on a whole batch",
        requires=("D judges single images",),
        order=ORDER,
    )
)
register_trick(
    Trick(
        "joint-batch",
        "Real and fake images pass through D in one call",
        "common",
        {"step.joint": True},
        korean="진짜와 가짜 이미지를 한 번에 판별자에 넣습니다",
        helps="faster",
        hurts="mixes their statistics if D has batch normalisation",
        requires=("D judges single images",),
        order=ORDER,
    )
)
register_trick(
    Trick(
        "minibatch-std",
        "D sees the standard deviation within the batch",
        "Karras et al. 2018 (arXiv 1710.10196)",
        {"discriminator.minibatch": "std", "step.joint": False, "penalty.share": 1.0},
        korean="판별자가 배치 안의 표준편차를 봅니다",
        helps="against mode collapse, at almost no cost",
        hurts="D no longer judges each image alone",
        order=ORDER,
    )
)
