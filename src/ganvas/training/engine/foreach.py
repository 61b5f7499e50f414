"""Updates of all weights at once whose rates and counters are numbers of the device: no value of Python changes.

A captured step repeats its kernels with the values that they had. What changes from update to update must therefore be
a number of the device, which torch's fused optimisers do not allow for epsilon-hat.
"""

from __future__ import annotations

import torch
from torch import Tensor

from ganvas.config import OptimConfig

STATES = {"adam": ("exp_avg", "exp_avg_sq"), "adamw": ("exp_avg", "exp_avg_sq"), "rmsprop": ("square_avg",)}
"""The names that torch.optim gives to what an optimiser keeps for each weight."""


State = dict[Tensor, dict[str, Tensor]]
"""Weight -> name -> tensor of its shape."""


def empty_state(parameters: list[Tensor], config: OptimConfig) -> State:
    """What the optimiser keeps, by weight and name, before its first step."""
    momentum = ("momentum_buffer",) if config.beta1 else ()
    names = STATES.get(config.name, momentum)
    return {p: {name: torch.zeros_like(p) for name in names} for p in parameters}


@torch.no_grad()
def foreach_step(
    config: OptimConfig,
    state: dict[Tensor, dict[str, Tensor]],
    gradients: list[Tensor],
    lr: float | Tensor,
    t: Tensor,
) -> None:
    """Step `t` (from 1, a number of the device) of the weights in `state`; the rules are those of optim.Optimiser."""
    parameters, g = list(state), gradients
    kept = [[own[name] for own in state.values()] for name in next(iter(state.values()), {})]
    if not parameters:
        return
    rate: float | Tensor = lr
    update: list[Tensor] | tuple[Tensor, ...]
    match config.name:
        case "adam" | "adamw":
            mean, square = kept
            if config.weight_decay:
                torch._foreach_mul_(parameters, 1 - lr * config.weight_decay)
            torch._foreach_lerp_(mean, g, 1 - config.beta1)
            torch._foreach_mul_(square, config.beta2)
            torch._foreach_addcmul_(square, g, g, 1 - config.beta2)
            rate = lr * torch.sqrt(1 - config.beta2**t) / (1 - config.beta1**t)
            update = torch._foreach_div(mean, _plus(torch._foreach_sqrt(square), config.epsilon))
        case "rmsprop":
            (square,) = kept
            torch._foreach_mul_(square, config.beta2)
            torch._foreach_addcmul_(square, g, g, 1 - config.beta2)
            update = torch._foreach_div(g, _plus(torch._foreach_sqrt(square), config.epsilon))
        case "sgd":
            if config.beta1:
                torch._foreach_mul_(kept[0], config.beta1)
                torch._foreach_add_(kept[0], g)
            update = kept[0] if config.beta1 else g
    foreach_sub_(parameters, update, rate)


@torch.no_grad()
def foreach_lerp_(kept: list[Tensor], towards: list[Tensor], weight: float | Tensor) -> None:
    """kept <- kept + weight (towards - kept), all at once; the weight may be a number of the device."""
    if isinstance(weight, float):
        torch._foreach_lerp_(kept, towards, weight)
        return
    away = torch._foreach_sub(towards, kept)
    torch._foreach_mul_(away, weight)
    torch._foreach_add_(kept, away)


@torch.no_grad()
def foreach_sub_(parameters: list[Tensor], updates: list[Tensor] | tuple[Tensor, ...], rate: float | Tensor) -> None:
    """parameters <- parameters - rate updates; the rate may be a number of the device."""
    if isinstance(rate, float):
        torch._foreach_sub_(parameters, updates, alpha=rate)
    else:
        torch._foreach_sub_(parameters, torch._foreach_mul(updates, rate))


def _plus(values: tuple[Tensor, ...], epsilon: float) -> tuple[Tensor, ...]:
    torch._foreach_add_(values, epsilon)
    return values
