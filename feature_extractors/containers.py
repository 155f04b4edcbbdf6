"""Opens video files so that nothing but the file itself can be read, and refuses what its header gives away."""

from __future__ import annotations

from pathlib import Path
from typing import Any, BinaryIO

from feature_extractors.contracts import ItemProblem

__all__ = ["INSTEAD", "MAX_SECONDS", "demuxer_of", "opened", "picture_track"]

INSTEAD = "save it as MP4 (H.264) or WebM, or leave the row out"
MAX_SECONDS = 600
_MAX_PIXELS = 10_000_000  # of a frame: 4K in the cinema has 8.8 million
# Closed lists: FFmpeg would try 350 formats, among them playlists that name other files and addresses.
_MOV = "mov,mp4,m4a,3gp,3g2,mj2"
_MOV_BOXES = (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot")
_PACKED = b"dcomzlib"  # how QuickTime marked a packed table of contents, twenty years ago
_CHUNK = 1 << 20
_DECODERS = ("h264", "hevc", "libdav1d", "vp8", "vp9", "mpeg4", "msmpeg4", "msmpeg4v2", "h263", "mjpeg", "mpeg1video",
             "mpeg2video", "prores", "ffv1", "rawvideo")  # fmt: skip


def demuxer_of(file: Path) -> str:
    """Decide by the first bytes alone how a file is to be read.

    Parameters
    ----------
    file : Path
        Whatever its name says.

    Returns
    -------
    str
        FFmpeg's name of the format.

    Raises
    ------
    ItemProblem
        If it begins like none of the formats read here, or has a packed table of contents.
    """
    with file.open("rb") as stream:
        start = stream.read(12)
    if start[4:8] in _MOV_BOXES:
        _check_unpacked(file)
        return _MOV
    if start.startswith(b"\x1aE\xdf\xa3"):
        return "matroska,webm"
    if start.startswith(b"RIFF") and start.endswith(b"AVI "):
        return "avi"
    raise ItemProblem(f"This file is not an MP4, MOV, WebM, MKV or AVI video, whatever its name says; {INSTEAD}.")


def _check_unpacked(file: Path) -> None:
    """Refuse what FFmpeg would unpack without a limit: half a megabyte can become a gigabyte."""
    end = b""
    with file.open("rb") as stream:
        while chunk := stream.read(_CHUNK):
            if _PACKED in end + chunk:
                raise ItemProblem(f"The table of contents of this video is packed, which is not read here; {INSTEAD}.")
            end = chunk[-len(_PACKED) :]


def opened(source: BinaryIO, demuxer: str) -> Any:
    """Open a film from its first byte, so that nothing but this one file can be read.

    Parameters
    ----------
    source : file object
        Of bytes.
    demuxer : str
        As `demuxer_of` says.

    Returns
    -------
    av.container.InputContainer
        To be closed by the caller.
    """
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


def picture_track(container: Any) -> Any:
    """Choose the first picture track; the others are not even read.

    Parameters
    ----------
    container : av.container.InputContainer
        An opened film.

    Returns
    -------
    av.video.stream.VideoStream
        Of a coding and a size that are read here.

    Raises
    ------
    ItemProblem
        If there is none, or the header says that the film is too long.
    """
    from av.stream import Discard, Disposition

    tracks = [track for track in container.streams.video if not track.disposition & Disposition.attached_pic]
    if not tracks:
        raise ItemProblem("This video has no picture track; bring it as a sound, or leave the row out.")
    for other in container.streams:
        other.discard = Discard.default if other is tracks[0] else Discard.all
    _check(container, tracks[0])
    return tracks[0]


def _check(container: Any, track: Any) -> None:
    """Refuse by the header alone, before anything is decoded."""
    coding = track.codec_context.name if track.codec_context else "something unknown"
    if coding not in _DECODERS:
        raise ItemProblem(f"This video is coded as {coding}, which is not read here; {INSTEAD}.")
    if not 0 < track.codec_context.width * track.codec_context.height <= _MAX_PIXELS:  # 0: the decoder has refused it
        size = f"over {_MAX_PIXELS // 1_000_000} million pixels, or no known size"
        raise ItemProblem(f"The frames of this video have {size}; save it smaller, or leave the row out.")
    if (container.duration or 0) > MAX_SECONDS * 1_000_000:
        raise ItemProblem(f"This video is longer than {MAX_SECONDS // 60} minutes; cut it, or leave the row out.")
