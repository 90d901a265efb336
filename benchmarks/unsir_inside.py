"""What UNSIR leaves inside a network: relearn time, weights by layer, what it says instead, where it looks.

The UNSIR paper (Tarun et al., TNNLS 2023) shows these beside accuracy: how many steps on the forget set
bring a class back, how far each layer moved from the original, what held-out images of the class are called,
and GradCAM before and after. Here all of them are taken from the networks of a result store.

    unlearn-nb bench grids/unsir_networks.toml --out STORE
    python benchmarks/unsir_inside.py --grid grids/unsir_networks.toml --store STORE \\
        --out results/benchmarks/unsir_inside.json

Every row is written when it is known and kept from an earlier run: killed, it goes on where it stopped.
"""

import argparse
import base64
import io
import json
import sys
from pathlib import Path

import matplotlib.image
import torch
from torch.nn import functional as F

from unlearn_nb.all import environment, gradcam, relearn_curve, weight_distance
from unlearn_nb.bench.cells import cell_loaders
from unlearn_nb.bench.grid import make_request
from unlearn_nb.bench.planning import plan
from unlearn_nb.core import RequestError, atomic_dir
from unlearn_nb.metrics.relearn import relearn_time
from unlearn_nb.model_file import unpack
from unlearn_nb.outputs import collect, spread
from unlearn_nb.store import Store
from unlearn_nb.vision.interpret import cam_layer

pictures, compared, steps, lr = 4, 64, 50, 1e-3
bend = 0.05  # a class is back at 95 % of what the original knew


def networks(store, cells):
    "Name, settings and learner of every network of a store, one request after the other"
    trained = {c.key: c for c in cells if c.kind == 'train'}
    for cell in cells:
        entry = store.get(cell.key) if cell.kind == 'unlearn' else None
        if entry is None:
            continue
        first = next(trained[n] for n in cell.needs if n in trained)
        original = store.get(first.key)
        yield first, original, cell, entry


def opened(store, cell, entry):
    "The learner of a finished cell"
    return unpack(store.model(entry.model), cell_loaders(cell.config))


def steps_back(learn, split, known):
    "Steps on the forget set until the class is back"
    return relearn_time(relearn_curve(learn, split, steps=steps, lr=lr), known, bend)


def said(learn, split):
    "Shares of the classes that held-out images of the forgotten ones are given"
    logits = collect(learn, split, ['valid_forget'])['valid_forget'].logits
    counts = torch.bincount(logits.argmax(1), minlength=logits.shape[1]).double()
    return (counts / counts.sum()).tolist()


def held_out(learn, split, n):
    "Held-out images of the forgotten classes, as the network sees them, and their labels"
    batches = spread(split.on(learn.dls), 'valid_forget', n)[0]
    return tuple(torch.cat([b[i].as_subclass(torch.Tensor) for b in batches]) for i in (0, 1))


def looks(learn, split, n):
    "Maps of n held-out images of the forgotten classes, or None where no layer has any"
    x, y = held_out(learn, split, n)
    try:
        layer = cam_layer(learn.model, x[:2])
    except RequestError:
        return None
    return gradcam(learn.model, x, y, layer)


def likeness(a, b):
    "Mean cosine of two sets of maps; images on which one of them is empty count as unlike"
    return F.cosine_similarity(a.flatten(1), b.flatten(1)).mean().item()


def coarse(maps, cells=8):
    "Maps as small tables of numbers, to be drawn by a page"
    small = F.adaptive_avg_pool2d(maps[:, None], cells)[:, 0]
    return [[[round(v, 2) for v in row] for row in m] for m in small.tolist()]


def drawn(learn, split, n):
    "Images as PNG files in base64, for a page"
    x = held_out(learn, split, compared)[0][:n]
    low, high = x.amin((1, 2, 3), keepdim=True), x.amax((1, 2, 3), keepdim=True)
    x = (x - low) / (high - low)
    found = []
    for picture in x.permute(0, 2, 3, 1).expand(-1, -1, -1, 3):
        file = io.BytesIO()
        matplotlib.image.imsave(file, picture.contiguous().numpy(), format='png')
        found.append(base64.b64encode(file.getvalue()).decode())
    return found


def look_inside(first, original, cell, entry, store):
    "One row: a network beside the original it came from"
    before, after = opened(store, first, original), opened(store, cell, entry)
    split = make_request(before.dls, **cell.config['request'])
    known = collect(before, split, ['forget'])['forget'].hits.double().mean().item()
    layers = weight_distance(after.model, before.model)
    row = {
        **{k: cell.about[k] for k in ('data', 'arch', 'seed', 'scenario', 'method')},
        'classes': [str(split.vocab[int(c)]) for c in split.classes],
        'vocab': [str(v) for v in split.vocab],
        'steps_back': steps_back(after, split, known),
        'layers': layers['layer'].tolist(),
        'relative': [round(v, 5) for v in layers['relative']],
        'said': said(after, split),
        'said_before': said(before, split),
    }
    maps = [looks(l, split, compared) for l in (before, after)]
    if maps[0] is None:
        return {**row, 'cam_likeness': None}
    row['cam_likeness'] = likeness(*maps)
    if row['seed'] or ' and ' in row['scenario']:
        return row
    row |= {'maps': coarse(maps[1][:pictures]), 'maps_before': coarse(maps[0][:pictures])}
    return {**row, 'pictures': drawn(before, split, pictures)} if row['method'] == 'retrain' else row


def write(file, rows):
    "The whole file anew"
    file.parent.mkdir(parents=True, exist_ok=True)
    with atomic_dir(file.parent, overwrite=True) as tmp:
        text = json.dumps({'environment': environment(), 'steps': steps, 'lr': lr, 'rows': rows})
        (tmp / file.name).write_text(text)


if __name__ == '__main__':
    p = argparse.ArgumentParser()
    p.add_argument('--store', type=Path, required=True)
    p.add_argument('--grid', type=Path, required=True)
    p.add_argument('--out', type=Path, required=True)
    p.add_argument('--seeds', type=int, nargs='+', default=[0])
    a = p.parse_args()
    torch.set_num_threads(1)
    rows = json.loads(a.out.read_text())['rows'] if a.out.exists() else []
    of = ('data', 'arch', 'seed', 'scenario', 'method')
    done = {tuple(r[k] for k in of) for r in rows}
    store = Store(a.store, readonly=True)
    for first, original, cell, entry in networks(store, plan(a.grid)):
        if cell.about['seed'] not in a.seeds or tuple(cell.about[k] for k in of) in done:
            continue
        rows.append(look_inside(first, original, cell, entry, store))
        print(*(rows[-1][k] for k in (*of, 'steps_back', 'cam_likeness')), flush=True, file=sys.stderr)
        write(a.out, rows)
