"""Write README.md from nbs/index.ipynb with nbconvert; `--check` only compares.

The README ends at the comment that says so: the site's first page goes on with tables.
"""

import posixpath
import re
import sys
from pathlib import Path

import nbformat
from nbconvert import MarkdownExporter

sys.path.insert(0, str(Path(__file__).parent))
from docs import clean_table, directives, readme_end, settings  # noqa: E402

root = Path(__file__).parent.parent


def absolute(text: str) -> str:
    "Links and pictures of the notebook, for GitHub and for the package index"
    cfg = settings()
    pages = f'{cfg["git_url"]}/blob/{cfg["branch"]}'
    files = f'{cfg["git_url"].replace("github.com", "raw.githubusercontent.com")}/{cfg["branch"]}'

    def one(m):
        if re.match(r'\w+:|#', m[3]):
            return m[0]
        return f'{m[1]}[{m[2]}]({files if m[1] else pages}/{posixpath.normpath("nbs/" + m[3])})'

    return re.sub(r'(!?)\[([^\]]*)\]\(([^)\s]+)\)', one, text)


def readme() -> str:
    nb = nbformat.read(root / 'nbs' / 'index.ipynb', 4)
    keep = []
    for c in nb.cells:
        said, source = directives(c.source) if c.cell_type == 'code' else ([], c.source)
        words = {d.split()[0].rstrip(':') for d in said}
        if 'hide' in words:
            continue
        if c.cell_type == 'markdown':
            c.source = absolute(source.partition(readme_end)[0].strip())
        else:
            c.source = source.strip()
            for o in c.outputs:
                html = o.get('data', {}).get('text/html')
                if html:
                    o.data['text/html'] = re.sub(r' class="\w+"', '', clean_table(html))
        if 'echo' in words:
            c.metadata['transient'] = {'remove_source': True}  # `#| echo: false`
        keep.append(c)
        if c.cell_type == 'markdown' and readme_end in source:
            break
    nb.cells, nb.metadata['language_info'] = keep, {'name': 'python'}
    text, _ = MarkdownExporter().from_notebook_node(nb)
    text = re.sub(r'</?div>\n?', '', text)
    head = '<!-- made from nbs/index.ipynb by tools/readme.py -->\n\n'
    return head + re.sub(r'\n{3,}', '\n\n', text).strip() + '\n'


if __name__ == '__main__':
    target, text = root / 'README.md', readme()
    if '--check' in sys.argv:
        sys.exit(
            0 if target.read_text() == text else 'README.md differs from nbs/index.ipynb; run `make export`'
        )
    target.write_text(text)
