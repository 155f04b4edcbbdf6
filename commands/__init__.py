"""Groups of commands for ``cli.py``: each adds its own to the parser and carries them out."""
