"""A user's own method, metric and data set in one file, on every command and in processes of their own."""

import json
import os
import subprocess
import sys

import pytest

PLUGIN = '''
from dataclasses import dataclass
from unlearn_nb.all import collect, digits_dls, register_data, register_method, register_metric
from unlearn_nb.methods.gradient import Tuned

@register_method('shrug')
@dataclass
class Shrug(Tuned):
    reads = frozenset({'forget', 'retain'})
    balanced = True
    def losses(self, s, xb, out, yb):
        return s.task.sample_loss(out, yb), -out.float().log_softmax(1).mean(1)

@register_metric('surprise')
def surprise(learn, split):
    losses = collect(learn, split, ['forget'])['forget'].losses
    return {'worst_loss': losses.max().item()}

@register_data('few')
def few(n=300, **kwargs):
    "A few digits"
    return digits_dls(n=n, **kwargs)
'''

GRID = '''
plugins = ["mine.py"]
[[run]]
data = "few"
epochs = 1
requests = [{kind = "class", classes = ["3"]}]
methods = ["shrug"]
metrics = ["rates", "surprise"]
'''


@pytest.fixture(scope='module')
def place(tmp_path_factory):
    folder = tmp_path_factory.mktemp('a folder with blanks')
    (folder / 'mine.py').write_text(PLUGIN)
    (folder / 'grid.toml').write_text(GRID)
    return folder


def unlearn_nb(*args):
    env = {**os.environ, 'OMP_NUM_THREADS': '1', 'CUDA_VISIBLE_DEVICES': '', 'PYTHONWARNINGS': ''}
    cmd = [sys.executable, '-m', 'unlearn_nb.cli', *map(str, args)]
    return subprocess.run(cmd, capture_output=True, text=True, env=env, timeout=300)


def rows(folder): return {r['method']: r for r in json.loads((folder / 'results.json').read_text())['rows']}


def run_grid(place, out, *how):
    done = unlearn_nb('bench', place / 'grid.toml', '--out', out, *how)
    assert done.returncode == 0, done.stderr
    found = rows(out)
    assert set(found) == {'original', 'retrain', 'shrug'} and all(r['worst_loss'] > 0 for r in found.values())


def test_grid(place):
    "A grid finds the plugin beside it, and so do processes that know nothing of it; reports show its metric"
    out = place / 'workers'
    run_grid(place, out, '--workers', 2)
    written = unlearn_nb('report', out)
    assert written.returncode == 0 and 'worst_loss' in (out / 'report.html').read_text(), written.stderr


def test_forget_and_audit(place):
    "`forget` by a plugin's method on a plugin's data, and `audit` of what it made"
    model = place / 'model.safetensors'
    made = (
        "from unlearn_nb.all import *\n"
        f"load_plugin({str(place / 'mine.py')!r})\n"
        "learn = image_learner(named_dls('few'), 'small_resnet')\n"
        f"train(learn, 2)\nsave_model(learn, {str(model)!r})\n"
    )
    subprocess.run([sys.executable, '-c', made], check=True, capture_output=True, timeout=120)
    mine = '--data', 'few', '--plugin', place / 'mine.py', '--forget', '3'
    done = unlearn_nb('forget', *mine, '--model', model, '--method', 'shrug', '--out', place / 'out')
    assert done.returncode == 0, done.stderr
    assert json.loads((place / 'out' / 'record.json').read_text())['method'] == 'shrug'
    new = place / 'out' / 'model.safetensors'
    told = unlearn_nb(
        'audit', *mine, '--original', model, '--unlearned', new, '--retrain', 0, '--out', place / 'audit'
    )
    assert told.returncode == 0 and 'cannot conclude' in told.stdout, told.stderr


def test_wrong_plugins(place):
    "One line, exit code 2, whatever is wrong with the file; two plugins with one name are told"
    (place / 'broken.py').write_text('import no_such_thing\n')
    (place / 'rival.py').write_text(PLUGIN)
    for file, word in (('broken.py', 'cannot be loaded: ModuleNotFoundError'), ('none.py', 'no plugin file')):
        done = unlearn_nb('methods', '--plugin', place / file)
        lines = done.stderr.strip().splitlines()
        assert (done.returncode, len(lines)) == (2, 1) and word in lines[0] and not done.stdout, done
    both = unlearn_nb('methods', '--plugin', place / 'mine.py', '--plugin', place / 'rival.py')
    assert both.returncode == 0 and "the method 'shrug' was registered before" in both.stderr, both.stderr
