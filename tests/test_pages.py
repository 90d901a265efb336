"""The audit's page and the benchmark's report in a real browser: no error, no request, no sideways scrolling,
pictures there."""

import shutil

import pytest

from unlearn_nb.all import audit, bench, digits_dls, forget_class, forget_random, image_learner, oracle, train
from unlearn_nb.bench.report import report

playwright = pytest.importorskip('playwright.sync_api')
pytestmark = pytest.mark.skipif(not shutil.which('chromium'), reason='needs the chromium program')


@pytest.fixture(scope='module')
def pages(tmp_path_factory):
    tmp = tmp_path_factory.mktemp('pages')
    learn = image_learner(digits_dls(n=600), 'small_resnet')
    with learn.no_bar(), learn.no_logging():
        train(learn, 3)
    split = forget_class(learn.dls, '3')
    new, some = learn.unlearn(split, 'finetune'), forget_random(learn.dls, n=60)
    audit(learn, new, split, oracle(learn, split, (1, 2, 3)), progress=False).save(tmp / 'audit.html')
    audit(learn, new, split, progress=False).save(tmp / 'alone.html')
    audit(learn, learn.unlearn(some, 'neggrad'), some, oracle(learn, some, (1,)), progress=False).save(
        tmp / 'random.html'
    )
    bench(
        {
            'run': [
                {
                    'epochs': 1,
                    'requests': [{'classes': ['3']}],
                    'methods': ['finetune'],
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
