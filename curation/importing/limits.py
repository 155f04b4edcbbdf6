"""How much of a table is read: enough for a million rows, too little to fill the memory of a laptop."""

MAX_TEXT_BYTES = 2 * 2**30
MAX_JSON_BYTES = 512 * 2**20  # every number of a line becomes a Python object
MAX_ROW_BYTES = 16 * 2**20  # also the longest cell: a line of a novel has a hundred bytes, the novel two million
MAX_ROWS = 20_000_000
MAX_COLUMNS = 20_000
MAX_CELLS = 100_000_000
MAX_JSON_CELLS = 20_000_000
MAX_BAD_ROWS = 100_000  # listed one by one
