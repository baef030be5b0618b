"""The commands, a module for each, with a function `run`. They alone print, and import no more than they need."""
