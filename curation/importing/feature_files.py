"""The named arrays in a file of ready-made features, read without ever unpickling an object."""

from __future__ import annotations

import tarfile
import warnings
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from curation.errors import DataError
from curation.importing.archives import checked_archive
from curation.plainly import short

__all__ = ["FEATURE_SUFFIXES", "is_features_file", "load_arrays"]

FEATURE_SUFFIXES = (".npz", ".safetensors", ".pt", ".npy")
MAX_VALUES = 2_000_000_000  # a stretched tensor can declare far more than the file holds


def is_features_file(path: Path | str) -> bool:
    """Return whether a path looks like ready-made features: by its extension, or a folder with .npy files."""
    path = Path(path)
    if path.is_dir():
        return any(child.suffix.lower() == ".npy" for child in path.iterdir())
    return path.suffix.lower() in FEATURE_SUFFIXES


def load_arrays(path: Path) -> dict[str, np.ndarray]:
    """Load every array by name, in file order.

    Parameters
    ----------
    path : pathlib.Path
        A .npz, .safetensors or .pt, a folder of .npy files, or one of the .npy files in a folder.

    Returns
    -------
    dict of str to ndarray

    Raises
    ------
    DataError
        When the file is absent, damaged, too large, or holds anything else than arrays of numbers or text.
    """
    if not (path.is_file() or path.is_dir()):
        raise DataError(f"There is no file or folder '{path.name}'; check the path.")
    if not is_features_file(path):
        known = ", ".join(FEATURE_SUFFIXES)
        raise DataError(f"'{path.name}' holds no ready-made features; give a {known} or a folder of .npy files.")
    try:
        return dict(_arrays(path))
    except DataError:
        raise
    except MemoryError as error:  # because of what the file says of itself, or of what it is
        raise DataError(
            f"'{path.name}' cannot be read: it asks for more memory than may be used here, being damaged or too large; "
            "save it again, or score fewer samples."
        ) from error
    except Exception as error:  # damaged or hostile files fail in many ways inside the readers
        raise DataError(
            f"'{path.name}' cannot be read: it is damaged or holds Python objects; save plain arrays of numbers."
        ) from error


def _arrays(path: Path) -> Iterator[tuple[str, np.ndarray]]:
    suffix = path.suffix.lower()
    if path.is_dir() or suffix == ".npy":
        return _npy(path if path.is_dir() else path.parent)
    return {".npz": _npz, ".safetensors": _safetensors, ".pt": _pt}[suffix](path)


def _npy(folder: Path) -> Iterator[tuple[str, np.ndarray]]:
    for child in sorted(folder.iterdir()):
        if child.suffix.lower() == ".npy" and child.is_file():
            array = np.load(child, mmap_mode="r", allow_pickle=False)  # mapped: the header may lie about the size
            yield child.stem, _checked(np.asarray(array), child.stem, array.shape)


def _npz(path: Path) -> Iterator[tuple[str, np.ndarray]]:
    with checked_archive(path):
        pass
    with np.load(path, allow_pickle=False) as arrays:
        for name in arrays.files:
            array = arrays[name]
            yield name, _checked(array, name, array.shape)


def _safetensors(path: Path) -> Iterator[tuple[str, np.ndarray]]:
    from safetensors import safe_open  # heavy with torch, so only when such a file comes

    with safe_open(path, framework="pt") as tensors:
        for name in tensors.keys():  # noqa: SIM118 - not a dict
            yield name, _from_tensor(tensors.get_tensor(name), name)


def _pt(path: Path) -> Iterator[tuple[str, np.ndarray]]:
    import torch

    if zipfile.is_zipfile(path):
        with checked_archive(path) as archive:
            if any(name.endswith("constants.pkl") for name in archive.namelist()):
                raise DataError(f"'{path.name}' holds a TorchScript program; save a dict of tensors with torch.save.")
    elif _is_tar(path):  # PyTorch would unpack it into a temporary folder
        raise DataError(f"'{path.name}' is of PyTorch's oldest format; save it again with torch.save.")
    warnings.filterwarnings("ignore", module=r"torch\._weights_only_unpickler")  # remarks on protocols
    saved = torch.load(path, map_location="cpu", weights_only=True)
    if not isinstance(saved, dict):
        raise DataError(f"'{path.name}' holds a {type(saved).__name__}, not named tensors; save a dict of tensors.")
    for name, tensor in saved.items():
        if not isinstance(tensor, torch.Tensor):
            raise DataError(f"'{short(name)}' in '{path.name}' is a {type(tensor).__name__}; only tensors are read.")
        yield str(name), _from_tensor(tensor, str(name))


def _is_tar(path: Path) -> bool:
    try:
        with tarfile.open(path, "r:"):
            return True
    except (tarfile.TarError, OSError):
        return False


def _from_tensor(tensor: object, name: str) -> np.ndarray:
    import torch

    if tensor.layout != torch.strided or tensor.is_quantized or tensor.is_complex():
        raise DataError(f"The tensor '{short(name)}' is sparse, quantized or complex; save it as plain numbers.")
    tensor = tensor.detach()
    _check_size(name, tensor.shape)
    if tensor.nbytes > tensor.untyped_storage().nbytes():  # a few bytes that are to be read as gigabytes
        raise DataError(f"The tensor '{short(name)}' repeats values it holds once; save it with .contiguous().")
    return _checked((tensor.float() if tensor.is_floating_point() else tensor).numpy(), name, tensor.shape)


def _check_size(name: str, shape: Sequence[int]) -> None:
    if np.prod(shape, dtype=float) > MAX_VALUES:
        raise DataError(f"The array '{short(name)}' declares {tuple(shape)} values, more than can be read; split it.")


def _checked(array: np.ndarray, name: str, shape: Sequence[int]) -> np.ndarray:
    _check_size(name, shape)
    if array.dtype.kind == "S":
        return np.char.decode(array, "utf-8")
    if array.dtype.kind not in "biufU":
        raise DataError(f"The array '{short(name)}' holds {array.dtype}; save it as plain numbers or text.")
    return array
