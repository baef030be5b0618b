"""A page of open tasks: TASK_API=http://127.0.0.1:8000 streamlit run streamlit_page.py."""

from __future__ import annotations

import os

import streamlit as st

from task_api_client import Client, Session, TaskApiError


def remember(session: Session | None) -> None:
    """Keep the session while the page is open: Streamlit runs this file again at each click."""
    st.session_state["session"] = session


address = os.environ.get("TASK_API", "http://127.0.0.1:8000")
with Client(address, st.session_state.get("session"), on_session=remember) as tasks:
    st.title("Tasks")
    try:
        if st.session_state.get("session") is None:
            email, password = st.text_input("Email"), st.text_input("Password", type="password")
            if st.button("Sign in"):
                tasks.auth.login(email, password)
                st.rerun()
            st.stop()
        with st.form("new", clear_on_submit=True):
            title = st.text_input("What to do")
            if st.form_submit_button("Add") and title:
                tasks.create(title)
        for task in tasks.all(status="pending"):
            if st.checkbox(task.title, key=task.id):
                tasks.complete(task.id)
                st.rerun()
    except TaskApiError as problem:
        st.error(f"{problem} ({problem.code})")
