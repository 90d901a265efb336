"""The documentation site: notebooks, hand-written pages and the API, built by Sphinx and checked.

    python tools/docs.py                  build into _docs/VERSION; fails on warnings, dead links and anchors
    python tools/docs.py --missing        public parameters and fields without a word
    python tools/docs.py --check DIR      check a site that was built before

Nothing is executed (pages show the outputs that the notebooks hold), nothing is fetched, nothing outside
`_docs` and `_proc` is written.
"""

import ast
import gc
import json
import os
import re
import shutil
import sys
import time
import warnings
import zlib
from configparser import ConfigParser
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import nbformat

sys.path.insert(0, str(Path(__file__).parent))
import apidoc  # noqa: E402
import docs_cards  # noqa: E402
import docs_tables  # noqa: E402

root = Path(__file__).parent.parent
nbs, hand = root / 'nbs', root / 'docs'


def settings():
    config = ConfigParser(delimiters=['='])
    config.read(root / 'settings.ini', encoding='utf-8')
    return config['DEFAULT']


cfg = settings()
repo, version = cfg['git_url'], cfg['version']
base = cfg['doc_host'] + cfg['doc_baseurl'].rstrip('/') + f'/{version}/'
blob = f'{repo}/blob/{cfg["branch"]}'
colab = (
    repo.replace('https://github.com', 'https://colab.research.google.com/github') + f'/blob/{cfg["branch"]}'
)

# Sections of the site: folder, title, subtitle. Notebooks of nbs/FOLDER and pages of docs/FOLDER land there.
sections = [
    ('get_started', 'Get started', 'Install it, and see a class being forgotten'),
    ('concepts', 'Concepts', 'What unlearning is, how it is measured, and what a number cannot say'),
    ('howto', 'How-to', 'One task a page, from what you have to what you need'),
    ('methods', 'Methods', 'A card for each: idea, equation, settings, what was measured, and when it fails'),
    ('tutorials', 'Tutorials', 'Notebooks to run from top to bottom, each in minutes'),
    ('papers', 'Results', 'Papers run again, and what the package measures beside them'),
]
# Rooms of the reference: a folder of modules, or the tens of the notebook's number
folder_rooms = {
    'methods': 'Methods', 'metrics': 'Metrics', 'attacks': 'Attacks', 'probes': 'Probes', 'audit': 'Audit',
    'worst_case': 'Worst case', 'worstcase': 'Worst case', 'bench': 'Benchmarks', 'vision': 'Images',
    'tabular': 'Tables', 'anomaly': 'Anomalies', 'collab': 'Recommenders', 'text': 'Text',
    'diffusion': 'Diffusion', 'trees': 'Trees', 'federated': 'Federated', 'engine': 'Engine',
    'learner': 'Engine', 'data': 'Data, models and tasks', 'cli': 'Command line',
}  # fmt: skip
tens_rooms = {
    0: 'Core', 1: 'Data, models and tasks', 2: 'Data, models and tasks', 3: 'Engine', 4: 'Methods',
    5: 'Worst case', 6: 'Metrics, attacks and probes', 7: 'Audit', 8: 'Benchmarks', 9: 'Command line',
}  # fmt: skip
room_order = [
    'Core', 'Data, models and tasks', 'Engine', 'Methods', 'Metrics', 'Attacks', 'Probes',
    'Metrics, attacks and probes', 'Worst case', 'Audit', 'Benchmarks', 'Images', 'Tables', 'Anomalies',
    'Recommenders', 'Text', 'Diffusion', 'Trees', 'Federated', 'Command line',
]  # fmt: skip


readme_end = '<!-- the README ends here -->'  # in nbs/index.ipynb


# Notebooks


def directives(source):
    "The `#|` lines of a cell, and the rest"
    found = re.findall(r'^#\|\s*(.*?)\s*$', source, re.M)
    return found, re.sub(r'^#\|.*\n?', '', source, flags=re.M).strip('\n')


def tree_of(source):
    "Syntax tree, magics left out; None for what is not Python"
    try:
        return ast.parse(re.sub(r'^\s*[!%].*$', 'pass', source, flags=re.M))
    except SyntaxError:
        return None


def is_test(source):
    "A cell that checks something"
    tree = tree_of(source)
    for n in ast.walk(tree) if tree else ():
        if isinstance(n, ast.Assert):
            return True
        name = apidoc.written(n.func).split('.')[-1] if isinstance(n, ast.Call) else ''
        if name.startswith(('test_', 'assert_')) or name in ('raises', 'ExceptionExpected'):
            return True
    return False


def only(source, *kinds):
    tree = tree_of(source)
    return bool(tree and tree.body) and all(isinstance(n, kinds) for n in tree.body)


def defined(source):
    "Names that a cell defines, a patched method with its class"
    names = []
    for n in getattr(tree_of(source), 'body', ()):
        if isinstance(n, ast.FunctionDef) and 'patch' in [apidoc.call_name(d) for d in n.decorator_list]:
            note = n.args.args[0].annotation if n.args.args else None
            owners = re.findall(r'[\w.]+', apidoc.annotation(note))
            names.append(f'{owners[0].split(".")[-1]}.{n.name}' if owners else n.name)
        elif isinstance(n, (ast.FunctionDef, ast.ClassDef)):
            names.append(n.name)
        elif isinstance(n, ast.Assign):
            names += [t.id for t in n.targets if isinstance(t, ast.Name)]
    return [n for n in names if not n.split('.')[-1].startswith('_')]


class Notebook:
    "A notebook and where it stands"

    def __init__(self, path):
        self.path, self.nb = path, nbformat.read(path, 4)
        self.rel = path.relative_to(nbs)
        exps = [
            d.split()[1]
            for c in self.nb.cells
            for d in directives(c.source)[0]
            if d.startswith('default_exp ')
        ]
        self.module = exps[0] if exps else None
        self.number = int(m[0]) if (m := re.match(r'\d+', self.rel.name)) else None
        self.section = self.rel.parts[0] if len(self.rel.parts) > 1 else ''
        self.reference = self.module is not None or (not self.section and self.number is not None)
        stem = self.rel.with_suffix('').as_posix()
        self.doc = 'index' if stem == 'index' else f'notebooks/{stem}' if self.reference else stem
        first = next((c.source for c in self.nb.cells if c.cell_type == 'markdown'), '')
        self.title = (re.findall(r'^# +(.*)$', first, re.M) or [stem])[0]
        self.subtitle = ' '.join(re.findall(r'^> ?(.*)$', first, re.M))

    @property
    def room(self):
        parts = (self.module or '').split('.')
        if self.section in folder_rooms or (len(parts) > 1 and parts[0] in folder_rooms):
            return folder_rooms[self.section if self.section in folder_rooms else parts[0]]
        if self.number is None:
            return (self.section or parts[0] or 'More').replace('_', ' ').capitalize()
        return tens_rooms.get(self.number // 10, 'More')


def notebooks():
    "All notebooks that nbdev would export or test"
    files = sorted(nbs.glob('**/*.ipynb'))
    hidden = [f for f in files if any(p.startswith(('_', '.')) for p in f.relative_to(nbs).parts)]
    return [Notebook(f) for f in files if f not in hidden]


def prose(text, index, pages, here, origin):
    "Markdown for the site: links between notebooks, to files of the repository and to the API"
    depth = '../' * here.count('/')

    def one(m):
        target, anchor = m[2], m[3] or ''
        if re.match(r'\w+:|#|/', target):
            return m[0]
        name = Path(target).name
        if target.endswith('.ipynb') and name not in pages:
            return m[0]  # Sphinx says that it is not there
        if target.endswith('.ipynb'):
            return f'[{m[1]}]({depth}{pages[name]}.ipynb{anchor})'
        to = (origin / target).resolve()
        if to.is_relative_to(hand) and to.exists():
            return f'[{m[1]}](/{to.relative_to(hand).as_posix()}{anchor})'  # a page of the site
        if not to.exists():
            return m[0]  # a page that is made, or Sphinx says that it is not there
        return f'[{m[1]}]({blob}/{to.relative_to(root).as_posix()}{anchor})'

    def plain(part):
        part = part.replace('](../docs/_static/', f']({depth}_static/')
        part = re.sub(r'(?<!!)\[([^\]]*)\]\(([^)\s#]+)(#[^)\s]*)?\)', one, part)
        # a notebook named in backticks is a link, the name of something public too
        part = re.sub(
            r'(?<![\[`])`(?:nbs/)?((?:\w+/)?\w+\.ipynb)`',
            lambda m: (
                f'[{m[1]}]({depth}{pages[Path(m[1]).name]}.ipynb)' if Path(m[1]).name in pages else m[0]
            ),
            part,
        )
        return apidoc.link(part, index)

    index = {**dict.fromkeys(('Learner', 'DataLoaders', 'Callback')), **index}
    index.update({k: k for k, v in index.items() if v is None})  # fastai's, by its inventory
    blocks = re.split(r'(^(?:```|~~~).*?^(?:```|~~~)\s*?$)', text, flags=re.M | re.S)
    return ''.join(b if i % 2 else plain(b) for i, b in enumerate(blocks))


def fold(cell, summary):
    "Put a cell's input behind a line"
    cell.metadata.setdefault('tags', []).append('hide-input')
    cell.metadata.setdefault('mystnb', {}).update(code_prompt_show=summary, code_prompt_hide=summary)


def clean_table(html):
    "A data frame as a person reads it: no counting index, no NaN, words to the left"
    html = re.sub(r'<style scoped>.*?</style>', '', html, flags=re.S)
    html = re.sub(r' border="1"| style="text-align: right;"', '', html)
    index = re.findall(r'<tr>\s*<th>([^<]*)</th>\s*<td', html)
    if index and index == [str(i) for i in range(len(index))]:
        html = re.sub(r'(<tr>)\s*<th>\d+</th>(?=\s*<td)', r'\1', html)
        html = re.sub(r'(<tr>)\s*<th></th>', r'\1', html)
    html = re.sub(r'<td>(NaN|None|nan|&lt;NA&gt;)</td>', '<td>–</td>', html)

    def kind(m):
        if re.fullmatch(r'[-+–≤≥<>\d.,e%±()\s]*|True|False|inf', m[1].replace('&lt;', '<')):
            return m[0]
        return f'<td class="{"long" if len(m[1]) > 40 else "word"}">{m[1]}</td>'

    return re.sub(r'<td>(.*?)</td>', kind, html)


def clean_outputs(cell):
    "Outputs as a page shows them: no progress bars, no warnings of the machine that ran it"
    keep = []
    for o in cell.get('outputs', []):
        data = o.get('data', {})
        if o.output_type == 'stream' and o.name == 'stderr':
            continue
        if '<progress' in data.get('text/html', '') or o.output_type == 'error':
            continue
        html = data.get('text/html', '')
        if html.strip() == '' and data.get('text/plain', '').startswith('<IPython.core.display.HTML'):
            continue
        if html:
            data['text/html'] = clean_table(data['text/html'])
        keep.append(o)
    cell.outputs = keep


def picture(cell, alt, before):
    "Words for the pictures of a cell: `#| fig-alt`, else what the text above says"
    if not any('image/png' in o.get('data', {}) for o in cell.get('outputs', [])):
        return
    words = alt or re.sub(r'[`*_#>\[\]]|\(.*?\)', '', before).strip().split('\n')[-1][:240] or 'Figure'
    cell.metadata.setdefault('mystnb', {})['image'] = {'alt': words.strip('"\'')}


def convert(nb, index, pages):
    "One notebook for the site, directives carried out, tests and sources folded"
    out, before = [], ''
    for c in nb.nb.cells:
        if c.cell_type == 'raw' or not c.source.strip():
            continue
        if c.cell_type == 'markdown':
            before = c.source
            c.source = prose(c.source.replace(readme_end, ''), index, pages, nb.doc, nb.path.parent)
            out.append(c)
            continue
        said, source = directives(c.source)
        words = {d.split()[0].rstrip(':') for d in said}
        keys = dict(re.split(r':\s*', d, maxsplit=1) for d in said if ':' in d)
        if words & {'hide', 'default_exp', 'exporti'} or not source:
            continue
        c.source, c.metadata = source, nbformat.NotebookNode()
        clean_outputs(c)
        picture(c, keys.get('fig-alt', ''), before)
        if keys.get('echo') == 'false' or 'hide_input' in words:
            c.metadata.setdefault('tags', []).append('remove-input')
            if not c.outputs:
                continue
        elif only(source, ast.Import, ast.ImportFrom):
            if 'export' in words:
                continue
            if nb.reference:
                fold(c, 'Imports')
        elif 'export' in words:
            names = defined(source)
            told = [index.get(f'{nb.module}.{n}') for n in names]
            links = [f'{{py:obj}}`{n} <{f}>`' for n, f in zip(names, told) if f]
            if links:
                out.append(nbformat.v4.new_markdown_cell('API: ' + ', '.join(links)))
            fold(c, 'Source of ' + ', '.join(names) if names else 'Source')
        elif is_test(source) and not c.outputs:
            lines = [s.strip() for s in source.splitlines()]
            first = next((s for s in lines if re.match(r'assert\b|(\w+\.)*(test_|assert_)', s)), lines[-1])
            fold(c, 'Test: ' + apidoc.short(first, 80))
        if keys.get('output') == 'false' or 'hide_output' in words:
            c.outputs = []
        out.append(c)
    head = out[0] if out and out[0].cell_type == 'markdown' else None
    if head is not None and nb.doc != 'index':
        rel = nb.path.relative_to(root).as_posix()
        bar = f'[Source]({blob}/{rel})'
        if nb.section in dict((s[0], 1) for s in sections):
            bar = f'[Open in Colab]({colab}/{rel}) · {bar}'
        if nb.module and f'api/{nb.module}' in pages.values():
            bar += f' · [API](/api/{nb.module}.md)'
        lines = head.source.split('\n')
        at = next((i for i, s in enumerate(lines) if s.startswith('>')), 0)
        while at + 1 < len(lines) and lines[at + 1].startswith('>'):
            at += 1
        head.source = '\n'.join([*lines[: at + 1], '', f':::{{div}} bar\n{bar}\n:::', *lines[at + 1 :]])
    new = nbformat.v4.new_notebook(cells=out)
    new.metadata = {
        'kernelspec': {'name': 'python3', 'display_name': 'Python 3', 'language': 'python'},
        'language_info': {'name': 'python', 'pygments_lexer': 'ipython3'},
    }
    return new


# The source folder


def words_of(file):
    "Title and first sentence of a hand-written page"
    text = re.sub(r'^---\n.*?\n---\n', '', file.read_text(), flags=re.S)
    title = (re.findall(r'^# +(.*)$', text, re.M) or [file.stem])[0]
    quote = re.findall(r'^> ?(.*)$', text, re.M)
    return title, quote[0] if quote else ''


def cards(items):
    "A grid of (title, text, docname)"
    text = ['::::{grid} 1 2 2 2', ':gutter: 3', '']
    for title, words, doc in items:
        text += [f':::{{grid-item-card}} {title}', f':link: /{doc}', ':link-type: doc', '', words, ':::', '']
    return '\n'.join([*text, '::::', ''])


def toctree(docs, caption='', hidden=True, depth=1):
    head = ['```{toctree}', f':maxdepth: {depth}']
    head += [':hidden:'] if hidden else []
    head += [f':caption: {caption}'] if caption else []
    return '\n'.join([*head, '', *(d if '<' in d else f'/{d}' for d in docs), '```', ''])


# Pages that stand first, in this order; the others follow by name
first_pages = {
    'get_started': ['install', 'faq'],
    'howto': [
        'own_images', 'delete_records', 'plain_pytorch', 'choose_method', 'read_audit', 'does_not_forget',
        'extend', 'cluster', 'tensorboard', 'reproduce_unsir',
    ],
}  # fmt: skip


def pages_of(src, folder, books):
    "Pages of a section: (title, words, docname)"
    first = first_pages.get(folder, [])
    files = [f for f in sorted((src / folder).glob('*.md')) if f.stem != 'index']
    files.sort(key=lambda f: (first.index(f.stem) if f.stem in first else len(first), f.stem))
    written = [(*words_of(f), f'{folder}/{f.stem}') for f in files]
    made = [(b.title, b.subtitle, b.doc) for b in books if b.section == folder and not b.reference]
    return made + written if folder == 'concepts' else written + made


def section(src, folder, title, subtitle, books):
    "The first page of a section, with a card for each of its pages"
    target = src / folder / 'index.md'
    pages = pages_of(src, folder, books)
    if not pages:
        return None
    text = target.read_text() if target.exists() else f'# {title}\n\n> {subtitle}\n'
    if folder != 'methods':  # whose index is a table
        text += '\n' + cards(pages) + '\n'
    text += '\n' + toctree([p[2] for p in pages])
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(text)
    return f'{folder}/index'


def reference(src, found, books, index):
    "API pages by room, and an index of all names"
    by_module = {b.module: b for b in books if b.module}
    rooms = {}
    for b in sorted((b for b in books if b.reference), key=lambda b: (b.number is None, b.number or 0)):
        rooms.setdefault(b.room, []).append(b)
    for name in found:
        if name not in by_module:
            parts = name.split('.')
            rooms.setdefault(folder_rooms.get(parts[0], 'More'), []).append(name)
    (src / 'api').mkdir(exist_ok=True)
    text = [
        '# API reference',
        '',
        '> Every public name: signature, parameters with type, default and meaning, errors, source',
        '',
        'Each part of the package is defined, explained and tested in one notebook; the pages here are'
        ' read from the code that it exports. All names by letter stand in the {ref}`index <genindex>`; the'
        ' names that `from unlearn_nb.all import *` gives are listed under [all](/api/all.md).'
        if 'all' in found
        else '',
        '',
    ]
    order = sorted(rooms, key=lambda r: room_order.index(r) if r in room_order else len(room_order))
    tops = []
    for room in order:
        slug = re.sub(r'\W+', '_', room.lower()).strip('_')
        page = [f'# {room}', '', '| module | what it holds | notebook |', '|---|---|---|']
        docs = []
        for b in rooms[room]:
            module = b if isinstance(b, str) else b.module
            m = found.get(module)
            words = apidoc.escape((m or {}).get('doc', '') or getattr(b, 'subtitle', ''))
            api = f'[{module}](/api/{module}.md)' if m else module or ''
            note = '' if isinstance(b, str) else f'[{b.title}](/{b.doc}.ipynb)'
            page.append(f'| {api} | {apidoc.cell(words)} | {note} |')
            docs += [f'api/{module}'] if m else []
            docs += [] if isinstance(b, str) else [f'{b.title}, the notebook </{b.doc}>' if m else b.doc]
            if m:
                file = src / 'api' / f'{module}.md'
                notebook = None if isinstance(b, str) else f'{b.doc}.ipynb'
                file.write_text(apidoc.module_page(module, m, index, blob, notebook))
        page += ['', toctree(docs)]
        (src / 'api' / f'room_{slug}.md').write_text('\n'.join(page))
        tops.append(f'api/room_{slug}')
        listed = [
            f'`{b if isinstance(b, str) else b.module}`'
            for b in rooms[room]
            if isinstance(b, str) or b.module
        ]
        text += [f'- [{room}](/api/room_{slug}.md): {", ".join(listed)}']
    text += ['', toctree([*tops, 'genindex'])]
    (src / 'api' / 'index.md').write_text('\n'.join(text))


project_words = {
    'changelog': 'What changed, release by release, and what is deprecated',
    'contributing': 'How to change something, and what a test is here',
    'security': 'What counts as a hole, and whom to tell',
    'gallery': 'Every figure of the site, each with the page that makes it',
    'deprecations': 'Names that still work for one release, and where they went',
}


def project_pages(src):
    "About: changelog, contributing, security and citation, from the files that GitHub shows too"
    about = src / 'about'
    about.mkdir(exist_ok=True)
    for name in ('CHANGELOG', 'CONTRIBUTING', 'SECURITY'):
        file = root / f'{name}.md'
        if file.exists():
            text = re.sub(
                r'`((?:nbs/)?[\w/]+\.(?:ipynb|md|py))`',
                lambda m: f'[`{m[1]}`]({blob}/{m[1]})' if (root / m[1]).exists() else m[0],
                file.read_text(),
            )
            (about / f'{name.lower()}.md').write_text(text)
    if (root / 'CITATION.cff').exists() and (about / 'cite.md').exists():
        page = about / 'cite.md'
        page.write_text(page.read_text().replace('CITATION_CFF', (root / 'CITATION.cff').read_text().strip()))
    files = sorted(about.glob('*.md'))
    pages = [(*words_of(f), f'about/{f.stem}') for f in files if f.stem != 'index']
    pages = [(title, words or project_words.get(Path(doc).name, ''), doc) for title, words, doc in pages]
    subtitle = 'What changed, how to take part, how to cite, and whom to tell of a hole'
    (about / 'index.md').write_text(
        f'# About\n\n> {subtitle}\n\n' + cards(pages) + '\n' + toctree([p[2] for p in pages])
    )


def home(nb, tops, books, counts):
    "The index notebook with cards after its pitch, and the site's tree"
    made = [(t, s, f'{f}/index') for f, t, s in sections if f'{f}/index' in tops]
    made.append(('API reference', f'{counts} public names with their parameters, by room', 'api/index'))
    out = nb.cells
    first = out[0].source
    head, _, rest = first.partition('\n## ')
    grid = cards(made).replace('grid} 1 2 2 2', 'grid} 1 2 3 3')
    out[0].source = f'{head}\n\n{grid}\n' + (f'\n## {rest}' if rest else '')
    out.append(nbformat.v4.new_markdown_cell(toctree(tops)))
    return nb


def inventories(src):
    "Local inventories for intersphinx: fastai's from its installed index, torch's from a committed list"
    lists = {
        'torch': [line.split() for line in (hand / 'torch.txt').read_text().splitlines() if line.strip()]
    }
    try:
        from fastai._modidx import d
    except ImportError:
        d = {'syms': {}}
    fastai = {}
    for names in d['syms'].values():
        for full, (uri, _) in names.items():
            name = full.split('.')[-1]
            if name[:1].isupper():
                fastai.setdefault(name, uri)
    lists['fastai'] = list(fastai.items())
    for project, rows in lists.items():
        head = f'# Sphinx inventory version 2\n# Project: {project}\n# Version: \n'
        head += '# The remainder of this file is compressed using zlib.\n'
        body = ''.join(f'{name} py:class 1 {uri} -\n' for name, uri in rows)
        (src / f'{project}.inv').write_bytes(head.encode() + zlib.compress(body.encode()))


def sources(src, only_pages=None):
    "Write the folder that Sphinx reads"
    docs_tables.start()
    shutil.copytree(hand, src)
    found = apidoc.modules()
    index, books = apidoc.names(found), notebooks()
    docs_cards.write_cards(src, {b.path: b.doc for b in books})
    docs_cards.deprecations(src)
    pages = {b.rel.name: b.doc for b in books} | {f'api/{m}': f'api/{m}' for m in found}
    for f in src.glob('**/*.md'):
        here = f.relative_to(src).with_suffix('').as_posix()
        f.write_text(hand_page(f.read_text(), index, pages, here))
    tops = [section(src, f, t, s, books) for f, t, s in sections]
    reference(src, found, books, index)
    made = {b.doc: convert(b, index, pages) for b in books}
    docs_cards.gallery(src, [(b.title, b.doc, made[b.doc]) for b in books if b.doc != 'index'])
    project_pages(src)
    tops = [t for t in tops if t] + ['api/index', 'about/index']
    for b in books:
        new = made[b.doc]
        if b.doc == 'index':
            new = home(new, tops, books, sum(1 for _ in apidoc.everything(found)))
        file = src / f'{b.doc}.ipynb'
        file.parent.mkdir(parents=True, exist_ok=True)
        nbformat.write(new, file)
    inventories(src)
    return books


def hand_page(text, index, pages, here):
    "A hand-written page: names in backticks become links, generated parts are filled in"
    filled = re.sub(r'^GENERATED:(\w+)$', lambda m: getattr(docs_tables, m[1])(), text, flags=re.M)
    return prose(filled, index, pages, here, (hand / here).parent)


# Checks of the site that was built


colours = re.compile(r'</span>|<span(?: class="[^"]*")?>')  # four fifths of all tags, and none of interest


class Page(HTMLParser):
    "Anchors, links, and what a page loads"

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.ids, self.links, self.loads, self.images = set(), [], [], []
        self.feed(colours.sub('', text))

    def handle_starttag(self, tag, attrs):
        a = dict(attrs)
        if a.get('id'):
            self.ids.add(a['id'])
        if tag == 'a' and a.get('name'):
            self.ids.add(a['name'])
        if tag == 'a' and a.get('href') is not None:
            self.links.append(a['href'])
        if tag in ('script', 'img', 'iframe', 'source', 'video') and a.get('src'):
            self.loads.append(a['src'])
        if (
            tag == 'link'
            and 'stylesheet icon preload prefetch modulepreload'.find(a.get('rel', 'x').split()[-1]) >= 0
        ):
            self.loads.append(a.get('href', ''))
        if tag == 'img':
            self.images.append((a.get('src', ''), a.get('alt')))


def check(site):
    "What is wrong with a built site: dead links and anchors, pictures without words, things from elsewhere"
    site, wrong = Path(site).resolve(), []
    parsed = {f: Page(f.read_text()) for f in sorted(site.glob('**/*.html'))}
    for file, page in parsed.items():
        name = file.relative_to(site).as_posix()
        wrong += [
            f'{name}: {s} has no alt text' for s, alt in page.images if not alt and not s.startswith('data:')
        ]
        for target in [*page.loads, *page.links]:
            url = urlsplit(target)
            loads = target in page.loads
            if target.startswith(base):
                url = urlsplit('/' + target[len(base) :])
            elif url.scheme in ('data', 'mailto') or (url.scheme and not loads):
                continue
            elif url.scheme or url.netloc:
                wrong.append(f'{name}: loads {target} from elsewhere')
                continue
            path = unquote(url.path)
            prefix = urlsplit(base).path
            if path.startswith(prefix):
                to = site / path[len(prefix) :]
            elif path.startswith('/'):
                to = site / path.lstrip('/')
            else:
                to = (file.parent / path) if path else file
            to = to.resolve()
            to = to / 'index.html' if to.is_dir() else to
            if not to.exists():
                wrong.append(f'{name}: dead link {target}')
            elif url.fragment and to in parsed and unquote(url.fragment) not in parsed[to].ids:
                wrong.append(f'{name}: dead anchor {target}')
        text = file.read_text()
        wrong += [f'{name}: {bad} in it' for bad in ('object at 0x', '&lt;factory&gt;') if bad in text]
    return wrong


# The build


def llms(out, books):
    "llms.txt: what is where, for a reader that is a program"
    text = [
        f'# {cfg["title"]}',
        '',
        f'> {cfg["description"]}',
        '',
        f'Install: `pip install {cfg["lib_name"]}`',
        '',
    ]
    for folder, title, _ in sections:
        rows = pages_of(root / '_proc' / 'source', folder, books)
        text += [f'## {title}', '', *(f'- [{t}]({base}{d}.html): {w}' for t, w, d in rows), '']
    text += ['## API', '']
    text += [
        f'- [{name}]({base}api/{name}.html): {m["doc"] or ", ".join(m["others"][:5])}'
        for name, m in apidoc.modules().items()
    ]
    (out / 'llms.txt').write_text('\n'.join(text) + '\n')


def build(out=None, jobs=1):
    "Build the site into OUT/VERSION; returns what is wrong, a list of lines"
    from sphinx.cmd.build import build_main

    out = Path(out or root / cfg['doc_path'])
    work = root / '_proc'
    src, site = work / 'source', out / version
    for old in (src, work / 'trees', site):
        shutil.rmtree(old, ignore_errors=True)
    work.mkdir(exist_ok=True)
    books = sources(src)
    os.environ.setdefault('PYDEVD_DISABLE_FILE_VALIDATION', '1')
    log = work / 'warnings.txt'
    args = ['-q', '-b', 'html', '-d', str(work / 'trees'), '-w', str(log), '--keep-going']
    collects = gc.isenabled()
    gc.disable()  # which finds nothing among the pages' trees, in a seventh of the build's time
    try:
        with warnings.catch_warnings():
            warnings.simplefilter('ignore')  # of extensions that use what a later Sphinx will drop
            code = build_main([*args, '-j', str(jobs), str(src), str(site)])
    finally:
        if collects:
            gc.enable()
    said = log.read_text().splitlines() if log.exists() else []
    wrong = list(dict.fromkeys(line.replace(f'{src}/', '') for line in said if line.strip()))
    if code and not wrong:
        wrong = [f'sphinx ended with {code}']
    if not (site / '404.html').exists():
        return wrong
    for extra in (site / '_sources', out / 'jupyter_execute'):
        shutil.rmtree(extra, ignore_errors=True)
    (site / '.buildinfo').unlink(missing_ok=True)
    (site / '_static/webpack-macros.html').unlink(missing_ok=True)  # a template of the theme
    llms(site, books)
    (out / 'index.html').write_text(
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{cfg["title"]}</title>'
        f'<meta http-equiv="refresh" content="0; url={version}/index.html">'
        f'<link rel="canonical" href="{base}">'
        f'<a href="{version}/index.html">{cfg["title"]} {version}</a></html>\n'
    )
    shutil.copy(site / '404.html', out / '404.html')
    (out / '.nojekyll').touch()
    return wrong + check(site)


if __name__ == '__main__':
    warnings.simplefilter('ignore')
    if '--missing' in sys.argv:
        rows = list(apidoc.missing())
        print('\n'.join(rows))
        sys.exit(print(f'{len(rows)} without a word'))
    start = time.time()
    if '--check' in sys.argv:
        found = check(sys.argv[sys.argv.index('--check') + 1])
    else:
        found = build()
    print('\n'.join(found))
    pages = len(list((root / cfg['doc_path'] / version).glob('**/*.html')))
    print(f'{pages} pages, {len(found)} faults, {time.time() - start:.0f} s')
    sys.exit(bool(found))
