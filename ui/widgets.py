"""Widgets that show what the view says, whoever changed the view: undo, a link, or another widget."""

from __future__ import annotations

import streamlit as st

__all__ = ["follow"]


def follow(key: str, value: object) -> None:
    """Give a widget the value of the view before it is drawn."""
    if st.session_state.get(key) != value:
        st.session_state[key] = value
