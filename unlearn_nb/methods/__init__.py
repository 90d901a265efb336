"""The methods, one family a module; importing one brings `Learner.unlearn`"""

from .. import unlearn
