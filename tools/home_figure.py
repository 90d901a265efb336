"""The picture on the first page: what three networks read, before, after and retrained

python tools/home_figure.py     writes docs/_static/home.png and card.png, in half a minute
"""

import os
from pathlib import Path

os.environ.setdefault('OMP_NUM_THREADS', '1')
import matplotlib  # noqa: E402

matplotlib.use('agg')
import torch  # noqa: E402
from matplotlib import pyplot as plt  # noqa: E402

from unlearn_nb.all import collect, digits_dls, forget_class, image_learner, train  # noqa: E402

static = Path(__file__).parent.parent / 'docs' / '_static'
dls = digits_dls()
learn = image_learner(dls, 'small_resnet', seed=0)
with learn.no_bar(), learn.no_logging():
    train(learn, 5)
split = forget_class(dls, '3')
models = {
    'before': learn,
    'after': learn.unlearn(split, 'unsir'),
    'retrained\nwithout threes': learn.unlearn(split, 'retrain', seed=1),
}
parts = ('valid_forget', 'valid_retain')
columns = 6  # held-out digits of each kind, the first in the data's order


def figure(width, height, size):
    fig, axes = plt.subplots(
        3, 2 * columns + 1, figsize=(width, height), width_ratios=[1] * columns + [0.4] + [1] * columns
    )
    for row, (name, model) in zip(axes, models.items()):
        answers = collect(model, split, parts)
        row[columns].axis('off')
        for part, cells in zip(parts, (row[:columns], row[columns + 1 :])):
            out = answers[part]
            loader = split.loader(part)
            images = torch.cat([xb for xb, *_ in loader])
            for i, ax in enumerate(cells):
                said, right = int(out.logits[i].argmax()), int(out.targets[i])
                ax.imshow(images[i].squeeze().cpu(), cmap='gray_r')
                ax.set(xticks=[], yticks=[])
                colour = '#1b6b3a' if said == right else '#b3261e'
                ax.set_title(str(said), color=colour, fontsize=size + 2, fontweight='bold', pad=3)
                for side in ax.spines.values():
                    side.set_color(colour)
        row[0].set_ylabel(name, rotation=0, ha='right', va='center', fontsize=size, labelpad=10)
    fig.text(0.36, 0.985, 'the digit that must go', ha='center', va='top', fontsize=size)
    fig.text(0.79, 0.985, 'the others', ha='center', va='top', fontsize=size)
    fig.subplots_adjust(left=0.16, right=0.99, top=0.84, bottom=0.02, hspace=0.55, wspace=0.12)
    return fig


figure(9, 3.1, 10).savefig(static / 'home.png', dpi=110, facecolor='white')
figure(12, 6.3, 15).savefig(static / 'card.png', dpi=100, facecolor='white')
