"""What scores are good for: partitions, pruning, ensembles, distillation, joint representations.

What learns something is imported when it is first asked for: a partition needs none of it.
"""

from importlib import import_module
from typing import TYPE_CHECKING

from lsmi_core.applications.partition import partition

if TYPE_CHECKING:
    from lsmi_core.applications.distillation.measuring import compare_distillation
    from lsmi_core.applications.distillation.model import TargetedDistillation
    from lsmi_core.applications.ensemble.measuring import compare_ensembles
    from lsmi_core.applications.ensemble.model import InteractionEnsemble
    from lsmi_core.applications.fusion import compare_fusion
    from lsmi_core.applications.pruning.measuring import price_of_pruning
    from lsmi_core.applications.pruning.price import PriceOfPruning
    from lsmi_core.applications.pruning.settings import PruningSettings

_HOME = {
    "InteractionEnsemble": "ensemble.model",
    "PriceOfPruning": "pruning.price",
    "PruningSettings": "pruning.settings",
    "TargetedDistillation": "distillation.model",
    "compare_distillation": "distillation.measuring",
    "compare_ensembles": "ensemble.measuring",
    "compare_fusion": "fusion",
    "price_of_pruning": "pruning.measuring",
}

__all__ = [
    "InteractionEnsemble",
    "PriceOfPruning",
    "PruningSettings",
    "TargetedDistillation",
    "compare_distillation",
    "compare_ensembles",
    "compare_fusion",
    "partition",
    "price_of_pruning",
]


def __getattr__(name: str) -> object:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
