"""Time of one epoch of `learn.fit` against a bare PyTorch loop on the same tensors, and of the in-memory
loader against fastai's folder loader. Goals: at most 1.1 for the first ratio; the second is reported as
it is.

    python benchmarks/fit_overhead.py [--data cifar10] [--n 10000] [--runs 3] [--out \\
        results/benchmarks/fit_overhead.json]
"""

import argparse
import json
import statistics
import time
from pathlib import Path

import torch
from fastai.callback.progress import ProgressCallback
from fastai.data.external import URLs, untar_data
from fastai.vision.augment import Flip
from fastai.vision.data import ImageDataLoaders
from fastai.data.transforms import Normalize
from torch.nn import functional as F

from unlearn_nb.all import cifar10_dls, environment, image_learner
from unlearn_nb.vision.data import flip_crop
from unlearn_nb.engine import bf16_pays


def bare_epoch(model, dls, device):
    "The loop one would write by hand: same tensors, same augmentation, same precision, AdamW"
    x, y = dls.train_ds.images.to(device), dls.train_ds.targets.to(device)
    norm = dls.train.after_batch.fs[-1]
    mean, std = (o.as_subclass(torch.Tensor).to(device) for o in (norm.mean, norm.std))
    opt = torch.optim.AdamW(model.parameters(), 1e-3)
    model.train()
    for i in torch.randperm(len(x)).split(dls.train.bs):
        shifts, flips = (
            torch.randint(-4, 5, (len(i), 2), device=device),
            torch.rand(len(i), device=device) < 0.5,
        )
        xb = (flip_crop(x[i], shifts, flips).float() / 255 - mean) / std
        with torch.autocast(device, torch.bfloat16, enabled=bf16_pays(device)):
            out = model(xb)
        loss = F.cross_entropy(out.float(), y[i])
        loss.backward()
        opt.step()
        opt.zero_grad()
        loss.item()


def seconds(f):
    start = time.perf_counter()
    f()
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    return time.perf_counter() - start


if __name__ == '__main__':
    p = argparse.ArgumentParser()
    p.add_argument('--n', type=int, default=10000)
    p.add_argument('--runs', type=int, default=3)
    p.add_argument('--archs', nargs='+', default=['small_resnet', 'resnet18'])
    p.add_argument('--out', type=Path, default=Path('results/benchmarks/fit_overhead.json'))
    a = p.parse_args()
    dls = cifar10_dls(n=a.n)
    device = str(torch.device(dls.device).type)
    rows = []
    for arch in a.archs:
        learn, bare = (image_learner(dls, arch, cbs=[]) for _ in range(2))
        learn.remove_cb(ProgressCallback)

        def fit():
            with learn.no_logging():
                learn.fit(1, 1e-3, cbs=skip)

        from unlearn_nb.engine import SkipValidation

        skip = [SkipValidation()]
        fit()
        bare_epoch(bare.model, dls, device)  # warm up
        pairs = [(seconds(fit), seconds(lambda: bare_epoch(bare.model, dls, device))) for _ in range(a.runs)]
        ratios = [f / b for f, b in pairs]
        rows.append(
            {
                'arch': arch,
                'images': a.n,
                'fit_seconds': [f for f, _ in pairs],
                'bare_seconds': [b for _, b in pairs],
                'ratio_median': statistics.median(ratios),
                'ratios': ratios,
            }
        )
        print(
            f"{arch}: fit / bare loop = {statistics.median(ratios):.3f}"
            f" ({', '.join(f'{r:.3f}' for r in ratios)})",
            flush=True,
        )
    folder = ImageDataLoaders.from_folder(
        untar_data(URLs.CIFAR),
        valid='test',
        batch_tfms=[Flip(), Normalize.from_stats([0.5] * 3, [0.25] * 3)],
        bs=256,
    )

    def memory():
        for _ in dls.train:
            pass

    def disk():
        for i, _ in enumerate(folder.train):
            if (i + 1) * 256 >= a.n:
                break

    memory()
    per = [
        (seconds(memory) / (len(dls.train_ds)), seconds(disk) / (256 * -(-a.n // 256))) for _ in range(a.runs)
    ]
    factor = statistics.median(d / m for m, d in per)
    print(
        f"in-memory loader: {factor:.1f} times as fast as fastai's folder loader"
        f" ({1/statistics.median(m for m, _ in per):.0f} against {1/statistics.median(d for _, d in per):.0f}"
        " images/s)"
    )
    a.out.parent.mkdir(parents=True, exist_ok=True)
    a.out.write_text(
        json.dumps(
            {
                'fit': rows,
                'loader': {'factor_median': factor, 'seconds_per_image_memory_disk': per},
                'environment': environment(),
            },
            indent=1,
        )
    )
