"""Does the audit know what it should know? On the models of a finished grid: the untouched original, a retrained model that is not among
the oracle, the original with the class's row cut out of the last layer, and a method. And how long an audit takes, the oracle not counted.
The retrained models are those of all seeds of the grid (retraining does not depend on the original) and a few more, trained now and kept.

    python benchmarks/audit.py --grid grids/methods_cifar10.toml --store results/methods_cifar10 --out results/benchmarks/audit_cifar10.json
"""
import argparse
import copy
import json
from pathlib import Path

import torch

from unlearn_nb.all import audit, environment, forget_class, oracle
from unlearn_nb.audit import audit_dict
from unlearn_nb.bench import assemble, load_learners, plan
from unlearn_nb.models import head_of
from unlearn_nb.store import Store


def row_cut_out(learn, k):
    "The same network, unable to say one class"
    new = copy.copy(learn); new.model = copy.deepcopy(learn.model)
    head = head_of(new.model, len(learn.dls.vocab))[1]
    with torch.no_grad(): head.weight[k] = 0.; head.bias[k] = -30.
    if hasattr(new, 'unlearn_record'): del new.unlearn_record
    return new


if __name__ == '__main__':
    p = argparse.ArgumentParser()
    p.add_argument('--grid', type=Path, required=True); p.add_argument('--store', type=Path, required=True); p.add_argument('--forget', default='airplane')
    p.add_argument('--method', default='unsir'); p.add_argument('--effort', default='quick'); p.add_argument('--more', type=int, default=2); p.add_argument('--keep', type=Path, default=Path('build/audit_oracle')); p.add_argument('--out', type=Path)
    a = p.parse_args()
    store, cells = Store(a.store, readonly=True), plan(a.grid)
    rows = [r for r in assemble([c.key for c in cells if c.kind == 'evaluate'], store) if r['scenario'] == f'class {a.forget}']
    one = lambda r: next(iter(load_learners([r], cells, store).values()))
    learn = one(next(r for r in rows if r['method'] == 'original' and r['seed'] == 0))
    split = forget_class(learn.dls, a.forget)
    with learn.no_bar(), learn.no_logging(): more = oracle(learn, split, range(200, 200+a.more), store=a.keep)
    held, *refs = [*(one(r) for r in {r['model']: r for r in rows if r['method'] == 'retrain'}.values()), *more]
    models = {'original': learn, 'retrained, not among the oracle': held, 'row cut out': row_cut_out(learn, split.classes[0]), a.method: one(next(r for r in rows if r['method'] == a.method and r['seed'] == 0))}
    found = {}
    for name, l in models.items():
        res = audit(learn, l, split, refs, effort=a.effort, progress=False)
        found[name] = audit_dict(res)
        print(f"{name} ({res.seconds:.0f} s): {res.verdict[0]}", flush=True)
    want = {'original': ('not forgotten',), 'retrained, not among the oracle': ('forgotten',), 'row cut out': ('hidden', 'not forgotten')}
    missed = [f"{n}: {found[n]['status']}" for n, s in want.items() if found[n]['status'] not in s] + [f"{n}: {f['seconds']:.0f} s" for n, f in found.items() if a.effort == 'quick' and f['seconds'] > 300]
    print('all as it should be' if not missed else f"NOT as it should be: {', '.join(missed)}")
    out = {'missed': missed, 'command': f'python benchmarks/audit.py --grid {a.grid} --store {a.store}', 'oracle': len(refs), 'effort': a.effort, 'threads': torch.get_num_threads(), 'audits': found, 'environment': environment()}
    if a.out: a.out.parent.mkdir(parents=True, exist_ok=True); a.out.write_text(json.dumps(out, indent=1))
