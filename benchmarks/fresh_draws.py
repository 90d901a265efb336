"""Is a search worth its cost? Its sets and those of every ranking, on draws that none of them has seen.

A network that has learned its training images by heart (`small_resnet` on 2,080 images of CIFAR-10, two
layers on the digits); a set of a tenth of them by the search for each
objective (loss, gap, membership), and by each ranking, most of them in either direction (the lowest and
the highest scores, since what is hard for one objective may be easy for another). Each set is forgotten
by the same lower level on the same fresh draws and scored by all objectives at once. Then some methods
forget the searched sets, and a random one, as `learn.unlearn` does, beside a model that was retrained
without the set.

    python benchmarks/fresh_draws.py --data digits --out results/benchmarks/fresh_draws.json
    python benchmarks/fresh_draws.py --data cifar10 --seeds 0 1 2 --out results/benchmarks/fresh_draws.json

Every number is written when it is known, into the folder --work, and nothing is computed twice: killed, it
goes on where it stopped; with other data or seeds, it adds to the file. `--models FOLDER` takes originals
from FOLDER/DATA_seedN.safetensors and keeps new ones there.
"""

import argparse
import hashlib
import json
import sys
from pathlib import Path

import numpy as np
import torch
from torch import nn

from unlearn_nb.all import environment, image_learner, load_model, measures, save_model, train
from unlearn_nb.application import named_dls
from unlearn_nb.bench.grid import recipe_named
from unlearn_nb.core import atomic_dir, seeded, timed
from unlearn_nb.metrics.scores import t_interval
from unlearn_nb.parts import part_dl
from unlearn_nb.splits import forget_idxs
from unlearn_nb.task import predict_logits
from unlearn_nb.worst_case import rankings as ranking
from unlearn_nb.worst_case import search as searching
from unlearn_nb.worst_case.objective import image_losses, indicator, objective_named, unlearn_weighted
from unlearn_nb.worst_case.rankings import memorisation, scores
from unlearn_nb.worst_case.search import worst_case
from unlearn_nb.worst_case.unseen import half_losses, unseen_passes

settings = {
    'digits': dict(n=None, epochs=25, steps=60, lr=3e-4, arch='two layers', models=8),
    'cifar10': dict(n=2080, epochs=20, steps=32, lr=1e-3, arch='small_resnet', models=6),
}
objectives = 'loss', 'gap', 'membership'
rankings = 'random', 'loss', 'el2n', 'grand', 'forgetting', 'memorisation', 'moderate', 'draws'
one_way = 'random', 'moderate', 'draws'  # their highest scores are nothing to look for
methods = 'finetune', 'random_label', 'neggrad', 'scrub'
share, fresh_from = 0.1, 10_000  # seeds of fresh draws, far from those that a search derives


class Notes:
    "What is known so far: one JSON file per number"

    def __init__(self, folder):
        self.folder = Path(folder)

    def once(self, key, f):
        "f(), unless it was computed before"
        name = hashlib.sha256(json.dumps(key).encode()).hexdigest()[:24]
        file = self.folder / f'{name}.json'
        if not file.exists():
            value = f()
            with atomic_dir(self.folder, overwrite=True) as tmp:
                (tmp / file.name).write_text(json.dumps({'key': key, 'value': value}))
            print(*key, value if isinstance(value, float) else '', flush=True)
        return json.loads(file.read_text())['value']


def original(data, seed, folder):
    "A network that knows its training images by heart"
    s = settings[data]
    options, network, training = recipe_named('memorise')
    dls = named_dls(data, n=s['n'], **options)
    file = folder / f'{data}_seed{seed}.safetensors'
    if file.exists():
        return load_model(file, dls)
    arch = two_layers(seed) if s['arch'] == 'two layers' else s['arch']
    learn = image_learner(dls, arch, seed=seed, **network)
    with learn.no_bar(), learn.no_logging():
        train(learn, s['epochs'], **training)
    if isinstance(arch, str):  # a network without a name is trained again, which takes seconds
        folder.mkdir(parents=True, exist_ok=True)
        save_model(learn, file)
    return learn


def two_layers(seed):
    "A network for 64 pixels that steps in a millisecond"
    with seeded(seed):
        return nn.Sequential(nn.Flatten(), nn.Linear(64, 256), nn.ReLU(), nn.Linear(256, 10))


def remembered(f, most=24):
    "f(learn, w, ...), once for each w and setting: searches and rankings begin with the same draws"
    known = {}

    def g(learn, w, *args, **kw):
        key = w.numpy().tobytes(), args, tuple(sorted(kw.items()))
        if key not in known:
            if len(known) == most:
                known.pop(next(iter(known)))
            known[key] = f(learn, w, *args, **kw)
        return known[key]

    return g


def accuracy(learn, dl):
    out, y = predict_logits(learn, dl)
    return (out.argmax(1) == y).double().mean().item()


class Study:
    "All that is asked of one original"

    def __init__(self, data, seed, a):
        self.data, self.seed, self.a = data, seed, a
        self.notes = Notes(a.work / f'{data}_{seed}')
        self.learn = original(data, seed, a.models)
        self.n = len(self.learn.dls.train_ds)
        self.m = round(share * self.n)
        s = settings[data]
        searching.unlearn_weighted = ranking.unlearn_weighted = remembered(unlearn_weighted)
        self.level = dict(lower='finetune', lower_steps=s['steps'], lower_lr=s['lr'])
        self.file = self.notes.folder / 'models.pt'
        self.models = s['models']
        losses, saw = half_losses(self.learn, self.models, seed, save=self.file)
        self.unseen = losses.masked_fill(saw, torch.nan)

    def searched(self, objective, explore):
        "A search with as many looks at everything, and what it spent"
        never = {} if objective == 'loss' else {'unseen': self.unseen}
        state = self.notes.folder / f'search-{objective}-{explore}.pt'
        kw = dict(objective=objective, explore=explore, seed=self.seed, save=state, **never)
        found = worst_case(self.learn, n=self.m, steps=10, **kw, **self.level)
        d = found.diagnostics
        kept = 'passes', 'tried', 'objective', 'spread', 'finalists'
        return {'idxs': found.idxs, **{k: d[k] for k in kept}}

    def ranked(self, by, objective='loss'):
        "Lowest and highest scores"
        never = None if objective == 'loss' else self.unseen
        with timed() as t:
            if by == 'memorisation':
                s = memorisation(self.learn, self.models, self.seed, self.file)
            else:
                about = dict(share=self.m / self.n, objective=objective, unseen=never, **self.level)
                s = scores(self.learn, by, self.seed, **about)
        order = s.argsort().tolist()
        return {'low': sorted(order[: self.m]), 'high': sorted(order[-self.m :]), 'seconds': t.seconds}

    def sets(self):
        "Name -> positions"
        for by in rankings:
            for objective in objectives if by == 'draws' else ('loss',):
                r = self.notes.once(['ranking', by, objective], lambda: self.ranked(by, objective))
                name = f'{by} of {objective}' if by == 'draws' else by
                yield f'{name}, low', r['low']
                if by not in one_way:
                    yield f'{name}, high', r['high']
        for objective in objectives:
            for explore in self.a.explore:
                f = self.notes.once(['search', objective, explore], lambda: self.searched(objective, explore))
                yield f'search for {objective}, {explore} looks', f['idxs']

    def fresh(self, name, idxs):
        "Every objective of a set, on draws that nobody has seen"
        for i in range(self.a.fresh):

            def score(i=i):
                how = self.level['lower'], self.level['lower_steps'], self.level['lower_lr']
                gone = unlearn_weighted(self.learn, indicator(idxs, self.n), *how, seed=fresh_from + i)
                losses = image_losses(gone)
                return {o: objective_named(o, self.unseen)(losses)[idxs].mean().item() for o in objectives}

            yield {'draw': i, **self.notes.once(['fresh', name, i], score)}

    def forgotten(self, name, idxs):
        "Measures of retraining and of every method on a set"
        split = forget_idxs(self.learn.dls, idxs)

        def score(method, seed):
            new = self.learn.unlearn(split, method, seed=seed)
            return {k: float(v) for k, v in measures(new, split).items() if k in ('UA', 'RA', 'TA')}

        ref = self.notes.once(['method', name, 'retrain'], lambda: score('retrain', 100 + self.seed))
        yield {'method': 'retrain', **ref}
        for m in methods:
            got = self.notes.once(['method', name, m], lambda: score(m, self.seed))
            yield {'method': m, **got, 'gap': float(np.mean([abs(got[k] - ref[k]) for k in ref]))}

    def rows(self):
        "All of it"
        about = {'data': self.data, 'seed': self.seed}
        known = dict(self.sets())
        everything = part_dl(self.learn.dls.train, range(self.n))
        seen = {'train': accuracy(self.learn, everything), 'test': accuracy(self.learn, self.learn.dls.valid)}
        # no loss is below zero: no set can have less of a gap than this
        floor = -self.unseen.nanmean(0).sort(descending=True)[0][: self.m].mean().item()
        cost = {'unseen_passes': unseen_passes(self.learn, self.models)}
        yield {**about, 'kind': 'original', 'n': self.n, 'm': self.m, **seen, 'gap_floor': floor, **cost}
        for o in objectives:
            f = self.notes.once(['search', o, self.a.explore[0]], lambda: None)
            said = {'reported' if k == 'objective' else k: v for k, v in f.items() if k != 'idxs'}
            yield {**about, 'kind': 'search', 'objective': o, **said}
        for name, idxs in known.items():
            for r in self.fresh(name, idxs):
                yield {**about, 'kind': 'fresh', 'set': name, **r}
        best = {f'search for {o}, {self.a.explore[0]} looks' for o in objectives}
        for name in [*sorted(best), 'random, low', 'draws of gap, low']:
            for r in self.forgotten(name, known[name]) if self.a.methods else ():
                yield {**about, 'kind': 'method', 'set': name, **r}


def leads(rows):
    "Per data and objective: log ratio of each search to the best ranking, mean and interval"
    fresh = [r for r in rows if r['kind'] == 'fresh']
    for data in dict.fromkeys(r['data'] for r in fresh):
        for o in objectives:
            found = {}
            for r in fresh:
                if r['data'] == data:
                    found.setdefault(r['set'], {}).setdefault(r['seed'], []).append(r[o])
            mean = {k: {s: np.mean(v) for s, v in per.items()} for k, per in found.items()}
            ranked = {k: v for k, v in mean.items() if not k.startswith('search')}
            # the best of all rankings in the mean over seeds: chosen in its favour
            best = min(ranked, key=lambda k: np.mean(list(ranked[k].values())))
            for k in (k for k in mean if k.startswith(f'search for {o},')):
                draws = [compared(o, found[k][s], found[best][s]) for s in found[k]]
                each = [float(np.mean(d)) for d in draws]
                over = each if len(each) > 2 else [x for d in draws for x in d]
                low, high = t_interval(np.array(over))
                yield {'data': data, 'objective': o, 'search': k, 'best ranking': best,
                       'seeds': len(each),
                       'search is': float(np.mean(list(mean[k].values()))),
                       'ranking is': float(np.mean(list(mean[best].values()))),
                       'lead': float(np.mean(over)), 'low': low, 'high': high,
                       'over': 'seeds' if len(each) > 2 else 'draws'}  # fmt: skip


def compared(objective, a, b):
    """Per draw: log ratio of two losses, or of what is left of having seen the set (how far gap or advantage
    are below zero), so that below zero is better for the first"""
    a, b = np.array(a), np.array(b)
    if objective == 'loss':
        return np.log(a / b)
    return np.log(np.maximum(-b, 1e-9) / np.maximum(-a, 1e-9))


def show(rows):
    for r in leads(rows):
        print({k: f'{v:.3g}' if isinstance(v, float) else v for k, v in r.items()})
    gaps = {}
    for r in rows:
        if r['kind'] == 'method':
            gaps.setdefault((r['data'], r['set']), {}).setdefault(r['method'], []).append(
                r.get('gap', r['UA'])  # of retraining, its error on the set
            )
    for k, v in gaps.items():
        print(*k, {m: f'{100 * np.mean(x):.2f}' for m, x in v.items()})


if __name__ == '__main__':
    p = argparse.ArgumentParser()
    p.add_argument('--data', nargs='+', default=['digits'])
    p.add_argument('--seeds', type=int, nargs='+', default=[0, 1, 2])
    p.add_argument('--fresh', type=int, default=5)
    p.add_argument('--explore', type=int, nargs='+', default=[4])
    p.add_argument('--methods', type=int, default=1)
    p.add_argument('--work', type=Path, default=Path('fresh_draws'))
    p.add_argument('--models', type=Path, default=Path('fresh_draws'))
    p.add_argument('--out', type=Path)
    a = p.parse_args()
    torch.set_num_threads(1)
    old = json.loads(a.out.read_text())['rows'] if a.out and a.out.exists() else []
    rows = [r for r in old if not (r['data'] in a.data and r['seed'] in a.seeds)]
    for data in a.data:
        for seed in a.seeds:
            rows += Study(data, seed, a).rows()
            show(rows)
            if a.out:
                a.out.parent.mkdir(parents=True, exist_ok=True)
                res = {
                    'command': ' '.join(['python', *sys.argv]),
                    'settings': settings,
                    'share': share,
                    'rows': rows,
                    'leads': list(leads(rows)),
                    'environment': environment(),
                }
                a.out.write_text(json.dumps(res, indent=1))
