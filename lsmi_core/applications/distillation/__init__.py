"""A student of one side, taught by a teacher of both."""
