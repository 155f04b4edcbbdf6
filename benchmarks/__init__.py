"""Measurements and the data sets they need; each file is a command."""
