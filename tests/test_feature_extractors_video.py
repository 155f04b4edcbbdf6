"""Films that the tests make themselves: which frames are chosen, what is refused, and what the features are."""

from __future__ import annotations

import ctypes
import errno
import io
import os
import struct
from pathlib import Path

import av
import makers
import numpy as np
import pytest
import tiny_models
from PIL import Image

import feature_extractors as fx
from feature_extractors import films
from feature_extractors.contracts import ItemProblem
from feature_extractors.films import read_film

FIFTY = [3, 9, 15, 21, 28, 34, 40, 46]  # the frames on show at 1/16, 3/16, … of fifty


def shown(path: Path) -> list[int]:
    """Which of the numbered frames were read."""
    halves = np.array(
        [np.asarray(frame)[2:30].reshape(28, 2, 32, 3)[:, :, 2:30].mean((0, 2, 3)) for frame in read_film(path)]
    )
    digits = np.round(halves / 16).astype(int)
    assert np.abs(16 * digits - halves).max() < 6, "no frame is a mixture of two"
    return (digits @ [16, 1]).tolist()


def numbered(path: Path, n: int = 50, codec: str = "libx264", rate: int = 10, coding=None, **container: str) -> Path:
    return makers.film(path, makers.numbered_frames(n), codec, rate, coding, **container)


def refusal(path: Path) -> str:
    with pytest.raises(ItemProblem) as caught:
        list(read_film(path))
    assert str(caught.value).endswith(".") and not caught.value.passing
    return str(caught.value)


# --- which frames -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "codec", "coding", "container"),
    [
        ("a.mp4", "libx264", {}, {}),
        ("a.mov", "mpeg4", {"bf": "2", "b": "9000000"}, {}),
        ("a.mkv", "libx264", {"g": "7", "x264-params": "open-gop=1:bframes=3:b-adapt=0:scenecut=0"}, {}),
        ("a.webm", "libvpx", {"g": "5"}, {}),
        ("b.webm", "libvpx-vp9", {}, {}),
        ("a.avi", "mjpeg", {}, {}),
        ("b.avi", "mpeg4", {"g": "10", "b": "9000000"}, {}),
        ("pieces.mp4", "libx264", {"g": "10", "sc_threshold": "0"}, {"movflags": "frag_keyframe+empty_moov"}),
        ("h265.mp4", "libx265", {"x265-params": "log-level=none"}, {}),
    ],
)
def test_frames_are_spread_evenly_whatever_holds_them(tmp_path, name, codec, coding, container):
    assert shown(numbered(tmp_path / name, 50, codec, coding=coding, **container)) == FIFTY


@pytest.mark.parametrize(("n", "expected"), [(1, [0] * 8), (3, [0, 0, 0, 1, 1, 2, 2, 2]), (8, list(range(8)))])
def test_short_films_give_the_same_frames_again(tmp_path, n, expected):
    assert shown(numbered(tmp_path / "a.mp4", n)) == expected


def test_a_frame_counts_as_long_as_it_is_on_show(tmp_path):
    """Three slides of 1, 6 and 1 seconds; the last is as long as the median of the others."""
    with av.open(str(tmp_path / "a.mkv"), "w") as out:
        track = out.add_stream("libx264", rate=1)
        track.pix_fmt, track.width, track.height = "yuv420p", 64, 48
        for picture, second in zip(makers.numbered_frames(4), (0, 1, 7, 8), strict=True):
            frame = av.VideoFrame.from_ndarray(picture, "rgb24")
            frame.pts, frame.time_base = second, 1
            out.mux(track.encode(frame))
        out.mux(track.encode(None))
    assert shown(tmp_path / "a.mkv") == [0, 1, 1, 1, 1, 1, 2, 3]


def test_only_the_packets_that_are_needed_are_decoded(tmp_path, monkeypatch):
    """Key frames every 10 of 200: each of the 8 frames costs at most its own ten, and the end of them."""
    path = numbered(tmp_path / "a.mp4", 200, rate=25, coding={"g": "10", "bf": "0", "sc_threshold": "0"})
    sent = []
    really = films._decoded
    monkeypatch.setattr(films, "_decoded", lambda decoder, packet: sent.append(packet) or really(decoder, packet))
    assert shown(path) == [12, 37, 62, 87, 112, 137, 162, 187]
    assert len([packet for packet in sent if packet is not None]) == 8 * 8 - 4 * 5


def test_of_a_long_film_the_first_minute_is_used(tmp_path):
    path = numbered(tmp_path / "a.mp4", 200, rate=2, coding={"g": "20", "bf": "0"})
    assert shown(path) == [7, 22, 37, 52, 67, 82, 97, 112]  # of 120 frames


def test_a_film_of_an_hour_is_refused(tmp_path):
    assert "longer than 10 minutes" in refusal(_slowed(numbered(tmp_path / "b.avi", 60, "mjpeg")))


def _slowed(path: Path) -> Path:
    """Let each frame of an AVI last a minute, in both of its headers."""
    data = path.read_bytes()
    rate = data.index(b"strh") + 8 + 20
    lasting = struct.pack("<LL", 60, 1)
    data = data[:rate] + lasting + data[rate + 8 :]
    path.write_bytes(data)
    return path


def test_films_of_telephones_are_turned_upright(tmp_path):
    """The matrix that the standard (ISO 14496-12) gives for a quarter to the right: what was left is on top."""
    frame = np.zeros((48, 64, 3), np.uint8)
    frame[:, :32] = 255
    path = makers.film(tmp_path / "a.mp4", [frame] * 3)
    assert next(read_film(path)).size == (64, 48)
    data = path.read_bytes()
    straight = struct.pack(">9l", 1 << 16, 0, 0, 0, 1 << 16, 0, 0, 0, 1 << 30)
    turned = struct.pack(">9l", 0, 1 << 16, 0, -1 << 16, 0, 0, 48 << 16, 0, 1 << 30)
    place = data.index(straight, data.index(b"tkhd"))
    path.write_bytes(data[:place] + turned + data[place + len(turned) :])
    upright = next(read_film(path))
    assert upright.size == (48, 64)
    top, bottom = np.asarray(upright)[:30].mean(), np.asarray(upright)[-30:].mean()
    assert top > 250 and bottom < 5


# --- what is damaged, and what is refused -----------------------------------------------------------------


def test_a_film_that_was_cut_off_counts_as_far_as_it_goes(tmp_path):
    for ending, codec, container in (
        ("mp4", "libx264", {"movflags": "faststart"}), ("webm", "libvpx", {}), ("avi", "mjpeg", {}),
    ):  # fmt: skip
        path = numbered(tmp_path / f"a.{ending}", 50, codec, **container)
        makers.truncate(path)
        numbers = shown(path)
        assert numbers == sorted(numbers) and numbers[0] < 6 and 8 < numbers[-1] < 45
    late = numbered(tmp_path / "late.mp4")  # its table of contents comes last
    makers.truncate(late)
    assert "damaged or cut off" in refusal(late)


def test_a_damaged_frame_is_passed_over(tmp_path):
    path = numbered(tmp_path / "a.avi", 50, "mjpeg")
    data = bytearray(path.read_bytes())
    places = [i for i in range(data.index(b"movi"), len(data)) if data.startswith(b"00dc", i)]
    for hit in (9, 21):
        data[places[hit] + 8 : places[hit + 1]] = bytes(places[hit + 1] - places[hit] - 8)
    path.write_bytes(data)
    found = shown(path)
    assert set(found) <= set(FIFTY) and {9, 21}.isdisjoint(found) and len(found) in (7, 8)


def sound_only(path: Path) -> Path:
    with av.open(str(path), "w") as out:
        track = out.add_stream("aac", rate=16_000)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), "fltp", "mono")
        frame.sample_rate = 16_000
        out.mux(track.encode(frame))
        out.mux(track.encode(None))
    return path


def test_bad_films_become_problems_by_row(tmp_path):
    good = numbered(tmp_path / "good.mp4", 10)
    sound_only(tmp_path / "sound.mp4")
    makers.film(tmp_path / "wide.avi", [np.zeros((2_502, 4_000, 3), np.uint8)], "mjpeg")
    numbered(tmp_path / "odd.avi", 2, "huffyuv")
    (tmp_path / "text.mp4").write_text("I am no film", encoding="utf-8")
    (tmp_path / "empty.webm").write_bytes(b"")
    (tmp_path / "start.mp4").write_bytes(good.read_bytes()[:40])
    Image.new("RGB", (8, 8)).save(tmp_path / "moving.gif")
    bad = {
        "sound.mp4": "no picture track",
        "wide.avi": "over 10 million pixels",
        "odd.avi": "coded as huffyuv",
        "text.mp4": "not an MP4",
        "empty.webm": "not an MP4",
        "start.mp4": "damaged or cut off",
        "moving.gif": "not an MP4",
        "missing.mp4": "does not exist",
        ".": "does not exist",
    }
    encoder = fx.load_encoder(str(tiny_models.save_picture_model(tmp_path / "model")), "video", device="cpu")
    encoded = encoder.encode([good, *(tmp_path / name for name in bad), None, str(good)])
    assert encoded.kept.tolist() == [0, len(bad) + 2]
    assert encoded.passing == {8, 9}
    for (_, why), says in zip(encoded.problems, [*bad.values(), "names no video"], strict=True):
        assert says in why and why.endswith(".") and "\n" not in why


def test_too_much_work_is_refused(tmp_path, monkeypatch):
    path = numbered(tmp_path / "a.mp4", 50)
    monkeypatch.setattr(films, "_MAX_WORK", 64 * 48 * 20)
    assert "too long to decode" in refusal(path)
    monkeypatch.setattr(films, "_MAX_PACKETS", 49)
    assert "over 49 frames in its first minute" in refusal(path)


def test_a_frame_larger_than_the_header_says_is_not_decoded(tmp_path):
    path = makers.film(tmp_path / "a.avi", [np.zeros((2_502, 4_000, 3), np.uint8)], "mjpeg")
    size, small = struct.pack("<LL", 4_000, 2_502), struct.pack("<LL", 64, 48)
    path.write_bytes(path.read_bytes().replace(size, small))
    assert "damaged" in refusal(path) or "over 10 million" in refusal(path)


# --- nothing else is opened -------------------------------------------------------------------------------


class Opened:
    """Asks the kernel whether anybody opened a file since."""

    def __init__(self, path: Path):
        libc = ctypes.CDLL(None, use_errno=True)
        self._events = libc.inotify_init1(os.O_NONBLOCK)
        assert libc.inotify_add_watch(self._events, os.fsencode(path), 0x20) > 0  # IN_OPEN

    def __bool__(self) -> bool:
        try:
            return len(os.read(self._events, 4096)) > 0
        except BlockingIOError:
            return False


@pytest.mark.usefixtures("linux")
@pytest.mark.parametrize(
    ("text", "format"),
    [
        ("ffconcat version 1.0\nfile {name}\n", "concat"),
        ("#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\n{name}\n#EXT-X-ENDLIST\n", "hls"),
    ],
)
def test_a_playlist_named_like_a_film_opens_nothing(tmp_path, text, format):
    secret = numbered(tmp_path / "secret.mp4", 5)
    playlist = tmp_path / "list.mp4"
    playlist.write_text(text.format(name=secret.name), encoding="utf-8")
    watch = Opened(secret)
    assert "not an MP4" in refusal(playlist) and not watch
    with av.open(str(playlist), format=format, options={"allowed_extensions": "ALL"}) as followed:  # what it would do
        next(followed.decode(video=0))
    assert watch


def referring(path: Path, to: Path) -> Path:
    """Make the table of contents of a film say, as QuickTime does, that its data are in another file."""
    data = path.read_bytes()
    place = data.index(b"dref") - 4
    name = os.fsencode(to)
    alias = b"alis" + bytes(4) + bytes(10 + 1 + 27 + 12 + 1 + 63 + 16) + struct.pack(">hh", 0, 0) + bytes(16)
    alias += struct.pack(">hh", 2, len(name)) + name + bytes(len(name) % 2) + struct.pack(">hh", -1, 0)
    alias += bytes(max(0, 160 - len(alias)))
    dref = b"dref" + struct.pack(">LL", 0, 1) + struct.pack(">L", len(alias) + 4) + alias
    old = struct.unpack(">L", data[place : place + 4])[0]
    grown = len(dref) + 4 - old
    data = data[:place] + struct.pack(">L", len(dref) + 4) + dref + data[place + old :]
    for box in (b"moov", b"trak", b"mdia", b"minf", b"dinf"):  # those around it are larger now
        at = data.index(box) - 4
        data = data[:at] + struct.pack(">L", struct.unpack(">L", data[at : at + 4])[0] + grown) + data[at + 4 :]
    path.write_bytes(data)
    return path


@pytest.mark.usefixtures("linux")
def test_a_film_that_points_to_another_file_opens_nothing(tmp_path):
    secret = numbered(tmp_path / "secret.mp4", 5)
    path = referring(numbered(tmp_path / "a.mov", 5), secret)
    watch = Opened(secret)
    assert "no frames of its own" in refusal(path) and not watch
    with av.open(str(path), options={"enable_drefs": "1", "use_absolute_path": "1"}):  # what it would do
        assert watch


def test_no_thread_is_left_behind(tmp_path):
    path = numbered(tmp_path / "a.mp4", 20)
    begun = [set(Path("/proc/self/task").iterdir())]
    reading = read_film(path)
    for _ in reading:
        begun.append(set(Path("/proc/self/task").iterdir()))
    assert len({frozenset(threads) for threads in begun}) == 1


# --- the encoder ------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def model(tmp_path_factory) -> str:
    return str(tiny_models.save_picture_model(tmp_path_factory.mktemp("model")))


def test_a_film_is_the_mean_of_its_frames_as_pictures(tmp_path, model):
    """The slow way: save the frames as pictures, and encode those."""
    films_ = [numbered(tmp_path / "a.mp4", 30), numbered(tmp_path / "b.webm", 3, "libvpx")]
    of_pictures = fx.load_encoder(model, "picture", device="cpu")
    expected = []
    for film in films_:
        paths = [tmp_path / f"{film.stem}{i}.png" for i in range(8)]
        for path, frame in zip(paths, read_film(film), strict=True):
            frame.save(path)
        expected.append(of_pictures.encode(paths).features.mean(axis=0))
    encoder = fx.load_encoder(model, "video", device="cpu")
    encoded = encoder.encode(films_)
    np.testing.assert_allclose(encoded.features, expected, atol=1e-5)
    assert np.abs(encoded.features[0] - encoded.features[1]).max() > 1e-3
    assert encoder.spec.kind == "video" and encoder.encode([]).features.shape[0] == 0


def test_the_default_for_videos_is_that_for_pictures():
    spec = fx.list_encoders("video")[0]
    assert [s.name for s in fx.list_encoders("video")] == [s.name for s in fx.list_encoders("picture")]
    assert spec.name == fx.default_encoder("video") == fx.default_encoder("picture")
    encoder = fx.load_encoder(spec.name, "video", device="cpu")
    assert encoder.spec == spec and encoder.spec.width == 1280
    for part in ("frames=8", "first=60s", f"av={av.__version__}", "picture/2 efficientnet-lite0"):
        assert part in encoder.fingerprint


def test_videos_through_the_cache(tmp_path, model, monkeypatch, settled_files):
    encoder = fx.load_encoder(model, "video", device="cpu")
    paths = [numbered(tmp_path / "a.mp4", 10), tmp_path / "missing.mp4"]
    cache = fx.FeatureCache(tmp_path / "cache")
    first = fx.encode_items(encoder, paths, cache)
    monkeypatch.setattr("feature_extractors.video.read_film", lambda path: pytest.fail("read again"))
    again = fx.encode_items(encoder, paths[:1], cache)
    np.testing.assert_array_equal(first.features, again.features)
    assert [i for i, _ in first.problems] == [1]


@pytest.mark.parametrize("error", [OSError(errno.EIO, "input/output error"), MemoryError()])
def test_a_failing_system_is_told_from_a_damaged_film(tmp_path, model, monkeypatch, error):
    """The disk fails at the first byte beyond the file's first look."""
    path = numbered(tmp_path / "a.mp4", 10)
    encoder = fx.load_encoder(model, "video", device="cpu")
    (tmp_path / "cut.mp4").write_bytes(path.read_bytes()[:40])
    assert encoder.encode([tmp_path / "cut.mp4"]).passing == set()

    class Failing(io.FileIO):
        def read(self, size=-1):
            raise error

    really = films.opened
    monkeypatch.setattr(films, "opened", lambda source, demuxer: really(Failing(source.name), demuxer))
    encoded = encoder.encode([path])
    assert encoded.passing == {0} and len(encoded.problems) == 1
