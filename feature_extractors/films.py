"""Reads video files safely into a few upright pictures, or says plainly why a file cannot be used."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from feature_extractors.checks import existing_file
from feature_extractors.containers import INSTEAD, demuxer_of, opened, picture_track
from feature_extractors.contracts import ItemProblem

__all__ = ["FRAMES", "USED_SECONDS", "read_film"]

FRAMES = 8
USED_SECONDS = 60
_MAX_PACKETS = 10_000  # of the part that is used: 166 frames a second
_MAX_WORK = 20_000_000_000  # pixels decoded: a minute of 4K at 30 frames a second without a key frame has 15 billion
_DAMAGED = f"This video is damaged or cut off and no frame of it can be decoded; {INSTEAD}."


def read_film(path: Any) -> Iterator[Any]:
    """Decode the frames on show at evenly spread moments of the first minute, and turn them upright.

    What is damaged is passed over: where the frame of a moment cannot be decoded, the one before it is taken. A film
    that was cut off counts as far as it goes.

    Parameters
    ----------
    path : Path
        An MP4, MOV, WebM, MKV or AVI file.

    Yields
    ------
    PIL.Image.Image
        In mode RGB: `FRAMES` of them, in order, the same one again where the film has fewer.

    Raises
    ------
    ItemProblem
        If the file is missing, damaged, too long, too large, without pictures or not a video.
    """
    file = existing_file(path, "video")
    try:
        demuxer = demuxer_of(file)
        with file.open("rb") as source:
            with opened(source, demuxer) as container:
                plan = _plan(container)
            with opened(source, demuxer) as container:
                yield from _pictures(container, plan)
    except ItemProblem:
        raise
    except Exception as error:
        raise ItemProblem(_DAMAGED) from _system_cause(error)


def _system_cause(error: Exception) -> Exception | None:
    """Whatever failed beneath the decoder. The numbers of FFmpeg's own errors are not the system's."""
    import av

    return error if isinstance(error, MemoryError) or not isinstance(error, av.FFmpegError) else None


@dataclass(frozen=True)
class _Plan:
    """Which packets of the picture track are to be decoded, and when the frames wanted are on show.

    Parameters
    ----------
    needed : ndarray of shape (n_packets,), bool
        In the order of the file.
    moments : tuple of int
        Ascending, in the track's own unit of time; `FRAMES` of them.
    """

    needed: np.ndarray
    moments: tuple[int, ...]


def _plan(container: Any) -> _Plan:
    track = picture_track(container)
    moments, opens, shown = _packets(container, track)
    if not shown.any():
        raise ItemProblem(f"This video holds no frames of its own; {INSTEAD}.")
    wanted = _spread(np.sort(moments[shown]))
    return _Plan(_needed(moments, opens, np.flatnonzero(shown & np.isin(moments, wanted))), tuple(wanted.tolist()))


def _moment(timed: Any) -> int | None:
    """When a packet or a frame is on show; where only the order of decoding is told, that."""
    return timed.dts if timed.pts is None else timed.pts


def _packets(container: Any, track: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Moment of each packet of the part that is used, whether decoding may begin there, whether it is on show."""
    import av

    rows: list[tuple[int, bool, bool]] = []
    first, most = None, int(USED_SECONDS / track.time_base)
    try:
        for packet in container.demux(track):
            now = _moment(packet)
            if now is None or packet.size == 0:
                continue
            first = now if first is None else first
            if not -most < now - first < most:  # the rest of a long film, or times that jump
                break
            rows.append((now, packet.is_keyframe, not (packet.is_discard or packet.is_corrupt)))
            if len(rows) > _MAX_PACKETS:
                raise ItemProblem(f"This video has over {_MAX_PACKETS:,} frames in its first minute; {INSTEAD}.")
    except av.FFmpegError:  # damaged from here on
        pass
    moments, opens, shown = zip(*rows, strict=True) if rows else ((), (), ())
    return np.array(moments, np.int64), np.array(opens, bool), np.array(shown, bool)


def _spread(shown: np.ndarray) -> np.ndarray:
    """Choose the frames on show in the middle of each of `FRAMES` equal parts of the film.

    Parameters
    ----------
    shown : ndarray of shape (n,), int64
        When each frame appears, ascending.

    Returns
    -------
    ndarray of shape (FRAMES,), int64
        When the chosen ones appear.
    """
    last = float(np.median(np.diff(shown))) if len(shown) > 1 else 1.0
    length = float(shown[-1] - shown[0]) + last
    middles = shown[0] + length * (np.arange(FRAMES) + 0.5) / FRAMES
    return shown[np.searchsorted(shown, middles, side="right") - 1]


def _needed(moments: np.ndarray, opens: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """Mark the packets from which frames are decoded: each from the key frame before it."""
    needed = np.zeros(len(moments), bool)
    starts = np.flatnonzero(opens)
    for position in wanted.tolist():
        # A frame shown before its key frame leans on the key frame before that one, too.
        before = starts[(starts <= position) & (moments[starts] <= moments[position])]
        needed[before[-1] if len(before) else 0 : position + 1] = True
    return needed


def _pictures(container: Any, plan: _Plan) -> Iterator[Any]:
    found = False
    for frame in _on_show(_frames(container, plan.needed), plan.moments):
        found = True
        yield _upright(frame)
    if not found:
        raise ItemProblem(_DAMAGED)


def _frames(container: Any, needed: np.ndarray) -> Iterator[Any]:
    """Decode the needed packets; a run of them ends with what the decoder still holds back."""
    track = picture_track(container)
    decoder, work, running = track.codec_context, 0, False
    packets = (packet for packet in container.demux(track) if _moment(packet) is not None and packet.size)
    for packet, wanted in zip(packets, needed.tolist(), strict=False):
        if wanted:
            work += decoder.width * decoder.height
            if work > _MAX_WORK:
                raise ItemProblem("This video takes too long to decode; save it with smaller frames, or leave it out.")
            yield from _decoded(decoder, packet)
        elif running:
            yield from _drained(decoder)
        running = wanted
    yield from _drained(decoder)


def _drained(decoder: Any) -> Iterator[Any]:
    yield from _decoded(decoder, None)
    decoder.flush_buffers()


def _decoded(decoder: Any, packet: Any) -> list[Any]:
    import av

    try:
        frames = decoder.decode(packet)
    except av.FFmpegError:  # damaged here, perhaps not further on
        return []
    return [frame for frame in frames if not frame.is_corrupt and _moment(frame) is not None]


def _on_show(frames: Iterable[Any], moments: Iterable[int]) -> Iterator[Any]:
    """For each moment, the last frame that is not later; the first one, where all are."""
    waiting, last = deque(moments), None
    for frame in frames:
        now = _moment(frame)
        while waiting and last is not None and waiting[0] < now:
            waiting.popleft()
            yield last
        while waiting and waiting[0] == now:
            waiting.popleft()
            yield frame
        if not waiting:
            return
        last = frame
    if last is not None:
        yield from [last] * len(waiting)


def _upright(frame: Any) -> Any:
    from PIL import Image

    turns = {1: Image.Transpose.ROTATE_90, 2: Image.Transpose.ROTATE_180, 3: Image.Transpose.ROTATE_270}
    picture = frame.to_image(threads=1)
    turn = turns.get(round(frame.rotation / 90) % 4)
    return picture if turn is None else picture.transpose(turn)
