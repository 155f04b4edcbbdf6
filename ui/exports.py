"""The pieces of the Export page: what to take, in which format, the file with its manifest, and how to repeat it."""

from __future__ import annotations

import hashlib
import json
import shlex
from functools import partial
from pathlib import Path

import pandas as pd
import streamlit as st
from streamlit.runtime import Runtime, exists

from curation.dataset import MEDIA_KINDS
from curation.exploring import sentence, split
from curation.exploring.sentences import recipe_told
from curation.export import FORMATS, Choice, Chosen, Made, choose, commands, make_file, snippet
from curation.export.manifest import ENDING, manifest_text
from curation.partitioning import kept_partition, part_node
from curation.progress import Progress
from curation.report import report_html
from curation.settings import home
from curation.workspace import ScoredRun, tags_of
from ui import state
from ui.downloads import Drawer, LastingDownloads, OnDisk
from ui.showing import Showing, named
from ui.text import plain

__all__ = ["chosen_format", "chosen_samples", "download", "how_to_repeat", "report_to_pass_on"]

_DRAWER = "drawer"
_AT_ONCE = ("csv", "parquet", "jsonl", "txt", "json")  # made within moments, when their button is pressed


def chosen_samples(now: Showing) -> Chosen:
    """Offer all samples, the parts of the kept partition, what is selected on Explore, named selections and tags.

    Raises
    ------
    DataError
        When what was chosen selects nothing any more.
    """
    choices = _choices(now)
    start = "selected" if "selected" in choices else "current" if "current" in choices else "all"
    which = st.radio(
        "What to take", list(choices), format_func=lambda key: choices[key][0], index=list(choices).index(start)
    )
    choice = choices[which][1]
    if which == "named":
        names = named()
        name = st.selectbox("Selection", list(names))
        choice = Choice({"kind": "named", "name": name, "part": names[name]})
    elif which == "tag":
        choice = Choice({"kind": "tag", "tag": st.selectbox("Tag", list(now.samples.tag_counts.index))})
    return choose(state.workspace(), now.run, now.samples, choice)


def _choices(now: Showing) -> dict[str, tuple[str, Choice | None]]:
    choices = {"all": (f"All scores ({len(now.samples):,} samples)", Choice())} | _parts(now)
    if now.narrowed and now.selected.any():
        told = sentence(now.view.selection, now.run.modality_names)
        choices["current"] = (
            f"What is selected on Explore: {told} ({int(now.selected.sum()):,} samples)", Choice(now.view.selection),
        )  # fmt: skip
    if names := named():
        choices["named"] = (f"A named selection ({len(names):,})", None)
    if len(now.samples.tag_counts):
        choices["tag"] = (f"The samples with a tag ({len(now.samples.tag_counts):,})", None)
    return {key: (plain(title), choice) for key, (title, choice) in choices.items()}


def _parts(now: Showing) -> dict[str, tuple[str, Choice]]:
    """Return the two parts of the partition that was kept on the Curate page, those of them that hold samples."""
    recipe = kept_partition(state.workspace(), now.run)
    if recipe is None:
        return {}
    partition = split(recipe, now.samples)
    counts = {"selected": partition.count, "rest": partition.total - partition.count}
    titles = {"selected": f"What stays: {recipe_told(recipe, now.run.modality_names)}", "rest": "What leaves"}
    return {
        part: (f"{titles[part]} ({count:,} samples)", Choice(part_node(recipe, part)))
        for part, count in counts.items()
        if count
    }


def chosen_format(chosen: Chosen) -> tuple[str, bool]:
    """Offer the formats that a browser can take; return the one chosen, and whether features go along."""
    has_media = bool(set(MEDIA_KINDS) & set(chosen.run.kinds.values()))
    forms = [name for name in FORMATS if name != "folder" and (name != "zip" or has_media)]
    form = st.radio(
        "Format", forms, format_func=lambda f: FORMATS[f].title, captions=[plain(FORMATS[f].when) for f in forms]
    )
    return form, form == "npz" and st.checkbox("With the features of both sides")


def download(chosen: Chosen, form: str, features: bool) -> None:
    """Offer the file and its manifest; what takes long is made first, with progress."""
    name, key = _name(chosen, form), _key(chosen, form, features)
    drawer = st.session_state.setdefault(_DRAWER, Drawer(home() / "downloads"))
    make = partial(_make, chosen, form, features)
    title = FORMATS[form].title
    told = f"{len(chosen):,} samples as {title}"
    if form not in _AT_ONCE and drawer.made(key) is None:
        if not st.button(f"Prepare {told}", type="primary", icon=":material/package_2:"):
            return
        with st.status(f"Preparing {told}"):
            drawer.get(key, name, partial(make, progress=_Shown()))
        st.rerun()  # the button to prepare it has done its work
    get = partial(drawer.get, key, name, make)
    with st.container(horizontal=True):
        st.download_button(
            f"Download {told}", data=lambda: _content(get().path), file_name=name, mime=FORMATS[form].mime,
            type="primary", icon=":material/download:", on_click="ignore",
        )  # fmt: skip
        if form != "zip":
            st.download_button(
                "Its manifest", data=lambda: manifest_text(get().manifest), file_name=f"{name}{ENDING}",
                mime="application/json", icon=":material/receipt_long:", on_click="ignore",
                help="What was exported, from what, with which versions and settings, the digest of the file, and how "
                "to do it again. A ZIP has it inside.",
            )  # fmt: skip
    made = drawer.made(key)
    if made is not None and len(made.gone):
        st.warning(
            f"{len(made.gone):,} files are not where they were, so their samples were left out; the manifest in the "
            f"ZIP lists them. The first is {plain(made.gone['path'].iloc[0])}.", icon=":material/info:",
        )  # fmt: skip


def _make(chosen: Chosen, form: str, features: bool, out: Path, progress: Progress | None = None) -> Made:
    return make_file(chosen, form, out, features=features, **({"progress": progress} if progress else {}))


class _Shown:
    """Progress as a bar on the page."""

    def __init__(self) -> None:
        self._bar = st.progress(0.0)

    def __call__(self, stage: str, done: int, total: int) -> None:
        self._bar.progress(done / total if total else 1.0, plain(f"{stage}: {done:,} of {total:,}"))


def _content(path: Path) -> bytes:
    """Return what Streamlit is handed for a download: our server sends it from the disk, others from memory."""
    ours = exists() and isinstance(Runtime.instance().media_file_mgr._storage, LastingDownloads)
    return OnDisk(path) if ours else path.read_bytes()


def _name(chosen: Chosen, form: str) -> str:
    stem, where = _stem(chosen.run), chosen.choice.where
    if where["kind"] != "all":
        stem += f"-{where['part']}" if where["kind"] == "partition" else "-selection"
    return f"{stem}{FORMATS[form].ending}"


def _stem(run: ScoredRun) -> str:
    return "".join(c if c.isalnum() else "-" for c in run.name).strip("-").lower() or "scores"


def _key(chosen: Chosen, form: str, features: bool) -> str:
    """Return a digest of everything that the file depends on."""
    told = [chosen.run.folder.name, form, features, chosen.samples.measure, chosen.choice.to_json()]
    tags: pd.DataFrame = tags_of(chosen.workspace, chosen.run.dataset)
    digest = hashlib.sha256(json.dumps(told).encode() + chosen.rows.tobytes())
    digest.update(tags.to_csv().encode("utf-8", "surrogatepass"))
    return digest.hexdigest()


def how_to_repeat(chosen: Chosen, form: str, features: bool) -> None:
    """Show the command line and the Python lines that make the same file."""
    name = _name(chosen, form)
    with st.expander("Repeat this without a screen", icon=":material/terminal:"):
        st.markdown("On the command line, in the folder of Interplay:")
        st.code(commands(chosen, form, name, features), language="bash")
        st.markdown("In Python:")
        st.code(snippet(chosen, form, name, features), language="python")
        if str(ENDING) in commands(chosen, form, name, features):
            st.caption("The selection is too long for a line: it is read from the manifest, so put that beside it.")
        if has_media := set(MEDIA_KINDS) & set(chosen.run.kinds.values()):
            st.caption(f"A folder with the {' and '.join(sorted(has_media))} files instead of a ZIP: --format folder; "
                       "with --links hard, symbolic or paths nothing is copied.")  # fmt: skip


def report_to_pass_on(now: Showing) -> None:
    """Offer the report: one file for people who do not have Interplay."""
    st.subheader("Report", anchor=False)
    st.markdown(
        "One file with findings, figures, examples, suspects and everything that was decided. It opens in any browser, "
        "without a network, and can be mailed. Texts and small copies of a few pictures are in it."
    )
    workspace, stem = state.workspace(), _stem(now.run)
    st.download_button(
        "Download the report", data=lambda: report_html(workspace, now.samples), file_name=f"{stem}-report.html",
        mime="text/html", icon=":material/description:", on_click="ignore",
    )  # fmt: skip
    with st.expander("The report without a screen", icon=":material/terminal:"):
        words = ["python", "cli.py", "report", str(workspace.folder), "--run", now.run.folder.name]
        words += ["--measure", now.samples.measure, "--out", f"{stem}-report.html"]
        st.code(shlex.join(words), language="bash")
