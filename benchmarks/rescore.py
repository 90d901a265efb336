"""Was the search better, or lucky? Its sets and those of the rankings, forgotten again with other draws.

A search returns the best of the sets that it tried, with one seed of the lower level; a ranking gets one
try. Here the sets that a grid found are forgotten again by the same lower level with seeds that no search
has seen, and scored by the same objective: the mean loss, in nats.

    python benchmarks/rescore.py --lower-lr 3e-4 --again 101 102 103 --store results/worst_case_digits \\
        --grid grids/worst_case_digits.toml --out results/benchmarks/rescore_digits.json
    python benchmarks/rescore.py --by search loss --again 101 --store results/worst_case_cifar10 --grid \\
        grids/worst_case_cifar10.toml --out results/benchmarks/rescore_cifar10.json
    python benchmarks/rescore.py --n 10 --granularity class --again 101 102 --store \\
        results/worst_case_cifar100 --grid grids/worst_case_cifar100.toml --out \\
        results/benchmarks/rescore_cifar100.json
"""

import argparse
import json
import statistics
import sys
from pathlib import Path

from worst_case import stored

from unlearn_nb.all import environment
from unlearn_nb.bench.planning import plan
from unlearn_nb.store import Store
from unlearn_nb.worst_case.objective import score_set


def found(store, cells, m, granularity, seed):
    "Name, units and objective of the hardest sets of m units that were searched for fine-tuning, or ranked"
    for c in cells:
        e = (
            store.get(c.key)
            if c.kind == 'search'
            and c.about['seed'] == seed
            and c.about['arch'] == 'small_resnet'
            and ' on ' not in c.about['scenario']
            else None
        )
        if e is None:
            continue
        s, d = e.result['settings'], e.result['diagnostics']
        if (
            s['granularity'] == granularity
            and s['n'] == m
            and s['direction'] == 'hardest'
            and s.get('lower', 'finetune') == 'finetune'
        ):
            yield s.get('by', 'search'), e.result['units'], d['objective']


if __name__ == '__main__':
    p = argparse.ArgumentParser()
    p.add_argument('--store', type=Path, required=True)
    p.add_argument('--grid', type=Path, required=True)
    p.add_argument('--out', type=Path)
    p.add_argument('--n', type=int, help='units; without it, a tenth of the images')
    p.add_argument('--granularity', default='sample')
    p.add_argument('--by', nargs='*')
    p.add_argument('--again', type=int, nargs='+', default=[101, 102])
    p.add_argument('--lower-lr', type=float)
    a = p.parse_args()
    store, cells, rows = Store(a.store, readonly=True), plan(a.grid), []
    for seed, learn in stored(store, cells):
        for by, units, objective in found(
            store, cells, a.n or round(0.1 * len(learn.dls.train_ds)), a.granularity, seed
        ):
            if a.by and by not in a.by:
                continue
            rows.append(
                {
                    'seed': seed,
                    'by': by,
                    'objective': objective,
                    'again': [
                        score_set(learn, units, granularity=a.granularity, lower_lr=a.lower_lr, seed=s)
                        for s in a.again
                    ],
                }
            )
            print(rows[-1], flush=True)
    print(
        {
            by: f"{statistics.mean(x for r in rows if r['by'] == by for x in r['again']):.3g}"
            for by in dict.fromkeys(r['by'] for r in rows)
        }
    )
    res = {
        'command': ' '.join(['python', *sys.argv]),
        'again': a.again,
        'rows': rows,
        'environment': environment(),
    }
    if a.out:
        a.out.parent.mkdir(parents=True, exist_ok=True)
        a.out.write_text(json.dumps(res, indent=1))
