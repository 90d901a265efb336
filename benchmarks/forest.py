"""What does an exact deletion from a forest cost, and what does the forest cost in accuracy?

On three tables, three seeds each: accuracy beside scikit-learn's random forest of as many trees, processor
seconds of a deletion (each of 100 rows, one by one) beside those of growing the forest, rows that were read
again, and whether the forest ends as the one that grows from the rows which stay.

    python benchmarks/forest.py --out results/benchmarks/forest.json
"""

import argparse
import json
import sys
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.datasets import load_breast_cancer, load_digits, make_classification
from sklearn.ensemble import RandomForestClassifier
from sklearn.model_selection import train_test_split

from unlearn_nb.core import environment, timed
from unlearn_nb.trees.forest import DareForest, grown, same_trees

made = dict(n_samples=20_000, n_features=20, n_informative=8, n_classes=2, flip_y=0.05, random_state=0)
tables = {
    'breast cancer': lambda: load_breast_cancer(return_X_y=True),
    'digits': lambda: load_digits(return_X_y=True),
    'made, 20,000 rows': lambda: make_classification(**made),
}


def seconds(f):
    "What f() returns, and processor seconds"
    with timed() as t:
        found = f()
    return found, t.cpu_seconds


def row(name, seed, layers, a):
    "One forest"
    X, Xv, y, yv = train_test_split(*tables[name](), test_size=0.2, random_state=seed)
    empty = DareForest(a.trees, random_layers=layers, random_state=seed)
    forest, fit = seconds(lambda: empty.fit(X, y))
    other, theirs = seconds(lambda: RandomForestClassifier(a.trees, random_state=seed).fit(X, y))
    before, whole = forest.score(Xv, yv), sum(t.read for t in forest.trees_)
    gone = np.random.default_rng(seed).permutation(len(X))[: a.deletions]
    asked = [seconds(lambda i=i: forest.delete(i)) for i in gone]
    spent, read = np.array([s for _, s in asked]), np.array([r['read'] for r, _ in asked]) / whole
    stay = np.flatnonzero(forest.stays_)
    some = forest.trees_[:: max(1, a.trees // 10)]
    return {
        'data': name, 'seed': seed, 'random_layers': layers, 'rows': len(X), 'columns': X.shape[1],
        'accuracy': before, 'random forest': other.score(Xv, yv), 'after': forest.score(Xv, yv),
        'fit': fit, 'fit of scikit-learn': theirs,
        'median': float(np.median(spent)), 'mean': float(spent.mean()), 'most': float(spent.max()),
        'read median': float(np.median(read)), 'read mean': float(read.mean()),
        'equal': all(same_trees(t.root, grown(t, stay)) for t in some), 'compared trees': len(some),
    }  # fmt: skip


if __name__ == '__main__':
    p = argparse.ArgumentParser()
    p.add_argument('--trees', type=int, default=100)
    p.add_argument('--deletions', type=int, default=100)
    p.add_argument('--seeds', type=int, nargs='+', default=[0, 1, 2])
    p.add_argument('--layers', type=int, nargs='+', default=[1, 4])
    p.add_argument('--out', type=Path)
    a = p.parse_args()
    rows = []
    for name in tables:
        for seed in a.seeds:
            for layers in a.layers:
                rows.append(row(name, seed, layers, a))
                told = {k: round(v, 4) if isinstance(v, float) else v for k, v in rows[-1].items()}
                print(told, flush=True)
                if a.out:
                    a.out.parent.mkdir(parents=True, exist_ok=True)
                    command = ' '.join(['python', *sys.argv])
                    found = {'command': command, 'environment': environment(), 'rows': rows}
                    a.out.write_text(json.dumps(found, indent=1))
    shown = ['accuracy', 'random forest', 'fit', 'median', 'mean', 'read mean']
    print(pd.DataFrame(rows).groupby(['data', 'random_layers'], sort=False)[shown].mean().round(4))
