"""What scores are good for: partitions and pruning now, distillation and ensembles later.

What pruning is measured with is imported when it is first asked for: a partition needs none of it.
"""

from importlib import import_module
from typing import TYPE_CHECKING

from lsmi_core.applications.partition import partition

if TYPE_CHECKING:
    from lsmi_core.applications.price import PriceOfPruning
    from lsmi_core.applications.pruning import price_of_pruning
    from lsmi_core.applications.pruning_settings import PruningSettings

__all__ = ["PriceOfPruning", "PruningSettings", "partition", "price_of_pruning"]

_HOME = {"PriceOfPruning": "price", "PruningSettings": "pruning_settings", "price_of_pruning": "pruning"}


def __getattr__(name: str) -> object:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
