"""Ready-made features: every layout that is read, and everything that must not be."""

from __future__ import annotations

import pickle
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.numpy import save_file

from curation.errors import DataError
from curation.importing import is_features_file, read_features

N = 8
X1 = np.arange(N * 3, dtype=np.float64).reshape(N, 3)
X2 = X1[:, :2] + 100
Y = np.array([0, 1] * (N // 2))


def npz(folder: Path, **arrays: object) -> Path:
    np.savez(folder / "set.npz", **({"x1": X1, "x2": X2, "y": Y} | arrays))
    return folder / "set.npz"


def same(data, names=("x1", "x2"), labels=Y):
    assert data.modality_names == names
    assert [side.kind for side in data.modalities] == ["vectors", "vectors"]
    for side, expected in zip(data.modalities, (X1, X2), strict=True):
        assert side.items.dtype == np.float32
        np.testing.assert_array_equal(side.items, expected)
    assert data.labels.tolist() == [str(label) for label in labels]


def test_npz(tmp_path):
    result = read_features(npz(tmp_path))
    same(result.dataset)
    assert result.dataset.sample_ids[0] == "row-000001"
    assert result.dataset.name == "set"
    assert len(result.problems) == 0


def test_npz_with_names_identifiers_and_extras(tmp_path):
    labels = np.array(["cat", "dog"] * 4)
    ids = np.array([f"k{i}" for i in range(N)])
    np.savez(
        tmp_path / "a.npz", text_emb=X1, image_features=X2, labels=labels.astype("S"), sample_ids=ids, fold=np.arange(N)
    )
    data = read_features(tmp_path / "a.npz").dataset
    same(data, ("text", "image"), labels)
    assert data.sample_ids.tolist() == ids.tolist()
    assert data.extras["fold"].tolist() == list(range(N))
    same(read_features(tmp_path / "a.npz", names=("words", "photo")).dataset, ("words", "photo"), labels)


def test_names_choose_among_more_than_two(tmp_path):
    path = npz(tmp_path, x3=X1 * 2)
    with pytest.raises(DataError, match=r"must hold two 2-D arrays.*'x3' \(8, 3\)"):
        read_features(path)
    same(read_features(path, names=("x1", "x2")).dataset)


@pytest.mark.parametrize("labels", [Y.astype(float), Y.reshape(-1, 1), Y.astype(np.uint8), Y.astype(np.float16)])
def test_labels_as_people_save_them(tmp_path, labels):
    same(read_features(npz(tmp_path, y=labels)).dataset)


@pytest.mark.parametrize("pointed_at", ["", "x1.npy", "y.npy"])
def test_npy_folder(tmp_path, pointed_at):
    for name, array in {"x1": X1, "x2": X2, "y": Y}.items():
        np.save(tmp_path / f"{name}.npy", array)
    same(read_features(tmp_path / pointed_at).dataset)


def test_safetensors(tmp_path):
    save_file({"x1": X1, "x2": X2, "y": Y}, tmp_path / "a.safetensors")
    same(read_features(tmp_path / "a.safetensors").dataset)


def six(**changes: object) -> dict:
    layout = {"train_modal_1_features": X1[:6], "train_modal_2_features": X2[:6], "train_targets": Y[:6]}
    layout |= {"val_modal_1_features": X1[6:], "val_modal_2_features": X2[6:], "val_targets": Y[6:]}
    return {key: torch.tensor(value) for key, value in layout.items()} | changes


@pytest.mark.parametrize("kind", ["pt", "npz", "safetensors"])
def test_six_keys(tmp_path, kind):
    path = tmp_path / f"a.{kind}"
    if kind == "pt":
        torch.save(six(), path)
    elif kind == "npz":
        np.savez(path, **{key: value.numpy() for key, value in six().items()})
    else:
        save_file({key: value.numpy() for key, value in six().items()}, path)
    data = read_features(path).dataset
    same(data, ("modality 1", "modality 2"))
    assert data.extras["split"].tolist() == ["train"] * 6 + ["val"] * 2


def test_half_precision_tensors(tmp_path):
    halves = {key: value.to(torch.bfloat16) if "features" in key else value for key, value in six().items()}
    torch.save(halves, tmp_path / "a.pt")
    assert read_features(tmp_path / "a.pt").dataset.modalities[0].items[1].tolist() == [3, 4, 5]


def test_rows_that_are_not_finite_or_alone(tmp_path):
    broken = X1.copy()
    broken[1, 0], broken[2, 2], broken[3, 1] = np.nan, np.inf, 1e300
    result = read_features(npz(tmp_path, x1=broken, y=np.array(["a", "a", "a", "a", "a", "b", "b", "c"])))
    assert result.problems.frame["row"].tolist() == [2, 3, 4, 8]
    assert result.dataset.rows.tolist() == [1, 5, 6, 7]
    assert result.dataset.sample_ids.tolist() == ["row-000001", "row-000005", "row-000006", "row-000007"]
    assert result.problems.summary().startswith("4 of 8 rows were left out: 3 vectors with a value that is not finite")


class Evil:
    def __reduce__(self):
        return Path.touch, (Path("evil-was-here"),)


@pytest.mark.parametrize("kind", ["npz", "pt", "npy"])
def test_nothing_is_unpickled(tmp_path, monkeypatch, kind):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / f"a.{kind}"
    if kind == "npz":
        np.savez(path, x1=X1, x2=X2, y=np.array([Evil()] * N, dtype=object))
    elif kind == "npy":
        np.save(path, np.array([Evil()], dtype=object), allow_pickle=True)
    else:
        torch.save(six(extra=Evil()), path)
    with pytest.raises(DataError, match="holds Python objects"):
        read_features(path)
    path.write_bytes(pickle.dumps(Evil()))
    with pytest.raises(DataError, match="cannot be read"):
        read_features(path)
    assert not (tmp_path / "evil-was-here").exists()


@pytest.mark.parametrize(
    ("saved", "said"),
    [
        ([torch.zeros(2)], "holds a list, not named tensors"),
        (six(extra="text"), "'extra' in 'a.pt' is a str; only tensors"),
        (six(extra=torch.zeros(3, 3).to_sparse()), "sparse, quantized or complex"),
        (six(extra=torch.zeros(1).expand(50_000, 50_000)), "more than can be read"),
        (six(val_targets=torch.zeros(5)), "The 'val' arrays differ in length"),
        (six(val_modal_1_features=torch.zeros(2, 9)), "do not fit together"),
        (six(train_targets=torch.zeros(6, 2), val_targets=torch.zeros(2, 2)), "one category per sample"),
        (
            six(train_modal_1_features=torch.zeros(6, 2, 2), val_modal_1_features=torch.zeros(2, 2, 2)),
            "one row of features per sample",
        ),
        (six(train_targets=torch.tensor(1)), "differ in length"),
        ({"a": torch.zeros(3)}, "must hold two 2-D arrays"),
        ({}, "it holds nothing"),
    ],
)
def test_pt_refusals(tmp_path, saved, said):
    torch.save(saved, tmp_path / "a.pt")
    with pytest.raises(DataError, match=said):
        read_features(tmp_path / "a.pt")


@pytest.mark.parametrize(
    ("arrays", "said"),
    [
        ({"x2": X2[:5]}, r"differ in length: 'x1' 8, 'x2' 5, 'y' 8"),
        ({"y": Y[:5]}, "differ in length"),
        ({"sample_ids": np.arange(3)}, "differ in length"),
        ({"x2": X2[:, :0]}, "without any value"),
        ({"y": np.zeros(N)}, "At least two categories"),
        ({"y": X1}, "must hold two 2-D arrays"),
        ({"x1": X1.astype(complex)}, "holds complex128"),
        ({"y": np.array(["2020-01-01"] * N, dtype="datetime64[D]")}, "holds datetime64"),
    ],
)
def test_npz_refusals(tmp_path, arrays, said):
    path = npz(tmp_path, **arrays)
    with pytest.raises(DataError, match=said):
        read_features(path)


def test_a_measurement_is_no_category(tmp_path):
    np.savez(tmp_path / "a.npz", x1=np.zeros((60, 2)), x2=np.zeros((60, 2)), y=np.arange(60) / 7)
    with pytest.raises(DataError, match="which is a measurement"):
        read_features(tmp_path / "a.npz")


@pytest.mark.parametrize("names", [("a",), ("a", "a"), ("a", " "), ("a", "b", "c")])
def test_names_must_be_two(tmp_path, names):
    with pytest.raises(DataError, match="Two different modality names"):
        read_features(npz(tmp_path), names=names)


def test_identifiers_that_repeat(tmp_path):
    result = read_features(npz(tmp_path, ids=np.array([1] * N)))
    assert result.dataset.sample_ids[0] == "row-000001"
    assert result.problems.frame["row"].tolist() == [0]


def test_damaged_files(tmp_path):
    whole = npz(tmp_path).read_bytes()
    for kind in ("npz", "pt", "safetensors", "npy"):
        for content in (b"", b"nothing", whole[:300]):
            (tmp_path / f"b.{kind}").write_bytes(content)
            with pytest.raises(DataError, match="cannot be read"):
                read_features(tmp_path / f"b.{kind}")
        (tmp_path / f"b.{kind}").unlink()


def test_an_npz_whose_header_lies(tmp_path):
    header = b"{'descr': '<f8', 'fortran_order': False, 'shape': (100000000000, 10), }\n"
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as archive:
        archive.writestr("x1.npy", b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header + b"1234")
    with pytest.raises(DataError, match="cannot be read"):
        read_features(tmp_path / "a.npz")


def test_absent_and_foreign(tmp_path):
    with pytest.raises(DataError, match="There is no file or folder 'no.npz'"):
        read_features(tmp_path / "no.npz")
    (tmp_path / "a.csv").write_text("x")
    with pytest.raises(DataError, match="holds no ready-made features"):
        read_features(tmp_path / "a.csv")
    with pytest.raises(DataError, match="holds no ready-made features"):
        read_features(tmp_path)


def test_is_features_file(tmp_path):
    assert all(is_features_file(f"a{suffix}") for suffix in (".npz", ".safetensors", ".pt", ".npy", ".NPZ"))
    assert not any(is_features_file(f"a{suffix}") for suffix in (".csv", ".parquet", ".zip", ""))
    assert not is_features_file(tmp_path)
    np.save(tmp_path / "x.npy", X1)
    assert is_features_file(tmp_path)
