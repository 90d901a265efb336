"""What do shards and slices buy, and what do they cost?

SISA on scikit-learn's digits: accuracy of the ensemble, what a deletion of one and of ten images reads again,
and how long it takes, for numbers of shards and slices; beside what the formula expects, and beside
retraining one network. All have the same budget of training: with R slices 2E/(R+1) epochs each, as in the
paper. And what is saved if images that are likelier to be asked for share shards.

    python benchmarks/sisa.py --keep /tmp/sisa --out results/benchmarks/sisa.json

Every piece is kept in --keep when it is done; the same command goes on, and ends after --seconds.
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

from unlearn_nb.all import digits_dls, environment, forget_idxs
from unlearn_nb.methods.retrain import sisa_cost, sisa_learner, sisa_parts
from unlearn_nb.task import predict_logits

EPOCHS, ARCH, LR = 20, 'small_cnn_gn', 3e-3
SHARE, ASKED = 0.1, 0.9  # so many of the images are asked for in so many of the requests
DRAWS = 2000


def epochs_of(slices):
    "Of each slice, so that all budgets are alike"
    return max(1, round(2 * EPOCHS / (slices + 1)))


def accuracy(learn):
    "On held-out pictures"
    out, y = predict_logits(learn, learn.dls.valid)
    return (out.argmax(1) == y).double().mean().item()


def read_again(parts, gone, epochs):
    "What a deletion reads, by the places of all images"
    slices, total = int(parts[:, 1].max()) + 1, 0
    left = np.ones(len(parts), dtype=bool)
    left[gone] = False
    for s in np.unique(parts[gone, 0]):
        first = parts[gone][parts[gone, 0] == s][:, 1].min()
        there = left & (parts[:, 0] == s)
        total += sum(int((there & (parts[:, 1] <= r)).sum()) for r in range(first, slices))
    return epochs * total


def deletion(learn, gone, seed):
    "Cost of one request"
    record = learn.unlearn(forget_idxs(learn.dls, gone), 'sisa', seed=seed).unlearn_record
    return {'k': len(gone), 'read': record.samples_read['retain'], 'seconds': record.cpu_seconds,
            'restarts': record.details['restarts']}  # fmt: skip


def ensemble(shards, slices, seed, likely=None):
    "Trained, with its own cost"
    dls, epochs = digits_dls(seed=0), epochs_of(slices)
    begin = time.process_time()
    how = dict(shards=shards, slices=slices, epochs=epochs, lr=LR, seed=seed, likely=likely)
    learn = sisa_learner(dls, ARCH, **how)
    return learn, epochs, time.process_time() - begin


def curve(shards, slices, seed):
    "One point of the curve"
    learn, epochs, seconds = ensemble(shards, slices, seed)
    n, gen = len(learn.dls.train_ds), np.random.default_rng(seed)
    asked = [gen.choice(n, k, replace=False).tolist() for k in (1, 10)]
    parts = learn.model.plan.parts.numpy()
    draw = lambda k: [read_again(parts, gen.choice(n, k, replace=False), epochs) for _ in range(DRAWS)]
    many = {k: draw(k) for k in (1, 10)}
    return {'shards': shards, 'slices': slices, 'seed': seed, 'epochs': epochs, 'n': n,
            'accuracy': accuracy(learn), 'seconds': seconds,
            'deletions': [deletion(learn, g, seed) for g in asked],
            'arithmetic': [read_again(parts, g, epochs) for g in asked],
            'mean': {k: float(np.mean(v)) for k, v in many.items()},
            'formula': {k: sisa_cost(n, shards, slices, epochs, k) for k in (1, 10)}}  # fmt: skip


def known(shards, slices, seed):
    "Ten requests that fall on likely images nine times in ten, with and without knowing which they are"
    dls, gen = digits_dls(seed=0), np.random.default_rng(seed)
    n = len(dls.train_ds)
    likely = np.full(n, (1 - ASKED) / (n * (1 - SHARE)))
    likely[gen.permutation(n)[: round(SHARE * n)]] = ASKED / (n * SHARE)
    likely /= likely.sum()
    draws = [gen.choice(n, 10, replace=False, p=likely) for _ in range(DRAWS)]
    row = {'shards': shards, 'slices': slices, 'seed': seed, 'epochs': epochs_of(slices), 'n': n}
    for name, told in (('even', None), ('packed', likely)):
        learn, epochs, _ = ensemble(shards, slices, seed, told)
        parts = sisa_parts(n, shards, slices, seed, told).numpy()
        cost = [read_again(parts, g, epochs) for g in draws]
        row[name] = {'accuracy': accuracy(learn), 'mean': float(np.mean(cost)), 'most': float(max(cost)),
                     'deletion': deletion(learn, draws[0].tolist(), seed), 'arithmetic': cost[0]}  # fmt: skip
    return row


if __name__ == '__main__':
    p = argparse.ArgumentParser()
    p.add_argument('--shards', type=int, nargs='+', default=[1, 5, 10, 20])
    p.add_argument('--slices', type=int, nargs='+', default=[1, 2, 4])
    p.add_argument('--seeds', type=int, nargs='+', default=[0, 1, 2])
    p.add_argument('--seconds', type=float, default=math.inf)
    p.add_argument('--keep', type=Path, required=True)
    p.add_argument('--out', type=Path)
    a = p.parse_args()
    warnings.filterwarnings('ignore')
    torch.set_num_threads(1)
    a.keep.mkdir(parents=True, exist_ok=True)
    jobs = [(curve, s, r, k) for k in a.seeds for s in a.shards for r in a.slices]
    jobs += [(known, 10, r, k) for k in a.seeds for r in (1, 4)]
    begin, left, found = time.monotonic(), 0, {'curve': [], 'known': []}
    for f, *how in jobs:
        file = a.keep / f'{f.__name__}_{"_".join(map(str, how))}.json'
        if not file.exists() and time.monotonic() - begin > a.seconds:
            left += 1
            continue
        if not file.exists():
            start = time.process_time()
            file.write_text(json.dumps(f(*how)))
            print(f.__name__, *how, f'{time.process_time() - start:.1f} s', flush=True)
        found[f.__name__].append(json.loads(file.read_text()))
    print(f'{left} pieces left', flush=True)
    if a.out:
        a.out.parent.mkdir(parents=True, exist_ok=True)
        told = {'command': ' '.join(['python', *sys.argv]), 'environment': environment()}
        a.out.write_text(json.dumps({**told, **found}, indent=1))
    for r in found['curve']:
        print({k: r[k] for k in ('shards', 'slices', 'seed', 'accuracy', 'mean', 'formula')})
