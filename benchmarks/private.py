"""What does a promise cost, and is it kept?

A small network (`small_cnn_gn`) learns scikit-learn's digits privately, for several epsilon and seeds: its
accuracy; what LiRA finds with one false alarm in a hundred, beside what the promise allows; and what is wrong
if a request is met by doing nothing, beside methods of the catalogue on a network without a promise. Each
measure is compared with that of networks retrained without the request in the same way.

    python benchmarks/private.py --keep /tmp/private --out results/benchmarks/private.json

`plain` is trained without cutting gradients; infinity cuts them and adds no noise. Every piece is kept in
--keep when it is done; the same command goes on, and ends after --seconds.
"""

import argparse
import json
import math
import sys
import time
import warnings
from pathlib import Path

import numpy as np
import torch
from fastai.optimizer import SGD
from scipy import stats

from unlearn_nb.all import digits_dls, environment, fashion_mnist_dls, forget_class, forget_random
from unlearn_nb.all import image_learner, measures, train
from unlearn_nb.ensemble import half_models, retrain_many
from unlearn_nb.metrics.attacks import attack_auc
from unlearn_nb.metrics.grid import grid_metrics
from unlearn_nb.metrics.likeness import margins
from unlearn_nb.metrics.lira import lira_attack
from unlearn_nb.parts import part_dl
from unlearn_nb.private import group_privacy, privacy_spent, tpr_bound, train_private
from unlearn_nb.task import predict_logits

DELTA, FPR, HALVES, EPOCHS, BATCH, RATE = 1e-5, 0.01, 8, 20, 512, 0.3
PLAIN = 'plain'
GROUPS = 1, 2, 5, 14
METHODS = {'class': ['unsir', 'finetune', 'scrub', 'ssd'], 'random': ['finetune', 'scrub', 'random_label']}


def trained(dls, epsilon, seed, epochs=EPOCHS):
    "A network with the promise, or without"
    learn = image_learner(dls, 'small_cnn_gn', seed=seed, opt_func=SGD, precision='fp32')
    with learn.no_bar(), learn.no_logging():
        if epsilon == PLAIN:
            return train(learn, epochs, lr=RATE)
        return train_private(learn, epochs, math.inf if epsilon is None else epsilon, DELTA, lr=RATE)


def accuracy(learn):
    "On held-out pictures"
    out, y = predict_logits(learn, learn.dls.valid)
    return (out.argmax(1) == y).double().mean().item()


def told(learn):
    "What was promised in fact; infinity is no number in JSON"
    spent = privacy_spent(learn)
    return None if math.isinf(spent) else spent


def attacked(epsilon, seed):
    "A network, and the margins of half networks on all training pictures"
    learn = trained(digits_dls(bs=BATCH, pad=0, flip=False), epsilon, seed)
    made, saw = half_models(learn, HALVES, seed=100 * (seed + 1), together=False)
    dl = part_dl(learn.dls.train, range(len(learn.dls.train_ds)))
    asked = [margins(*predict_logits(m, dl)).tolist() for m in made]
    halves = [accuracy(m) for m in made]
    return {'accuracy': accuracy(learn), 'spent': told(learn), 'halves': halves, 'margins': asked,
            'saw': saw.int().tolist()}  # fmt: skip


def beside(epsilon, seed):
    "What is wrong if nothing is done, or something, beside retraining"
    learn, rows = trained(digits_dls(bs=BATCH, pad=0, flip=False), epsilon, seed), []
    splits = {'class': forget_class(learn.dls, '3'), 'random': forget_random(learn.dls, n=14, seed=seed)}
    for kind, split in splits.items():
        oracle = retrain_many(learn, split, [50 + seed, 60 + seed], together=False)
        asked = {'nothing': learn}
        if epsilon == PLAIN:
            asked |= {m: learn.unlearn(split, m, seed=seed) for m in METHODS[kind]}
        right = [measures(o, split) for o in oracle]
        for name, model in asked.items():
            got, attack = measures(model, split), grid_metrics['references'](model, split, oracle)
            gaps = {k: abs(v - float(np.mean([r[k] for r in right]))) for k, v in got.items()
                    if v is not None and k != 'seconds' and all(r[k] is not None for r in right)}  # fmt: skip
            record = getattr(model, 'unlearn_record', None)
            rows.append({'request': kind, 'n': len(split.forget_idxs), 'method': name, 'gap': gaps,
                         'value': {k: v for k, v in got.items() if k != 'seconds'},
                         'retrained': {k: [r[k] for r in right] for k in got if k != 'seconds'},
                         'attack': attack, 'share': record.share if record else 0.0})  # fmt: skip
    return rows


def fashion(epsilon, seed):
    "Accuracy on part of Fashion-MNIST, once"
    return {'accuracy': accuracy(trained(fashion_mnist_dls(n=3000, bs=1000, seed=seed), epsilon, seed, 15))}


def interval(hits, n):
    "Clopper-Pearson, 95 %"
    low = stats.beta.ppf(0.025, hits, n - hits + 1) if hits else 0.0
    return [float(low), float(stats.beta.ppf(0.975, hits + 1, n - hits)) if hits < n else 1.0]


def lira_of(found):
    "Each half network attacked with all others as shadows, seed by seed"
    m = np.concatenate([f['margins'] for f in found])
    saw = np.concatenate([f['saw'] for f in found]).astype(bool)
    seeds = np.repeat(range(len(found)), HALVES)
    hits, members, aucs, rates = 0, 0, [], [[] for _ in found]
    for t in range(len(m)):
        rest = np.arange(len(m)) != t
        score, inside = lira_attack(m[t], m[rest], saw[rest]), saw[t]
        others = np.sort(score[~inside])[::-1]
        alarm = others[int(FPR * len(others))]  # so many others lie above it, and no more
        hit = int((score[inside] > alarm).sum())
        hits, members = hits + hit, members + int(inside.sum())
        rates[seeds[t]].append(hit / int(inside.sum()))
        aucs.append(attack_auc(score[inside], score[~inside]))
    return {'tpr': hits / members, 'ci': interval(hits, members), 'members': members,
            'by seed': [float(np.mean(r)) for r in rates], 'auc': float(np.mean(aucs))}  # fmt: skip


def rows_of(keep, epsilons, seeds):
    "All that is there"
    def read(what, e, s):
        file = keep / f'{what}_{e}_{s}.json'
        return json.loads(file.read_text()) if file.exists() else None

    rows, gaps, other = [], [], []
    for e in epsilons:
        found = [f for s in seeds if (f := read('attacked', e, s))]
        if found:
            limits = {}
            if e not in (None, PLAIN):
                limits = {'bound': tpr_bound(e, DELTA, FPR),
                          'group': {k: tpr_bound(e, DELTA, FPR, k) for k in GROUPS},
                          'group epsilon': {k: group_privacy(e, DELTA, k)[0] for k in GROUPS}}  # fmt: skip
            rows.append({'epsilon': e, 'seeds': len(found),
                         'accuracy': [f['accuracy'] for f in found],
                         'spent': [f['spent'] for f in found],
                         'accuracy of halves': [f['halves'] for f in found],
                         'lira': lira_of(found), **limits})  # fmt: skip
        for s in seeds:
            gaps += [{'epsilon': e, 'seed': s, **g} for g in read('beside', e, s) or []]
        if f := read('fashion', e, 0):
            other.append({'epsilon': e, **f})
    return {'rows': rows, 'gaps': gaps, 'fashion_mnist': other}


if __name__ == '__main__':
    p = argparse.ArgumentParser()
    p.add_argument('--epsilons', type=float, nargs='+', default=[1, 2, 4, 8])
    p.add_argument('--seeds', type=int, nargs='+', default=[0, 1, 2])
    p.add_argument('--seconds', type=float, default=math.inf)
    p.add_argument('--fashion', action='store_true')
    p.add_argument('--keep', type=Path, required=True)
    p.add_argument('--out', type=Path)
    a = p.parse_args()
    warnings.filterwarnings('ignore')
    torch.set_num_threads(1)
    a.keep.mkdir(parents=True, exist_ok=True)
    epsilons = [*(int(e) if e == int(e) else e for e in a.epsilons), None, PLAIN]
    jobs = [(f, e, s) for s in a.seeds for e in epsilons for f in (attacked, beside)]
    if a.fashion:
        jobs += [(fashion, e, 0) for e in (1, 4, None, PLAIN) if e in epsilons]
    begin, left = time.monotonic(), 0
    for f, e, s in jobs:
        file = a.keep / f'{f.__name__}_{e}_{s}.json'
        if file.exists():
            continue
        if time.monotonic() - begin > a.seconds:
            left += 1
            continue
        start = time.process_time()
        file.write_text(json.dumps(f(e, s)))
        print(f.__name__, e, s, f'{time.process_time() - start:.1f} s', flush=True)
    print(f'{left} pieces left', flush=True)
    found = rows_of(a.keep, epsilons, a.seeds)
    if a.out and found['rows']:
        settings = {'delta': DELTA, 'fpr': FPR, 'halves': HALVES, 'epochs': EPOCHS}
        settings |= {'batch': BATCH, 'lr': RATE}
        command = ' '.join(['python', *sys.argv])
        told_ = {'command': command, 'environment': environment(), 'settings': settings}
        a.out.parent.mkdir(parents=True, exist_ok=True)
        a.out.write_text(json.dumps({**told_, **found}, indent=1))
    for r in found['rows']:
        print(r['epsilon'], np.round(r['accuracy'], 3), {k: np.round(v, 4) for k, v in r['lira'].items()},
              r.get('bound'))  # fmt: skip
