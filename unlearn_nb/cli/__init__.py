"""`unlearn-nb`, the command line. Written by hand: nbdev makes no `__init__` of a room."""

from ..core import moved
from .shell import app  # the entry point
from . import grids, forgetting, auditing, searching, demonstration  # each adds its commands, in this order

# names of the module that this room was, for one release
__getattr__ = moved(
    __name__,
    'cli.shell',
    'cli.options',
    'cli.reading',
    'cli.grids',
    'cli.forgetting',
    'cli.auditing',
    'cli.searching',
    'cli.demonstration',
)
