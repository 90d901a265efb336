"""Does rounding bring a class back to a network that has only just forgotten it?

On the straight line from the original's weights to those that a method ends with, the first point at which at
most 2 % of the held-out images of the class are recognised: if rounding brings anything back, then here. The
share of the forgotten images that is named there, as it is and with fewer bits. Digits, three classes, three
seeds, four methods; about three minutes of one core.

    python benchmarks/rounding.py --out results/benchmarks/rounding.json
"""

import argparse
import json
import sys
from pathlib import Path

import numpy as np
import torch

from unlearn_nb.all import collect, digits_dls, environment, forget_class, image_learner, train
from unlearn_nb.metrics.probes import quantised

classes, methods, bits = ('0', '3', '8'), ('finetune', 'ascent', 'neggrad', 'unsir'), (8, 6, 5, 4, 3)
gone, steps = 0.02, np.arange(0, 1.001, 0.025)  # Recognised at most; places on the line


def named(learn, split, part):
    "Share of a part that is named rightly"
    return collect(learn, split, [part])[part].hits.double().mean().item()


def rows(learn, seed, name):
    "A row for each method"
    split = forget_class(learn.dls, name)
    start = {k: v.clone() for k, v in learn.model.state_dict().items()}
    for method in methods:
        new = learn.unlearn(split, method, seed=seed)
        end = {k: v.clone() for k, v in new.model.state_dict().items()}
        for t in steps:
            part = {k: torch.lerp(v, end[k], t) if v.is_floating_point() else v for k, v in start.items()}
            new.model.load_state_dict(part)
            if named(new, split, 'valid_forget') <= gone:
                break
        else:  # not even at the end
            continue
        rounded = {f'{b} bits': quantised(new, split, b) for b in bits}
        about = {'seed': seed, 'class': name, 'method': method, 'place': float(t)}
        yield {**about, 'as it is': named(new, split, 'forget'), **rounded}


if __name__ == '__main__':
    p = argparse.ArgumentParser()
    p.add_argument('--seeds', type=int, nargs='+', default=[0, 1, 2])
    p.add_argument('--out', type=Path)
    a = p.parse_args()
    torch.set_num_threads(1)
    found = []
    for seed in a.seeds:
        learn = image_learner(digits_dls(), 'small_resnet', seed=seed)
        with learn.no_bar(), learn.no_logging():
            train(learn, 5)
        for name in classes:
            for row in rows(learn, seed, name):
                found.append(row)
                print({k: round(v, 3) if isinstance(v, float) else v for k, v in row.items()}, flush=True)
    if a.out:
        res = {'command': ' '.join(['python', *sys.argv]), 'rows': found, 'environment': environment()}
        a.out.parent.mkdir(parents=True, exist_ok=True)
        a.out.write_text(json.dumps(res, indent=1))
