"""One version everywhere: settings.ini, `__version__`, CITATION.cff, CHANGELOG.md, and a tag if given

python tools/version.py [v1.2.3]
"""

import re
import sys
from configparser import ConfigParser
from pathlib import Path

root = Path(__file__).parent.parent


def versions(tag=''):
    "Where a version stands -> which"
    config = ConfigParser(delimiters=['='])
    config.read(root / 'settings.ini', encoding='utf-8')
    init = (root / 'unlearn_nb' / '__init__.py').read_text()
    found = {
        'settings.ini': config['DEFAULT']['version'],
        'unlearn_nb/__init__.py': re.search(r'__version__ = "(.*)"', init)[1],
        'CITATION.cff': re.search(r'^version: (.*)$', (root / 'CITATION.cff').read_text(), re.M)[1],
        'CHANGELOG.md': re.search(r'^## (\S+)', (root / 'CHANGELOG.md').read_text(), re.M)[1],
    }
    return found | ({'tag': tag.removeprefix('v')} if tag else {})


if __name__ == '__main__':
    found = versions(*sys.argv[1:2])
    print('\n'.join(f'{where}: {which}' for where, which in found.items()))
    sys.exit(len(set(found.values())) > 1 and 'the versions differ')
