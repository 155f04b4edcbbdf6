"""What transformers itself says of one item, without batches, padding or windows beyond what a network demands.

Each function takes the folder of a model and one item and gives (row, states): the features, and the states of the
real tokens. Nothing of `feature_extractors` is used.
"""

from __future__ import annotations

import numpy as np
import soundfile
import torch
import transformers
from PIL import Image


def _unit(row):
    return row / row.norm()


def _text(folder, text: str, model_class, limit: int, **kwargs):
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    ids = tokenizer(text, truncation=True, max_length=limit, return_tensors="pt", **kwargs)
    return getattr(transformers, model_class).from_pretrained(folder).eval(), ids


def mean_text(folder, text):
    model, ids = _text(folder, text, "BertModel", 24)
    states = model(**ids).last_hidden_state[0]
    return states.mean(0), states


def e5_text(folder, text):
    row, states = mean_text(folder, text)
    return _unit(row), states


def bge_text(folder, text):
    model, ids = _text(folder, text, "BertModel", 24)
    states = model(**ids).last_hidden_state[0]
    return _unit(states[0]), states


def clip_text(folder, text):
    model, ids = _text(folder, text, "CLIPModel", 20)
    out = model.text_model(**ids)
    return model.text_projection(out.pooler_output)[0], out.last_hidden_state[0]


def siglip_text(folder, text, model_class="SiglipModel"):
    """Small letters, padded to 16 tokens that are all read; the real ones are kept."""
    tokenizer = transformers.GemmaTokenizer.from_pretrained(folder)
    real = tokenizer(text.lower(), truncation=True, max_length=16)["input_ids"]
    ids = torch.tensor([real + [tokenizer.pad_token_id] * (16 - len(real))])
    out = getattr(transformers, model_class).from_pretrained(folder).eval().text_model(input_ids=ids)
    return out.pooler_output[0], out.last_hidden_state[0, : len(real)]


def naflex_text(folder, text):
    return siglip_text(folder, text, "Siglip2Model")


def clap_text(folder, text):
    model, ids = _text(folder, text, "ClapModel", 24)
    out = model.text_model(**ids)
    return _unit(model.text_projection(out.pooler_output)[0]), out.last_hidden_state[0]


def _pixels(folder, path, **kwargs):
    processor = transformers.AutoImageProcessor.from_pretrained(folder)
    return processor(images=Image.open(path).convert("RGB"), return_tensors="pt", **kwargs)


def clip_picture(folder, path):
    model = transformers.CLIPModel.from_pretrained(folder).eval()
    out = model.vision_model(**_pixels(folder, path))
    return model.visual_projection(out.pooler_output)[0], out.last_hidden_state[0]


def siglip_picture(folder, path):
    out = transformers.SiglipModel.from_pretrained(folder).eval().vision_model(**_pixels(folder, path))
    return out.pooler_output[0], out.last_hidden_state[0]


def naflex_picture(folder, path):
    inputs = _pixels(folder, path)
    out = transformers.Siglip2Model.from_pretrained(folder).eval().get_image_features(**inputs)
    return out.pooler_output[0], out.last_hidden_state[0, : int(inputs["pixel_attention_mask"].sum())]


def dinov2_picture(folder, path):
    out = transformers.Dinov2Model.from_pretrained(folder).eval()(**_pixels(folder, path))
    return out.last_hidden_state[0, 0], out.last_hidden_state[0]


def vit_picture(folder, path):
    model = transformers.ViTModel.from_pretrained(folder, add_pooling_layer=False).eval()
    states = model(**_pixels(folder, path)).last_hidden_state[0]
    return states[0], states


def _wave(path):
    return soundfile.read(path, dtype="float32")


def _windowed(wave, size, one):
    """Rows of windows by the number of their real states, and all these states."""
    done = [one(wave[start : start + size]) for start in range(0, len(wave), size)]
    states = torch.cat([states for _, states in done])
    return sum(row * len(part) / len(states) for row, part in done), states


def whisper_sound(folder, path):
    processor = transformers.WhisperFeatureExtractor.from_pretrained(folder)
    model = transformers.WhisperModel.from_pretrained(folder).eval()

    def one(part):
        mels = processor(part, sampling_rate=16_000, return_tensors="pt").input_features
        states = model.encoder(mels).last_hidden_state[0, : int(np.ceil(len(part) / 320))]
        return states.mean(0), states

    return _windowed(_wave(path)[0], 32_000, one)


def _waves_sound(folder, path, model_class):
    model = getattr(transformers, model_class).from_pretrained(folder).eval()
    processor = transformers.Wav2Vec2FeatureExtractor.from_pretrained(folder)
    wave, rate = _wave(path)
    wave = np.pad(wave, (0, max(0, 45 - len(wave))))  # 45 samples make the first frame: (8 - 1) * 5 + 10
    states = model(processor(wave, sampling_rate=rate, return_tensors="pt").input_values).last_hidden_state[0]
    return states.mean(0), states


def wav2vec2_sound(folder, path):
    return _waves_sound(folder, path, "Wav2Vec2Model")


def hubert_sound(folder, path):
    return _waves_sound(folder, path, "HubertModel")


def clap_sound(folder, path):
    model = transformers.ClapModel.from_pretrained(folder).eval()
    processor = transformers.ClapFeatureExtractor.from_pretrained(folder)

    def one(part):
        out = model.audio_model(**processor(part, sampling_rate=8000, return_tensors="pt"))
        times = out.last_hidden_state[0].permute(2, 1, 0)[: int(np.ceil(len(part) / 16_000 * 32))]
        return _unit(model.audio_projection(out.pooler_output)[0]), times.flatten(0, 1)

    return _windowed(_wave(path)[0], 16_000, one)


FORWARDS = {
    ("minilm-l12-multi", "text"): mean_text,
    ("e5-small-multi", "text"): e5_text,
    ("bge-small", "text"): bge_text,
    ("bert-base", "text"): mean_text,
    ("clip-b32", "text"): clip_text,
    ("siglip2-b16", "text"): siglip_text,
    ("clap", "text"): clap_text,
    ("clip-b32", "picture"): clip_picture,
    ("siglip2-b16", "picture"): siglip_picture,
    ("dinov2-small", "picture"): dinov2_picture,
    ("vit-b16", "picture"): vit_picture,
    ("whisper-base", "sound"): whisper_sound,
    ("wav2vec2-base", "sound"): wav2vec2_sound,
    ("hubert-large", "sound"): hubert_sound,
    ("clap", "sound"): clap_sound,
    ("siglip2 naflex", "text"): naflex_text,
    ("siglip2 naflex", "picture"): naflex_picture,
    ("wav2vec2 layer", "sound"): wav2vec2_sound,
}


def plain(name: str, kind: str, folder, item) -> tuple[np.ndarray, np.ndarray]:
    with torch.inference_mode():
        row, states = FORWARDS[name, kind](folder, item)
    return row.numpy(), states.numpy()
