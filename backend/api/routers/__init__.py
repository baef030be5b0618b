"""One module for each group of addresses; handlers of a line or two."""
