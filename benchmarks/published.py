"""Is a default worse than the setting its authors published? Both, on networks trained by our recipe.

For each method with published settings: accuracy on held-out images of the forgotten class (A_Df) and of
the others (A_Dr), images through the network and CPU seconds, beside the original and a retrained network.
Original and retrained networks are kept in `--cache` and used again.

    python benchmarks/published.py --data digits --seeds 0 1 2 --out \\
        results/benchmarks/published_vs_default.json
    python benchmarks/published.py --data cifar10 --n 10000 --seeds 0 1 2 --out \\
        results/benchmarks/published_vs_default.json

A second run adds its rows to the file.
"""

import argparse
import json
import sys
from pathlib import Path

import torch

from unlearn_nb.all import collect, environment, forget_class, get_method, image_learner, list_methods, train
from unlearn_nb.application import named_dls
from unlearn_nb.core import DivergedError, RequestError

CLASSES = {'digits': '3', 'cifar10': 'airplane'}
EPOCHS = {'digits': 5, 'cifar10': 8}


def networks(data, n, seed, cache):
    "A trained learner and a retrained one, from the cache if they are there"
    dls = named_dls(data, **({} if n is None else {'n': n}))
    split, found = forget_class(dls, CLASSES[data]), []
    for name, seed_ in (('original', seed), ('retrained', 100 + seed)):
        path = cache / f'{data}_{n}_{seed}_{name}.pt'
        learn = image_learner(dls, 'small_resnet', seed=seed)
        if path.exists():
            learn.model.load_state_dict(torch.load(path))
        elif name == 'original':
            with learn.no_bar(), learn.no_logging():
                train(learn, EPOCHS[data])
        else:
            learn = found[0].unlearn(split, 'retrain', seed=seed_)
        path.parent.mkdir(parents=True, exist_ok=True)
        torch.save(learn.model.state_dict(), path)
        found.append(learn)
    return split, *found


def scores(learn, split):
    "A_Df and A_Dr"
    found = collect(learn, split, ['valid_forget', 'valid_retain'])
    return {
        k: found[p].hits.double().mean().item()
        for k, p in (('A_Df', 'valid_forget'), ('A_Dr', 'valid_retain'))
    }


def settings(name, n_retain):
    "The settings of a method: its default, and that of its authors if there is one"
    cls = type(get_method(name))
    if not hasattr(cls, 'published'):
        return {'default': cls()}
    size = {'bad_teacher': n_retain, 'lotus': n_retain, 'unsir': 9}.get(name)
    return {'default': cls(), 'published': cls.published() if size is None else cls.published(size)}


def run(data, n, seed, names, cache):
    "Rows of one seed"
    split, original, retrained = networks(data, n, seed, cache)
    about = {'data': data, 'n': n, 'seed': seed, 'commit': environment()['commit']}
    for name, learn in (('original', original), ('retrain', retrained)):
        yield {**about, 'method': name, 'setting': '', **scores(learn, split)}
    for name in names:
        for setting, method in settings(name, len(split.retain_idxs)).items():
            row = {**about, 'method': name, 'setting': setting}
            try:
                new = original.unlearn(split, method, seed=seed)
            except (RequestError, DivergedError) as e:
                yield {**row, 'says': str(e)}
                continue
            r = new.unlearn_record
            yield {**row, **scores(new, split), 'images': r.images, 'cpu_seconds': r.cpu_seconds}


if __name__ == '__main__':
    p = argparse.ArgumentParser()
    p.add_argument('--data', default='digits', choices=CLASSES)
    p.add_argument('--n', type=int, help='training images; all without it')
    p.add_argument('--seeds', type=int, nargs='+', default=[0, 1, 2])
    p.add_argument('--methods', nargs='+', help='all with published settings without it')
    p.add_argument('--cache', type=Path, default=Path('.published'))
    p.add_argument('--out', type=Path)
    a = p.parse_args()
    torch.set_num_threads(1)
    known = map(get_method, list_methods()['name'])
    names = a.methods or [m.name for m in known if m.fixtures and hasattr(type(m), 'published')]
    old = {'commands': [], 'rows': []}
    if a.out and a.out.exists():
        old = json.loads(a.out.read_text())
    commands = [*old['commands'], ' '.join(['python', *sys.argv])]
    rows = list(old['rows'])
    for seed in a.seeds:
        rows += [print(row, flush=True) or row for row in run(a.data, a.n, seed, names, a.cache)]
        if a.out:  # after each seed, so that an interrupted run keeps what it has
            a.out.parent.mkdir(parents=True, exist_ok=True)
            res = {'commands': commands, 'rows': rows, 'environment': environment()}
            a.out.write_text(json.dumps(res, indent=1))
