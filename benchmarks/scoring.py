"""What `unlearn-nb forget` spends on forgetting and on scoring, on a job like CIFAR-10 with ResNet-18.

    python benchmarks/scoring.py --out results/benchmarks/scoring.json

CPU seconds are those of a part of CIFAR-10; images through the network, which do not depend on the machine,
are counted at full size as well, with a tiny network in place of ResNet-18 (which images a request reads does
not depend on the network). A forward pass alone counts a third of one forward and backward.
"""

import argparse
import json
from pathlib import Path

import torch
from torch import nn

from unlearn_nb.all import create_model, forget_class, image_learner, tensor_dls, train
from unlearn_nb.cli.forgetting import score_both
from unlearn_nb.core import environment, timed

FORWARD_SHARE = 1 / 3  # what a forward pass alone costs of one forward and backward

p = argparse.ArgumentParser()
p.add_argument('--out', type=Path, required=True)
p.add_argument('--n', type=int, default=5000, help="training images of the timed job")
p.add_argument('--arch', default='resnet18')
p.add_argument('--methods', nargs='+', default=['unsir', 'finetune', 'salun'])
a = p.parse_args()


def made_images(n, seed=0):
    "Pictures with something of their class in them, where CIFAR-10 is not installed"
    g = torch.Generator().manual_seed(seed)
    y = torch.arange(n) % 10
    colours = torch.randint(0, 256, (10, 3, 1, 1), generator=torch.Generator().manual_seed(9))
    x = colours[y].expand(-1, -1, 32, 32) + torch.randint(-60, 61, (n, 3, 32, 32), generator=g)
    return x.clamp(0, 255).to(torch.uint8), y


def loaders(n):
    "Of CIFAR-10 if it is on this machine, else of made images; and which"
    from fastai.data.external import fastai_cfg

    if (Path(fastai_cfg().path('data')) / 'cifar10' / 'train').is_dir():
        from unlearn_nb.all import cifar10_dls

        return cifar10_dls(n=n), 'CIFAR-10'
    x, y = made_images(n)
    return tensor_dls(x, y, *made_images(10_000, 1), vocab=list('0123456789'), bs=256), 'made images'


class Counter:
    "Images through a network, as forward and backward passes; a copy of the network has the same counter"

    def __init__(self):
        self.forward, self.both = 0, 0

    def __deepcopy__(self, memo):
        return self

    def __call__(self, module, args):
        if torch.is_grad_enabled():
            self.both += len(args[0])
        else:
            self.forward += len(args[0])

    def taken(self):
        "Equivalents of forward and backward since last time"
        cost = self.both + self.forward * FORWARD_SHARE
        self.forward = self.both = 0
        return cost


def job(learn, methods):
    "Costs of one request by each method, and of scoring it"
    count = Counter()
    learn.model.register_forward_pre_hook(count)
    split = forget_class(learn.dls, learn.dls.vocab[0])
    rows = []
    for name in methods:
        count.taken()
        with timed() as forgot:
            new = learn.unlearn(split, name)
        images = new.unlearn_record.images
        count.taken()
        row = {
            'method': name,
            'forget': {
                'images': images['forward_backward'] + images['forward'] * FORWARD_SHARE,
                'cpu_seconds': forgot.cpu_seconds,
            },
        }
        for score in ('quick', *(['full'] if name == methods[0] else [])):  # the same for every method
            with timed() as t:
                score_both(learn, new, split, score)
            row[score] = {'images': count.taken(), 'cpu_seconds': t.cpu_seconds}
            row[score]['images_share'] = row[score]['images'] / row['forget']['images']
            row[score]['cpu_share'] = row[score]['cpu_seconds'] / row['forget']['cpu_seconds']
        rows.append(row)
        print(json.dumps(row), flush=True)
    return rows


def tiny():
    return nn.Sequential(nn.AvgPool2d(8), nn.Flatten(), nn.Linear(3 * 16, 10))


torch.set_num_threads(1)
dls, data = loaders(a.n)
learn = image_learner(dls, create_model(a.arch, 10))
with learn.no_bar(), learn.no_logging():
    train(learn, 1)
timed_rows = job(learn, a.methods)

whole, _ = loaders(None if data == 'CIFAR-10' else 50_000)
small = image_learner(whole, tiny())
with small.no_bar(), small.no_logging():
    train(small, 1)
counted = job(small, a.methods)
for row in counted:  # seconds of the tiny network say nothing
    for part in {'forget', 'quick', 'full'} & row.keys():
        row[part] = {k: v for k, v in row[part].items() if not k.startswith('cpu')}

worst = max(r['quick']['cpu_share'] for r in timed_rows)
worst_images = max(r['quick']['images_share'] for r in counted)
res = {
    'command': f'python benchmarks/scoring.py --n {a.n} --arch {a.arch} --methods {" ".join(a.methods)}',
    'what': 'cost of forgetting one class and of scoring both models after it',
    'unit of images': 'forward and backward passes; a forward pass alone counts a third',
    'goal': 'quick scoring costs at most half of forgetting',
    'goal met': bool(max(worst, worst_images) <= 0.5),
    'part': {'data': data, 'n': a.n, 'arch': a.arch, 'rows': timed_rows},
    'whole': {'data': data, 'n': len(whole.train_ds), 'rows': counted},
    'environment': environment(),
}
a.out.parent.mkdir(parents=True, exist_ok=True)
a.out.write_text(json.dumps(res, indent=1))
print(f"worst share of quick scoring: {worst:.3f} of CPU seconds, {worst_images:.3f} of images (whole)")
