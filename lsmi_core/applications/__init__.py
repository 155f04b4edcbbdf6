"""What scores are good for: partitions now, pruning, distillation and ensembles later."""

from lsmi_core.applications.partition import partition

__all__ = ["partition"]
