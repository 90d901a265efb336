"""Tables of the site that come from the registries: measures, methods, data sets

Asking the registries means importing the package, so what they said is kept until the package changes.
"""

import functools
import hashlib
import inspect
import json
import os
import subprocess
import sys
from pathlib import Path

import apidoc

root = Path(__file__).parent.parent


def ask():
    "What the registries hold, as JSON"
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter('ignore')
        from unlearn_nb.all import list_data, list_methods, list_metrics
        from unlearn_nb.method import get_method_class
        from unlearn_nb.metrics.measure import list_measures

        words = lambda v: v if isinstance(v, (str, int, float, bool, type(None))) else str(v)
        said = lambda d: {k: words(v) for k, v in d.items() if k != 'class'}
        rows = lambda df: [said(r) for r in df.to_dict('records')]
        settings = lambda made: {k: repr(v) for k, v in vars(made).items() if not k.startswith('_')}

        def card(name):
            c = get_method_class(name)
            published = getattr(c, 'published', None)
            return dict(
                module=c.__module__.split('.', 1)[1],
                cls=c.__name__,
                doc=(c.__doc__ or '').split('. Mind:')[0],
                default=settings(c()),
                published=settings(published()) if published else None,
                published_doc=' '.join((published.__doc__ or '').split()) if published else '',
                fails=dict(c.fails),
                needs=sorted(c.needs),
                equation=getattr(c, 'equation', ''),
                promise=c.promise,
            )

        return json.dumps(
            dict(
                measures=[{k: words(v) for k, v in vars(m).items()} for m in list_measures()],
                methods=rows(list_methods()),
                metrics=rows(list_metrics()),
                data=rows(list_data()),
                cards={n: card(n) for n in list_methods()['name']},
            )
        )


def kept():
    "Where the answer for this state of the package is kept"
    files = sorted((root / apidoc.package).glob('**/*.py'))
    code = inspect.getsource(ask).encode() + b''.join(f.read_bytes() for f in files)
    return root / '_proc' / f'registries-{hashlib.sha256(code).hexdigest()[:16]}.json'


@functools.cache
def start():
    """Begin to ask, in a process of its own while other work goes on; None if the answer is there, or if
    PyTorch is, so that asking here takes a second and there ten"""
    if kept().exists() or 'torch' in sys.modules:
        return None
    paths = os.pathsep.join([str(root), str(root / 'tools')])
    env = {**os.environ, 'PYTHONPATH': paths, 'OMP_NUM_THREADS': '1', 'PYTHONWARNINGS': 'ignore'}
    cmd = [sys.executable, '-c', 'import docs_tables; print(docs_tables.ask())']
    return subprocess.Popen(cmd, stdout=subprocess.PIPE, text=True, env=env, cwd=root)


def answer():
    "Of the process that was begun, or asked here"
    process = start()
    if process is None:
        return ask()
    said, _ = process.communicate()
    if process.returncode:
        raise RuntimeError('the registries could not be asked')
    return said.splitlines()[-1]


@functools.cache
def registries():
    if not kept().exists():
        said = answer()
        kept().parent.mkdir(exist_ok=True)
        kept().write_text(said)
    return json.loads(kept().read_text())


groups = {
    'utility': ('What must stay', 'Is the model still good at the rest?'),
    'forgetting': ('Answers about what was to be forgotten', 'What does it say when it is asked?'),
    'attacks': ('Attacks from outside', 'Can somebody who sees answers tell what was in training?'),
    'inside': ('Looks inside', 'What do weights and features still hold when the answers say nothing?'),
    'distance': ('Distance to retrained models', 'Does it answer as if it had never seen the data?'),
    'summary': ('Summaries', 'One number made of others; never a proof.'),
}
cannot = {
    'memory': 'A value as in retrained models clears the model of this attack alone, not of a better one.',
    'likeness': 'A value unlike retrained models does not say that something is remembered.',
    'body': 'Features that moved do not say that they forgot; features that did not move have not.',
    'nothing': 'Says nothing about forgetting.',
}
aims = {
    'memory': 'inside the band of retrained models; towards the original is remembered',
    'likeness': 'inside the band of retrained models',
    'body': 'as far from the original as retrained models are',
    'nothing': 'compare with the original and with retrained models',
}


def slug(name):
    return 'measure-' + ''.join(c if c.isalnum() else '-' for c in name.lower()).strip('-')


def limits(m):
    "What a measure cannot say; a measure that says it itself has the last word"
    if m.get('cannot'):
        return m['cannot']
    text = cannot.get(m['proves'], '')
    if m.get('decisive'):
        text += ' A filter in front of the answers moves it as well as forgetting does.'
    if m['family'] not in ('', m['name']):
        text += f' Counts as one with the others of “{m["family"]}”.'
    return text.strip()


def span(m):
    if m.get('range'):
        return str(m['range'])
    return '0 and up' if m['counts'] else '0 to 1'


def measures():
    "Every measure of an audit: what it asks, range, where it should be, what it cannot say"
    out = []
    rows = registries()['measures']
    for g in dict.fromkeys(m['group'] for m in rows):
        title, words = groups.get(g, (g.capitalize(), ''))
        out += [f'### {title}', '', words, '']
        for m in (m for m in rows if m['group'] == g):
            says, best = m['says'] or 'No sentence yet.', m.get('better') or aims[m['proves']]
            out += [
                f'({slug(m["name"])})=',
                f'**{m["name"]}**',
                f': {apidoc.escape(says)} *Range* {span(m)}. *Should be* {best}.'
                f' *Cannot say:* {apidoc.escape(limits(m))}',
                '',
            ]
    return '\n'.join(out)


def table(rows, columns):
    head = ['| ' + ' | '.join(columns.values()) + ' |', '|' + '---|' * len(columns)]
    return '\n'.join(
        head + ['| ' + ' | '.join(apidoc.cell(str(r.get(c, '') or '')) for c in columns) + ' |' for r in rows]
    )


def methods():
    "The catalogue, for a choice: what a method serves, reads and is known to miss"
    rows = []
    for m in registries()['methods']:
        rows.append(
            {
                **m,
                'name': f'`{m["name"]}`',
                'exact': 'yes' if m['exact'] in (True, 'True') else 'no, audit it',
                'requests': ', '.join(m['requests'].split()),
                'reads': ', '.join(m['reads'].split()),
                'caveat': apidoc.escape(m['caveat'] or ''),
            }
        )
    columns = {
        'name': 'method',
        'requests': 'requests it serves',
        'reads': 'data it reads',
        'exact': 'exact',
        'caveat': 'measured limit of its default',
        'paper': 'source',
    }
    return table(rows, {k: v for k, v in columns.items() if k in rows[0]})


def data():
    rows = registries()['data']
    return table(rows, {k: k for k in rows[0]})
