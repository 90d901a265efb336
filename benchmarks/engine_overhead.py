"""What the benchmark engine costs beside the work it organises, and how fast a finished grid is found
again.

    python benchmarks/engine_overhead.py --out results/benchmarks/engine_overhead.json
"""

import argparse
import json
import tempfile
from pathlib import Path

from unlearn_nb.bench import running as engine
from unlearn_nb.bench.planning import plan
from unlearn_nb.bench.results import bench
from unlearn_nb.core import environment, timed
from unlearn_nb.store import Store

p = argparse.ArgumentParser()
p.add_argument('--out', type=Path, required=True)
p.add_argument('--epochs', type=int, default=5)
p.add_argument('--seeds', type=int, default=9)
a = p.parse_args()

grid = {
    'run': [
        {
            'data': 'digits',
            'epochs': a.epochs,
            'seeds': list(range(a.seeds)),
            'requests': [{'classes': ['3']}, {'classes': ['8']}, {'kind': 'random', 'frac': 0.1}],
            'methods': ['finetune', {'name': 'finetune', 'epochs': 2}],
        }
    ]
}
inside = []
with tempfile.TemporaryDirectory() as tmp:
    n = len(plan(grid))
    plain = engine.run_cell

    def clocked(*args):
        with timed() as t:
            res = plain(*args)
        inside.append(t.seconds)
        return res

    engine.run_cell = clocked
    with timed() as whole:
        bench(grid, tmp)
    with timed() as again:
        done, rows = bench(grid, tmp)
    assert done.found == n and not done.finished and Store(tmp).check() == []
res = {
    'command': 'python benchmarks/engine_overhead.py',
    'cells': n,
    'seconds': whole.seconds,
    'seconds_in_cells': sum(inside),
    'overhead': whole.seconds / sum(inside) - 1,
    'seconds_again': again.seconds,
    'environment': environment(),
}
a.out.parent.mkdir(parents=True, exist_ok=True)
a.out.write_text(json.dumps(res, indent=1))
print({k: round(v, 3) if isinstance(v, float) else v for k, v in res.items() if k != 'environment'})
