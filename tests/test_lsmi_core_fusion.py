"""The fusion network and its losses against slow twins: explicit tokens, explicit covariances, loops over pairs."""

import itertools

import numpy as np
import pytest
import torch
from torch import nn

from lsmi_core import InvalidInputError
from lsmi_core.fusion.losses import cross_contrast, masked_contrast, nt_xent
from lsmi_core.fusion.network import FusionNetwork, Projected
from lsmi_core.fusion.objectives import OBJECTIVES, Objective
from lsmi_core.fusion.tokens import Scaling, Tokens, as_tokens
from lsmi_core.fusion.views import augmented, kept_places

WIDTH, HEADS = 24, 8
TEMPERATURE = 0.1


def a_network(seed=0):
    torch.manual_seed(seed)
    readers = [Projected(5, 7, WIDTH, by_place=True), Projected(9, 3, WIDTH, by_place=False)]
    network = FusionNetwork(readers, WIDTH, HEADS).double().eval()
    for parameter in network.parameters():  # biases and norms that start at 0 and 1 would hide mistakes
        parameter.data += 0.3 * torch.randn_like(parameter)
    return network


def some_sides(n=6, seed=1):
    generator = torch.Generator().manual_seed(seed)
    first, second = (torch.randn(n, *shape, generator=generator).double() for shape in ((5, 7), (9, 3)))
    real = torch.arange(9) < torch.tensor([9, 4, 1, 9, 6, 2])[:n, None]
    return [(first, torch.ones(n, 5, dtype=torch.bool)), (second, real)]


def slow_layer(network):
    """PyTorch's own transformer layer with the network's weights."""
    layer = nn.TransformerEncoderLayer(
        WIDTH, HEADS, 4 * WIDTH, dropout=0.0, activation="gelu", batch_first=True, norm_first=True
    ).double()
    attention = layer.self_attn
    read = (network.asks, network.answers, network.says)
    attention.in_proj_weight.data = torch.cat([linear.weight for linear in read])
    attention.in_proj_bias.data = torch.cat([linear.bias for linear in read])
    attention.out_proj.load_state_dict(network.out.state_dict())
    layer.norm1.load_state_dict(network.before.state_dict())
    layer.norm2.load_state_dict(network.between.state_dict())
    layer.linear1.load_state_dict(network.perceptron[0].state_dict())
    layer.linear2.load_state_dict(network.perceptron[2].state_dict())
    return layer.train()  # no fast path: the plain computation


def slow_fusion(network, tokens, reals):
    n = len(tokens[0])
    both = torch.cat([network.summary.expand(n, -1, -1), *tokens], dim=1)
    real = torch.cat([torch.ones(n, 1, dtype=torch.bool), *reals], dim=1)
    return network.after(slow_layer(network)(both, src_key_padding_mask=~real)[:, 0])


@pytest.mark.parametrize("which", [(0,), (1,), (0, 1)])
def test_fused_vectors_are_those_of_a_plain_transformer_layer(which):
    network, sides = a_network(), some_sides()
    tokens = [network.readers[m](sides[m][0]) for m in which]
    fused = network(*(network.read(m, *sides[m]) for m in which))
    twin = slow_fusion(network, tokens, [sides[m][1] for m in which])
    torch.testing.assert_close(fused, twin, rtol=1e-10, atol=1e-10)


def test_masked_views_are_those_with_mask_tokens_in_place():
    network, sides = a_network(), some_sides()
    generator = torch.Generator().manual_seed(2)
    kept = [kept_places(real, 0.6, 3, generator) for _, real in sides]
    views = network(*(network.read(m, *side) for m, side in enumerate(sides)), kept=kept)
    for k in range(3):
        tokens = [
            torch.where(kept[m][k][..., None], network.readers[m](values), network.mask_token)
            for m, (values, _) in enumerate(sides)
        ]
        twin = slow_fusion(network, tokens, [real for _, real in sides])
        torch.testing.assert_close(views[k], twin, rtol=1e-10, atol=1e-10)


def test_padding_is_never_read():
    network, sides = a_network(), some_sides()
    other = sides[1][0] + 100 * ~sides[1][1][..., None]
    first = network.read(0, *sides[0])
    kept = [kept_places(real, 0.6, 2, torch.Generator().manual_seed(2)) for _, real in sides]
    for masks in (None, kept):
        one = network(first, network.read(1, *sides[1]), kept=masks)
        two = network(first, network.read(1, other, sides[1][1]), kept=masks)
        assert torch.equal(one, two)


@pytest.mark.parametrize(("share", "length", "left"), [(0.8, 16, 3), (0.9, 10, 1), (0.7, 9, 2), (0.8, 3, 1), (0, 4, 4)])
def test_so_many_tokens_stay_as_the_share_says(share, length, left):
    real = torch.arange(20) < torch.full((30, 1), length)
    kept = kept_places(real, share, 4, torch.Generator().manual_seed(0))
    assert kept.shape == (4, 30, 20)
    assert (kept.sum(dim=2) == left).all()
    assert not (kept & ~real).any()
    assert share == 0 or len({tuple(row) for row in kept.flatten(0, 1).tolist()}) > min(length, 10) - 1


def test_augmented_tokens_are_dropped_whole_or_blurred_a_little_or_left():
    values = 5 + torch.rand(4000, 10, 3)
    shown = augmented(values, torch.Generator().manual_seed(0))
    gone = (shown.abs() < 1).all(dim=2)
    assert 0.18 < gone.float().mean() < 0.22  # half of the samples, 40 % of their tokens on average
    assert gone.float().mean(dim=1).max() > 0.7
    untouched = (shown == values).flatten(1).all(dim=1).float().mean()
    assert 0.22 < untouched < 0.36  # a quarter, and those whose share drops no token
    moved = (shown - values)[~gone]
    assert 0.06 < moved.std() < 0.08  # half of them by 0.1


def slow_masked_contrast(queries, keys, temperature, weight):
    """The formula with an explicit covariance matrix, one query and one negative at a time."""
    n_masks, n, _ = keys.shape
    losses = []
    for i in range(n):
        mean = keys[:, i].mean(dim=0)
        covariance = sum(torch.outer(k - mean, k - mean) for k in keys[:, i]) / n_masks
        near = queries[i] @ mean / temperature
        terms = [near + weight * queries[i] @ covariance @ queries[i] / (2 * temperature**2)]
        for j in range(n):
            if j != i:
                terms += [queries[i] @ v / temperature for v in (queries[j], *keys[:, j])]
        losses.append(torch.stack(terms).exp().sum().log() - near)
    return sum(losses) / n


def unit(*shape, seed=0):
    vectors = torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    return nn.functional.normalize(vectors, dim=-1)


@pytest.mark.parametrize("weight", [0, 0.25, 1])
def test_the_loss_of_masked_views_is_the_formula_with_its_covariance(weight):
    queries, keys = unit(5, 6), unit(4, 5, 6, seed=1)
    fast, slow = (loss(queries, keys, 0.5, weight) for loss in (masked_contrast, slow_masked_contrast))
    assert abs(fast - slow) < 1e-6


def test_its_gradient_is_that_of_the_formula():
    gradients = []
    for loss in (masked_contrast, slow_masked_contrast):
        queries, keys = (vectors.requires_grad_() for vectors in (unit(5, 6), unit(4, 5, 6, seed=1)))
        loss(queries, keys, 0.3, 0.7).backward()
        gradients.append((queries.grad, keys.grad))
    for fast, slow in zip(*gradients, strict=True):
        torch.testing.assert_close(fast, slow, rtol=1e-9, atol=1e-9)


def test_many_masks_approach_infinitely_many():
    """Of normal views the loss with K masks tends to the one with their true mean and covariance, as 1/sqrt(K)."""
    generator = torch.Generator().manual_seed(3)
    n, d = 4, 5
    queries, centres = unit(n, d), unit(n, d, seed=5)
    roots = 0.3 * torch.randn(n, d, d, generator=generator, dtype=torch.float64)
    likeness = queries @ torch.cat([queries, centres]).mT / 0.5
    # Negatives are held apart: the limit is about a sample's own masked views.
    own = (queries * centres).sum(dim=1) / 0.5
    spread = torch.einsum("nd,nde,nfe,nf->n", queries, roots, roots, queries) / 0.5**2
    assert likeness.shape == (n, 2 * n)
    errors = []
    for n_masks in (100, 10_000):
        keys = centres + torch.einsum(
            "nde,kne->knd", roots, torch.randn(n_masks, n, d, generator=generator, dtype=torch.float64)
        )
        alone = [masked_contrast(queries[i : i + 1], keys[:, i : i + 1], 0.5, 1.0) for i in range(n)]
        # One sample alone has no negatives: the loss is the lift, half the variance.
        errors.append((torch.stack(alone) - spread / 2).abs().max())
        # And the lift is what the mean of exp(q k / tau) over normal views adds to exp of the mean.
        told = torch.stack([(keys[:, i] @ queries[i] / 0.5).logsumexp(0) for i in range(n)]) - np.log(n_masks) - own
        if n_masks == 10_000:
            torch.testing.assert_close(told, spread / 2, rtol=0.05, atol=0.05)
    assert errors[1] < errors[0] / 3
    assert errors[1] < 0.05


def test_nt_xent_finds_partners_among_all_others():
    a, b = unit(4, 6), unit(4, 6, seed=1)
    both, losses = torch.cat([a, b]), []
    for q in range(8):
        likeness = torch.stack([both[q] @ both[v] / TEMPERATURE for v in range(8) if v != q])
        losses.append(likeness.exp().sum().log() - both[q] @ both[(q + 4) % 8] / TEMPERATURE)
    assert abs(nt_xent(a, b, TEMPERATURE) - sum(losses) / 8) < 1e-12


def test_cross_contrast_looks_at_the_other_modality_only():
    a, b = unit(4, 6), unit(4, 6, seed=1)
    losses = [
        torch.stack([x[i] @ z / TEMPERATURE for z in y]).exp().sum().log() - x[i] @ y[i] / TEMPERATURE
        for (x, y), i in itertools.product(((a, b), (b, a)), range(4))
    ]
    assert abs(cross_contrast(a, b, TEMPERATURE) - sum(losses) / 8) < 1e-12


def plain(values, generator):
    return values


def loss_of(name, network, sides, done=1.0, n_masks=3):
    objective = Objective(name, TEMPERATURE, 0.6, n_masks, 1.0, 5.0)
    return objective.loss(network, sides, [plain, plain], done, torch.Generator().manual_seed(4))


def test_the_whole_loss_is_the_weighted_mean_of_its_five_terms():
    network, sides = a_network(), some_sides()
    first, second = (network.read(m, *side) for m, side in enumerate(sides))
    one, two, both = (network.compared(network(*parts)) for parts in ((first,), (second,), (first, second)))
    contrasts = nt_xent(one, both, 0.1) + nt_xent(two, both, 0.1) + 5 * nt_xent(both, both, 0.1)
    torch.testing.assert_close(loss_of("comm", network, sides), contrasts / 7)
    doubled = [torch.cat([real, real]) for _, real in sides]
    generator = torch.Generator().manual_seed(4)
    kept = [kept_places(real, 0.6, 3, generator) for real in doubled]
    masks = [
        masked_contrast(
            both,
            torch.stack([network.compared(v) for v in network(first, second, kept=[k[:, cut] for k in kept])]),
            0.1,
            0.5,
        )
        for cut in (slice(0, 6), slice(6, 12))
    ]
    torch.testing.assert_close(loss_of("infmasking", network, sides, done=0.5), (contrasts + sum(masks)) / 9)
    torch.testing.assert_close(loss_of("contrast", network, sides), cross_contrast(one, two, 0.1))


@pytest.mark.parametrize("name", OBJECTIVES)
def test_every_part_that_a_loss_is_about_learns(name):
    network, sides = a_network().train(), some_sides()
    loss_of(name, network, sides).backward()
    untouched = {n for n, p in network.named_parameters() if p.grad is None or not p.grad.abs().max() > 0}
    # a bias of the keys shifts all of a softmax alike; a bias before batch normalisation is taken off again
    nothing = {"answers.bias", "head.0.bias", "head.3.bias"}
    assert untouched - nothing == (set() if name == "infmasking" else {"mask_token"})


def test_vectors_are_cut_into_groups_and_padded_with_zeros():
    tokens = as_tokens(np.arange(20.0).reshape(2, 10), "x1", 4)
    assert tokens.values.tolist()[0] == [[0, 1, 2], [3, 4, 5], [6, 7, 8], [9, 0, 0]]
    assert tokens.by_place
    assert tokens.real.all()
    assert as_tokens(np.ones((2, 3)), "x1", 16).shape == (3, 1)


def test_scaling_leaves_padding_out():
    values = np.zeros((2, 3, 1), dtype=np.float32)
    values[0, :, 0], values[1, 0, 0] = [1, 3, 5], 7
    real = np.array([[True] * 3, [True, False, False]])
    tokens = Tokens(values, real)
    scaling = Scaling.of(tokens)
    assert scaling.mean.item() == 4
    assert scaling.deviation.item() == pytest.approx(np.std([1, 3, 5, 7]))
    assert Scaling.of(tokens).of_values(tokens)[1, 1:].tolist() == [[0], [0]]


@pytest.mark.parametrize(
    ("x", "told"),
    [
        (np.ones((2, 3, 4, 5)), "shape"),
        (np.ones((0, 3, 4)), "tokens of shape"),
        (Tokens(np.ones((2, 3, 4)), np.ones((2, 4), dtype=bool)), "a mask of shape"),
        (Tokens(np.ones((2, 3, 4)), np.array([[True] * 3, [False] * 3])), "1 samples without any token"),
        (np.full((2, 3, 4), np.nan), "not finite"),
    ],
)
def test_tokens_that_cannot_be_used_are_refused(x, told):
    with pytest.raises(InvalidInputError, match=told):
        as_tokens(x, "x1", 4)
