"""What DCGAN's options change, and that without them nothing has changed."""

import dataclasses
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from ganvas.config import DiscriminatorConfig, GeneratorConfig
from ganvas.models.families import dcgan
from ganvas.models.layers.description import describe
from ganvas.models.layers.norm import ConditionalNorm, VirtualNorm
from ganvas.models.layers.spectral import SpectralNorm
from ganvas.models.ops.conv import SameConv2d, SameConvTranspose2d
from second_derivatives import check_gradient_penalty

SHAPE = (3, 16, 16)
SMALL_G = GeneratorConfig(latent_dim=6, base=16, widths=(16, 8), strides=(1, 2, 2), extra=(8, 0))
SMALL_D = DiscriminatorConfig(widths=(8, 16), norms=(False, True))
LABELS = torch.tensor([0, 1, 2, 0, 1])


def generator(classes: int = 0, **changes: Any) -> dcgan.Generator:
    torch.manual_seed(0)
    return dcgan.Generator(dataclasses.replace(SMALL_G, **changes), SHAPE, classes)


def discriminator(classes: int = 0, **changes: Any) -> dcgan.Discriminator:
    torch.manual_seed(0)
    return dcgan.Discriminator(dataclasses.replace(SMALL_D, **changes), SHAPE, classes)


def latents(n: int = 5) -> Tensor:
    return torch.randn(n, 6, generator=torch.Generator().manual_seed(1))


def test_the_plain_generator_draws_its_weights_in_this_order() -> None:
    G = generator()
    torch.manual_seed(0)
    dense = nn.Linear(6, 16 * 4 * 4, bias=False)
    nn.init.xavier_uniform_(dense.weight)
    drawn = {
        "dense": dense,
        "blocks.0.up": SameConvTranspose2d(16, 16, 5, 1),
        "blocks.0.conv": SameConv2d(16, 8, 3, 1, bias=False),
        "blocks.1.up": SameConvTranspose2d(8, 8, 5, 2),
        "image": SameConvTranspose2d(8, 3, 5, 2),
    }
    state = G.state_dict()
    assert all(torch.equal(state[f"{name}.weight"], layer.weight) for name, layer in drawn.items())
    norms = ["dense_norm", "blocks.0.norm", "blocks.0.conv_norm", "blocks.1.norm"]
    statistics = ["weight", "bias", "running_mean", "running_var", "num_batches_tracked"]
    assert set(state) == {f"{n}.weight" for n in drawn} | {f"{n}.{s}" for n in norms for s in statistics}


def test_the_plain_discriminator_draws_its_weights_in_this_order() -> None:
    D = discriminator()
    torch.manual_seed(0)
    drawn = [SameConv2d(3, 8, 5, 2), SameConv2d(8, 16, 5, 2), nn.Linear(16 * 4 * 4, 1)]
    nn.init.xavier_uniform_(drawn[-1].weight)
    state = D.state_dict()
    for name, layer in zip(("blocks.0.conv", "blocks.1.conv", "dense"), drawn, strict=True):
        assert torch.equal(state[f"{name}.weight"], layer.weight) and not state[f"{name}.bias"].any()
    assert list(state)[-2:] == ["dense.weight", "dense.bias"]


@pytest.mark.parametrize("changes", [{}, {"norm": "none"}, {"norm": "virtual"}, {"condition": "norm"}])
def test_the_class_changes_the_image(changes: dict[str, Any]) -> None:
    G = generator(3, **changes).eval()
    for module in G.modules():
        if isinstance(module, ConditionalNorm):
            nn.init.normal_(module.scale.weight)
    same = latents(1).expand(3, -1)
    a, b, c = G(same, torch.tensor([0, 1, 1]))
    assert torch.allclose(b, c, atol=1e-6) and not torch.allclose(a, b, atol=1e-4)


@pytest.mark.parametrize("build", [generator, discriminator])
def test_without_classes_the_labels_are_not_looked_at(build: Any) -> None:
    net = build().eval()
    x = latents() if build is generator else torch.randn(5, *SHAPE)
    for ours, theirs in zip(net(x, LABELS), net(x, None), strict=True):
        assert ours is theirs or torch.equal(ours, theirs)  # D names no classes: None
    classed = {name for name, _ in build(3).named_parameters()} - {name for name, _ in net.named_parameters()}
    assert classed == {"labelled.embedding.weight" if build is generator else "projection.embedding.weight"}


def test_conditional_norms_stand_in_for_every_norm() -> None:
    G = generator(3, condition="norm")
    assert sum(isinstance(m, ConditionalNorm) for m in G.modules()) == 4
    assert G.labelled is None and G.dense.in_features == 6
    plain = generator()
    plain.load_state_dict(G.state_dict(), strict=False)
    assert torch.equal(G(latents(), LABELS), plain(latents(), None))  # at first all classes are alike


def test_the_class_changes_the_logit_through_the_features() -> None:
    D = discriminator(3).eval()
    images = torch.randn(5, *SHAPE)
    ours, plain = D(images, LABELS), discriminator().eval()(images, None)
    expected = plain.logits + (D.projection.embedding.weight[LABELS] * plain.features).sum(1)
    assert torch.allclose(ours.logits, expected, atol=1e-6) and torch.equal(ours.features, plain.features)


@pytest.mark.parametrize("training", [True, False])
def test_with_virtual_norm_an_image_does_not_depend_on_the_batch(training: bool) -> None:
    G = generator(3, norm="virtual").train(training)
    assert sum(isinstance(m, VirtualNorm) for m in G.modules()) == 4
    z = latents()
    all_five, two = G(z, LABELS), G(z[:2], LABELS[:2])
    assert all_five.shape == (5, *SHAPE) and torch.allclose(all_five[:2], two, atol=1e-5)
    with torch.no_grad():
        G.reference.z.normal_()
    assert not torch.allclose(G(z, LABELS), all_five, atol=1e-3)


def test_without_norms_every_layer_has_a_bias() -> None:
    G = generator(norm="none")
    assert not [m for m in G.modules() if isinstance(m, nn.BatchNorm1d | nn.BatchNorm2d)]
    layers = [m for m in G.modules() if isinstance(m, nn.Linear | SameConv2d | SameConvTranspose2d)]
    assert len(layers) == 5 and all(m.bias is not None and not m.bias.any() for m in layers)


def test_tanh_can_be_left_out() -> None:
    bounded, free = generator().eval()(latents(), None), generator(tanh=False).eval()(latents(), None)
    assert torch.allclose(bounded, free.tanh(), atol=1e-6)


def test_width_multiplies_all_channels() -> None:
    G, D = generator(width=2.0), discriminator(width=0.5)
    assert G(latents(), None).shape == (5, *SHAPE)
    assert [tuple(G.blocks[i]["up"].weight.shape[:2]) for i in (0, 1)] == [(32, 32), (16, 16)]
    assert G.blocks[0]["conv"].weight.shape[0] == 16 and "conv" not in G.blocks[1]
    assert [D.blocks[i]["conv"].weight.shape[0] for i in (0, 1)] == [8, 8]


def test_normal_weights_are_radfords() -> None:
    G = generator(3, init="normal", base=64, latent_dim=64)
    D = discriminator(3, init="normal", widths=(32, 64), norms=(False, True))
    for net in (G, D):
        for module in net.modules():
            match module:
                case nn.Linear() | SameConv2d() | SameConvTranspose2d() if module.weight.numel() > 1000:
                    assert module.weight.std().item() == pytest.approx(0.02, rel=0.1)
                    assert abs(module.weight.mean().item()) < 0.002
                case nn.BatchNorm1d():
                    assert module.weight.std().item() == pytest.approx(0.02, rel=0.1)
                    assert module.weight.mean().item() == pytest.approx(1, abs=0.01)
    assert G.labelled.embedding.weight.std().item() == pytest.approx(1, rel=0.2)
    conditional = generator(3, init="normal", condition="norm")
    assert conditional.dense_norm.scale.weight.std().item() == pytest.approx(0.02, rel=0.2)


def test_spectral_reaches_every_layer_of_the_discriminator() -> None:
    D = discriminator(3, spectral=True, minibatch="features")
    bare = [n for n, m in D.named_modules() if isinstance(m, SameConv2d | nn.Linear | nn.Embedding)]
    assert len(bare) == 5 and all(name.endswith(".layer") for name in bare)
    assert sum(isinstance(m, SpectralNorm) for m in D.modules()) == 5


@pytest.mark.parametrize(("kind", "extra"), [("std", 1), ("features", 16)])
def test_minibatch_features_are_the_last_ones(kind: str, extra: int) -> None:
    D, plain = discriminator(3, minibatch=kind).eval(), discriminator(3).eval()
    images = torch.randn(5, *SHAPE)
    critique = D(images, LABELS)
    assert critique.features.shape == (5, 256 + extra)
    assert torch.equal(critique.features[:, :256], plain(images, LABELS).features)


@pytest.mark.parametrize(
    "changes", [{}, {"spectral": True}, {"minibatch": "std"}, {"minibatch": "features"}, {"norms": (False, False)}]
)
def test_the_discriminator_has_a_gradient_penalty(changes: dict[str, Any]) -> None:
    D = discriminator(3, dropout=0.0, **changes).double()
    images = torch.randn(4, *SHAPE, dtype=torch.float64)
    D(images, LABELS[:4])
    D.eval()  # power iterations and statistics stand still, so that differences can be taken
    check_gradient_penalty(D, images, LABELS[:4], next(D.parameters()))


def test_layers_have_names() -> None:
    D = discriminator(3, spectral=True, dropout=0.3)
    words = [describe(m) for m in D.blocks[1].values()]
    assert words == ["Conv 5x5 s2 / sigma", "BatchNorm", "LeakyReLU 0.3", "Dropout 0.3"]
    assert describe(generator().blocks[0]["up"]) == "ConvT 5x5 s1"
    assert describe(nn.Embedding(3, 2)) == "Embedding of 3 classes"
    assert describe(nn.ConvTranspose2d(3, 2, 4, 2)) == "ConvT 4x4 s2"
    assert describe(nn.Conv2d(8, 8, 3, groups=4)) == "Conv 3x3 s1, 4 groups"
    assert describe(VirtualNorm(3, 1e-3)) == "VirtualNorm"
