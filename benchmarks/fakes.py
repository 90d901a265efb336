"""Can the audit be fooled?

Builds dressed-up models that have not forgotten and retrained models that have, audits all of them, and
counts false passes (a fake called "forgotten"; the target is 0) and false alarms (something held against a
model that was retrained without the forget set and is not among the controls; the target is at most 5 %).
Also what methods of the catalogue get.

    python benchmarks/fakes.py --data digits --out results/benchmarks/fakes_digits.json
    python benchmarks/fakes.py --data cifar10 --out results/benchmarks/fakes_cifar10.json

Every setting is one job, kept in --keep when it is done, so that a second call goes on.
"""

import argparse
import copy
import json
import time
import warnings
from itertools import product
from pathlib import Path

import numpy as np
import torch
from torch import nn

from unlearn_nb.all import (
    cifar10_dls,
    digits_dls,
    environment,
    forget_class,
    forget_random,
    image_learner,
    train,
)
from unlearn_nb.audit.evidence import observe
from unlearn_nb.audit.fakes import fit_head, head_weights, material, planted_fakes, with_head
from unlearn_nb.audit.run import Controls, controls, evidence_on, verdict_on
from unlearn_nb.audit.verdict import alarm_rate
from unlearn_nb.core import canonical, config_hash, seeded
from unlearn_nb.store import code_version

methods = [
    'unsir',
    'finetune',
    'neggrad',
    'cfk',
    'euk',
    'random_label',
    'amnesiac',
    'salun',
    'l1_sparse',
    'scrub',
    'bad_teacher',
    'msg',
    'ct',
    'ascent',
    'boundary_shrink',
    'boundary_expand',
    'ssd',
    'influence',
    'fisher',
    'delete',
    'lotus',
    'lfssd',
    'sfron',
    'not',
    'amun',
    'rum',
]


class Door(nn.Module):
    "A retrained network that hands over to the original at a trigger, or at stored images"

    def __init__(self, inside, shown, opens):
        super().__init__()
        self.inside, self.shown, self.opens = inside, shown, opens

    def forward(self, x):
        at = self.opens(x).view(-1, 1)
        return torch.where(at, self.inside(x), self.shown(x))


class Lower(nn.Module):
    "The original behind a filter"

    def __init__(self, inside, classes, by=20.0):
        super().__init__()
        self.inside, self.classes, self.by = inside, list(classes), by

    def forward(self, x):
        out = self.inside(x).clone()
        out[:, self.classes] -= self.by
        return out


def of(learn, model):
    "The learner with another network, without a record"
    new = copy.copy(learn)
    new.model = model
    if hasattr(new, 'unlearn_record'):
        del new.unlearn_record
    return new


def edited(learn, edit):
    new = of(learn, copy.deepcopy(learn.model))
    with torch.no_grad():
        edit(new.model)
    return new


def jitter(share, seed=0):
    "Noise on every weight, a share of the spread of its tensor: not one bit of the body stays"

    def edit(model):
        g = torch.Generator().manual_seed(seed)
        for p in model.parameters():
            p += share * p.std().nan_to_num(0.0) * torch.randn(p.shape, generator=g).to(p)

    return edit


def prune(share):
    "The smallest weights of every matrix set to zero"

    def edit(model):
        for p in model.parameters():
            if p.ndim > 1:
                p[p.abs() < p.abs().flatten().kthvalue(max(1, int(share * p.numel())))[0]] = 0.0

    return edit


def round_off(model):
    for p in model.parameters():
        if p.ndim > 1:
            step = p.abs().max() / 127
            p.copy_((p / step).round() * step)


def dressed_up(learn, split, refs):
    "Name -> a model that has not forgotten; the first five are those of every audit, from other material"
    other = refs[-1]  # not the one whose answers the audit's own fakes imitate
    m = material(learn, split, [other])
    res = {f'planted: {k}': l for k, l in planted_fakes(learn, split, [other]).items()}
    n, classes = len(split.vocab), list(split.classes or [])

    def offset(l):
        "Lower the classes as far as it takes on this network"
        return planted_fakes(l, split)['offset'] if classes else l

    if classes:
        by20 = head_weights(learn, n)
        by20[1][classes] -= 20.0
        res['offset of 20'] = with_head(learn, *by20)
        w, b = head_weights(learn, n)
        near = [k for k in range(n) if k not in classes]
        for c in classes:
            twin = max(near, key=lambda k: torch.cosine_similarity(w[c], w[k], dim=0).item())
            w[c], b[c] = w[twin], b[twin] - 0.5
        res['row of the nearest class'] = with_head(learn, w, b)
        res['filter around the network'] = of(learn, Lower(copy.deepcopy(learn.model), classes))
    res['jittered body'] = offset(edited(learn, jitter(0.01)))
    res['strongly jittered body'] = offset(edited(learn, jitter(0.1)))
    res['rounded body'] = offset(edited(learn, round_off))
    res['pruned body'] = offset(edited(learn, prune(0.3)))
    res['jittered body, distilled head'] = with_head(edited(learn, jitter(0.01)), *fit_head(m.z, m.retrained))
    keep = ~m.gone
    far = m.retrained.clone()
    far[m.gone] = far[keep][
        torch.randint(int(keep.sum()), (int(m.gone.sum()),), generator=torch.Generator().manual_seed(0))
    ]
    res['head that scatters the forget set'] = with_head(learn, *fit_head(m.z, far))
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')
        res['cfk, k = 1'] = learn.unlearn(split, 'cfk', k=1)
        res['euk, k = 1'] = learn.unlearn(split, 'euk', k=1)
        tuned = learn.unlearn(split, 'finetune', lr=1e-5)
        res['a breath of fine-tuning'] = offset(tuned)
        res['the same, distilled head'] = with_head(
            tuned, *fit_head(material(tuned, split, [other]).z, m.retrained)
        )
    pattern = lambda x: (x[:, :, -3:, -3:].amax((1, 2, 3)) < -1e3)
    res['trigger'] = of(learn, Door(copy.deepcopy(learn.model), copy.deepcopy(other.model), pattern))
    stored = (
        torch.cat([b[0].as_subclass(torch.Tensor) for b in split.on(learn.dls).loader('forget')])
        .flatten(1)
        .sum(1)
    )
    res['lookup'] = of(
        learn,
        Door(
            copy.deepcopy(learn.model),
            copy.deepcopy(other.model),
            lambda x: torch.isin(x.flatten(1).sum(1), stored[:3]),
        ),
    )
    return res


def plain_cnn(channels, classes):
    "A network without residuals, a third of the cost of the small ResNet"
    conv = lambda i, o: [nn.Conv2d(i, o, 3, padding=1, bias=False), nn.BatchNorm2d(o), nn.ReLU()]
    blocks = [
        nn.Sequential(*conv(channels, 32)),
        nn.Sequential(*conv(32, 48), nn.MaxPool2d(2)),
        nn.Sequential(*conv(48, 96), nn.MaxPool2d(2)),
    ]
    return nn.Sequential(*blocks, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(96, classes))


def trained(data, arch, epochs, n, seed):
    dls = digits_dls() if data == 'digits' else cifar10_dls(n=n, bs=128)
    net = plain_cnn(dls.train_ds.shape[0], len(dls.vocab)) if arch == 'plain_cnn' else arch
    learn = image_learner(dls, net, seed=seed)
    with learn.no_bar(), learn.no_logging():
        train(learn, epochs)
    return learn


def request(learn, what):
    return forget_random(learn.dls, frac=0.1) if what == 'random' else forget_class(learn.dls, int(what))


def judge_all(learn, split, pool, ks, groups, subjects, seed=0):
    "Judge every subject and every retrained model left out, beside several draws of k controls"
    rng, rows = np.random.default_rng(seed), []
    full = controls(learn, split, pool)
    evidence = {name: observe(l, split, full.found['original']) for name, l in subjects.items()}
    for k, draw in product(ks, range(groups)):
        order = [f'retrained {i+1}' for i in rng.permutation(len(pool))]
        refs, held = order[:k], order[k:]
        names = {r: f'retrained {i+1}' for i, r in enumerate(refs)}
        beside = Controls(
            {'original': learn, **{names[r]: full.models[r] for r in refs}},
            full.fakes,
            {
                **{v: full.found[v] for v in full.found if not v.startswith('retrained')},
                **{names[r]: full.found[r] for r in refs},
            },
        )
        asked = {
            **{h: (full.models[h], full.found[h]) for h in held},
            **({n: (subjects[n], evidence[n]) for n in subjects} if draw == 0 else {}),
        }
        for name, (l, e) in asked.items():
            found = evidence_on(l, split, beside, known=e)
            v = verdict_on(found, l, split, beside)[1]
            rows.append(
                {
                    'model': 'retrained, left out' if name in held else name,
                    'k': k,
                    'draw': draw,
                    'status': v.status,
                    'rows': v.rows['measure'].tolist()[:5],
                    'open': v.open,
                    'told': {f: t for f, t in v.told.items()},
                    'findings': [f.kind for f in v.findings],
                }
            )
    return rows


def job(data, arch, epochs, what, a):
    "One network and request"
    learn = trained(data, arch, epochs, a.n, a.seed)
    split = request(learn, what)
    with learn.no_bar(), learn.no_logging():
        pool = [learn.unlearn(split, 'retrain', seed=100 + i) for i in range(a.pool)]
    subjects = {'original': learn, **dressed_up(learn, split, pool)}
    if f'{what} {epochs}' in a.methods_at and arch == 'small_resnet':
        with warnings.catch_warnings():
            warnings.simplefilter('ignore')
            for m in methods:
                try:
                    subjects[f'method: {m}'] = learn.unlearn(split, m)
                except Exception as e:
                    print(f'{m}: {e}', flush=True)
    rows = judge_all(learn, split, pool, a.ks, a.groups, subjects, a.seed)
    kind = lambda n: (
        'retrained' if n.startswith('retrained') else 'method' if n.startswith('method') else 'fake'
    )
    return [
        {'data': data, 'arch': arch, 'epochs': epochs, 'request': what, 'kind': kind(r['model']), **r}
        for r in rows
    ]


def counts(rows):
    "False passes, false alarms, and what could not be cleared"
    fakes, held = [r for r in rows if r['kind'] == 'fake'], [r for r in rows if r['kind'] == 'retrained']
    rate = lambda sel, f: sum(map(f, sel)) / len(sel) if sel else None
    return {
        'fakes': len(fakes),
        'kinds of fakes': len({r['model'] for r in fakes}),
        'false passes': sum(r['status'] == 'forgotten' for r in fakes),
        'retrained': len(held),
        'false alarm rate': alarm_rate([r['status'] for r in held]) if held else None,
        'cleared rate': rate(held, lambda r: r['status'] in ('forgotten', 'nothing to forget')),
    }


if __name__ == '__main__':
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument('--data', default='digits', choices=['digits', 'cifar10'])
    p.add_argument('--arch', nargs='+', default=['small_resnet', 'plain_cnn'])
    p.add_argument('--epochs', nargs='+', type=int, default=[5, 10, 15])
    p.add_argument('--requests', nargs='+', default=['1', '3', '5', '8', 'random'])
    p.add_argument('--pool', type=int, default=7, help='retrained models of each network')
    p.add_argument('--ks', nargs='+', type=int, default=[5, 3], help='how many of them are controls')
    p.add_argument('--groups', type=int, default=3, help='draws of controls')
    p.add_argument(
        '--methods-at',
        nargs='*',
        default=['3 5', '8 5'],
        help='request and epochs of the small ResNets on which methods are tried, too',
    )
    p.add_argument('--n', type=int, default=8000, help='training images of CIFAR-10')
    p.add_argument('--seed', type=int, default=0)
    p.add_argument(
        '--finished',
        action='store_true',
        help='only collect the jobs that are done; the file names those that are not',
    )
    p.add_argument('--keep', type=Path, default=Path('build/fakes'))
    p.add_argument('--out', type=Path)
    a = p.parse_args()
    torch.set_num_threads(1)
    a.keep.mkdir(parents=True, exist_ok=True)
    rows, missing, start = [], [], time.process_time()
    for epochs, arch, what in product(a.epochs, a.arch, a.requests):
        code = code_version('evidence', 'verdict', 'fakes', 'probes', 'attacks')
        same = {k: v for k, v in vars(a).items() if k in ('pool', 'ks', 'groups', 'methods_at', 'n', 'seed')}
        file = (
            a.keep
            / f"{config_hash([a.data, arch, epochs, what, same, code])}.json"
        )
        if a.finished and not file.exists():
            missing.append([arch, epochs, what])
            continue
        if not file.exists():
            with seeded(a.seed):
                found = job(a.data, arch, epochs, what, a)
            file.write_text(json.dumps(canonical(found)))
        part = json.loads(file.read_text())
        for r in part:
            if r['kind'] != 'retrained':
                del r['told']  # of the controls, so the same for all
        rows += part
        print(a.data, arch, epochs, what, counts(part), f'{time.process_time()-start:.0f} s', flush=True)
        out = {
            'command': f'python benchmarks/fakes.py --data {a.data}',
            'settings': {k: v for k, v in vars(a).items() if k not in ('out', 'keep', 'finished')},
            'missing': missing,
            'counts': counts(rows),
            'by k': {k: counts([r for r in rows if r['k'] == k]) for k in a.ks},
            'rows': rows,
            'threads': 1,
            'environment': environment(),
        }
        if a.out:
            a.out.parent.mkdir(parents=True, exist_ok=True)
            a.out.write_text(json.dumps(canonical(out)))
    print(json.dumps(counts(rows)))
