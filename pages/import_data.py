"""Import: drop a table or features, see what was recognised, change it, read the report, go on."""

import streamlit as st

from curation.importing import ModalityRole, Roles, suggest_roles
from curation.roots import configured_roots
from curation.sources import features_source, table_source
from ui import state, uploads
from ui.components import preview, problem_list
from ui.text import plain

st.title("Import", anchor=False)
st.markdown(
    "Bring **pairs**: one row a sample, with two sides (pictures, texts, sounds, videos, numbers or feature vectors) "
    "and a column with the category."
)
KINDS = {"picture": "pictures", "text": "text", "sound": "sound", "video": "video", "numbers": "numbers",
         "vectors": "feature vectors"}  # fmt: skip


def report(result, source: dict) -> None:
    """Show what is usable and what is not, and keep it for scoring."""
    data = result.dataset
    st.subheader("Report", anchor=False)
    st.success(
        f"{len(data):,} pairs in {len(set(data.labels)):,} categories are ready.", icon=":material/check_circle:"
    )
    if len(result.problems):
        st.warning(plain(result.problems.summary()), icon=":material/info:")
        problem_list(result.problems.frame, "import_problems")
    kinds = {m.name: m.kind for m in data.modalities}
    if st.button("Use these pairs", type="primary", icon=":material/arrow_forward:"):
        state.set_draft({"source": source, "name": data.name, "count": len(data), "kinds": kinds})
        state.close_run()
        st.switch_page("pages/score.py")


def choose_roles(descriptions) -> Roles | None:
    """Let the user confirm or change which columns play which part."""
    suggested = suggest_roles(descriptions)
    columns = [d.name for d in descriptions]
    kinds = {d.name: d.kind for d in descriptions}
    sides = []
    for position, (column, which) in enumerate(zip(st.columns(2), ("first", "second"), strict=True)):
        role = suggested.modalities[position] if position < len(suggested.modalities) else None
        with column.container(border=True):
            st.markdown(f"**The {which} side**")
            picked = st.multiselect("Column (several for numbers)", columns, default=role.columns if role else (),
                                    key=f"columns_{which}")  # fmt: skip
            guess = role.kind if role and tuple(picked) == role.columns else kinds.get(picked[0]) if picked else None
            kind = st.selectbox("It holds", list(KINDS), format_func=KINDS.get, key=f"kind_{which}_{picked}",
                                index=list(KINDS).index(guess) if guess in KINDS else 1)  # fmt: skip
            default = role.name if role and tuple(picked) == role.columns else (picked or [which])[0]
            name = st.text_input("Call it", default, key=f"name_{which}_{picked}").strip()
            sides.append(ModalityRole(name, tuple(picked), kind))
    label = st.selectbox(
        "The category is in", columns, placeholder="choose a column",
        index=columns.index(suggested.label) if suggested.label else None,
    )  # fmt: skip
    if label is None or not all(side.columns and side.name for side in sides):
        st.info("Choose a column for both sides and for the category.", icon=":material/arrow_upward:")
        return None
    return Roles(tuple(sides), label, suggested.identifier)


def import_table() -> None:
    """Read a table and its media."""
    uploaded = st.file_uploader(
        "Table: CSV, TSV, Parquet or JSON lines", type=["csv", "tsv", "txt", "parquet", "jsonl", "ndjson"]
    )
    files = st.file_uploader(f"Pictures, sounds or videos the table names, if any: one ZIP, or up to "
                             f"{uploads.MOST_SINGLE_FILES} single files", accept_multiple_files=True)  # fmt: skip
    folder = (
        st.text_input("or a folder on this computer", placeholder="/home/me/pictures") if configured_roots() else ""
    )
    if uploaded is None:
        st.info("Drop a table to begin. The first row names the columns.", icon=":material/table:")
        return
    path, media = uploads.keep_upload(uploaded), uploads.media_of(files, folder)
    descriptions = uploads.described(path, media)
    st.subheader("What was recognised", anchor=False)
    preview(uploads.table(path).frame)
    with st.expander("Why each column was taken for what it is"):
        st.dataframe([{"column": d.name, "looks like": d.kind, "because": d.reason, "missing": d.n_missing,
                       "different values": d.n_distinct} for d in descriptions], hide_index=True)  # fmt: skip
    roles = choose_roles(descriptions)
    if roles is not None:
        report(uploads.built(path, media, roles, path.stem), table_source(path, roles, media, path.stem))


def import_features() -> None:
    """Read ready-made features."""
    uploaded = st.file_uploader("One file (NPZ, safetensors or the published PT), or three NPY files",
                                type=["npz", "safetensors", "pt", "npy"], accept_multiple_files=True)  # fmt: skip
    st.caption(
        "NPZ and safetensors hold two arrays of shape (samples, features) and one of labels, for example x1, x2 and y. "
        "NPY files are called x1.npy, x2.npy and y.npy. PT is the published layout with train_modal_1_features and its "
        "five companions."
    )
    if uploaded:
        path = uploads.keep_together(uploaded) if len(uploaded) > 1 else uploads.keep_upload(uploaded[0])
        report(uploads.features(path), features_source(path, path.stem))


way = st.segmented_control("What do you bring?", ["A table", "Ready-made features"], default="A table", required=True)
if way == "A table":
    import_table()
else:
    import_features()
