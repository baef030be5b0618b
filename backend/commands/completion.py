"""task-api completion: a script that lets bash or zsh complete commands and options."""

from __future__ import annotations

import argparse

import shtab

from backend.commands.arguments import parser


def run(options: argparse.Namespace) -> None:
    """Print the script for the chosen shell."""
    print(shtab.complete(parser(), shell=options.shell))
