"""Features: pickles in every disguise, arrays that lie about their size."""

from __future__ import annotations

import io
import json
import os
import pickle
import struct
import tarfile
import zipfile
from pathlib import Path

import makers
import numpy as np
import torch

from hostile import SENTINEL, refused


class Evil:
    """Runs a command as soon as anything unpickles it."""

    def __init__(self, folder: Path):
        self.command = f"touch {folder.parent / SENTINEL}"

    def __reduce__(self) -> tuple:
        return os.system, (self.command,)


def written(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


def parts(**more: object) -> dict:
    x1, x2, y = makers.pair(20)
    return {"x1": x1, "x2": x2, "y": y} | more


@refused("features", "holds Python objects")
def npz_with_objects(folder):
    np.savez(folder / "set.npz", **parts(y=np.array([Evil(folder)] * 20, dtype=object)))
    return folder / "set.npz"


@refused("features", "holds Python objects")
def npy_with_objects(folder):
    np.save(folder / "x1.npy", np.array([Evil(folder)], dtype=object), allow_pickle=True)
    return folder / "x1.npy"


@refused("features", "holds Python objects")
def npz_with_a_bare_pickle_inside(folder):
    with zipfile.ZipFile(folder / "set.npz", "w") as archive:
        archive.writestr("x1.npy", pickle.dumps(Evil(folder)))
    return folder / "set.npz"


@refused("features", "holds Python objects")
def pt_with_code(folder):
    torch.save({"train_modal_1_features": Evil(folder)}, folder / "set.pt")
    return folder / "set.pt"


@refused("features", "holds Python objects")
def pt_of_the_old_kind_with_code(folder):
    torch.save({"a": Evil(folder)}, folder / "set.pt", _use_new_zipfile_serialization=False)
    return folder / "set.pt"


@refused("features", "oldest format")
def pt_as_a_tar_with_code(folder):
    with tarfile.open(folder / "set.pt", "w") as archive:
        for name in ("sys_info", "pickle", "storages", "tensors"):
            content = pickle.dumps(Evil(folder))
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return folder / "set.pt"


@refused("features", "holds a Module, not named tensors|holds Python objects")
def pt_with_a_whole_network(folder):
    torch.save(torch.nn.Linear(2, 2), folder / "set.pt")
    return folder / "set.pt"


@refused("features", "TorchScript program")
def pt_that_is_a_script(folder):
    class Twice(torch.nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return x * 2

    torch.jit.save(torch.jit.trace(Twice(), torch.zeros(1)), folder / "set.pt")
    return folder / "set.pt"


def _disguised(suffix: str) -> None:
    reader = {".csv": "table", ".jsonl": "table", ".parquet": "table", ".zip": "archive"}.get(suffix, "features")
    reader = {".png": "picture", ".wav": "sound"}.get(suffix, reader)

    def make(folder: Path) -> Path:
        return written(folder / f"x1{suffix}", pickle.dumps(Evil(folder)))

    make.__name__ = f"pickle_named_{suffix[1:]}"
    refused(reader, "x1|not a PNG|not a sound")(make)


for ending in (".npz", ".npy", ".pt", ".safetensors", ".csv", ".jsonl", ".parquet", ".zip", ".png", ".wav"):
    _disguised(ending)


@refused("features", "cannot be read")
def npz_whose_header_lies(folder):
    header = b"{'descr': '<f8', 'fortran_order': False, 'shape': (100000000000, 10), }\n"
    with zipfile.ZipFile(folder / "set.npz", "w") as archive:
        archive.writestr("x1.npy", b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + b"1234")
    return folder / "set.npz"


@refused("features", "cannot be read")
def npy_whose_header_is_code(folder):
    header = b"__import__('os').system('touch %s')\n" % str(folder.parent / SENTINEL).encode()
    content = b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header
    return written(folder / "x1.npy", content)


@refused("features", "packed in a way other than the usual one")
def npz_packed_ten_thousand_to_one(folder):
    array = io.BytesIO()
    np.save(array, np.zeros((5_000, 1_000)))
    with zipfile.ZipFile(folder / "set.npz", "w", zipfile.ZIP_LZMA) as archive:
        archive.writestr("x1.npy", array.getvalue())
    return folder / "set.npz"


@refused("features", "packed more than 200 to 1")
def npz_of_zeros(folder):
    np.savez_compressed(folder / "set.npz", **parts(x1=np.zeros((20, 500_000))))
    return folder / "set.npz"


@refused("features", "repeats values it holds once")
def pt_with_one_number_stretched_to_gigabytes(folder):
    torch.save({"x1": torch.zeros(1).expand(20_000, 50_000)}, folder / "set.pt")
    return folder / "set.pt"


@refused("features", "cannot be read")
def safetensors_whose_header_lies(folder):
    header = json.dumps({"x1": {"dtype": "F32", "shape": [10**9, 10**3], "data_offsets": [0, 4 * 10**12]}}).encode()
    return written(folder / "set.safetensors", struct.pack("<Q", len(header)) + header + bytes(16))


@refused("features", "cannot be read")
def safetensors_with_an_endless_header(folder):
    return written(folder / "set.safetensors", struct.pack("<Q", 2**62) + b"{}")


@refused("features", "must hold two 2-D arrays")
def ten_thousand_arrays(folder):
    with zipfile.ZipFile(folder / "set.npz", "w") as archive:
        array = io.BytesIO()
        np.save(array, np.zeros(3))
        for i in range(5_000):
            archive.writestr(f"a\n{i}.npy", array.getvalue())
    return folder / "set.npz"
