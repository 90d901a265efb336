"""What does a certificate cost, and does its bound hold? Two hundred removals, one after the other.

On three tables, three seeds each: accuracy of a head with and without its slope, what each removal spends
beside what is left in truth, the bound that needs no data, refits, and the time of a removal beside that of a
fit. The slope (`sigma`) and the penalty (`lam`) are varied on the digits.

    python benchmarks/certified.py --out results/benchmarks/certified.json

About three minutes of one core.
"""

import argparse
import json
from pathlib import Path

import numpy as np
from sklearn.datasets import load_breast_cancer, load_digits
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import scale

from unlearn_nb.certified import CertifiedHead
from unlearn_nb.core import environment, timed

gamma = 1 / (6 * 3**0.5)  # As in `certified`: the largest third derivative of the logistic loss


def digits(classes=None):
    X, y = load_digits(return_X_y=True)
    some = np.isin(y, classes) if classes else np.ones(len(y), bool)
    return X[some] / 16, y[some]


def breast_cancer():
    X, y = load_breast_cancer(return_X_y=True)
    return scale(X), y


tables = {'3 against 8': lambda: digits([3, 8]), 'digits': digits, 'breast cancer': breast_cancer}
usual = {'lam': 1e-2, 'sigma': 1.0}
grid = [{'lam': lam, 'sigma': sigma} for lam in (1e-3, 1e-2, 1e-1) for sigma in (0.1, 1.0, 10.0)]


def seconds(f):
    "What f() returns, and processor seconds"
    with timed() as t:
        found = f()
    return found, t.cpu_seconds


def row(name, seed, settings, removals):
    "One head, from which rows go one by one"
    X, Xv, y, yv = train_test_split(*tables[name](), test_size=0.2, random_state=seed)
    head, fit = seconds(lambda: CertifiedHead(**settings, random_state=seed).fit(X, y))
    plain = CertifiedHead(**{**settings, 'sigma': 0.0}, random_state=seed).fit(X, y).score(Xv, yv)
    before, told, spent = head.score(Xv, yv), [], []
    gone = np.random.default_rng(seed).permutation(len(X))[:removals]
    for i in gone:
        c, used = seconds(lambda i=i: head.remove(i))
        told.append((c.bound, c.spent, head.residual(), c.refitted))
        spent.append(used)
    bound, total, true, again = map(np.array, zip(*told))
    heads = len(head.classes_) ** 0.5
    worst = 4 * gamma / (settings['lam'] ** 2 * (len(X) - removals)) * heads
    stepped = ~again.astype(bool)
    return {
        'data': name, 'seed': seed, **settings, 'rows': len(X), 'removals': len(told),
        'accuracy': before, 'without slope': plain, 'after': head.score(Xv, yv),
        'budget': head.budget_, 'held': int((total >= true).sum()), 'refits': int(again.sum()),
        'bound': float(np.median(bound[stepped])) if stepped.any() else None,
        'without data': float(worst),
        'looser': float(worst / bound[stepped].max()) if stepped.any() else None,
        'fit': fit, 'removal': float(np.median(np.array(spent)[stepped])) if stepped.any() else None,
    }  # fmt: skip


def main():
    p = argparse.ArgumentParser(description=__doc__.partition('\n\n')[0])
    p.add_argument('--seeds', type=int, nargs='+', default=[0, 1, 2])
    p.add_argument('--removals', type=int, default=200)
    p.add_argument('--out', type=Path, default=Path('results/benchmarks/certified.json'))
    a = p.parse_args()
    asked = [(name, usual) for name in tables] + [('digits', g) for g in grid if g != usual]
    rows = []
    for name, settings in asked:
        for seed in a.seeds:
            rows.append(row(name, seed, settings, min(a.removals, 200)))
            res = {'config': {'removals': a.removals}, 'rows': rows, 'environment': environment()}
            a.out.write_text(json.dumps(res, indent=1) + '\n')
        r = rows[-1]
        print(name, settings, *(r[k] for k in ('accuracy', 'without slope', 'held', 'refits', 'looser')))


if __name__ == '__main__':
    main()
