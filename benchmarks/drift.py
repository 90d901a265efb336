"""One request after another: what is still forgotten at the end, what is lost, and what retraining costs.

Five classes, one after the other, and ten batches of 2 % of the records, one after the other, each
forgotten by the network that the request before left. After each: accuracy on held-out samples of all
classes that went so far (`A_Df`) and of the classes that stay (`A_Dr`); for records the error on all that
went so far (`UA`), on what stays (`RA`, accuracy) and on held-out samples (`TA`, accuracy). Beside it, as
`retrain`, a network that is retrained without all that went, after each request: what it costs to be exact
every time.

    python benchmarks/drift.py --data digits --seeds 0 1 2 --out results/benchmarks/drift.json

Each sequence is written when it is finished, into the file; the same command goes on where it stopped.
"""

import argparse
import json
import sys
import warnings
from pathlib import Path

import torch

from unlearn_nb.all import collect, environment, forget_class, forget_idxs, get_method, image_learner
from unlearn_nb.all import list_methods, train
from unlearn_nb.application import named_dls
from unlearn_nb.bench.grid import recipe_named
from unlearn_nb.core import DivergedError, RequestError, atomic_dir
from unlearn_nb.datasets import drawn, raw_targets

CLASSES,BATCHES,SHARE = 5,10,.02
EPOCHS = {'digits': 20, 'cifar10': 25}


def original(data, n, seed):
    "A network that knows its training set by heart"
    loaders,network,training = recipe_named('memorise')
    dls = named_dls(data, **loaders, **({} if n is None else {'n': n}))
    learn = image_learner(dls, 'small_resnet', seed=seed, **network)
    with learn.no_bar(), learn.no_logging():
        train(learn, EPOCHS[data], **training)
    return learn


def requests(dls, kind, seed):
    "What goes, request by request: lists of positions with their classes"
    y = raw_targets(dls.train_ds)
    if kind == 'classes':
        order = torch.randperm(len(dls.vocab), generator=torch.Generator().manual_seed(seed))[:CLASSES]
        return [int(k) for k in order]
    k = round(SHARE * len(y))
    some = drawn(y, BATCHES * k, seed)
    mixed = some[torch.randperm(len(some), generator=torch.Generator().manual_seed(seed))]
    return [sorted(part.tolist()) for part in mixed.split(k)[:BATCHES]]


def split_of(dls, kind, parts):
    "The request for some of them"
    if kind == 'classes':
        return forget_class(dls, *parts)
    return forget_idxs(dls, sorted(i for p in parts for i in p))


def scores(learn, split, kind):
    "How much of all that went is still there, and how much of the rest"
    acc = lambda o: o.hits.double().mean().item()
    if kind == 'classes':
        found = collect(learn, split, ['valid_forget', 'valid_retain'])
        return {'A_Df': acc(found['valid_forget']), 'A_Dr': acc(found['valid_retain'])}
    found = collect(learn, split, ['forget', 'retain', 'valid_retain'])
    return {'UA': 1-acc(found['forget']), 'RA': acc(found['retain']), 'TA': acc(found['valid_retain'])}


def sequence(learn, kind, method, seed):
    "Rows of one method, one per request; it ends where the method gives up"
    dls,parts,now,cost = learn.dls,requests(learn.dls, kind, seed),learn,0.
    for k,part in enumerate(parts):
        try:
            now = now.unlearn(split_of(dls, kind, [part]), method, seed=seed+k, budget=None)
        except (RequestError, DivergedError) as e:
            yield {'step': k+1, 'says': str(e)}
            return
        cost += now.unlearn_record.cost
        whole = split_of(dls, kind, parts[:k+1])
        rate = now.unlearn_record.details.get('lr')
        yield {'step': k+1, **scores(now, whole, kind), 'cost': cost, 'lr': rate}


def retrained(learn, kind, seed):
    "The same for a network that was retrained without all that went, after each request"
    parts,cost = requests(learn.dls, kind, seed),0.
    for k in range(len(parts)):
        whole = split_of(learn.dls, kind, parts[:k+1])
        new = learn.unlearn(whole, 'retrain', seed=100+seed)
        cost += new.unlearn_record.cost
        yield {'step': k+1, **scores(new, whole, kind), 'cost': cost}


def keep(out, state):
    "Write the file, whole"
    with atomic_dir(out.absolute().parent, overwrite=True) as tmp:
        (tmp/out.name).write_text(json.dumps(state, indent=1))


def one(learn, kind, method, seed, n, data):
    "One sequence with its labels"
    about = {'data': data, 'n': n, 'seed': seed, 'kind': kind, 'method': method}
    about['commit'] = environment()['commit']
    rows = retrained(learn, kind, seed) if method == 'retrain' else sequence(learn, kind, method, seed)
    return [{**about, **r} for r in rows]


def main(a):
    "All sequences that are not in the file"
    empty = {'commands': [], 'rows': [], 'environment': environment()}
    state = json.loads(a.out.read_text()) if a.out.exists() else empty
    state['commands'].append(' '.join(['python', *sys.argv]))
    names = a.methods or [m for m in list_methods()['name'] if m != 'sisa' and get_method(m).fixtures]
    label = lambda r: (r['data'], r['n'], r['seed'], r['kind'], r['method'])
    for seed in a.seeds:
        there = {label(r) for r in state['rows']}
        todo = [(k, m) for k in a.kinds for m in names if (a.data, a.n, seed, k, m) not in there]
        learn = original(a.data, a.n, seed) if todo else None
        for kind,method in todo:
            rows = one(learn, kind, method, seed, a.n, a.data)
            state['rows'] += rows
            keep(a.out, state)
            print(rows[-1], flush=True)


if __name__ == '__main__':
    p = argparse.ArgumentParser()
    p.add_argument('--data', default='digits', choices=EPOCHS)
    p.add_argument('--n', type=int, help='training images; all without it')
    p.add_argument('--seeds', type=int, nargs='+', default=[0, 1, 2])
    p.add_argument('--kinds', nargs='+', default=['classes', 'records'], choices=['classes', 'records'])
    p.add_argument('--methods', nargs='+', help='all without it')
    p.add_argument('--out', type=Path, required=True)
    torch.set_num_threads(1)
    warnings.simplefilter('ignore')
    main(p.parse_args())
