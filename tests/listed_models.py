"""Tiny random models of every architecture that is listed, saved with the files that the real ones have."""

from __future__ import annotations

import json
import string
from pathlib import Path

import tiny_models

SMALL = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 32}
RATE = 8000


def lively(model, scale: float = 0.1, seed: int = 0):
    """Weights far enough from zero that a mistake of pooling or masking shows."""
    import torch

    torch.manual_seed(seed)
    with torch.no_grad():
        for weights in model.parameters():
            weights += scale * torch.randn_like(weights)
    return model.eval()


# --- text ---------------------------------------------------------------------------------------------------


def _bert(folder: Path, model_class: str = "BertModel") -> Path:
    import transformers

    config = transformers.BertConfig(vocab_size=100, max_position_embeddings=24, **SMALL)
    lively(getattr(transformers, model_class)(config), scale=0.3).save_pretrained(folder)
    return folder


def _word_pieces(folder: Path) -> None:
    from transformers import BertTokenizer

    vocabulary = {word: i for i, word in enumerate(tiny_models.WORDS)}
    BertTokenizer(vocab=vocabulary, model_max_length=24).save_pretrained(folder)


def _unigrams(folder: Path) -> None:
    from transformers import XLMRobertaTokenizer

    letters = [(letter, -2.0) for letter in "▁:" + string.ascii_letters]
    vocabulary = [("<s>", 0.0), ("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0), *letters, ("<mask>", 0.0)]
    XLMRobertaTokenizer(vocab=vocabulary, model_max_length=24).save_pretrained(folder)


def declare(folder: Path, pooling: str, unit_length: bool, max_tokens: int = 24, **prompts) -> None:
    """The files that sentence-transformers puts beside a model."""
    modules = ["Transformer", "Pooling", *(["Normalize"] if unit_length else [])]
    listed = [{"path": f"{i}_{m}" if i else "", "type": f"sentence_transformers.models.{m}"}
              for i, m in enumerate(modules)]  # fmt: skip
    (folder / "modules.json").write_text(json.dumps(listed), encoding="utf-8")
    (folder / "1_Pooling").mkdir()
    (folder / "1_Pooling" / "config.json").write_text(json.dumps({f"pooling_mode_{pooling}": True}), encoding="utf-8")
    limit = json.dumps({"max_seq_length": max_tokens})
    (folder / "sentence_bert_config.json").write_text(limit, encoding="utf-8")
    (folder / "config_sentence_transformers.json").write_text(json.dumps(prompts), encoding="utf-8")


def minilm(folder: Path) -> None:
    _unigrams(_bert(folder))
    declare(folder, "mean_tokens", False)


def e5(folder: Path) -> None:
    _unigrams(_bert(folder))
    declare(folder, "mean_tokens", True)


def bge(folder: Path) -> None:
    _word_pieces(_bert(folder))
    declare(folder, "cls_token", True)


def bert(folder: Path) -> None:
    _word_pieces(_bert(folder, "BertForMaskedLM"))


# --- pictures, and pictures with text -----------------------------------------------------------------------


def clip(folder: Path) -> None:
    from transformers import CLIPConfig, CLIPImageProcessor, CLIPModel, CLIPTokenizer

    letters = [*string.ascii_lowercase, *(f"{letter}</w>" for letter in string.ascii_lowercase)]
    vocabulary = {word: i for i, word in enumerate([*letters, "<|startoftext|>", "<|endoftext|>"])}
    ends = {"bos_token_id": len(vocabulary) - 2, "eos_token_id": len(vocabulary) - 1}
    text = SMALL | ends | {"vocab_size": len(vocabulary), "max_position_embeddings": 20, "pad_token_id": None}
    vision = SMALL | {"image_size": 32, "patch_size": 8}
    lively(CLIPModel(CLIPConfig(text_config=text, vision_config=vision, projection_dim=12))).save_pretrained(folder)
    CLIPTokenizer(vocab=vocabulary, merges=[], model_max_length=20).save_pretrained(folder)
    CLIPImageProcessor(size={"shortest_edge": 32}, crop_size={"height": 32, "width": 32}).save_pretrained(folder)


def _gemma(folder: Path) -> None:
    from transformers import GemmaTokenizer

    specials = ["<pad>", "<eos>", "<bos>", "<unk>", "<mask>"]
    vocabulary = {word: i for i, word in enumerate([*specials, "▁", *string.ascii_letters])}
    tokenizer = GemmaTokenizer(vocab=vocabulary, merges=[], add_bos_token=False, add_eos_token=True)
    tokenizer.padding_side = "right"
    tokenizer.save_pretrained(folder)


_SIGLIP_TEXT = SMALL | {"vocab_size": 100, "max_position_embeddings": 16, "projection_size": 16}


def siglip(folder: Path) -> None:
    """SigLIP 2 for pictures of one size: SigLIP's network with Gemma's tokenizer."""
    from transformers import SiglipConfig, SiglipImageProcessor, SiglipModel

    config = SiglipConfig(text_config=_SIGLIP_TEXT, vision_config=SMALL | {"image_size": 32, "patch_size": 8})
    lively(SiglipModel(config)).save_pretrained(folder)
    _gemma(folder)
    SiglipImageProcessor(size={"height": 32, "width": 32}).save_pretrained(folder)


def naflex(folder: Path) -> None:
    """SigLIP 2 for pictures of any shape."""
    from transformers import Siglip2Config, Siglip2ImageProcessor, Siglip2Model

    config = Siglip2Config(text_config=_SIGLIP_TEXT, vision_config=SMALL | {"num_patches": 16, "patch_size": 8})
    lively(Siglip2Model(config)).save_pretrained(folder)
    _gemma(folder)
    Siglip2ImageProcessor(patch_size=8, max_num_patches=16).save_pretrained(folder)


def dinov2(folder: Path) -> None:
    from transformers import BitImageProcessor, Dinov2Config, Dinov2Model

    config = Dinov2Config(hidden_size=16, num_hidden_layers=2, num_attention_heads=2, image_size=32, patch_size=8)
    lively(Dinov2Model(config)).save_pretrained(folder)
    sizes = {"size": {"shortest_edge": 40}, "crop_size": {"height": 32, "width": 32}}
    BitImageProcessor(**sizes).save_pretrained(folder)


def vit(folder: Path) -> None:
    from transformers import ViTConfig, ViTForImageClassification, ViTImageProcessor

    config = ViTConfig(image_size=32, patch_size=8, **SMALL)
    lively(ViTForImageClassification(config)).save_pretrained(folder)
    ViTImageProcessor(size={"height": 32, "width": 32}).save_pretrained(folder)


# --- sounds, and sounds with text ---------------------------------------------------------------------------


def whisper(folder: Path) -> None:
    from transformers import WhisperConfig, WhisperFeatureExtractor, WhisperForConditionalGeneration

    sizes = {"d_model": 16, "encoder_layers": 2, "encoder_attention_heads": 2, "encoder_ffn_dim": 32}
    sizes |= {"decoder_layers": 1, "decoder_attention_heads": 2, "decoder_ffn_dim": 32, "vocab_size": 20}
    ids = dict.fromkeys(("pad_token_id", "bos_token_id", "eos_token_id", "decoder_start_token_id"), 1)
    config = WhisperConfig(num_mel_bins=8, max_source_positions=100, max_target_positions=10, **sizes, **ids)
    lively(WhisperForConditionalGeneration(config)).save_pretrained(folder)
    WhisperFeatureExtractor(feature_size=8, sampling_rate=16_000, chunk_length=2).save_pretrained(folder)


def _waves(folder: Path, name: str, norm: str) -> None:
    import transformers

    layers = {"conv_dim": (8, 8), "conv_stride": (5, 4), "conv_kernel": (10, 8), "num_feat_extract_layers": 2}
    position = {"num_conv_pos_embeddings": 16, "num_conv_pos_embedding_groups": 2}
    stable = {"feat_extract_norm": norm, "do_stable_layer_norm": norm == "layer", "conv_bias": norm == "layer"}
    config = getattr(transformers, f"{name}Config")(vocab_size=20, **SMALL, **layers, **position, **stable)
    lively(getattr(transformers, f"{name}ForCTC")(config)).save_pretrained(folder)
    masked = norm == "layer"
    transformers.Wav2Vec2FeatureExtractor(sampling_rate=RATE, return_attention_mask=masked).save_pretrained(folder)


def wav2vec2(folder: Path) -> None:
    _waves(folder, "Wav2Vec2", "group")


def wav2vec2_layer(folder: Path) -> None:
    _waves(folder, "Wav2Vec2", "layer")


def hubert(folder: Path) -> None:
    _waves(folder, "Hubert", "layer")


def clap(folder: Path) -> None:
    from tokenizers.pre_tokenizers import ByteLevel
    from transformers import ClapConfig, ClapFeatureExtractor, ClapModel, RobertaTokenizer

    letters = sorted(ByteLevel.alphabet())
    vocabulary = {word: i for i, word in enumerate(["<s>", "<pad>", "</s>", "<unk>", *letters, "<mask>"])}
    text = SMALL | {"vocab_size": len(vocabulary), "max_position_embeddings": 26, "projection_dim": 12}
    audio = {"num_mel_bins": 16, "spec_size": 64, "window_size": 4, "patch_embeds_hidden_size": 8, "hidden_size": 16}
    audio |= {"depths": [1, 1], "num_attention_heads": [2, 2], "projection_dim": 12}
    lively(ClapModel(ClapConfig(text_config=text, audio_config=audio, projection_dim=12)), scale=0.5).save_pretrained(
        folder
    )
    RobertaTokenizer(vocab=vocabulary, merges=[], model_max_length=24).save_pretrained(folder)
    ears = {"feature_size": 16, "sampling_rate": RATE, "hop_length": 80, "max_length_s": 2, "fft_window_size": 256}
    ClapFeatureExtractor(**ears, frequency_max=4000, truncation="rand_trunc").save_pretrained(folder)


BUILDERS = {
    "minilm-l12-multi": minilm,
    "e5-small-multi": e5,
    "bge-small": bge,
    "bert-base": bert,
    "clip-b32": clip,
    "siglip2-b16": siglip,
    "clap": clap,
    "dinov2-small": dinov2,
    "vit-b16": vit,
    "whisper-base": whisper,
    "wav2vec2-base": wav2vec2,
    "hubert-large": hubert,
    # Not listed themselves, of the same families.
    "siglip2 naflex": naflex,
    "wav2vec2 layer": wav2vec2_layer,
}
