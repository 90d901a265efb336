"""The audit's page and the benchmark's report in a real browser: no error, no request, no sideways scrolling,
pictures there."""

import shutil

import pytest

from unlearn_nb.all import audit, bench, forget_class, forget_random, image_learner, oracle, train
from unlearn_nb.bench.report import report
from unlearn_nb.testing import TinyNet, tiny_images
from unlearn_nb.vision.data import tensor_dls

playwright = pytest.importorskip('playwright.sync_api')
pytestmark = pytest.mark.skipif(not shutil.which('chromium'), reason='needs the chromium program')


def trained(learn, epochs, lr=3e-3):
    with learn.no_bar(), learn.no_logging():
        return train(learn, epochs, lr)


def tiny():
    "A network that is trained, and audited, in a few seconds"
    dls = tensor_dls(*tiny_images(96), *tiny_images(64, seed=1), list('abcd'), bs=16, flip=False, pad=0)
    return trained(image_learner(dls, TinyNet(), precision='fp32'), 8, 2e-2)


@pytest.fixture(scope='module')
def pages(tmp_path_factory):
    tmp = tmp_path_factory.mktemp('pages')
    small = tiny()
    gone, some = forget_class(small.dls, 'b'), forget_random(small.dls, n=20)
    new, refs = small.unlearn(gone, 'finetune'), oracle(small, gone, (1, 2, 3))
    audit(small, new, gone, refs, progress=False).save(tmp / 'audit.html')
    audit(small, new, gone, progress=False).save(tmp / 'alone.html')
    new, refs = small.unlearn(some, 'neggrad'), oracle(small, some, (1,))
    audit(small, new, some, refs, progress=False).save(tmp / 'random.html')
    bench(
        {
            'run': [
                {
                    'epochs': 1,
                    'requests': [{'classes': ['3']}],
                    'methods': [{'name': 'finetune', 'lr': 1e-3}],
                    'metrics': ['rates', 'attacks'],
                    'options': {'n': 400},
                }
            ]
        },
        tmp / 'grid',
    )
    report(tmp / 'grid')
    return {
        **{n: tmp / f'{n}.html' for n in ('audit', 'alone', 'random')},
        'report': tmp / 'grid' / 'report.html',
    }


@pytest.fixture(scope='module')
def browser():
    with playwright.sync_playwright() as p:
        b = p.chromium.launch(
            executable_path=shutil.which('chromium'),
            args=['--no-sandbox', '--disable-gpu', '--disable-background-networking'],
        )
        yield b
        b.close()


@pytest.mark.parametrize('name,figures', [('audit', 6), ('alone', 6), ('random', 6), ('report', 2)])
@pytest.mark.parametrize('width,scheme', [(390, 'dark'), (1280, 'light')])
def test_page(pages, browser, name, figures, width, scheme):
    page, said, asked = (
        browser.new_page(viewport={'width': width, 'height': 800}, color_scheme=scheme),
        [],
        [],
    )
    page.on('console', lambda m: said.append(m.text))
    page.on('pageerror', lambda e: said.append(str(e)))
    page.on('request', lambda r: asked.append(r.url) if not r.url.startswith(('data:', 'file:')) else None)
    page.goto(pages[name].as_uri())
    assert said == [] and asked == []
    assert page.evaluate('document.documentElement.scrollWidth') <= width
    if width == 1280 and name != 'report':
        assert page.evaluate(
            "[...document.querySelectorAll('.wide')].every(w => w.scrollWidth <= w.clientWidth)"
        ), 'a column is cut'
    images = page.evaluate("[...document.images].map(i => [i.naturalWidth, i.alt.length])")
    assert len(images) == figures and all(w > 0 and alt > 10 for w, alt in images)
    colour = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (colour == 'rgb(255, 255, 255)') == (scheme == 'light')
    page.close()


def test_audit_without_script(pages, browser):
    page = browser.new_context(java_script_enabled=False).new_page()
    page.goto(pages['audit'].as_uri())
    assert page.locator('.status').inner_text() and page.locator('table').count() >= 5
    page.emulate_media(media='print')
    assert len(page.pdf(format='A4')) > 10_000


def test_report_is_sorted_by_a_click(pages, browser):
    "Numbers as numbers; a second click turns the order around"
    page = browser.new_page()
    page.goto(pages['report'].as_uri())
    heads = page.locator('table').first.locator('th')
    column = heads.all_inner_texts().index('A_Dr %')
    read = "(t, i) => [...t.tBodies[0].rows].map(r => parseFloat(r.cells[i].innerText))"
    values = lambda: page.evaluate(f"i => ({read})(document.querySelector('table'), i)", column)
    before = values()
    heads.nth(column).click()
    up = values()
    heads.nth(column).click()
    assert (sorted(before), sorted(before, reverse=True)) == (up, values()) and len(set(before)) > 1
    assert heads.nth(column).get_attribute('aria-sort') == 'descending'
    page.close()
