"""task-api completion: what makes bash or zsh complete commands and options."""

from __future__ import annotations

import argparse

import shtab

from backend.commands.arguments import parser


def run(options: argparse.Namespace) -> None:
    """Print it for the shell that was chosen."""
    print(shtab.complete(parser(), shell=options.shell))
