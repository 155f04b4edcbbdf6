"""The models of the Hugging Face hub that are listed: which one, at which commit, and what to know of it.

Every commit was found beside its model's name in public code, with safetensors weights (docs/encoders.md tells where
from). CLIP, CLAP and HuBERT are pinned to commits that add safetensors to weights published in another format.
"""

from __future__ import annotations

from feature_extractors.contracts import EncoderSpec

__all__ = ["LISTED"]

_CLIP, _CLIP_COMMIT = "openai/clip-vit-base-patch32", "c237dc49a33fc61debc9276459120b7eac67e7ef"
_CLIP_LICENCE = "MIT (of its code)"  # the page of the weights states none
_SIGLIP, _SIGLIP_COMMIT = "google/siglip2-base-patch16-224", "75de2d55ec2d0b4efc50b3e9ad70dba96a7b2fa2"
_CLAP, _CLAP_COMMIT = "laion/clap-htsat-unfused", "79b58ed25fc00386262a2bea4b19fd21dc4310a0"

LISTED: tuple[EncoderSpec, ...] = (
    EncoderSpec(
        "minilm-l12-multi", "text", 384, "Apache-2.0", 471, "e8f8c211226b894fcb81acc59f3b34ba3efd5f42", "hub",
        "Short texts in any of fifty languages.",
        id="sentence-transformers/paraphrase-multilingual-MiniLM-L12-v2",
        pooling="mean", unit_length=False, prefix="", max_tokens=128,
    ),
    EncoderSpec(
        "e5-small-multi", "text", 384, "MIT", 471, "614241f622f53c4eeff9890bdc4f31cfecc418b3", "hub",
        "Longer texts in about a hundred languages.",
        id="intfloat/multilingual-e5-small", pooling="mean", unit_length=True, prefix="query: ", max_tokens=512,
    ),
    EncoderSpec(
        "bge-small", "text", 384, "MIT", 133, "5c38ec7c405ec4b44b94cc5a9bb96e735b38267a", "hub",
        "Longer English texts; small and quick.",
        id="BAAI/bge-small-en-v1.5", pooling="cls", unit_length=True, prefix="", max_tokens=512,
    ),
    EncoderSpec(
        "bert-base", "text", 768, "Apache-2.0", 440, "86b5e0934494bd15c9632b12f734a8a67f723594", "hub",
        "English texts, to compare with published work.",
        id="google-bert/bert-base-uncased", pooling="mean", unit_length=False, prefix="", max_tokens=512,
    ),
    EncoderSpec(
        "clip-b32", "text", 512, _CLIP_LICENCE, 605, _CLIP_COMMIT, "hub",
        "Short English captions of pictures, in one space with the pictures of clip-b32.",
        id=_CLIP, pooling="projection", unit_length=False, prefix="", max_tokens=77,
    ),
    EncoderSpec(
        "siglip2-b16", "text", 768, "Apache-2.0", 1501, _SIGLIP_COMMIT, "hub",
        "Captions of pictures in many languages, in one space with the pictures of siglip2-b16.",
        id=_SIGLIP, pooling="projection", unit_length=False, prefix="", max_tokens=64,
    ),
    EncoderSpec(
        "clap", "text", 512, "Apache-2.0", 614, _CLAP_COMMIT, "hub",
        "English descriptions of sounds, in one space with the sounds of clap.",
        id=_CLAP, pooling="projection", unit_length=False, prefix="", max_tokens=512,
    ),
    EncoderSpec(
        "clip-b32", "picture", 512, _CLIP_LICENCE, 605, _CLIP_COMMIT, "hub",
        "Pictures with captions: what they show, as people would name it.",
        id=_CLIP, pooling="projection",
    ),
    EncoderSpec(
        "siglip2-b16", "picture", 768, "Apache-2.0", 1501, _SIGLIP_COMMIT, "hub",
        "Pictures with captions in many languages; a large download.",
        id=_SIGLIP, pooling="projection",
    ),
    EncoderSpec(
        "dinov2-small", "picture", 384, "Apache-2.0", 88, "ed25f3a31f01632728cabb09d1542f84ab7b0056", "hub",
        "What pictures look like, learned without any text: shapes, materials, look-alikes.",
        id="facebook/dinov2-small", pooling="cls",
    ),
    EncoderSpec(
        "vit-b16", "picture", 768, "Apache-2.0", 346, "b4569560a39a0f1af58e3ddaf17facf20ab919b0", "hub",
        "Photographs of things, learned from 21,000 categories.",
        id="google/vit-base-patch16-224-in21k", pooling="cls",
    ),
    EncoderSpec(
        "whisper-base", "sound", 512, "Apache-2.0", 290, "e37978b90ca9030d5170a5c07aadb050351a65bb", "hub",
        "Speech in about a hundred languages.",
        id="openai/whisper-base", pooling="mean",
    ),
    EncoderSpec(
        "wav2vec2-base", "sound", 768, "Apache-2.0", 378, "22aad52d435eb6dbaf354bdad9b0da84ce7d6156", "hub",
        "English speech: which sounds are spoken.",
        id="facebook/wav2vec2-base-960h", pooling="mean",
    ),
    EncoderSpec(
        "hubert-large", "sound", 1024, "Apache-2.0", 1262, "ba42e7f7a888fd65f7af7849c452e3e7d5216aad", "hub",
        "English speech; a large network, for computers with a graphics card.",
        id="facebook/hubert-large-ls960-ft", pooling="mean",
    ),
    EncoderSpec(
        "clap", "sound", 512, "Apache-2.0", 614, _CLAP_COMMIT, "hub",
        "Noises, animals and music: what is heard, as people would name it.",
        id=_CLAP, pooling="projection",
    ),
)  # fmt: skip
