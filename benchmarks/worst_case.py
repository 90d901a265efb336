"""Does the search find the worst set? All single classes and all pairs of classes of the digits, unlearned and scored; the rank and regret of what
the search finds, of the alternation as published, and of the one-shot ranking by loss. And what a search costs, in passes over the data and in
evaluation passes.

    python benchmarks/worst_case.py --out results/benchmarks/worst_case_digits.json
"""
import argparse
import json
import time
from pathlib import Path

import torch

from unlearn_nb.all import brute_force, digits_dls, environment, image_learner, train, worst_case
from unlearn_nb.worstcase import regret, top, unit_losses, upper_step

if __name__ == '__main__':
    p = argparse.ArgumentParser(); p.add_argument('--seeds', type=int, default=3); p.add_argument('--steps', type=int, default=12); p.add_argument('--lowers', nargs='*', default=['finetune', 'random_label', 'neggrad']); p.add_argument('--out', type=Path)
    a = p.parse_args()
    dls, rows, cost = digits_dls(), [], []
    for seed in range(a.seeds):
        learn = image_learner(dls, 'small_resnet', seed=seed)
        with learn.no_bar(), learn.no_logging(): train(learn, 5)
        of = dls.train_ds.targets
        for lower in a.lowers:
            for n in (1, 2):
                kw = dict(lower=lower, lower_steps=60, lower_lr=3e-4)
                table = brute_force(learn, n, granularity='class', **kw)
                plain = unit_losses(learn, of, 10)
                found = {'search': worst_case(learn, n=n, granularity='class', steps=a.steps, **kw).units, 'published': worst_case(learn, n=n, granularity='class', steps=a.steps, search='published', **kw).units,
                         'lowest loss': [learn.dls.vocab[k] for k in top(torch.zeros(10), plain, n)]}
                for name, units in found.items(): rows.append({'seed': seed, 'lower': lower, 'classes': n, 'by': name, 'units': units, **regret(units, table)}); print(rows[-1], flush=True)
        t = time.perf_counter(); losses = unit_losses(learn, torch.arange(len(of)), len(of)); look = time.perf_counter()-t
        t = time.perf_counter(); upper_step(torch.full((len(of),), .1).double(), losses, .1*len(of)); step = time.perf_counter()-t
        s = worst_case(learn, frac=.1, steps=5, lower_lr=3e-4)
        cost.append({'evaluation_pass_s': look, 'upper_step_s': step, 'upper_over_evaluation': (look+step)/look, 'iterations': len(s.history), 'passes': s.diagnostics['passes']})
    worst = {k: max(r['regret'] for r in rows if r['by'] == k) for k in ('search', 'published', 'lowest loss')}
    res = {'command': 'python benchmarks/worst_case.py', 'largest_regret': worst, 'rows': rows, 'cost': cost, 'environment': environment()}
    print('largest regret:', {k: f'{v:.3f}' for k, v in worst.items()}, ' upper step and its pass over a pass:', [f"{c['upper_over_evaluation']:.3f}" for c in cost])
    if a.out: a.out.parent.mkdir(parents=True, exist_ok=True); a.out.write_text(json.dumps(res, indent=1))
