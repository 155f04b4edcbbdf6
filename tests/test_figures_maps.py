"""Maps and quadrants: which sample is where and in which colour, as points and as pixels."""

from __future__ import annotations

import base64
import io
import re
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from curation.figures import MOST_POINTS, Cloud, Names, Reading, Score, map_figure, quadrants_figure
from curation.figures.cloud import REST
from curation.figures.raster import HEIGHT, WIDTH, paint
from curation.figures.style import FAINT

RAW = Reading("cautious")
MANY = MOST_POINTS + 1_000
EXTENT = (0.0, 1.0, 0.0, 1.0)


def cloud_of(n: int, **more) -> Cloud:
    """Points on a diagonal, the first at the lower left."""
    line = np.linspace(0.1, 0.9, n)
    ids = np.array([f"s{i}" for i in range(n)], dtype=object)
    return Cloud(line, line, ids, lambda rows: [f"text {i}" for i in rows], **more)


def rgb(colour: str) -> list[int]:
    return [int(colour[i : i + 2], 16) for i in (1, 3, 5)]


def pixels_of(figure) -> np.ndarray:
    """The picture as the browser decodes it: a PNG within an SVG."""
    svg = base64.b64decode(figure.layout.images[0].source.split(",")[1]).decode()
    assert "image-rendering:pixelated" in svg
    png = base64.b64decode(re.search(r"base64,([^\"]+)", svg)[1])
    return np.asarray(Image.open(io.BytesIO(png)))


def at(pixels: np.ndarray, x: float, y: float) -> list[int]:
    """Red, green, blue and opacity at a place within 0 … 1; the first row of a picture is its top."""
    return pixels[HEIGHT - 1 - int(y * HEIGHT), int(x * WIDTH)].tolist()


def test_few_samples_are_points_with_identifiers():
    labels = ["a"] * 30 + ["b"] * 10
    figure = map_figure(cloud_of(40, chosen="s3"), Names("category", labels), RAW)
    marked = [t for t in figure.data if t.type == "scattergl"]
    assert sorted(i for t in marked for i in t.customdata) == sorted(f"s{i}" for i in range(40))
    assert {len(t.x): t.text[0] for t in marked} == {30: "text 0", 10: "text 30"}
    rings = [t for t in figure.data if t.marker.symbol == "circle-open"]
    assert len(rings) == 2 and all(list(t.x) == [cloud_of(40).x[3]] for t in rings)
    assert [t.name for t in figure.data if t.showlegend] == ["a", "b"] and not figure.layout.images
    assert "n = 40" in figure.layout.legend.title.text


def test_points_outside_the_selection_are_faint_and_uncertain_ones_hollow():
    selected, uncertain = np.arange(40) < 25, np.arange(40) % 5 == 0
    cloud = cloud_of(40, selected=selected, uncertain=uncertain)
    for colours in (Names("category", ["a"] * 40), Score("score", np.arange(40.0))):
        figure = map_figure(cloud, colours, RAW)
        away, solid, hollow = (t for t in figure.data if t.type == "scattergl")
        assert list(away.customdata) == [f"s{i}" for i in range(25, 40)] and away.marker.color == FAINT
        assert list(hollow.customdata) == ["s0", "s5", "s10", "s15", "s20"]
        assert hollow.marker.symbol == "circle-open" and len(solid.x) == 20
    np.testing.assert_array_equal(hollow.marker.color, [0, 5, 10, 15, 20])
    title = map_figure(cloud, colours, RAW).layout.title.text
    assert "n = 25 of 40" in title and "hollow: not certain" in title


def test_signed_scores_are_centred_on_zero_and_suspicions_are_not():
    values = np.linspace(-1, 5, 40)
    signed, plain = Score("r", values), Score("suspicion", values, "suspicion", signed=False)
    assert signed.low == -signed.high and plain.low > -1 and plain.high < 5
    bar = next(t for t in map_figure(cloud_of(40), signed, RAW).data if t.marker.showscale)
    assert bar.marker.cmin == -bar.marker.cmax and bar.marker.colorbar.title.text == "nats"
    assert plain.scale[0] == "#440154", "viridis"


def test_the_most_frequent_names_have_colours_and_the_others_one():
    names = np.repeat([f"c{i}" for i in range(13)], np.arange(20, 7, -1))
    colours = Names("category", names)
    assert colours.names[:2] == ("c0", "c1") and colours.names[-1] == "3 others"
    assert len(set(colours.colours)) == 11 and colours.colours[-1] == REST
    fixed = Names("group", ["x", "y", "x"], {"y": "#D55E00", "x": "#CC79A7"})
    assert [t.name for t in fixed.legend()] == ["y", "x"]
    assert [fixed.colours[c] for c in fixed.codes] == ["#CC79A7", "#D55E00", "#CC79A7"]


def test_many_samples_are_a_picture_under_invisible_points():
    labels = np.where(np.arange(MANY) < MANY // 2, "low", "high")
    cloud = cloud_of(MANY, chosen="s7")
    figure = map_figure(cloud, Names("category", labels), RAW, EXTENT)
    pixels, colours = pixels_of(figure), {t.name: t.marker.color for t in figure.data if t.showlegend}
    assert at(pixels, 0.2, 0.2)[:3] == rgb(colours["low"]) and at(pixels, 0.2, 0.2)[3] > 100
    assert at(pixels, 0.8, 0.8)[:3] == rgb(colours["high"])
    assert at(pixels, 0.2, 0.8)[3] == 0
    image = figure.layout.images[0]
    assert (image.x, image.y, image.sizex, image.sizey, image.layer) == (0, 1, 1, 1, "below")
    (sensors,) = (t for t in figure.data if t.legendgroup == "sensors")
    assert sensors.marker.opacity == 0 and len(sensors.x) <= 1_429 and "s7" in sensors.customdata
    place = dict(zip(cloud.sample_id, cloud.x, strict=True))
    assert [place[i] for i in sensors.customdata] == list(sensors.x)
    assert sensors.text[0] == f"text {sensors.customdata[0][1:]}"


def test_pixels_of_the_selection_cover_the_faint_others():
    selected = np.arange(MANY) % 2 == 0
    pairs = np.repeat(cloud_of(MANY).x[::2], 2)  # in every place one that is selected and one that is not
    both = replace(cloud_of(MANY, selected=selected), x=pairs, y=pairs)
    pixels = paint(both, Names("category", ["a"] * MANY), EXTENT)
    coloured = {tuple(p) for p in pixels[pixels[..., 3] > 0][:, :3].tolist()}
    assert coloured == {tuple(rgb(Names("c", ["a"]).colours[0]))}, "neighbours of the selected are below them"
    apart = paint(cloud_of(MANY, selected=np.arange(MANY) < 2_000), Names("category", ["a"] * MANY), EXTENT)
    assert at(apart, 0.8, 0.8)[:3] == rgb(FAINT) and at(apart, 0.8, 0.8)[3] < at(apart, 0.2, 0.2)[3]
    figure = map_figure(cloud_of(MANY, selected=np.arange(MANY) < 2_000), Names("category", ["a"] * MANY), RAW)
    assert "n = 2,000 of 4,000" in figure.layout.legend.title.text


def test_a_cell_has_its_most_frequent_name_or_its_mean_score():
    x = np.full(9, 0.5)
    cloud = replace(cloud_of(9), x=x, y=x)
    names = Names("category", ["a", "a", "a", "b", "b", "b", "b", "c", "c"])
    assert at(paint(cloud, names, EXTENT), 0.5, 0.5)[:3] == rgb(names.colours[names.names.index("b")])
    crowd = Names("category", ["b", *["other"] * 8], {"b": "#B2182B"})
    assert at(paint(cloud, crowd, EXTENT), 0.5, 0.5)[:3] == rgb("#B2182B"), "grey others hide nobody"
    low_and_high = Score("r", np.array([-3.0, 3, -2, 2, -1, 1, -4, 4, 0]))
    assert at(paint(cloud, low_and_high, EXTENT), 0.5, 0.5)[:3] == rgb(low_and_high.scale[2]), "on average nothing"


def test_uncertain_cells_are_fainter():
    cloud = cloud_of(MANY, uncertain=np.arange(MANY) >= 2_000)
    pixels = paint(cloud, Names("category", ["a"] * MANY), EXTENT)
    assert 0 < at(pixels, 0.8, 0.8)[3] < 0.5 * at(pixels, 0.2, 0.2)[3]


def test_a_part_of_the_map_is_drawn_finer_and_samples_without_a_place_not_at_all():
    cloud = cloud_of(MANY)
    cloud.x[:100] = np.nan
    part = map_figure(cloud, Score("r", np.ones(MANY)), RAW, (0.5, 0.6, 0.5, 0.6))
    (sensors,) = (t for t in part.data if t.legendgroup == "sensors")
    assert sensors.x.min() >= 0.5 and sensors.x.max() <= 0.6
    whole = map_figure(cloud, Score("r", np.ones(MANY)), RAW)
    assert whole.layout.xaxis.range[0] > 0.09 and np.isfinite(whole.layout.xaxis.range).all()
    few = map_figure(cloud_of(MANY, selected=np.zeros(MANY, bool)), Score("r", np.ones(MANY)), RAW)
    assert "n = 0 of 4,000" in few.layout.title.text
    assert "n = 0" in map_figure(cloud_of(0), Names("category", []), RAW).layout.legend.title.text


@pytest.mark.parametrize("n", [40, MANY])
def test_quadrants_name_their_corners_and_keep_one_scale(n):
    cloud = replace(cloud_of(n), x=np.linspace(-3, 2, n), y=np.linspace(1, -1, n))
    figure = quadrants_figure(cloud, Score("r", np.ones(n)), ("photo", "caption"), Reading("lsmi", "bits"))
    assert figure.layout.xaxis.range == figure.layout.yaxis.range
    assert figure.layout.xaxis.title.text == "what the photo tells, bits"
    words = {re.sub(r"<.*?>", " ", a.text).strip(): (a.x > 0.5, a.y > 0.5) for a in figure.layout.annotations}
    assert words == {
        "Both say it": (True, True), "Only the photo says it": (True, False), "Only the caption says it": (False, True),
        "Both mislead": (False, False),
    }  # fmt: skip
    (diagonal,) = figure.layout.shapes
    assert diagonal.x0 == diagonal.y0 < 0 < diagonal.x1 == diagonal.y1
    (marked,) = (t for t in figure.data if t.customdata is not None)
    first = list(marked.customdata).index("s0")
    assert marked.x[first] == pytest.approx(-3 / np.log(2)), "in the unit of the reading"
    assert bool(figure.layout.images) == (n > MOST_POINTS)
