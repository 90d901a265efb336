"""Until 0.1 the home of the worst-case search; now `worst_case`, a room. Goes with the next release"""
# Written by hand: nbdev exports only into modules that a notebook defines

from .core import moved

__getattr__ = moved(
    __name__,
    'worst_case.objective',
    'worst_case.proposals',
    'worst_case.search',
    'worst_case.exhaustive',
    'worst_case.rankings',
    'worst_case.plots',
)
