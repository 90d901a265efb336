"""Fisher diagonal of ResNet-18 (expectation over the model's own labels): one backward pass per image and
class, as public code does it, against the batched per-sample engine; peak memory of each, in a process
of its own.

    python benchmarks/per_sample.py [--images 24] [--runs 3] --out results/benchmarks/per_sample.json
"""

import argparse
import json
import statistics
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from pathlib import Path

import torch
from psutil import Process
from torch.nn import functional as F

from unlearn_nb.all import create_model, environment
from unlearn_nb.methods.per_sample import label_grads, squared_grads


def naive(model, x):
    "Batches of one, a loop over the classes"
    total = {n: torch.zeros_like(p) for n, p in model.named_parameters()}
    for xi in x.split(1):
        for k in range(10):
            out = model(xi)
            logp = F.log_softmax(out, 1)[0]
            grads = torch.autograd.grad(-logp[k], list(model.parameters()))
            for t, g in zip(total.values(), grads):
                t.addcmul_(g, g, value=logp[k].exp().item())
    return total


def batched(model, x, bs=64):
    total = {}
    for xb in x.split(bs):
        r = squared_grads(model, xb, lambda out: label_grads(out, None))
        total = {n: total[n] + v if n in total else v for n, v in r.items()}
    return total


@contextmanager
def peak_rss():
    "Resident memory, sampled every 2 ms"
    peak, done = [0], threading.Event()

    def watch():
        while not done.is_set():
            peak[0] = max(peak[0], Process().memory_info().rss)
            done.wait(0.002)

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield peak
    finally:
        done.set()
        thread.join()


def setup(n):
    torch.manual_seed(0)
    return create_model('resnet18', 10, seed=0).eval(), torch.randn(n, 3, 32, 32)


if __name__ == '__main__':
    p = argparse.ArgumentParser()
    p.add_argument('--images', type=int, default=24)
    p.add_argument('--runs', type=int, default=3)
    p.add_argument('--out', type=Path)
    p.add_argument('--memory', choices=['naive', 'batched'])
    a = p.parse_args()
    many = 64
    if a.memory:
        model, x = setup(many)
        before = Process().memory_info().rss
        with peak_rss() as peak:
            {'naive': lambda: naive(model, x[:2]), 'batched': lambda: batched(model, x)}[a.memory]()
        print((peak[0] - before) / 2**20)
        sys.exit()
    model, x = setup(many)
    few = x[: a.images]
    slow, fast = naive(model, few[:4]), batched(model, few[:4])
    far = max(((fast[n] - slow[n]).abs().max() / slow[n].abs().max()).item() for n in slow)
    assert far < 1e-4, far
    pairs = []
    for _ in range(a.runs):
        t = time.perf_counter()
        naive(model, few)
        s = (time.perf_counter() - t) / len(few)
        t = time.perf_counter()
        batched(model, x)
        b = (time.perf_counter() - t) / len(x)
        pairs.append((s, b))
    ratios = [s / b for s, b in pairs]
    peak = {
        k: float(
            subprocess.run(
                [sys.executable, __file__, '--memory', k], capture_output=True, text=True, check=True
            ).stdout
        )
        for k in ('naive', 'batched')
    }
    res = {
        'command': 'python benchmarks/per_sample.py',
        'ratio_median': statistics.median(ratios),
        'ratios': ratios,
        'seconds_per_image_naive_batched': pairs,
        'peak_mib_above_model': peak,
        'largest_relative_difference': far,
        'threads': torch.get_num_threads(),
        'environment': environment(),
    }
    print(
        f"batched / naive: {res['ratio_median']:.1f} times as fast ({', '.join(f'{r:.1f}' for r in ratios)});"
        f" {1000*pairs[0][0]:.0f} against {1000*pairs[0][1]:.1f} ms an image; peak {peak['naive']:.0f}"
        f" against {peak['batched']:.0f} MiB above the model"
    )
    if a.out:
        a.out.parent.mkdir(parents=True, exist_ok=True)
        a.out.write_text(json.dumps(res, indent=1))
