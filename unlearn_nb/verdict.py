"""Until 0.1 the home of verdicts; now in the room `audit`. Goes with the next release"""
# Written by hand: nbdev exports only into modules that a notebook defines

from .core import moved

__getattr__ = moved(
    __name__,
    'audit.table',
    'audit.findings',
    'audit.verdict',
)
