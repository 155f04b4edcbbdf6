"""Pretrained encoders: raw items in, arrays out. Knows no tables, no screens and no scores."""

from feature_extractors.cache import FeatureCache, encode_items
from feature_extractors.contracts import EncodedItems, Encoder, EncoderSpec
from feature_extractors.errors import EncoderError
from feature_extractors.registry import default_encoder, list_encoders, load_encoder
from feature_extractors.results import row_blocks

__all__ = [
    "EncodedItems",
    "Encoder",
    "EncoderError",
    "EncoderSpec",
    "FeatureCache",
    "default_encoder",
    "encode_items",
    "list_encoders",
    "load_encoder",
    "row_blocks",
]
