"""Joint representations that are learned without labels: tokens, one shared transformer, contrastive losses."""
