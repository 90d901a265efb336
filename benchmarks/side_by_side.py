"""Retrained models per minute: side by side (stacked with `torch.func`) against one by one, small_resnet,
in one run.

    python benchmarks/side_by_side.py [--models 8] [--data digits] [--n 1400] [--epochs 2] [--runs 3] \\
        [--device cpu] --out results/benchmarks/side_by_side.json
"""

import argparse
import json
import statistics
import time
from pathlib import Path

import torch

from unlearn_nb.all import environment, forget_random, image_learner, train
from unlearn_nb.application import named_dls
from unlearn_nb.ensemble import retrain_many

if __name__ == '__main__':
    p = argparse.ArgumentParser()
    for name, default in (('models', 8), ('n', 1400), ('epochs', 2), ('runs', 3)):
        p.add_argument(f'--{name}', type=int, default=default)
    p.add_argument('--data', default='digits')
    p.add_argument('--arch', default='small_resnet')
    p.add_argument('--device', default='cuda' if torch.cuda.is_available() else 'cpu')
    p.add_argument('--out', type=Path)
    a = p.parse_args()
    learn = image_learner(named_dls(a.data, n=a.n, device=a.device), a.arch)
    with learn.no_bar(), learn.no_logging():
        train(learn, a.epochs)
    split, pairs = forget_random(learn.dls, frac=0.1), []
    for run in range(a.runs + 1):  # the first warms up
        took = []
        for together in (False, True):
            t = time.perf_counter()
            retrain_many(learn, split, range(a.models), together=together)
            if a.device == 'cuda':
                torch.cuda.synchronize()
            took.append(time.perf_counter() - t)
        if run:
            pairs.append(took)
    ratios = [one / side for one, side in pairs]
    res = {
        'command': (
            f'python benchmarks/side_by_side.py --data {a.data} --models {a.models} --n {a.n} --epochs'
            f' {a.epochs}'
        ),
        'side_by_side_speedup_median': statistics.median(ratios),
        'ratios': ratios,
        'seconds_one_by_one_side_by_side': pairs,
        'models_per_minute': [60 * a.models / statistics.median(s) for s in zip(*pairs)],
        **{k: getattr(a, k) for k in ('models', 'n', 'epochs', 'data', 'arch', 'device')},
        'threads': torch.get_num_threads(),
        'environment': environment(),
    }
    print(
        f"{a.arch}, {a.data}, on {a.device}: side by side {res['side_by_side_speedup_median']:.2f} times as"
        f" fast as one by one ({', '.join(f'{r:.2f}' for r in ratios)}); {res['models_per_minute'][0]:.1f}"
        f" and {res['models_per_minute'][1]:.1f} models a minute, one by one and side by side"
    )
    if a.out:
        a.out.parent.mkdir(parents=True, exist_ok=True)
        a.out.write_text(json.dumps(res, indent=1))
