"""What scores are good for: partitions, pruning, ensembles, distillation, joint representations.

What learns something is imported when it is first asked for: a partition needs none of it.
"""

from importlib import import_module
from typing import TYPE_CHECKING

from lsmi_core.applications.partition import partition

if TYPE_CHECKING:
    from lsmi_core.applications.distillation import TargetedDistillation
    from lsmi_core.applications.distillation_compared import compare_distillation
    from lsmi_core.applications.ensemble import InteractionEnsemble
    from lsmi_core.applications.ensemble_comparison import compare_ensembles
    from lsmi_core.applications.fusing import compare_fusion
    from lsmi_core.applications.price import PriceOfPruning
    from lsmi_core.applications.pruning import price_of_pruning
    from lsmi_core.applications.pruning_settings import PruningSettings

_HOME = {
    "InteractionEnsemble": "ensemble",
    "PriceOfPruning": "price",
    "PruningSettings": "pruning_settings",
    "TargetedDistillation": "distillation",
    "compare_distillation": "distillation_compared",
    "compare_ensembles": "ensemble_comparison",
    "compare_fusion": "fusing",
    "price_of_pruning": "pruning",
}

__all__ = ["partition", *_HOME]


def __getattr__(name: str) -> object:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
