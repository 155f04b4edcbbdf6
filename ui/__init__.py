"""What pages are made of: session state, components, maps. The only room besides pages that knows Streamlit."""
