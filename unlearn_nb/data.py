"""Moved, see `homes`; these names go with the next release"""

from .core import moved

homes = ('vision.data', 'vision.folders', 'datasets', 'fingerprint')
__getattr__ = moved(__name__, *homes)
