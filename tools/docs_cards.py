"""Pages of the site made from the registry of methods, from committed results and from the notebooks:
a card for each method, decision tables, a gallery of figures, a list of deprecations

Numbers come from files in `results/`; nothing is run.
"""

import ast
import base64
import functools
import html
import io
import json
import math
import re
from pathlib import Path

import apidoc
import docs_tables

root = Path(__file__).parent.parent
results = root / 'results'

# What a method does in one line. Letters: D_f forget set, D_r retain set, theta weights, theta_o the
# original's weights, L the mean loss on a set, eta the learning rate. A class may say its own as `equation`.
equations = {
    'unsir': r'N_c=\arg\min_N\;-\mathrm{CE}(f_\theta(N),c)+\lambda\,\overline{\textstyle\sum N^2},\qquad'
    r'\theta\leftarrow\theta-\eta\,\nabla L(D_r\cup N_c)\;\text{(impair)},\quad'
    r'\theta\leftarrow\theta-\eta\,\nabla L(D_r)\;\text{(repair)}',
    'retrain': r'\theta=\mathcal{A}(D_r;\ \text{fresh weights}),\qquad'
    r'\mathcal{A}\ \text{the original training}',
    'sisa': r'f(x)=\frac1S\sum_{s=1}^{S} f_{\theta_s}(x),\qquad\theta_s=\mathcal{A}(D_s\setminus D_f)',
    'dare': r'\mathcal{T}(D)\to\mathcal{T}(D\setminus D_f)\ \text{node for node; a part grows anew where}\ '
    r'\arg\min_{(j,v)}\mathrm{Gini}\ \text{changes}',
    'certified': r'w\leftarrow w+H_{D_r}^{-1}\,\nabla L(D_f,w),\qquad'
    r'\lVert\nabla L(D_r,w)\rVert\le\sigma\epsilon/\sqrt{2\ln(1.5/\delta)}\ '
    r'\text{or the head is fitted anew}',
    'fed_retrain': r'\theta^{t+1}=\sum_{k\ne u}\frac{n_k}{\sum_{j\ne u}n_j}\,\theta_k^t,\qquad'
    r'\theta_k^t\ \text{trained by client}\ k\ \text{from}\ \theta^t,\ \theta^0\ \text{fresh}',
    'fed_eraser': r'\tilde\theta^{t+1}=\tilde\theta^t+\sum_{k\ne u}w_k\,d_k^t,\qquad'
    r'd_k^t=\|U_k^t\|\,\hat U_k^t/\|\hat U_k^t\|\ \text{by layer},\qquad'
    r'w_k=n_k\,/\sum_{j\ne u}n_j,\qquad'
    r'U\ \text{kept},\qquad\hat U\ \text{trained briefly from}\ \tilde\theta^t',
    'fed_ascent': r'\theta\leftarrow\Pi_{\|\theta-\theta_{\mathrm{ref}}\|\le\delta}'
    r'\big(\theta+\eta\,\nabla L(D_f)\big),\quad\text{then rounds of the others}',
    'fed_finetune': r'\theta^{t+1}=\sum_{k\ne u}\frac{n_k}{\sum_{j\ne u}n_j}\,\theta_k^t\quad'
    r'\text{from the original}\ \theta_o',
    'finetune': r'\theta\leftarrow\theta-\eta\,\nabla L(D_r)',
    'ascent': r'\theta\leftarrow\theta+\eta\,\nabla L(D_f)',
    'neggrad': r'\theta\leftarrow\theta-\eta\,\nabla\big[\beta\,L(D_r)-(1-\beta)\,L(D_f)\big]',
    'cfk': r'\theta_{>K-k}\leftarrow\theta_{>K-k}-\eta\,\nabla L(D_r),\qquad'
    r'\theta_{\le K-k}\ \text{stay, of}\ K\ \text{blocks}',
    'euk': r'\theta_{>K-k}\sim\text{initial weights},\qquad'
    r'\theta_{>K-k}\leftarrow\theta_{>K-k}-\eta\,\nabla L(D_r)',
    'random_label': r'\theta\leftarrow\theta-\eta\,\nabla\big[L(D_r)+L(\{(x,\tilde y)\})\big],\qquad'
    r'\tilde y\sim\mathrm{Unif}(\text{classes that stay}\setminus y),\ x\in D_f',
    'amnesiac': r'\theta\leftarrow\theta-\eta\,\nabla L(\{(x,\tilde y)\}_{x\in D_f}),\quad\text{then}\quad'
    r'\theta\leftarrow\theta-\eta\,\nabla L(D_r)',
    'salun': r'm=\mathbf 1\big(|\nabla L(D_f)|\ge\gamma\big),\qquad'
    r'\theta=m\odot\theta_{\text{inner}}+(1-m)\odot\theta_o',
    'boundary_shrink': r"x'=x+\epsilon\,\mathrm{sign}\,\nabla_x\mathrm{CE}(f_{\theta_o}(x),y),\quad"
    r"y'=\arg\max_{k\ne y}f_{\theta_o}(x')_k,\quad"
    r"\theta\leftarrow\theta-\eta\,\nabla L(\{(x,y')\})",
    'boundary_expand': r'\theta\leftarrow\theta-\eta\,\nabla L(\{(x,\,K{+}1)\}_{x\in D_f}),\quad'
    r'\text{then output}\ K{+}1\ \text{is removed}',
    'l1_sparse': r'\theta\leftarrow\theta-\eta\,\nabla\big[L(D_r)+\alpha_t\|\theta\|_1\big],\qquad'
    r'\alpha_t\to0',
    'fisher': r'\theta=\theta_o+\epsilon,\qquad\epsilon_i\sim\mathcal N\big(0,\ (\alpha/F_i)^{1/2}\big),'
    r'\quad F\ \text{the Fisher diagonal on}\ D_r',
    'ssd': r'\theta_i\leftarrow\theta_i\,\min\!\big(1,\ \lambda F_{D,i}/F_{f,i}\big)'
    r'\quad\text{where}\quad F_{f,i}>\alpha F_{D,i}',
    'influence': r'\theta=\theta_o+\alpha\,(F+dI)^{-1}\,\nabla L(D_f)',
    'scrub': r'\max_\theta\ \mathrm{KL}_{D_f}(f_{\theta_o}\,\|\,f_\theta),\qquad'
    r'\min_\theta\ \alpha\,\mathrm{KL}_{D_r}(f_{\theta_o}\,\|\,f_\theta)+\gamma\,L(D_r)',
    'scrub_r': r'\text{SCRUB, then the epoch}\ t\ \text{with}\quad'
    r'\arg\min_t\ \big|\mathrm{err}_{\theta_t}(D_f)-\mathrm{err}_{\theta_T}(\text{held out})\big|',
    'bad_teacher': r'\min_\theta\ \mathrm{KL}_{D_r}(f_{\theta_o}\,\|\,f_\theta)'
    r'+\mathrm{KL}_{D_f}(f_{\text{untrained}}\,\|\,f_\theta)',
    'msg': r'\text{the 30 \% smallest of}\ \big|\nabla L(D_r)-\nabla L(D_f)\big|\ \text{drawn anew},\quad'
    r'\text{then}\quad\theta\leftarrow\theta-\eta\,\nabla L(D_r)',
    'delete': r'\min_\theta\ \mathrm{KL}_{D_f}\big(\mathrm{softmax}(\tilde z_o)\,\|\,f_\theta\big),\qquad'
    r'\tilde z_{o,y}=-\infty,\quad\tilde z_{o,k}=z_{o,k}\ \text{for}\ k\ne y',
    'lotus': r'\min_\theta\ \mathrm{CE}_{D_f}\big(\mathrm{softmax}((z_o+g)/\tau),\,f_\theta\big)'
    r'+\mathrm{CE}_{D_r}(\arg\max z_o,\,f_\theta),\qquad'
    r'\tau=e^{\alpha(\mathrm{acc}_f-\mathrm{acc}_{\text{held out}})},\quad g\ \text{Gumbel noise}',
    'lfssd': r'\theta_i\leftarrow\theta_i\,\min\!\big(1,\ \lambda\Omega_{D,i}/\Omega_{f,i}\big)'
    r'\quad\text{where}\quad'
    r'\Omega_{f,i}>\alpha\Omega_{D,i},\qquad'
    r'\Omega_i=\mathbb E\,\big|\partial\|f_\theta(x)\|^2/\partial\theta_i\big|',
    'sfron': r'\theta\leftarrow\theta+\eta_t\,m\odot\mathrm{clip}\,\alpha_t\nabla'
    r'\textstyle\sum_i w_i\ell_i(D_f),\quad'
    r'\text{in turns with}\quad\theta\leftarrow\theta-\eta_t\nabla L(D_r),\qquad'
    r'w_i\propto\ell_i^{-\lambda},\quad m=\mathbf 1(F_f\ge\gamma F_r)',
    'not': r'W_1\leftarrow-W_1,\quad\text{then}\quad\theta\leftarrow\theta-\eta\,\nabla L(D_r)',
    'stand_in': r'\theta_s=\mathrm{train}(\text{fresh};\,D_r),\qquad'
    r'\min_\theta\ L(D_r)+\mathrm{KL}_{D_f}(f_{\theta_s}\,\|\,f_\theta)',
    'amun': r"\theta\leftarrow\theta-\eta\,\nabla\big[L(D_r)+L(\{(x',\,\hat y(x'))\}_{x\in D_f})\big],\qquad"
    r"x'\ \text{the nearest with}\ \hat y(x')=\arg\max f_{\theta_o}(x')\ne y",
    'recalibrated': r"\theta'=U(\theta;\,D_f,D_r),\qquad W,b\leftarrow W/T,\,b/T\quad\text{with}\quad"
    r"\overline H_{\text{held out}}(f_{\theta'}/T)=\overline H_{\text{held out}}(f_\theta)",
    'rum': r'D_f=S_1\cup S_2\cup S_3\ \text{by memorisation},\qquad'
    r'\theta_i=U_i(\theta_{i-1};\,S_i,D_r),\quad i=1,2,3',
    'ct': r'W_{ijuv}\leftarrow W_{ijvu}\ \text{for all kernels},\quad'
    r'\text{then}\quad\theta\leftarrow\theta-\eta\,\nabla L(D_r)',
    'esd': r'\min_\theta\ \big\|\epsilon_\theta(x_t,c)-\epsilon_{\theta_o}(x_t,\varnothing)'
    r'+\eta\,(\epsilon_{\theta_o}(x_t,c)-\epsilon_{\theta_o}(x_t,\varnothing))\big\|^2,\qquad'
    r'x_t\ \text{on the way to a drawing of}\ c',
    'concept_ablation': r'\min_\theta\ \big\|\epsilon_\theta(x_t,c)-\epsilon_{\theta_o}(x_t,c^*)\big\|^2'
    r'+\big\|\epsilon_\theta(x_t,c^*)-\epsilon\big\|^2,\qquad x\ \text{drawn under the anchor}\ c^*',
    'selective_amnesia': r'\min_\theta\ L(\{(u,c)\})+L(\{(\hat x,\hat c)\})'
    r'+\lambda\textstyle\sum_i F_i(\theta_i-\theta_{o,i})^2,\qquad'
    r'u\sim\mathrm{Unif}(-1,1),\quad\hat x\ \text{drawn under}\ \hat c\ \text{that stays}',
    'erasediff': r'\theta\leftarrow\theta-\eta\,(r+\lambda q),\quad r=\nabla L(D_r),\quad'
    r'q=\nabla\big\|\epsilon_\theta(x_t,c)-u\big\|^2_{D_f},\quad u\sim\mathrm{Unif}(0,1),\qquad'
    r'\lambda=\max\!\big(0,\ \eta_b-\langle r,q\rangle/\|q\|^2\big)',
}

runs = {
    'cifar10': ('CIFAR-10', 'methods_cifar10', 'airplane'),
    'digits': ('digits', 'methods_digits', '3'),
}
audits = {
    'digits, 5 epochs': 'fakes_digits',
    'digits, 10 epochs': 'fakes_digits_10',
    'CIFAR-10, 8,000 images': 'fakes_cifar10',
}


@functools.cache
def run(name):
    "A committed file of results"
    return json.loads((results / name).read_text())


def said_commit(env):
    commit = env['commit']
    dirty = commit.endswith('+changes')
    return f'commit `{commit[:7]}`' + (', from a tree with uncommitted changes' if dirty else '')


def provenance():
    "Where the numbers of methods come from"
    parts = [
        f'`results/{folder}/results.json` ({said_commit(run(f"{folder}/results.json")["environment"])})'
        for _, folder, _ in runs.values()
    ]
    return ' and '.join(parts)


def values(data, request, method, column):
    "One number per seed, of retraining one per retrained model; missing ones left out"
    rows = run(f'{runs[data][1]}/results.json')['rows']
    found = [r[column] for r in rows if r['request'] == request and r['method'] == method]
    return [v for v in found if v is not None and v == v]


def mean(v):
    return sum(v) / len(v) if v else math.nan


def sd(v):
    m = mean(v)
    return (sum((a - m) ** 2 for a in v) / (len(v) - 1)) ** 0.5 if len(v) > 1 else math.nan


def spread(v, scale=100, digits=1):
    "Mean ± standard deviation"
    if not v:
        return '–'
    text = f'{mean(v) * scale:.{digits}f}'
    return text if len(v) < 2 else f'{text}\u00a0±\u00a0{sd(v) * scale:.{digits}f}'


# Cards


@functools.cache
def stories():
    "Registered name -> notebook and the prose above the cell that defines it"
    import nbformat

    found = {}
    for file in sorted((root / 'nbs').glob('**/*.ipynb')):
        heads, opening = [], ''
        for c in nbformat.read(file, 4).cells:
            if c.cell_type == 'markdown':
                title = re.match(r'#+ +(.*)', c.source)
                text = re.sub(r'^(#+ .*|> .*)\n*', '', c.source, flags=re.M).strip()
                if not opening:
                    opening = text or opening
                if title:
                    heads.append((title[1], text))
                continue
            for name in re.findall(r"^@register_method\('(\w+)'\)", c.source, re.M):
                if '#| export' in c.source:
                    title, text = heads[-1] if heads else ('', opening)
                    own = title != 'The method' and text
                    found[name] = (file, text if own else opening)
    return found


def idea(name):
    "The prose of the notebook, two paragraphs at most and no tables"
    _, text = stories().get(name, (None, ''))
    parts = [p for p in re.split(r'\n\s*\n', text) if not re.match(r'[|$`]', p)]
    return '\n\n'.join(parts[:2])


def old_settings(name):
    "Settings of today that the stored runs did not have or had otherwise"
    now = docs_tables.registries()['cards'][name]['default']
    found = set()
    for data in runs:
        rows = run(f'{runs[data][1]}/results.json')['rows']
        hyper = next((r['hyper'] for r in rows if r['method'] == name and r['hyper']), None)
        for k, v in now.items():
            if hyper is not None and k in hyper and repr_of(hyper[k]) != plain(v):
                found.add(k)
            if hyper is not None and k not in hyper:
                found.add(k)
    return sorted(found)


# A setting whose arrival changed what the default does, as the changelog says: method -> setting and words.
# Counts only while the stored runs do not have it
changed = {'fisher': ('authors', 'whole classes follow the authors’ code by default')}


def otherwise(name):
    "How the default differs from what the stored runs did; '' if it is not known to"
    setting, words = changed.get(name, ('', ''))
    return words if setting in old_settings(name) else ''


def repr_of(v):
    return plain(repr(v))


def plain(text):
    "A value as it is compared: JSON knows no tuples"
    return text.replace('[', '(').replace(']', ')').replace(',)', ')')


def settings_table(card):
    "Default and published side by side, what differs first"
    default, published = card['default'], card['published']
    rows, params = [], {}
    for item in apidoc.everything():
        if item.name == card['cls'] and item.module == card['module']:
            params = {p.name: p.doc for p in item.params}
    for k, v in default.items():
        row = {'setting': f'`{k}`', 'default': f'`{v}`', 'meaning': apidoc.escape(params.get(k, ''))}
        if published:
            row['published'] = f'`{published[k]}`' if published[k] != v else 'the same'
        rows.append(row)
    if not rows:
        return 'It has no settings.'
    rows.sort(key=lambda r: r.get('published') == 'the same')
    columns = {'setting': 'setting', 'default': 'default'}
    if published:
        columns['published'] = 'published'
    columns['meaning'] = 'meaning'
    return docs_tables.table(rows, columns)


def results_table(name):
    "A row for each data set and request: this method, retraining, the original"
    head = ['| data and request | measure, % | this method | retrained | original |', '|---|---|---|---|---|']
    lines = []
    for data, (title, _, cls) in runs.items():
        for request, columns in (('class', ('A_Df', 'A_Dr')), ('random', ('UA', 'TA'))):
            what = f'the class {cls}' if request == 'class' else 'a tenth at random'
            seeds = len(values(data, request, name, 'TA'))
            if not seeds:
                continue
            first = f'**{title}**, {what}'
            for column in columns:
                three = [spread(values(data, request, m, column)) for m in (name, 'retrain', 'original')]
                lines.append(f'| {first} | {measure_words[column]} | ' + ' | '.join(three) + ' |')
                first = ''
            cost = values(data, request, name, 'images_ratio')
            if name != 'retrain':
                lines.append(f'|  | cost, of retraining | {spread(cost)} | 100 | – |')
    return '\n'.join(head + lines) if lines else ''


measure_words = {
    'A_Df': 'accuracy, forgotten class held out ($A_{D_f}$)',
    'A_Dr': 'accuracy, other classes held out ($A_{D_r}$)',
    'UA': 'error on the forget set (UA)',
    'TA': 'accuracy held out (TA)',
}


def verdicts(name):
    "What audits said of it: (where, request, status)"
    found = []
    for where, file in audits.items():
        for r in run(f'benchmarks/{file}.json')['rows']:
            if r['kind'] == 'method' and r['k'] == 5 and r['model'] == f'method: {name}':
                found.append((where, r['request'], r['status']))
    return found


def chart(name, data='cifar10'):
    "Every method as a dot, this one filled: forgotten class against the others"
    title, _, cls = runs[data]
    names = [n for n in docs_tables.registries()['cards'] if values(data, 'class', n, 'A_Df')]
    point = {
        n: (mean(values(data, 'class', n, 'A_Df')), mean(values(data, 'class', n, 'A_Dr')))
        for n in [*names, 'original', 'retrain']
    }
    low = min(y for _, y in point.values()) - 0.02
    high = max(y for _, y in point.values()) + 0.02
    width, height, left, bottom, top = 560, 250, 62, 44, 14
    px = lambda v: left + v * (width - left - 34)
    py = lambda v: top + (high - v) / (high - low) * (height - bottom - top)
    if name not in point:
        return ''
    pair = lambda n: f'{point[n][0]:.0%} on the forgotten class and {point[n][1]:.0%} on the others'
    words = (
        f'{name} on {title}, class {cls}: {pair(name)}; retrained {pair("retrain")}; original'
        f' {pair("original")}'
    )
    out = [
        f'<svg class="chart" viewBox="0 0 {width} {height}" role="img" aria-label="{html.escape(words)}">',
        f'<title>{html.escape(words)}</title>',
        f'<g stroke="currentColor" stroke-width="1" fill="none" opacity=".55"><path d="M{left} {top}'
        f'V{height - bottom}H{width - 14}"/></g>',
        '<g fill="currentColor" font-size="13">',
    ]
    for v in (0, 0.25, 0.5, 0.75, 1):
        out.append(f'<text x="{px(v):.0f}" y="{height - bottom + 17}" text-anchor="middle">{v:.0%}</text>')
    for v in (0.65, 0.7, 0.75, 0.8):
        if low < v < high:
            out.append(f'<text x="{left - 6}" y="{py(v) + 4:.0f}" text-anchor="end">{v:.0%}</text>')
    out.append(
        f'<text x="{(left + width) / 2:.0f}" y="{height - 8}" text-anchor="middle">accuracy on held-out'
        f' images of the forgotten class ({cls})</text><text x="14" y="{(height - bottom) / 2:.0f}"'
        f' text-anchor="middle" transform="rotate(-90 14 {(height - bottom) / 2:.0f})">on the others</text>'
    )
    out.append('</g>')
    for n, (x, y) in point.items():
        if n not in (name, 'original', 'retrain'):
            out.append(
                f'<circle cx="{px(x):.1f}" cy="{py(y):.1f}" r="4" fill="none" stroke="currentColor"'
                f' opacity=".6"><title>{n}</title></circle>'
            )
    for n in ('original', 'retrain', name):
        x, y = point[n]
        right = x < 0.6
        label = {'retrain': 'retrained'}.get(n, n)
        below = right and n != 'retrain' and abs(y - point['retrain'][1]) < 0.04
        shift = 18 if below else -9
        cls_ = 'mine' if n == name else 'control'
        out.append(
            f'<g class="{cls_}"><circle cx="{px(x):.1f}" cy="{py(y):.1f}" r="6"/><text x="{px(x):.0f}"'
            f' y="{py(y) + shift:.0f}" dx="{9 if right else -9}" font-size="13"'
            f' text-anchor="{"start" if right else "end"}">{label}</text></g>'
        )
    out.append('</svg>')
    return f'```{{raw}} html\n{"".join(out)}\n```\n'


def limits_of(name, method, card):
    "What it does not reach, and where it is known to fail"
    out = []
    if method['caveat']:
        out.append(f'- Measured: {apidoc.escape(method["caveat"])}.')
    for why in dict.fromkeys(card['fails'].values()):
        kinds = ', '.join(f'`{k}`' for k, v in card['fails'].items() if v == why)
        out.append(f'- Known to fail on requests of kind {kinds}: {apidoc.escape(why)}.')
    if set(card['needs']) - {'labels', 'logits', 'other_labels'}:
        out.append(f'- Needs a task with {", ".join(card["needs"])}.')
    for where, request, status in verdicts(name):
        if status != 'forgotten':
            out.append(f'- An audit of one run called it *{status}* ({where}, class {request}).')
    kinds = set(method['requests'].split()) | set(card['fails'])
    if 'random' not in kinds:
        out.append('- Forgets whole classes only; a list of records is refused.')
    none = '- No limit of its default was found on the networks measured here.'
    apart = '- It is not among the measurements of classes; its notebook says more.'
    return '\n'.join(out) or (none if results_table(name) else apart)


def proof_of(exact, card):
    "What a result may be taken for"
    if exact:
        return '. *Exact*: no audit is needed.'
    return f'. *Promised*: {card["promise"]}.' if card['promise'] else '. *Approximate*: audit the result.'


def card_page(name, docs_of):
    "The card of one method; `docs_of` gives the page of a notebook"
    method = next(m for m in docs_tables.registries()['methods'] if m['name'] == name)
    card = docs_tables.registries()['cards'][name]
    file, _ = stories().get(name, (None, ''))
    links = [f'[API](/api/{card["module"]}.md)']
    if file and file in docs_of:
        links.append(f'[Notebook](/{docs_of[file]}.ipynb)')
    links.append('[All methods](index.md)')
    equation = card['equation'] or equations.get(name, '')
    exact = method['exact'] in (True, 'True')
    reads = [f'`{p}`' for p in method['reads'].split()]
    text = [f'# {name}', '', f'> {card["doc"]}', '', ':::{div} bar', ' · '.join(links), ':::', '']
    text += [
        f'*Source:* {apidoc.escape(method["paper"])}. *Reads* {", ".join(reads)}. *Serves* requests of kind '
        + ', '.join(f'`{k}`' for k in method['requests'].split())
        + proof_of(exact, card),
        '',
        '## Idea',
        '',
        idea(name) or card['doc'],
        '',
    ]
    if equation:
        for part in re.split(r',?\\qquad', equation):  # a line each, for narrow screens
            text += ['$$', part.strip(), '$$', '']
        text += [
            '$D_f$ is the forget set, $D_r$ the retain set, $\\theta$ the weights, $\\theta_o$ those of the'
            ' original, $L$ the mean loss on a set, $\\eta$ the learning rate.',
            '',
        ]
    text += ['## When it fails', '', limits_of(name, method, card), '']
    table = results_table(name)
    if table:
        text += ['## Measured', '', chart(name), table, '']
        text += [
            f'Mean ± standard deviation over seeds, by the defaults, `small_resnet`; from {provenance()}.'
            ' Cost in images through the network, a forward pass alone counting a third.',
            '',
        ]
        if words := otherwise(name):
            text += [':::{warning}', f'Since these runs {words}; they have to be run again.', ':::', '']
        elif late := old_settings(name):
            told = ', '.join(f'`{k}`' for k in late)
            text += [f'The runs do not name {told}, which were added later.', '']
    if told := verdicts(name):
        good = sum(s == 'forgotten' for *_, s in told)
        text += [
            f'Of {len(told)} audits of single runs beside five retrained models, {good} said *forgotten*'
            ' (`results/benchmarks/fakes_*.json`, [](/papers/fooled.ipynb)); the others stand above.',
            '',
        ]
    text += ['## Settings', '', settings_table(card), '']
    if card['published']:
        text += [f'`{card["cls"]}.published()`: {apidoc.escape(card["published_doc"])}.', '']
    elif not exact:
        text += ['No settings are published for it as it stands here.', '']
    text += ['## Use', '', '```python', f"new = learn.unlearn(split, '{name}')", '```', '']
    return '\n'.join(text)


def table_of_cards():
    "All methods, with what was measured for a class of CIFAR-10"
    rows = []
    for m in docs_tables.registries()['methods']:
        n = m['name']
        v = lambda c, n=n: spread(values('cifar10', 'class', n, c))
        rows.append(
            {
                'name': f'[{n}]({n}.md)',
                'doc': apidoc.escape(docs_tables.registries()['cards'][n]['doc']),
                'reads': ', '.join(m['reads'].split()),
                'requests': 'class' if m['requests'] == 'class' else 'class, records',
                'A_Df': v('A_Df'),
                'A_Dr': v('A_Dr'),
                'cost': '100' if n == 'retrain' else v('images_ratio'),
            }
        )
    columns = {
        'name': 'method', 'doc': 'idea', 'reads': 'reads', 'requests': 'requests',
        'A_Df': 'forgotten class, %', 'A_Dr': 'others, %', 'cost': 'cost, % of retraining',
    }  # fmt: skip
    return docs_tables.table(rows, columns)


def write_cards(src, docs_of):
    "A page for each registered method and an index of them; returns their names"
    folder = src / 'methods'
    folder.mkdir(exist_ok=True)
    names = list(docs_tables.registries()['cards'])
    for n in names:
        (folder / f'{n}.md').write_text(card_page(n, docs_of))
    return names


# Which method?


def choice(request, forget_may_be_read):
    "Decision table for a kind of request: who forgets, who keeps, cost, what an audit said"
    columns = ('A_Df', 'A_Dr') if request == 'class' else ('UA', 'TA')
    rows = []
    for m in docs_tables.registries()['methods']:
        n, reads = m['name'], m['reads'].split()
        if ('forget' in reads) == (not forget_may_be_read):
            continue
        if not values('cifar10', request, n, 'TA'):
            continue
        off = {}
        for data in runs:
            for c in columns:
                gap = mean(values(data, request, n, c)) - mean(values(data, request, 'retrain', c))
                off[data, c] = 100 * gap
        far = max(abs(off[d, columns[0]]) for d in runs)
        loss = -min(off[d, columns[1]] for d in runs)
        told = [s for *_, s in verdicts(n)]
        work = values('cifar10', request, n, 'images_ratio')
        good = sum(s == 'forgotten' for s in told)
        exact = m['exact'] in (True, 'True')
        rows.append(
            {
                'name': f'[{n}](/methods/{n}.md)' + ('\u00a0†' if otherwise(n) else ''),
                'far': f'{far:.1f}',
                'loss': f'{abs(max(loss, 0)):.1f}',
                'cost': f'{100 * mean(work):.0f}',
                'proof': 'exact' if exact else f'{good} of {len(told)}' if told else 'audit it',
                'order': (not exact, round(far + max(loss, 0))),
            }
        )
    rows.sort(key=lambda r: r.pop('order'))
    first = 'still knows, points' if request == 'class' else 'UA off, points'
    heads = {'name': 'method', 'far': first, 'loss': 'costs the rest, points'}
    heads['cost'] = 'work, % of retraining'
    if request == 'class':
        heads['proof'] = 'audits that said “forgotten”'
    return docs_tables.table(rows, heads)


def decisions():
    "The four tables"
    said = [(where, name, s) for name in docs_tables.registries()['cards'] for where, _, s in verdicts(name)]
    good = {w: sorted({n for w2, n, s in said if w2 == w and s == 'forgotten'}) for w in audits}
    each = {w: max((sum(w2 == w and n2 == n for w2, n2, _ in said) for _, n, _ in said)) for w in audits}
    words = '; '.join(
        f'{w}: {each[w]} a method, {len(good[w]) or "none"} of them “forgotten” at least once' for w in audits
    )
    out = [
        f'Audits of single runs beside five retrained networks ({words}).'
        ' Methods that look alike in the other columns differ there. So audit yours.'
        ' † The default has changed since these runs, see its card.',
        '',
    ]
    for request, title in (('class', 'A class'), ('random', 'Single records')):
        out += [f'### {title}', '']
        if request == 'random':
            pairs = [(d, m) for d in runs for m in ('original', 'retrain')]
            theirs = [100 * mean(values(d, 'random', m, 'UA')) for d, m in pairs]
            out += [
                'First ask whether there is anything to forget. Here there was little: the error on'
                f' the forget set is {theirs[0]:.1f} % for the original and {theirs[1]:.1f} % for retrained'
                f' networks on CIFAR-10, {theirs[2]:.1f} % and {theirs[3]:.1f} % on the digits. A method can'
                ' only make that worse. On a network that has memorised its training data the order may be'
                ' another.',
                '',
            ]
        for may, words in ((False, 'without reading the data to forget'), (True, 'reading them once more')):
            out += [f'**{title}, {words}**', '', choice(request, may), '']
    return '\n'.join(out)


docs_tables.decisions = decisions
docs_tables.cards_table = table_of_cards


def sources():
    "For a caption"
    return f'From {provenance()}.'


docs_tables.sources = sources


def verdict():
    "The sentences of an audit, as the second tutorial prints them"
    import nbformat

    said = []
    for c in nbformat.read(root / 'nbs/tutorials/02_audit.ipynb', 4).cells:
        if c.cell_type == 'code' and '.verdict))' in c.source:
            said = [o.text for o in c.outputs if o.get('name') == 'stdout']
    return '\n'.join(f'> {line}\n>' for line in ''.join(said).strip().splitlines())


def unsir_table():
    "UNSIR by our defaults and as published, one-cycle"
    rows = [r for r in run('unsir_cifar10/results.json')['rows'] if r['recipe'] == 'one_cycle']
    made = []
    for scenario in dict.fromkeys(r['scenario'] for r in rows):
        for name in ('original', 'retrain', 'unsir', 'unsir published', 'finetune'):
            mine = [r for r in rows if r['scenario'] == scenario and r['method'] == name]
            made.append(
                {
                    'request': scenario,
                    'method': name,
                    'A_Df': spread([r['A_Df'] for r in mine]),
                    'A_Dr': spread([r['A_Dr'] for r in mine]),
                }
            )
    columns = {'request': 'request', 'method': 'method', 'A_Df': 'forgotten', 'A_Dr': 'others'}
    return docs_tables.table(made, columns)


docs_tables.verdict, docs_tables.unsir_table = verdict, unsir_table


# Gallery


def gallery(src, pages):
    "All figures of the notebooks as thumbnails; `pages` are (title, docname, converted notebook)"
    from PIL import Image

    folder = src / '_static' / 'gallery'
    folder.mkdir(parents=True, exist_ok=True)
    order = ['concepts', 'tutorials', 'papers', 'notebooks']
    pages = sorted(pages, key=lambda p: order.index(p[1].split('/')[0]))
    text = ['# Gallery', '', '> Every figure of the site, each with the page that makes it', '']
    total = 0
    for title, doc, nb in pages:
        tiles = []
        for i, c in enumerate(nb.cells):
            for o in c.get('outputs', []):
                data = o.get('data', {}).get('image/png')
                if not data:
                    continue
                alt = c.metadata.get('mystnb', {}).get('image', {}).get('alt', title)
                file = f'{doc.replace("/", "-")}-{i}.png'
                picture = Image.open(io.BytesIO(base64.b64decode(data))).convert('RGB')
                picture.thumbnail((480, 320))
                picture.quantize(64).save(folder / file, optimize=True)
                words = html.escape(alt, quote=True)
                tiles.append(
                    f'<a href="../{doc}.html" title="{words}"><img src="../_static/gallery/{file}"'
                    f' loading="lazy" alt="{words}" width="{picture.width}" height="{picture.height}"></a>'
                )
        if tiles:
            total += len(tiles)
            text += [f'## [{title}](/{doc}.ipynb)', '', '```{raw} html', '<div class="gallery">']
            text += [*tiles, '</div>', '```', '']
    (src / 'about').mkdir(exist_ok=True)
    (src / 'about' / 'gallery.md').write_text('\n'.join(text))
    return total


# Deprecations


def shims():
    "Modules whose names have moved: (module, homes)"
    found = []
    for file in sorted((root / apidoc.package).glob('**/*.py')):
        tree = ast.parse(file.read_text())
        named = {
            t.id: n.value
            for n in tree.body
            if isinstance(n, ast.Assign)
            for t in n.targets
            if isinstance(t, ast.Name)
        }
        call = named.get('__getattr__')
        if not (isinstance(call, ast.Call) and apidoc.call_name(call) == 'moved'):
            continue
        homes = []
        for a in call.args[1:]:
            if isinstance(a, ast.Starred) and isinstance(a.value, ast.Name):
                homes += ast.literal_eval(named[a.value.id])
            elif isinstance(a, ast.Starred):
                homes += ast.literal_eval(a.value)
            else:
                homes.append(ast.literal_eval(a))
        parts = file.relative_to(root / apidoc.package).with_suffix('').parts
        found.append(('.'.join(p for p in parts if p != '__init__'), homes))
    return found


def aliases():
    "Old names that stand beside new ones: `old = new # its name until 0.1`, and what warns that it will go"
    found = []
    for file in sorted((root / apidoc.package).glob('**/*.py')):
        module = '.'.join(file.relative_to(root / apidoc.package).with_suffix('').parts)
        text = file.read_text()
        for old, new in re.findall(r'^(\w+) = (\w+) *# its name until', text, re.M):
            found.append((module, old, f'`{new}`'))
        for message in re.findall(r'warn\(\s*f?"`(\w+)` will go; ([^"]*)", DeprecationWarning', text):
            found.append((module, message[0], message[1]))
    return found


def deprecations(src):
    "The page of what will go"
    text = [
        '# Deprecations',
        '',
        '> Names that still work for one release, and where they went',
        '',
        'Each gives a `DeprecationWarning` that says the same. The list is made from the code.',
        '',
        '## Modules that moved',
        '',
        '| old module | its names are now in |',
        '|---|---|',
    ]
    text += [
        f'| `unlearn_nb.{m}` | ' + ', '.join(f'`unlearn_nb.{h}`' for h in homes) + ' |'
        for m, homes in shims()
    ]
    text += ['', '## Names', '', '| old name | in | use |', '|---|---|---|']
    text += [f'| `{old}` | `unlearn_nb.{module}` | {new} |' for module, old, new in aliases()]
    (src / 'about').mkdir(exist_ok=True)
    (src / 'about' / 'deprecations.md').write_text('\n'.join(text) + '\n')
