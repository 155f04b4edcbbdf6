"""Pretrained encoders: raw items in, arrays out. Knows no tables, no screens and no scores."""

from feature_extractors.cache import FeatureCache, encode_items
from feature_extractors.contracts import EncodedItems, EncodedTokens, Encoder, EncoderSpec, TokenEncoder
from feature_extractors.errors import EncoderError, HubUnreachableError
from feature_extractors.registry import default_encoder, list_encoders, load_encoder
from feature_extractors.results import row_blocks

__all__ = [
    "EncodedItems",
    "EncodedTokens",
    "Encoder",
    "EncoderError",
    "EncoderSpec",
    "FeatureCache",
    "HubUnreachableError",
    "TokenEncoder",
    "default_encoder",
    "encode_items",
    "list_encoders",
    "load_encoder",
    "row_blocks",
]
