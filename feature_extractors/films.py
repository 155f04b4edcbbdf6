"""Reads video files safely into a few upright pictures, or says plainly why a file cannot be used."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from feature_extractors.checks import existing_file
from feature_extractors.contracts import ItemProblem

__all__ = ["FRAMES", "MAX_SECONDS", "USED_SECONDS", "read_film"]

FRAMES = 8
USED_SECONDS = 60
MAX_SECONDS = 600
_MAX_PIXELS = 10_000_000  # of a frame: 4K in the cinema has 8.8 million
_MAX_PACKETS = 10_000  # of the part that is used: 166 frames a second
_MAX_WORK = 20_000_000_000  # pixels decoded: a minute of 4K at 30 frames a second without a key frame has 15 billion
_OTHER = "save it as MP4 (H.264) or WebM, or leave the row out"
_DAMAGED = f"This video is damaged or cut off and no frame of it can be decoded; {_OTHER}."
# Closed lists: FFmpeg would try 350 formats, among them playlists that name other files and addresses.
_MOV = "mov,mp4,m4a,3gp,3g2,mj2"
_MOV_BOXES = (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot")
_PACKED = b"dcomzlib"  # how QuickTime marked a packed table of contents, twenty years ago
_CHUNK = 1 << 20
_DECODERS = ("h264", "hevc", "libdav1d", "vp8", "vp9", "mpeg4", "msmpeg4", "msmpeg4v2", "h263", "mjpeg", "mpeg1video",
             "mpeg2video", "prores", "ffv1", "rawvideo")  # fmt: skip


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
    demuxer = _demuxer(file)
    try:
        with file.open("rb") as source:
            with _opened(source, demuxer) as container:
                plan = _plan(container)
            with _opened(source, demuxer) as container:
                yield from _pictures(container, plan)
    except ItemProblem:
        raise
    except Exception as error:
        raise ItemProblem(_DAMAGED) from _system_cause(error)


def _system_cause(error: Exception) -> Exception | None:
    """Whatever failed beneath the decoder. The numbers of FFmpeg's own errors are not the system's."""
    import av

    return error if isinstance(error, MemoryError) or not isinstance(error, av.FFmpegError) else None


def _demuxer(file: Path) -> str:
    """Decide by the first bytes alone how a file is to be read."""
    with file.open("rb") as stream:
        start = stream.read(12)
    if start[4:8] in _MOV_BOXES:
        _check_unpacked(file)
        return _MOV
    if start.startswith(b"\x1aE\xdf\xa3"):
        return "matroska,webm"
    if start.startswith(b"RIFF") and start.endswith(b"AVI "):
        return "avi"
    raise ItemProblem(f"This file is not an MP4, MOV, WebM, MKV or AVI video, whatever its name says; {_OTHER}.")


def _check_unpacked(file: Path) -> None:
    """Refuse what FFmpeg would unpack without a limit: half a megabyte can become a gigabyte."""
    end = b""
    with file.open("rb") as stream:
        while chunk := stream.read(_CHUNK):
            if _PACKED in end + chunk:
                raise ItemProblem(f"The table of contents of this video is packed, which is not read here; {_OTHER}.")
            end = chunk[-len(_PACKED) :]


def _opened(source: BinaryIO, demuxer: str) -> Any:
    """Open a film from its first byte, so that nothing but this one file can be read."""
    import av

    source.seek(0)
    decoding = {"max_pixels": str(_MAX_PIXELS), "threads": "1", "codec_whitelist": ",".join(_DECODERS)}
    options = decoding | {"format_whitelist": demuxer, "protocol_whitelist": "none", "enable_drefs": "0"}
    container = av.open(
        source, "r", format=demuxer, options=options, metadata_errors="replace", io_open=_refuse_other_files
    )
    for stream in container.streams.video:
        if stream.codec_context is not None:
            stream.codec_context.options = decoding
    return container


def _refuse_other_files(url: str, flags: int, options: dict[str, str]) -> None:
    raise PermissionError("A video may not name other files.")


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
    track = _track(container)
    _check(container, track)
    moments, opens, shown = _packets(container, track)
    if not shown.any():
        raise ItemProblem(f"This video holds no frames of its own; {_OTHER}.")
    wanted = _spread(np.sort(moments[shown]))
    return _Plan(_needed(moments, opens, np.flatnonzero(shown & np.isin(moments, wanted))), tuple(wanted.tolist()))


def _track(container: Any) -> Any:
    from av.stream import Discard, Disposition

    tracks = [track for track in container.streams.video if not track.disposition & Disposition.attached_pic]
    if not tracks:
        raise ItemProblem("This video has no picture track; bring it as a sound, or leave the row out.")
    for other in container.streams:
        other.discard = Discard.default if other is tracks[0] else Discard.all
    return tracks[0]


def _check(container: Any, track: Any) -> None:
    """Refuse by the header alone, before anything is decoded."""
    coding = track.codec_context.name if track.codec_context else "something unknown"
    if coding not in _DECODERS:
        raise ItemProblem(f"This video is coded as {coding}, which is not read here; {_OTHER}.")
    if not 0 < track.codec_context.width * track.codec_context.height <= _MAX_PIXELS:  # 0: the decoder has refused it
        size = f"over {_MAX_PIXELS // 1_000_000} million pixels, or no known size"
        raise ItemProblem(f"The frames of this video have {size}; save it smaller, or leave the row out.")
    if (container.duration or 0) > MAX_SECONDS * 1_000_000:
        raise ItemProblem(f"This video is longer than {MAX_SECONDS // 60} minutes; cut it, or leave the row out.")


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
                raise ItemProblem(f"This video has over {_MAX_PACKETS:,} frames in its first minute; {_OTHER}.")
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
    track = _track(container)
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
