"Write README.md from nbs/index.ipynb with nbconvert; `--check` only compares. No Quarto needed."

import re
import sys
from pathlib import Path

import nbformat
from nbconvert import MarkdownExporter

root = Path(__file__).parent.parent


def readme() -> str:
    nb = nbformat.read(root / 'nbs' / 'index.ipynb', 4)
    keep = []
    for c in nb.cells:
        directives = re.findall(r'^#\|\s*(\w+)', c.source, re.M) if c.cell_type == 'code' else []
        if 'hide' in directives:
            continue
        c.source = re.sub(r'^#\|.*\n?', '', c.source, flags=re.M).strip()
        if 'echo' in directives:
            c.metadata['transient'] = {'remove_source': True}  # `#| echo: false`
        keep.append(c)
    nb.cells = keep
    text, _ = MarkdownExporter().from_notebook_node(nb)
    text = re.sub(
        r'<style.*?</style>\n?|</?div>\n?| class="dataframe"| border="1"| style="text-align: right;"',
        '',
        text,
        flags=re.S,
    )  # what pandas adds and GitHub drops
    head = '<!-- made from nbs/index.ipynb by tools/readme.py -->\n\n'
    return head + re.sub(r'\n{3,}', '\n\n', text).strip() + '\n'


if __name__ == '__main__':
    target, text = root / 'README.md', readme()
    if '--check' in sys.argv:
        sys.exit(
            0 if target.read_text() == text else 'README.md differs from nbs/index.ipynb; run `make export`'
        )
    target.write_text(text)
