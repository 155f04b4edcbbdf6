"""The work between files and figures: import, encode, score, query, draw, export. Knows no screen."""
