"""A user's own method, metric and data set in one file, on every command and in processes of their own."""

import json
import os
import subprocess
import sys
import warnings
from unittest import mock

import pytest
from typer.testing import CliRunner

from unlearn_nb.all import image_learner, load_plugin, named_dls, save_model, train
from unlearn_nb.cli.shell import app

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
    "Call a command in this process"
    res = CliRunner().invoke(app, [*map(str, args)])
    assert res.exception is None or isinstance(res.exception, SystemExit), res.exception
    return res


def rows(folder): return {r['method']: r for r in json.loads((folder / 'results.json').read_text())['rows']}


def run_grid(place, out, *how):
    done = unlearn_nb('bench', place / 'grid.toml', '--out', out, *how)
    assert done.exit_code == 0, done.stderr
    found = rows(out)
    assert set(found) == {'original', 'retrain', 'shrug'} and all(r['worst_loss'] > 0 for r in found.values())


@pytest.fixture(scope='module')
def model(place):
    "Trained on the plugin's data"
    load_plugin(place / 'mine.py')
    learn = image_learner(named_dls('few'), 'small_resnet')
    with learn.no_bar(), learn.no_logging():
        train(learn, 2)
    save_model(learn, place / 'model.safetensors')
    return place / 'model.safetensors'


def test_workers(place):
    "A grid finds the plugin beside it, and so do processes that know nothing of it; reports show its metric"
    out = place / 'workers'
    run_grid(place, out, '--workers', 2)
    written = unlearn_nb('report', out)
    assert written.exit_code == 0 and 'worst_loss' in (out / 'report.html').read_text(), written.stderr


def test_forget(place, model):
    "`forget` by a plugin's method on a plugin's data"
    mine = '--data', 'few', '--plugin', place / 'mine.py', '--forget', '3'
    done = unlearn_nb('forget', *mine, '--model', model, '--method', 'shrug', '--out', place / 'out')
    assert done.exit_code == 0, done.stderr
    assert json.loads((place / 'out' / 'record.json').read_text())['method'] == 'shrug'


def test_audit(place, model):
    "`audit` of a model on a plugin's data; the audit itself, which takes long, is tested where it is defined"
    new = place / 'new.safetensors'
    new.write_bytes(model.read_bytes())
    mine = '--data', 'few', '--plugin', place / 'mine.py', '--forget', '3', '--retrain', 0
    judged = mock.Mock(verdict=['cannot conclude'], save=lambda path: path.write_text(''))
    with mock.patch('unlearn_nb.audit.audit', return_value=judged) as audit:
        told = unlearn_nb('audit', *mine, '--original', model, '--unlearned', new, '--out', place / 'audit')
    assert told.exit_code == 0 and 'cannot conclude' in told.stdout, told.stderr
    learn, same, split = audit.call_args.args[:3]
    assert len(learn.dls.train_ds) == len(same.dls.train_ds) == 300 and split.name == 'class 3'


@pytest.mark.slow
def test_fresh_processes(place, model):
    "The same in processes of their own, with a real audit"
    env = {**os.environ, 'OMP_NUM_THREADS': '1', 'CUDA_VISIBLE_DEVICES': '', 'PYTHONWARNINGS': ''}

    def call(*args):
        cmd = [sys.executable, '-m', 'unlearn_nb.cli', *map(str, args)]
        return subprocess.run(cmd, capture_output=True, text=True, env=env, timeout=300)

    mine = '--data', 'few', '--plugin', place / 'mine.py', '--forget', '3'
    done = call('forget', *mine, '--model', model, '--method', 'shrug', '--out', place / 'fresh')
    assert done.returncode == 0, done.stderr
    new = '--unlearned', place / 'fresh' / 'model.safetensors', '--out', place / 'fresh_audit'
    told = call('audit', *mine, '--original', model, '--retrain', 0, *new)
    assert told.returncode == 0 and 'cannot conclude' in told.stdout, told.stderr
    both = call('methods', '--plugin', place / 'mine.py', '--plugin', rival(place))
    assert both.returncode == 0 and "the method 'shrug' was registered before" in both.stderr, both.stderr


def rival(place):
    "Another file with the same names"
    (place / 'rival.py').write_text(PLUGIN)
    return place / 'rival.py'


def test_wrong_plugins(place):
    "One line, exit code 2, whatever is wrong with the file"
    (place / 'broken.py').write_text('import no_such_thing\n')
    for file, word in (('broken.py', 'cannot be loaded: ModuleNotFoundError'), ('none.py', 'no plugin file')):
        done = unlearn_nb('methods', '--plugin', place / file)
        lines = done.stderr.strip().splitlines()
        assert (done.exit_code, len(lines)) == (2, 1) and word in lines[0] and not done.stdout, done


def test_two_plugins_of_one_name(place):
    "They are told"
    with warnings.catch_warnings():
        warnings.simplefilter('always')  # whatever the tests were started with
        both = unlearn_nb('methods', '--plugin', place / 'mine.py', '--plugin', rival(place))
    assert both.exit_code == 0 and "the method 'shrug' was registered before" in both.stderr, both.stderr
