"""Processor time of a fit in which callbacks are asked about the events that they answer alone
(`direct_events`), against fastai's way of asking every callback about every event, in turn on the same
learner. Goal: never more; less for networks and tables that are small.

    python benchmarks/events.py [--runs 7] [--out results/benchmarks/events.json]
"""

import argparse
import json
import statistics
import time
from contextlib import nullcontext
from pathlib import Path

from unlearn_nb.all import breast_cancer_dls, cifar10_dls, digits_dls, environment, image_learner
from unlearn_nb.engine import SkipValidation
from unlearn_nb.recipe import direct_events
from unlearn_nb.tabular.learner import table_learner
from unlearn_nb.testing import TinyNet

cases = {
    'table, 16 a step': lambda: table_learner(breast_cancer_dls(bs=16)),
    'digits, tiny network, 16 a step': lambda: image_learner(digits_dls(bs=16), TinyNet(10)),
    'CIFAR-10, small_resnet, 256 a step': lambda: image_learner(cifar10_dls(n=4000), 'small_resnet'),
}


def spent(learn, how):
    "Seconds of a core for three epochs without validation"
    start = time.process_time()
    with how(learn), learn.no_bar(), learn.no_logging():
        learn.fit(3, 1e-3, cbs=SkipValidation())
    return time.process_time() - start


def compared(learn, runs):
    "Direct over usual time, one ratio per pair"
    pairs = [(spent(learn, direct_events), spent(learn, lambda _: nullcontext())) for _ in range(runs + 1)]
    return [quick / usual for quick, usual in pairs[1:]]  # the first warms up


if __name__ == '__main__':
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument('--runs', type=int, default=7)
    p.add_argument('--out', type=Path, default=Path('results/benchmarks/events.json'))
    a = p.parse_args()
    ratios = {name: compared(make(), a.runs) for name, make in cases.items()}
    rows = [{'case': n, 'ratio_median': statistics.median(r), 'ratios': r} for n, r in ratios.items()]
    for r in rows:
        print(f"{r['case']}: {r['ratio_median']:.2f} ({', '.join(f'{v:.2f}' for v in r['ratios'])})")
    a.out.write_text(json.dumps({'rows': rows, 'environment': environment()}, indent=1))
