"""How sure networks are, and the temperature that each partition would give them

`recalibrated` rests on two things: a retrained network is about as sure of held-out samples as the original,
and of samples that stay no temperature can be taken. Both are asked here of the networks of result stores:
entropy in bits by partition, and the temperature that makes a network as sure of a partition as the original.

    unlearn-nb bench grids/records_sure.toml --out STORE
    unlearn-nb bench grids/records_resnet18.toml --out STORE2
    python benchmarks/temperatures.py --stores STORE STORE2 --out results/benchmarks/temperatures.json
"""

import argparse
import math
import warnings
from pathlib import Path

import torch
from field_status import networks, write
from torch.nn import functional as F

from unlearn_nb.outputs import collect, mean_entropy, temperature_for
from unlearn_nb.store import Store

parts = 'forget', 'retain', 'valid_retain'
widest = 1000.0  # between this and its inverse a temperature is looked for


def answers(learn, split, n):
    "Partition -> logits, of at most n samples evenly spaced"
    return {p: o.logits for p, o in collect(learn, split, parts, n).items()}


def unsure(logits):
    "Mean entropy, in nats"
    return mean_entropy(F.softmax(logits.double(), 1))


def about(said, original):
    "Entropy in bits and temperature by partition"
    bits = {f'bits, {p}': unsure(said[p]) / math.log(2) for p in parts}
    return bits | {f'T, {p}': temperature_for(said[p], unsure(original[p]), widest) for p in parts}


def rows_of(store, seed, n):
    "A row for every network of a seed"
    for scenario, learn, split, pool, subjects in networks([store], seed):
        arch, first = learn.provenance.arch, answers(learn, split, n)
        named = [('retrain', p) for p in pool] + list(subjects.items())
        for name, network in named:
            said = answers(network, split, n)
            yield dict(arch=str(arch), scenario=scenario, seed=seed, method=name, **about(said, first))


if __name__ == '__main__':
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument('--stores', type=Path, nargs='+', required=True)
    p.add_argument('--out', type=Path, required=True)
    p.add_argument('--n', type=int, default=2000, help="samples of each partition at most")
    a = p.parse_args()
    torch.set_num_threads(1)
    warnings.simplefilter('ignore')
    rows = []
    for store in (Store(s, readonly=True) for s in a.stores):
        seeds = {e.config['about']['seed'] for e in store.entries() if e.config['kind'] == 'unlearn'}
        for seed in sorted(seeds):
            rows += rows_of(store, seed, a.n)
            print(f'{rows[-1]["scenario"]}, seed {seed}: {len(rows)} networks', flush=True)
    write(a.out, rows)
