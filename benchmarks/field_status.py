"""What the audit says of every method of the field

Takes the networks of result stores, retrains each request three times more (an audit wants five controls, and
one of six is left out in turn, to see what is said of a network that has forgotten), and judges every method
beside them, without relearning.

    unlearn-nb bench grids/field.toml --out STORE
    unlearn-nb bench grids/field_stand_in.toml --out STORE2
    python benchmarks/field_status.py --stores STORE STORE2 --out results/benchmarks/field_status.json

A request that is done is kept: killed, it goes on with the next.
"""

import argparse
import json
import sys
import warnings
from pathlib import Path

import torch
from fakes import judge_all

from unlearn_nb.all import environment
from unlearn_nb.bench.cells import cell_loaders
from unlearn_nb.bench.running import _request_of
from unlearn_nb.core import atomic_dir, canonical
from unlearn_nb.model_file import unpack
from unlearn_nb.store import Store

more = 3  # retrained networks besides those of the store
apart = 1000  # their seeds begin here


def opened(store, entry):
    "The learner of a finished cell"
    return unpack(store.model(entry.model), cell_loaders(entry.config))


def by_request(store, seed):
    "Scenario -> entries of the networks that answer it, with what their requests need"
    every = {e.key: e for e in store.entries()}
    found = {}
    for e in every.values():
        about = e.config['about']
        if e.config['kind'] == 'unlearn' and about['seed'] == seed and e.model:
            found.setdefault(about['scenario'], []).append(e)
    return every, found


def asked(store, every, entry):
    "The original of a network and the request that it answers"
    needs = [every[k] for k in entry.config['needs']]
    first = next(e for e in needs if e.config['kind'] == 'train')
    learn = opened(store, first)
    searched = [e.result for e in needs if e.config['kind'] == 'search']
    return learn, _request_of(entry.config, learn, searched)


def networks(stores, seed):
    "For each request its original, its split, networks retrained for it, and name -> learner"
    read = [(s, *by_request(s, seed)) for s in stores]
    for scenario in read[0][2]:
        store, every, found = read[0]
        learn, split = asked(store, every, found[scenario][0])
        pool, subjects = [], {'original': learn}
        for store, _, found in read:
            for e in found.get(scenario, ()):
                name, new = e.config['about']['method'], opened(store, e)
                if name != 'retrain':
                    subjects[name] = new
                elif store is read[0][0]:
                    pool.append(new)
        yield scenario, learn, split, pool, subjects


def judged(learn, split, pool, subjects):
    "A row for every network, and for each retrained one beside the five others"
    with learn.no_bar(), learn.no_logging():
        pool = pool + [learn.unlearn(split, 'retrain', seed=apart + k) for k in range(more)]
    rows = judge_all(learn, split, pool, [len(pool) - 1], len(pool), subjects)
    return [{k: r[k] for k in ('model', 'status', 'rows', 'findings', 'open')} for r in rows]


def write(file, rows):
    "The whole file anew"
    file.parent.mkdir(parents=True, exist_ok=True)
    with atomic_dir(file.parent, overwrite=True) as tmp:
        (tmp / file.name).write_text(json.dumps(canonical({'environment': environment(), 'rows': rows})))


if __name__ == '__main__':
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument('--stores', type=Path, nargs='+', required=True)
    p.add_argument('--out', type=Path, required=True)
    p.add_argument('--seed', type=int, default=0)
    a = p.parse_args()
    torch.set_num_threads(1)
    warnings.simplefilter('ignore')
    rows = json.loads(a.out.read_text())['rows'] if a.out.exists() else []
    done = {(r['scenario'], r['seed']) for r in rows}
    stores = [Store(s, readonly=True) for s in a.stores]
    for scenario, learn, split, pool, subjects in networks(stores, a.seed):
        if (scenario, a.seed) in done:
            continue
        found = judged(learn, split, pool, subjects)
        rows += [{'scenario': scenario, 'seed': a.seed, **r} for r in found]
        write(a.out, rows)
        for r in found:
            print(scenario, r['model'], r['status'], sep=' | ', flush=True, file=sys.stderr)
