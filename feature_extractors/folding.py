"""Folds batch normalisation into the convolutions before it: the same network, with fewer passes over memory."""

from __future__ import annotations

from typing import Any

__all__ = ["fold"]

# Names within the network and within its blocks: a convolution, and the normalisation that follows it.
_OUTER = (("_conv_stem", "_bn0"), ("_conv_head", "_bn1"))
_INNER = (("_expand_conv", "_bn0"), ("_depthwise_conv", "_bn1"), ("_project_conv", "_bn2"))


def fold(network: Any) -> Any:
    """Fold an EfficientNet for inference, in place.

    In evaluation mode a normalisation is ``(x - mean) / sqrt(var + eps) * gamma + beta`` with fixed numbers, which is
    a scale of the convolution's weights and a bias. Padding on all sides alike becomes the convolution's own.

    Parameters
    ----------
    network : efficientnet_lite_pytorch.EfficientNet
        In evaluation mode.

    Returns
    -------
    efficientnet_lite_pytorch.EfficientNet
        The same object; its features agree with those before to about 1e-5.
    """
    from torch.nn import ReLU6

    for part, pairs in ((network, _OUTER), *((block, _INNER) for block in network._blocks)):
        part._swish = ReLU6(inplace=True)
        for convolution, normalisation in pairs:
            if hasattr(part, convolution):  # a first block has nothing to expand
                _fold_pair(part, convolution, normalisation)
    return network


def _fold_pair(part: Any, convolution: str, normalisation: str) -> None:
    from torch.nn import Identity
    from torch.nn.utils.fusion import fuse_conv_bn_eval

    folded = fuse_conv_bn_eval(getattr(part, convolution), getattr(part, normalisation))
    sides = set(getattr(folded.static_padding, "padding", ()))
    if len(sides) == 1:  # some strided convolutions pad the right and the lower side more
        folded.padding, folded.static_padding = (sides.pop(),) * 2, Identity()
    setattr(part, convolution, folded)
    setattr(part, normalisation, Identity())
