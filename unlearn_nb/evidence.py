"""Until 0.1 the home of evidence; now in the rooms `audit` and `metrics`. Goes with the next release"""
# Written by hand: nbdev exports only into modules that a notebook defines

from .core import moved

__getattr__ = moved(
    __name__,
    'metrics.measure',
    'audit.oracles',
    'audit.measures',
    'audit.evidence',
)
