"""Adam as Keras runs it, learning-rate schedules, gradient clipping, the moving average of G."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn

from ganvas.config import OptimConfig


class Adam:
    """Adam (Kingma & Ba 2015, arXiv 1412.6980) in the efficient order of its section 2, with epsilon-hat.

    Keras adds epsilon to the root of the uncorrected second moment; torch to the corrected one. The two agree when
    torch's epsilon is epsilon / sqrt(1 - beta2**t), which is set before every step.
    """

    def __init__(self, parameters: Sequence[nn.Parameter], config: OptimConfig) -> None:
        self.config, self.parameters = config, list(parameters)
        fused = all(p.device.type in ("cpu", "cuda") for p in self.parameters)
        betas = (config.beta1, config.beta2)
        self.torch = torch.optim.Adam(self.parameters, config.lr, betas, config.epsilon, fused=fused)
        self.t = 0

    def step(self, gradients: Sequence[Tensor], progress: float) -> Float[Tensor, ""]:
        """Apply one update at `progress` of the run and return the norm of the gradient before clipping."""
        norm = torch.nn.utils.get_total_norm(list(gradients))
        if self.config.clip:
            torch._foreach_mul_(list(gradients), (self.config.clip / (norm + 1e-12)).clamp(max=1.0))
        self.t += 1
        group = self.torch.param_groups[0]
        group["lr"] = self.lr(progress)
        group["eps"] = self.config.epsilon / math.sqrt(1 - self.config.beta2**self.t)
        for parameter, gradient in zip(self.parameters, gradients, strict=True):
            # torch's fused kernel walks both as flat memory: strides that differ would silently mix up the weights
            same = gradient.stride() == parameter.stride()
            parameter.grad = gradient if same else torch.empty_like(parameter).copy_(gradient)
        self.torch.step()
        for parameter in self.parameters:
            parameter.grad = None
        return norm

    def lr(self, progress: float) -> float:
        """The learning rate at `progress` in [0, 1] of the run."""
        match self.config.decay:
            case "linear":
                return self.config.lr * (1 - progress)
            case "cosine":
                return self.config.lr * 0.5 * (1 + math.cos(math.pi * progress))
            case _:
                return self.config.lr

    def tensors(self) -> dict[str, Tensor]:
        """The state as named tensors."""
        out = {"t": torch.tensor(self.t)}
        for i, parameter in enumerate(self.parameters):
            for key, value in self.torch.state.get(parameter, {}).items():
                out[f"{i}.{key}"] = value
        return out

    def load(self, tensors: dict[str, Tensor]) -> None:
        """Take over what `tensors()` gave."""
        self.t = int(tensors["t"])
        for name, value in tensors.items():
            if name != "t":
                i, key = name.split(".")
                parameter = self.parameters[int(i)]
                if key == "step":
                    self.torch.state[parameter][key] = value.clone()
                else:
                    kept = torch.empty_like(parameter)  # the parameter's memory format
                    self.torch.state[parameter][key] = kept.copy_(value)


@torch.no_grad()
def update_ema(ema: nn.Module, model: nn.Module, batch: int, half_life: float) -> None:
    """ema <- beta * ema + (1 - beta) * model with beta = 0.5 ** (batch / half_life), both counted in images.

    BatchNorm's statistics are averaged as well; step counters are copied.
    """
    weight = 1 - 0.5 ** (batch / half_life)
    for kept, new in zip(ema.state_dict().values(), model.state_dict().values(), strict=True):
        if kept.is_floating_point():
            kept.lerp_(new, weight)
        else:
            kept.copy_(new)
