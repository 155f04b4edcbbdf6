"""What scores are good for: partitions, pruning, ensembles.

What learns something is imported when it is first asked for: a partition needs none of it.
"""

from importlib import import_module
from typing import TYPE_CHECKING

from lsmi_core.applications.partition import partition

if TYPE_CHECKING:
    from lsmi_core.applications.ensemble import InteractionEnsemble
    from lsmi_core.applications.ensemble_comparison import compare_ensembles
    from lsmi_core.applications.price import PriceOfPruning
    from lsmi_core.applications.pruning import price_of_pruning
    from lsmi_core.applications.pruning_settings import PruningSettings

__all__ = [
    "InteractionEnsemble",
    "PriceOfPruning",
    "PruningSettings",
    "compare_ensembles",
    "partition",
    "price_of_pruning",
]

_HOME = {
    "InteractionEnsemble": "ensemble",
    "PriceOfPruning": "price",
    "PruningSettings": "pruning_settings",
    "compare_ensembles": "ensemble_comparison",
    "price_of_pruning": "pruning",
}


def __getattr__(name: str) -> object:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
