"""A grid survives kill -9 of the driver at random moments, of a worker, and of a Ray node."""

import os
import random
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from multiprocessing import get_context

import psutil
import pytest

# a token that an earlier cluster left in the home folder would be asked of the second node
os.environ['RAY_AUTH_MODE'] = 'disabled'
# Ray gives its workers a low priority: beside two other jobs on two cores they took 16 minutes, not one
os.environ['RAY_worker_niceness'] = '0'

os.environ.setdefault('OMP_WAIT_POLICY', 'passive')
import torch  # noqa: E402

from unlearn_nb.bench import planning, results, running  # noqa: E402
from unlearn_nb.store import Store  # noqa: E402

GRID = {
    'run': [
        {
            'data': 'digits',
            'epochs': 1,
            'seeds': [0, 1],
            'requests': [{'classes': ['3']}, {'kind': 'random', 'frac': 0.1}],
            'methods': [{'name': 'finetune', 'lr': 1e-3}],  # a rate that is given is not searched for
            'options': {'n': 300},
        }
    ]
}


@pytest.fixture(scope='module')
def whole(tmp_path_factory):
    "The results of a run that nothing disturbs, in one process of one thread"
    out = tmp_path_factory.mktemp('whole')
    torch.set_num_threads(1)
    results.bench(GRID, out)
    return Store(out)


def _run(out, workers=1):
    torch.set_num_threads(1)
    results.bench(GRID, out, workers=workers)


@pytest.mark.parametrize('times', [5, pytest.param(50, marks=pytest.mark.slow)])
def test_kill_driver(tmp_path, whole, times):
    """kill -9 at a random moment, often, then one run to the end: all results, none twice, all checksums
good"""
    rng, out, kills, seen = random.Random(0), tmp_path / 'store', 0, 0
    grid_cells = {c.key for c in planning.plan(GRID)}
    assert {e.key for e in whole.entries()} == grid_cells
    while kills < times:
        child = get_context('fork').Process(target=_run, args=(out,))
        child.start()
        time.sleep(rng.expovariate(1 / 0.35))
        if child.is_alive():
            os.kill(child.pid, signal.SIGKILL)
            kills += 1
        child.join()
        if (out / 'results.sqlite').exists():
            n = len(Store(out).entries())
            assert n >= seen, 'a finished result was lost'
            seen = n
            if n == len(
                grid_cells
            ):  # done early: start over beside it, so that all 50 kills hit a working grid
                assert Store(out).check() == []
                out, seen = tmp_path / f'store{kills}', 0
    _run(out)
    for folder in sorted(tmp_path.glob('store*')):
        if not (folder / 'results.sqlite').exists():
            continue
        _run(folder)
        store = Store(folder)
        assert store.check() == []
        assert {e.key for e in store.entries()} == grid_cells
        rows = (
            sqlite3.connect(store.db).execute('SELECT count(*), count(DISTINCT key) FROM entries').fetchone()
        )
        assert rows == (len(grid_cells), len(grid_cells))
        named = {e.model for e in store.entries() if e.model}
        assert {p.stem for p in store.models.glob('*.safetensors')} >= named
        for e in store.entries():  # the very models of an undisturbed run
            assert e.model is None or e.result.get('model_after') == whole.get(e.key).result.get(
                'model_after'
            )


def is_worker(process, seconds=0):
    "Was it started by the driver of a grid, and has it worked so long? No, if it has just ended"
    try:
        return 'spawn_main' in ' '.join(process.cmdline()) and process.cpu_times().user >= seconds
    except psutil.Error:
        return False


def test_kill_worker(tmp_path, whole):
    """A worker that dies is replaced; its cell is computed by another"""
    killed = []

    def kill_once(cell, state, seconds):
        children = [] if killed else [p for p in psutil.Process().children() if is_worker(p)]
        for p in children[:1]:
            killed.append(p.pid), p.kill()

    done, rows = results.bench(GRID, tmp_path / 's', kill_once, workers=2)
    assert (
        killed
        and not done.failed
        and done.finished == len(planning.plan(GRID))
        and Store(tmp_path / 's').check() == []
    )
    threads = max(1, (os.cpu_count() or 1) // 2)  # as each worker has
    alone = whole
    if threads > 1:
        torch.set_num_threads(threads)
        alone = Store(tmp_path / 'alone')
        running.run_cells(planning.plan(GRID), alone)
    made = [e for e in Store(tmp_path / 's').entries() if e.config['kind'] == 'unlearn']
    assert made
    for e in made:  # two processes make the models of one, bit for bit
        assert e.result['model_after'] == alone.get(e.key).result['model_after']


def test_workers_follow_the_driver(tmp_path):
    """A driver that is killed leaves no workers behind"""
    child = get_context('fork').Process(target=_run, args=(tmp_path / 's', 2))
    child.start()
    workers, end = [], time.time() + 120
    while len(workers) < 2 and time.time() < end:
        time.sleep(0.2)
        workers = [p for p in psutil.Process(child.pid).children(recursive=True) if is_worker(p, seconds=1)]
    assert len(workers) == 2
    os.kill(child.pid, signal.SIGKILL)
    child.join()
    assert (
        psutil.wait_procs(workers, timeout=240)[1] == []
    )  # one that is still importing goes when it has done that


def test_ray_node_dies(tmp_path):
    """Two nodes on the loopback interface, one killed in the middle: all results arrive"""
    pytest.importorskip('ray')
    import ray

    script = [sys.executable, '-m', 'ray.scripts.scripts']
    common = [
        '--node-ip-address=127.0.0.2',
        '--num-cpus=1',
        '--object-store-memory=100000000',
        '--disable-usage-stats',
    ]  # Ray replaces 127.0.0.1 by the outer address
    raylets = lambda: {p.pid: p for p in psutil.process_iter(['name']) if p.info['name'] == 'raylet'}
    with socket.socket() as s:
        s.bind(('127.0.0.2', 0))
        address = f'127.0.0.2:{s.getsockname()[1]}'
    of_ray = lambda: {
        p.pid: p for p in psutil.process_iter(['cmdline']) if '/ray/' in ' '.join(p.info['cmdline'] or [])
    }
    before, finished, killed = of_ray(), [], []
    try:
        subprocess.run(
            [
                *script,
                'start',
                '--head',
                f"--port={address.split(':')[1]}",
                '--include-dashboard=false',
                *common,
            ],
            check=True,
            capture_output=True,
            timeout=120,
        )
        first = raylets()
        subprocess.run(
            [*script, 'start', f'--address={address}', *common],
            check=True,
            capture_output=True,
            timeout=120,
        )
        second = next(p for pid, p in raylets().items() if pid not in first)

        def kill_node(cell, state, seconds):
            finished.append(state)
            if len(finished) == 1:
                killed.append(len([n for n in ray.nodes() if n['Alive']]))
            if len(finished) == 6:
                second.kill()

        done, rows = results.bench(GRID, tmp_path / 's', kill_node, backend='ray', address=address)
        assert killed == [2] and not second.is_running()
        assert (
            not done.failed
            and done.finished == len(planning.plan(GRID))
            and Store(tmp_path / 's').check() == []
        )
    finally:
        ray.shutdown()
        for pid, p in of_ray().items():
            if pid not in before:
                p.kill()


def test_full_disk(tmp_path):
    """A disk that fills in the middle of a grid: a clear error, finished results readable; with more room the
same call goes on"""
    script = f'''
import subprocess, torch
from pathlib import Path
from unlearn_nb.bench import planning, results
from unlearn_nb.store import Store, StoreError
from tests.test_survival import GRID
torch.set_num_threads(1)
out = Path({str(tmp_path)!r})/'disk'/'s'
try: results.bench(GRID, out)
except StoreError as e: assert 'full' in str(e), e
else: raise AssertionError('the disk was large enough')
n = len(Store(out).entries())
assert n >= 3 and Store(out).check() == [], n
subprocess.run(['mount', '-o', 'remount,size=80m', out.parent], check=True)
done, rows = results.bench(GRID, out)
assert done.found == n and not done.failed, (n, done)
assert done.found+done.finished == len(planning.plan(GRID)) and Store(out).check() == [], (n, done)
'''
    (tmp_path / 'disk').mkdir()
    mount = f'mount -t tmpfs -o size=8m none {tmp_path}/disk || exit 77; {sys.executable} -c "$0"'
    root = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    res = subprocess.run(
        ['unshare', '-rm', 'sh', '-c', mount, script], capture_output=True, text=True, cwd=root
    )
    if res.returncode == 77 or 'unshare:' in res.stderr:
        pytest.skip('may not mount a small disk here')
    assert res.returncode == 0, res.stderr


def test_ray_knows_plugins(tmp_path):
    "Tasks on Ray load the plugin of a grid; here, since two clusters at once are in each other's way"
    pytest.importorskip('ray')
    from test_plugins import GRID, PLUGIN, run_grid

    (tmp_path / 'mine.py').write_text(PLUGIN)
    (tmp_path / 'grid.toml').write_text(GRID)
    run_grid(tmp_path, tmp_path / 'out', '--backend', 'ray')
