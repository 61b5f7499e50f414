"""From gradients to updates: optimisers, their decay and clipping, historical averaging, the moving average of G."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn

from ganvas.config import OptimConfig
from ganvas.training.engine.foreach import empty_state, foreach_lerp_, foreach_step, foreach_sub_
from ganvas.training.muon import hidden_convolutions, muon_update
from ganvas.training.schedules import Number, learning_rate_factor


class Optimiser:
    """The updates of one network: by `config.name`, or by Muon for hidden convolutions and by that for the rest.

    adam: Kingma & Ba (2015, arXiv 1412.6980) in the efficient order of their section 2, with epsilon-hat. Keras adds
    epsilon to the root of the uncorrected second moment; torch to the corrected one. The two agree when torch's
    epsilon is epsilon / sqrt(1 - beta2**t), which is set before every step.
    adamw: the same on weights first shrunk by 1 - lr * weight_decay (Loshchilov & Hutter 2019, arXiv 1711.05101).
    rmsprop: the gradient over the root of its mean square (beta2) plus epsilon; as nothing is corrected, that is
    epsilon-hat too.
    sgd: v <- beta1 v + g, the heavy ball: a sum, so that a lasting gradient moves 1 / (1 - beta1) times as fast.

    With `foreach` (engine.optimiser) the same rules in engine.foreach, where t is a number of the device.
    """

    def __init__(self, network: nn.Module, config: OptimConfig, foreach: bool = False) -> None:
        self.config = config
        self.parameters: list[Tensor] = list(network.parameters())
        self.hidden = hidden_convolutions(network) if config.muon else {}
        self.torch = None if foreach else _torch_optimiser(self.parameters, config)
        others = [p for i, p in enumerate(self.parameters) if i not in self.hidden]
        self.state = self.torch.state if self.torch else empty_state(others, config)
        self.t: int | Tensor = _counter(self.parameters) if foreach else 0
        self.momenta = {i: torch.zeros_like(self.parameters[i]) for i in self.hidden}
        self.means = [p.detach().clone() for p in self.parameters] if config.historical else []

    @torch.no_grad()
    def step(self, gradients: Sequence[Tensor], progress: Number) -> Float[Tensor, ""]:
        """Apply one update at `progress` of the run and return the norm of the gradient before clipping.

        The gradients are those of `network.parameters()`, in that order. Historical averaging belongs to the loss:
        the norm, and clipping, count it.
        """
        self.t += 1
        gradients = list(gradients)
        if self.means:
            gradients = self._with_historical(gradients)
        norm = torch.nn.utils.get_total_norm(gradients)
        if self.config.clip:
            gradients = torch._foreach_mul(gradients, (self.config.clip / (norm + 1e-12)).clamp(max=1.0))

        muon_lr, others = self.config.muon * learning_rate_factor(progress, self.config), []
        for i, (parameter, gradient) in enumerate(zip(self.parameters, gradients, strict=True)):
            # torch's fused kernels walk both as flat memory: strides that differ would silently mix up the weights
            same = gradient.stride() == parameter.stride()
            gradient = gradient if same else torch.empty_like(parameter).copy_(gradient)
            if i in self.hidden:
                update = muon_update(gradient, self.momenta[i], self.config.beta1, self.hidden[i])
                parameter.mul_(1 - muon_lr * self.config.weight_decay)
                foreach_sub_([parameter], [update], muon_lr)
            else:
                others.append((parameter, gradient))
        if isinstance(self.t, Tensor):
            foreach_step(self.config, self.state, [gradient for _, gradient in others], self.lr(progress), self.t)
        else:
            self._step_of_torch(others, self.lr(progress), self.t)
        return norm

    def _step_of_torch(self, pairs: Sequence[tuple[Tensor, Tensor]], lr: Number, t: int) -> None:
        """torch's own step of weights and their gradients."""
        assert self.torch is not None
        for parameter, gradient in pairs:
            parameter.grad = gradient
        group = self.torch.param_groups[0]
        group["lr"] = lr
        if self.config.name in ("adam", "adamw"):
            group["eps"] = self.config.epsilon / math.sqrt(1 - self.config.beta2**t)
        self.torch.step()
        for parameter, _ in pairs:
            parameter.grad = None

    def _with_historical(self, gradients: list[Tensor]) -> list[Tensor]:
        """Adds the gradient of weight * |theta - mean|^2 (Salimans et al. 2016, arXiv 1606.03498, section 3.3).

        The mean is over the weights that every step so far began with, this one's included; it is a constant here.
        """
        foreach_lerp_(self.means, self.parameters, 1 / self.t)
        away = torch._foreach_sub(self.parameters, self.means)
        return list(torch._foreach_add(gradients, away, alpha=2 * self.config.historical))

    def lr(self, progress: Number) -> Number:
        """The learning rate at `progress` in [0, 1] of the run; Muon's falls in proportion."""
        return self.config.lr * learning_rate_factor(progress, self.config)

    def tensors(self) -> dict[str, Tensor]:
        """The state as named tensors: "t", and "i.key" for what belongs to parameter i."""
        t = int(self.t)
        out = {"t": torch.tensor(t)}
        for i, parameter in enumerate(self.parameters):
            for key, value in self.state.get(parameter, {}).items():
                out[f"{i}.{key}"] = value
            if self.torch is None and self.config.name != "sgd" and parameter in self.state:  # as torch's would have it
                out[f"{i}.step"] = torch.tensor(float(t))
        return out | self._own()

    def _own(self) -> dict[str, Tensor]:
        momenta = {f"{i}.momentum": momentum for i, momentum in self.momenta.items()}
        return momenta | {f"{i}.mean": mean for i, mean in enumerate(self.means)}

    def load(self, tensors: dict[str, Tensor]) -> None:
        """Take over what `tensors()` gave. KeyError, IndexError or RuntimeError where it was another network's."""
        if isinstance(self.t, Tensor):
            self.t.fill_(int(tensors["t"]))
        else:
            self.t = int(tensors["t"])
        own = self._own()
        for name, kept in own.items():
            kept.copy_(tensors[name])
        for name in tensors.keys() - own.keys() - {"t"}:
            i, key = name.split(".")
            parameter, value = self.parameters[int(i)], tensors[name]
            if self.torch is None:
                if key != "step":  # which is t
                    self.state[parameter][key].copy_(value)
            elif key == "step":
                self.state[parameter][key] = value.to(parameter.device, copy=True)
            else:
                kept = torch.empty_like(parameter)  # the parameter's memory format
                self.state[parameter][key] = kept.copy_(value)


def _counter(parameters: Sequence[Tensor]) -> Float[Tensor, ""]:
    """A zero on the device of the weights."""
    device = next((p.device for p in parameters), torch.device("cpu"))
    return torch.zeros((), dtype=torch.float32 if device.type == "mps" else torch.float64, device=device)


def _torch_optimiser(parameters: list[Tensor], config: OptimConfig) -> torch.optim.Optimizer:
    lr, betas, epsilon = config.lr, (config.beta1, config.beta2), config.epsilon
    fused = all(p.device.type in ("cpu", "cuda") for p in parameters)
    match config.name:
        case "adam":
            return torch.optim.Adam(parameters, lr, betas, epsilon, fused=fused)
        case "adamw":
            return torch.optim.AdamW(parameters, lr, betas, epsilon, config.weight_decay, fused=fused)
        case "rmsprop":
            return torch.optim.RMSprop(parameters, lr, config.beta2, epsilon)
        case "sgd":
            return torch.optim.SGD(parameters, lr, config.beta1, fused=fused)


@torch.no_grad()
def update_ema(ema: nn.Module, model: nn.Module, weight: Number) -> None:
    """ema <- ema + weight (model - ema), all tensors at once; the weight is schedules.ema_weight's.

    BatchNorm's statistics are averaged as well; step counters are copied. With the float 1.0 everything is copied.
    """
    averaged: list[Tensor] = []
    towards: list[Tensor] = []
    for kept, new in zip(ema.state_dict().values(), model.state_dict().values(), strict=True):
        if kept.is_floating_point() and not (isinstance(weight, float) and weight == 1.0):
            averaged.append(kept)
            towards.append(new)
        else:
            kept.copy_(new)
    if averaged:
        foreach_lerp_(averaged, towards, weight)
