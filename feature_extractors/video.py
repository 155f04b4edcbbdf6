"""Video encoders: any picture encoder, on a few frames of each film."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from feature_extractors.batching import chunks, encode_in_batches
from feature_extractors.checks import check_sequence
from feature_extractors.containers import MAX_SECONDS
from feature_extractors.contracts import EncodedItems, EncodedTokens, EncoderSpec, Progress, collect_tokens
from feature_extractors.films import FRAMES, USED_SECONDS, read_film
from feature_extractors.image import PictureEncoder
from feature_extractors.weights import versions

__all__ = ["WHEN_TO_USE", "VideoEncoder", "on_frames"]

WHEN_TO_USE = (
    f"Short videos: {FRAMES} frames of the first minute, each looked at as a picture; sound and motion are not."
)


class VideoEncoder:
    """The mean of a picture encoder's features over evenly spread frames of the first minute.

    Parameters
    ----------
    spec : EncoderSpec
        Its entry.
    pictures : PictureEncoder
        What looks at the frames.
    """

    def __init__(self, spec: EncoderSpec, pictures: PictureEncoder):
        self.spec = spec
        sampling = f"frames={FRAMES} first={USED_SECONDS}s cap={MAX_SECONDS}s"
        self.fingerprint = f"video/1 {sampling} {versions('av')} of {pictures.fingerprint}"
        self._pictures = pictures

    def encode(self, items: Sequence[Path], progress: Progress | None = None) -> EncodedItems:
        """Encode video files; one that cannot be read becomes a problem.

        Parameters
        ----------
        items : sequence of Path
            MP4, MOV, WebM, MKV or AVI files.
        progress : callable, optional
            Called with (done, total).

        Returns
        -------
        EncodedItems
            With `features` of shape (n_kept, d).
        """
        paths = check_sequence(items, "video files")
        return encode_in_batches(
            paths, chunks(range(len(paths)), 1), self._read, self._forward, self.spec.width, progress
        )

    def encode_tokens(self, items: Sequence[Path], progress: Progress | None = None) -> EncodedTokens:
        """Give the features of every frame, in the order of time; a film that cannot be read becomes a problem.

        Parameters
        ----------
        items : sequence of Path
            As for `encode`.
        progress : callable, optional
            Called with (done, total).

        Returns
        -------
        EncodedTokens
            With `states` of shape (n_frames, d).
        """
        paths = check_sequence(items, "video files")
        each = lambda films: [np.stack(self._pictures.forward(frames)) for frames in films]
        return encode_in_batches(paths, chunks(range(len(paths)), 1), self._read, each, None, progress, collect_tokens)

    def _read(self, path: Path) -> list[dict]:
        return [self._pictures.prepare(frame) for frame in read_film(path)]

    def _forward(self, films: list[list[dict]]) -> np.ndarray:
        return np.stack([np.mean(self._pictures.forward(frames), axis=0) for frames in films])


def on_frames(
    load: Callable[[EncoderSpec, str], PictureEncoder],
) -> Callable[[EncoderSpec, str], VideoEncoder]:
    """Turn what loads a picture encoder into what loads a video encoder.

    Parameters
    ----------
    load : callable
        Entry and device to a picture encoder.

    Returns
    -------
    callable
        Entry and device to a video encoder.
    """
    return lambda spec, device: VideoEncoder(spec, load(replace(spec, kind="picture"), device))
