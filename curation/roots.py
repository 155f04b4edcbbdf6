"""The folders of the server that people in the browser may name: everything else stays unread.

The command line does not ask here: whoever types there may read what the shell may read.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from curation.errors import DataError

__all__ = ["ROOTS", "below_roots", "configured_roots", "parse_roots", "set_roots"]

ROOTS = "INTERPLAY_ROOTS"
LONGEST = 200  # of what was typed, when it is repeated in a sentence


def configured_roots() -> tuple[Path, ...]:
    """Return the folders below which files may be named; none when nothing was configured.

    ``INTERPLAY_ROOTS`` names them, separated as in ``PATH``. ``python -m ui.serve`` sets it when it starts.
    """
    named = os.environ.get(ROOTS, "").split(os.pathsep)
    return tuple(Path(name).expanduser().resolve() for name in named if name)


def parse_roots(text: str) -> tuple[Path, ...]:
    """Return the folders of a list as it is typed, for example ``/data:/mnt/pictures``.

    Raises
    ------
    DataError
        When one of them is not a folder.
    """
    roots = tuple(_resolved(name, name) for name in text.split(os.pathsep) if name)
    for name, root in zip((n for n in text.split(os.pathsep) if n), roots, strict=True):
        if not root.is_dir():
            raise DataError(f"{name} is not a folder; give folders that exist, with '{os.pathsep}' between them.")
    return roots


def set_roots(roots: Iterable[Path]) -> None:
    """Make these the configured roots of this process and of those it starts."""
    os.environ[ROOTS] = os.pathsep.join(str(root) for root in roots)


def below_roots(path: Path | str) -> Path:
    """Return where a path really leads, after checking that this is below a configured root.

    Use what is returned, not what was given: all links in it have been followed.

    Parameters
    ----------
    path : path or str
        As typed; ``~`` is the home folder of the user that runs the server.

    Returns
    -------
    pathlib.Path
        Absolute and without links. It need not exist.

    Raises
    ------
    DataError
        When it is no path, or leads elsewhere. Whether something is there is not told.
    """
    roots = configured_roots()
    found = _resolved(path, str(path)[:LONGEST].replace("\0", "?"))
    if any(found.is_relative_to(root) for root in roots):
        return found
    if not roots:
        raise DataError("This server reads no folders of its own; upload the files, or have it started with --roots.")
    raise DataError(
        f"{str(path)[:LONGEST]} is outside the folders that this server may read ({', '.join(map(str, roots))}); "
        "name one below them, upload the files, or have the server started with other --roots."
    )


def _resolved(path: Path | str, shown: str) -> Path:
    try:
        return Path(path).expanduser().resolve()
    except (OSError, RuntimeError, ValueError):  # a loop of links, an unknown ~user, a null byte, a name too long
        raise DataError(f"{shown} is not a path that can be followed; check the spelling.") from None
