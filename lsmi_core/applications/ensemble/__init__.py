"""One answer of several models, weighed sample by sample."""
