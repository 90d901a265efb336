"""Does the search find the worst set, and what does it cost?

Every single class (and for the digits every pair of classes) is unlearned and scored; then the same lower
level is given to the search, to the alternation as published and to the one-shot ranking by loss: rank,
and how much more than the best the found set loses (`excess`). The committed files are of the first
version of the search, whose iterations shared the draw of the table; now each has its own. The cost: one
upper step with its pass over the data against such a pass alone, and the images that a whole search sends
through the network, in passes.

    python benchmarks/worst_case.py --out results/benchmarks/worst_case_digits.json
    python benchmarks/worst_case.py --data cifar10 --pairs 0 --lowers finetune --steps 11 --published 0 \\
        --store results/worst_case_cifar10 --grid grids/worst_case_cifar10.toml --out \\
        results/benchmarks/worst_case_cifar10.json

With a store, the originals of its grid are taken instead of being trained.
"""

import argparse
import json
import statistics
import sys
import time
from pathlib import Path

import torch
from torch.nn.modules.module import register_module_forward_pre_hook

from unlearn_nb.all import brute_force, environment, image_learner, one_shot, train, worst_case
from unlearn_nb.bench.planning import plan
from unlearn_nb.application import named_dls
from unlearn_nb.model_file import unpack
from unlearn_nb.task import predict_logits
from unlearn_nb.parts import part_dl
from unlearn_nb.store import Store
from unlearn_nb.worst_case import objective
from unlearn_nb.worst_case import search as searching
from unlearn_nb.worst_case.exhaustive import regret
from unlearn_nb.worst_case.objective import unit_losses, unlearn_weighted
from unlearn_nb.worst_case.proposals import top, upper_step


def stored(store, cells):
    "Seed and network of each `small_resnet` original that a grid's store holds"
    for c in cells:
        if c.kind == 'train' and c.about['arch'] == 'small_resnet' and (e := store.get(c.key)):
            yield c.about['seed'], unpack(store.model(e.model), named_dls(c.about['data']))


def originals(a, dls):
    "One trained network per seed"
    if a.store:
        yield from ((s, n) for s, n in stored(Store(a.store, readonly=True), plan(a.grid)) if s < a.seeds)
        return
    for seed in range(a.seeds):
        learn = image_learner(dls, 'small_resnet', seed=seed)
        with learn.no_bar(), learn.no_logging():
            train(learn, a.epochs)
        yield seed, learn


def remembered(f):
    "f(learn, w, ...), once for each w and setting"
    known = {}

    def g(learn, w, *args, **kw):
        key = w.numpy().tobytes(), args, tuple(sorted(kw.items()))
        if key not in known:
            known[key] = f(learn, w, *args, **kw)
        return known[key]

    return g


def verify(learn, a):
    "All sets of classes, and what each way of looking finds"
    for lower in a.lowers:
        for n in (1, 2)[: 2 if a.pairs else 1]:
            objective.unlearn_weighted = searching.unlearn_weighted = remembered(unlearn_weighted)
            kw = dict(lower=lower, lower_steps=a.lower_steps, lower_lr=a.lower_lr)
            table, search = brute_force(learn, n, **kw), dict(n=n, granularity='class', steps=a.steps, **kw)
            found = {
                'search': worst_case(learn, **search),
                **(
                    {
                        'published': worst_case(
                            learn, **{**search, 'search': 'published', 'steps': a.published}
                        )
                    }
                    if a.published
                    else {}
                ),
                'lowest loss': one_shot(learn, n=n, granularity='class'),
            }
            for name, f in found.items():
                yield {
                    'lower': lower,
                    'classes': n,
                    'by': name,
                    'units': f.units,
                    'iterations': len(f.history),
                    'found_after': (
                        int(f.history['objective'].iloc[1:].argmin()) + 1 if name == 'search' else None
                    ),
                    'range': [table['objective'].min(), table['objective'].max()],
                    **regret(f.units, table),
                }


def cost(learn, a, runs=5):
    "Seconds of a pass and of an upper step, in turn; and images per search"
    objective.unlearn_weighted = searching.unlearn_weighted = unlearn_weighted
    n = len(learn.dls.train_ds)
    of, w = torch.arange(n), torch.full((n,), 0.1).double()

    def timed(f):
        t = time.perf_counter()
        f()
        return time.perf_counter() - t

    def look():
        predict_logits(learn, part_dl(learn.dls.train, range(n)))

    def step():
        losses = unit_losses(learn, of, n)
        new, _ = upper_step(w, losses, 0.1 * n)
        top(new, losses, round(0.1 * n))

    look()
    pairs = [(timed(look), timed(step)) for _ in range(runs)]
    learn.model.counted, seen = True, []
    hook = register_module_forward_pre_hook(
        lambda m, inp: seen.append(len(inp[0])) if getattr(m, 'counted', False) else None
    )
    s = worst_case(learn, frac=0.1, steps=2, lower_lr=a.lower_lr)
    hook.remove()
    return {
        'pass_and_step_seconds': pairs,
        'upper_over_pass': statistics.median(b / p for p, b in pairs),
        'passes': sum(seen) / n,
        'passes_allowed': s.diagnostics['passes'] + min(512, len(learn.dls.valid_ds)) / n,
    }  # and a look at held-out images, which warns of an untrained network


if __name__ == '__main__':
    p = argparse.ArgumentParser()
    p.add_argument('--data', default='digits')
    p.add_argument('--seeds', type=int, default=3)
    p.add_argument('--epochs', type=int, default=5)
    p.add_argument('--steps', type=int, default=30)
    p.add_argument('--lowers', nargs='*', default=['finetune', 'random_label', 'neggrad'])
    p.add_argument('--lower-steps', type=int, default=60)
    p.add_argument('--lower-lr', type=float, default=3e-4)
    p.add_argument('--published', type=int, default=20)
    p.add_argument('--pairs', type=int, default=1)
    p.add_argument('--store', type=Path)
    p.add_argument('--grid', type=Path)
    p.add_argument('--out', type=Path)
    a = p.parse_args()
    dls, rows = named_dls(a.data), []
    for seed, learn in originals(a, dls):
        for r in verify(learn, a):
            rows.append({'seed': seed, **r})
            print(rows[-1], flush=True)
    costs = [cost(learn, a)]
    print(costs, flush=True)  # on the last network
    largest = {
        k: max(r['excess'] for r in rows if r['by'] == k) for k in dict.fromkeys(r['by'] for r in rows)
    }
    res = {
        'command': ' '.join(['python', *sys.argv]),
        **{k: getattr(a, k) for k in ('data', 'seeds', 'steps', 'published', 'lower_steps', 'lower_lr')},
        'largest_excess': largest,
        'rows': rows,
        'cost': costs,
        'threads': torch.get_num_threads(),
        'environment': environment(),
    }
    print(
        'most above the best set:',
        {k: f'{v:.1%}' for k, v in largest.items()},
        '  upper step over a pass:',
        [f"{c['upper_over_pass']:.3f}" for c in costs],
    )
    if a.out:
        a.out.parent.mkdir(parents=True, exist_ok=True)
        a.out.write_text(json.dumps(res, indent=1))
