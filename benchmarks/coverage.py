"""Do the intervals and tests keep what they promise? Simulated data with a known answer, each asked many
times.

An interval of 95 % should hold the truth 95 times in 100; a test at 5 % should find a difference where
there is none 5 times in 100. The standard error of a measured share is beside it.

    python benchmarks/coverage.py --out results/benchmarks/coverage.json
"""

import argparse
import json
import sys
import time
import warnings
from pathlib import Path

import numpy as np
import torch
from scipy import stats as sps

from unlearn_nb.all import environment
from unlearn_nb.metrics.attacks import auc_ci, logistic_attack, threshold_attacks
from unlearn_nb.metrics.scores import bootstrap_ci, t_interval
from unlearn_nb.outputs import Outputs
from unlearn_nb.bench.stats import compare_methods

SIGMA = 0.02  # Spread of an accuracy over seeds; nothing depends on it


def line(what, data, n, nominal, hits, undefined=0):
    "One row of the table: the share of hits among the defined ones, with its standard error"
    share, about = float(np.mean(hits)), (sum(hits) + 2) / (
        len(hits) + 4
    )  # the error of a share of 0 or 1 is not 0
    return {
        'what': what,
        'data': data,
        'n': n,
        'nominal': nominal,
        'measured': share,
        'error': (about * (1 - about) / len(hits)) ** 0.5,
        'draws': len(hits),
        'undefined': undefined,
    }


def draws_of(data, rng, n, draws):
    "Values of `draws` experiments of n seeds each, and their true mean"
    if data == 'normal':
        return rng.normal(0.9, SIGMA, (draws, n)), 0.9
    if data == 'skewed':
        return 1 - rng.exponential(SIGMA, (draws, n)), 1 - SIGMA
    return rng.binomial(100, 0.98, (draws, n)) / 100, 0.98  # 'counts': accuracy on 100 images


def intervals(draws, boot):
    "Intervals of a mean over few seeds"
    rng = np.random.default_rng(0)
    for data in ('normal', 'skewed', 'counts'):
        for n in (3, 5, 10):
            for name, f, many in (
                ('t_interval', t_interval, draws),
                ('bootstrap_ci', lambda v: bootstrap_ci(v, n=999), boot),
            ):
                x, truth = draws_of(data, rng, n, many)
                got = [f(v) for v in x]
                known = [lo <= truth <= hi for lo, hi in got if lo == lo]
                yield line(name, data, n, 0.95, known, many - len(known))


def attack_intervals(draws):
    """Intervals of an AUC: scores as they are, scores within classes, and a fitted attack, whose truth is
    only known where there is nothing to find"""
    rng = np.random.default_rng(1)
    for auc in (0.5, 0.7):
        shift = 2**0.5 * sps.norm.ppf(auc)
        for n in (20, 60, 200):
            got = [auc_ci(rng.normal(shift, 1, n), rng.normal(0, 1, n)) for _ in range(draws)]
            yield line('auc_ci', f'normal scores, AUC {auc}', n, 0.95, [lo <= auc <= hi for lo, hi in got])
    for name, ask in (
        ('threshold_attacks', lambda a, b: threshold_attacks(a, b, names=['loss'])[0]),
        ('threshold_attacks, per class', lambda a, b: threshold_attacks(a, b, True, names=['loss'])[0]),
        ('logistic_attack', logistic_attack),
    ):
        got = [ask(answers(rng, 60), answers(rng, 60)) for _ in range(draws // 4)]
        yield line(name, 'same answers, AUC 0.5', 60, 0.95, [g['low'] <= 0.5 <= g['high'] for g in got])


def answers(rng, n, classes=4):
    "Answers of a network to images of four classes, some of which are harder"
    y = torch.arange(n) % classes
    z = torch.tensor(rng.normal(0, 1, (n, classes)))
    z[torch.arange(n), y] += 1 + y
    return Outputs(z.float(), y, torch.arange(n))


def tables(rng, methods, n, draws, step=None):
    """Rows of `draws` comparisons of methods without any difference: what a seed has in common, and what is a
    method's own"""
    common, own = rng.normal(0.9, SIGMA, (draws, 1, n)), rng.normal(0, SIGMA / 2, (draws, methods, n))
    v = common + own if step is None else ((common + own) / step).round() * step
    return [
        {
            'data': 'd',
            'arch': 'a',
            'recipe': 'r',
            'epochs': 1,
            'scenario': i,
            'method': f'm{m}',
            'seed': s,
            'A_Dr': v[i, m, s],
        }
        for i in range(draws)
        for m in range(methods)
        for s in range(n)
    ]


def tests(draws):
    "The paired test: one pair; and a table of five methods, in which any of ten pairs may be found different"
    rng = np.random.default_rng(2)
    for data, step in (('normal', None), ('accuracy on 100 images', 0.01)):
        for n in (3, 5, 10):
            p = compare_methods(tables(rng, 2, n, draws, step), 'A_Dr')['p'].dropna()
            yield line('compare_methods, one pair', data, n, 0.05, (p < 0.05).tolist(), draws - len(p))
    for n in (3, 5, 10):
        c = compare_methods(tables(rng, 5, n, draws), 'A_Dr').groupby('scenario')[['p', 'p_corrected']].min()
        yield line('compare_methods, any of ten pairs', 'normal', n, None, (c['p'] < 0.05).tolist())
        yield line(
            'compare_methods, any of ten pairs, corrected',
            'normal',
            n,
            0.05,
            (c['p_corrected'] < 0.05).tolist(),
        )


if __name__ == '__main__':
    p = argparse.ArgumentParser()
    p.add_argument('--draws', type=int, default=4000)
    p.add_argument('--boot', type=int, default=1000, help='of the bootstrap of a mean')
    p.add_argument('--attacks', type=int, default=500, help='of the intervals of an AUC')
    p.add_argument('--tables', type=int, default=500, help='of tables to compare')
    p.add_argument('--out', type=Path)
    a = p.parse_args()
    warnings.simplefilter('ignore')
    start, rows = time.perf_counter(), []
    for r in (
        r for part in (intervals(a.draws, a.boot), attack_intervals(a.attacks), tests(a.tables)) for r in part
    ):
        rows.append(r)
        nominal = '    -' if r['nominal'] is None else f"{r['nominal']:.3f}"
        print(
            f"{r['what']:46} {r['data']:26} n {r['n']:3}  nominal {nominal}  measured {r['measured']:.3f} +-"
            f" {r['error']:.3f}  undefined {r['undefined']}",
            flush=True,
        )
    res = {
        'command': ' '.join(['python', *sys.argv]),
        'seconds': time.perf_counter() - start,
        'rows': rows,
        'environment': environment(),
    }
    if a.out:
        a.out.parent.mkdir(parents=True, exist_ok=True)
        a.out.write_text(json.dumps(res, indent=1))
