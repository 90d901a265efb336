"""Sphinx configuration; tools/docs.py makes the folder that this stands in"""

from configparser import ConfigParser
from functools import lru_cache
from pathlib import Path

import latex2mathml.converter
from sphinx.domains.python import PyFunction, PyMethod
from sphinx.search.en import SearchEnglish

here = Path(__file__).parent
root = next(p for p in here.parents if (p / 'settings.ini').exists())
_cfg = ConfigParser(delimiters=['='])
_cfg.read(root / 'settings.ini', encoding='utf-8')
_cfg = _cfg['DEFAULT']

project, author, release = _cfg['title'], _cfg['author'], _cfg['version']
version = release
copyright = _cfg['copyright']
language = 'en'

extensions = [
    'myst_nb',
    'sphinx_design',
    'sphinx_copybutton',
    'sphinxext.opengraph',
    'sphinx_sitemap',
    'notfound.extension',
    'sphinx.ext.intersphinx',
]
exclude_patterns = ['_templates']
templates_path = ['_templates']

# Notebooks are shown as they were run: a build executes nothing
nb_execution_mode = 'off'
nb_merge_streams = True
nb_render_text_lexer = 'none'
myst_enable_extensions = ['colon_fence', 'dollarmath', 'deflist', 'attrs_inline', 'attrs_block', 'fieldlist']
myst_heading_anchors = 4
myst_dmath_allow_space = False
myst_dmath_allow_digits = False
myst_links_external_new_tab = False

# Names of other projects, from files: the network is never asked
intersphinx_mapping = {
    'torch': ('https://pytorch.org/docs/stable', str(here / 'torch.inv')),
    'fastai': ('https://docs.fast.ai', str(here / 'fastai.inv')),
}
intersphinx_disabled_reftypes = ['std:*']

python_maximum_signature_line_length = 88
python_trailing_comma_in_multi_line_signatures = False
add_module_names = False
toc_object_entries_show_parents = 'hide'
python_use_unqualified_type_names = True
maximum_signature_line_length = 88

html_theme = 'pydata_sphinx_theme'
html_title = f'{project} {release}'
html_static_path = ['_static']
html_css_files = ['site.css']
html_favicon = '_static/favicon.svg'
html_baseurl = f'{_cfg["doc_host"]}{_cfg["doc_baseurl"].rstrip("/")}/{release}/'
html_search_scorer = str(here / '_static' / 'scorer.js')
SearchEnglish.stem = lru_cache(None)(SearchEnglish.stem)  # of ten words on the pages nine were met before
html_show_sourcelink = False
html_copy_source = False
html_domain_indices = False
html_last_updated_fmt = None
html_theme_options = {
    'github_url': _cfg['git_url'],
    'logo': {'text': project, 'alt_text': f'{project}, home'},
    'header_links_before_dropdown': 8,
    'navbar_align': 'left',
    'navbar_end': ['version', 'theme-switcher', 'navbar-icon-links'],
    'show_prev_next': True,
    'show_nav_level': 1,
    'navigation_depth': 3,
    'collapse_navigation': True,
    'show_toc_level': 2,
    'secondary_sidebar_items': ['page-toc'],
    'footer_start': ['copyright'],
    'footer_end': [],
    'pygments_light_style': 'a11y-high-contrast-light',
    'pygments_dark_style': 'a11y-high-contrast-dark',
    'use_edit_page_button': False,
    'search_bar_text': 'Search the docs',
    'back_to_top_button': False,
}
html_sidebars = {'index': []}
html_context = {'default_mode': 'auto'}  # as the operating system says

sitemap_url_scheme = '{link}'
sitemap_locales = [None]
notfound_urls_prefix = f'{_cfg["doc_baseurl"].rstrip("/")}/{release}/'
notfound_context = {
    'title': 'Page not found',
    'body': '<h1>Page not found</h1><p>It may have moved: search above, or go to the <a href="'
    + notfound_urls_prefix
    + 'index.html">first page</a>.</p>',
}

ogp_site_url = html_baseurl
ogp_site_name = project
ogp_image = html_baseurl + '_static/card.png'
ogp_image_alt = 'A class is removed from a trained network, beside a network retrained without it'
ogp_social_cards = {'enable': False}
ogp_enable_meta_description = True

copybutton_prompt_text = r'>>> |\.\.\. |\$ '
copybutton_prompt_is_regexp = True
copybutton_exclude = '.linenos, .gp'


def _mathml(node, display):
    return latex2mathml.converter.convert(node.astext(), display=display)


def math_inline(self, node):
    from docutils import nodes

    self.body.append(_mathml(node, 'inline'))
    raise nodes.SkipNode


def math_block(self, node):
    from docutils import nodes

    self.body.append(f'<div class="math-block">{_mathml(node, "block")}</div>')
    raise nodes.SkipNode


html_math_renderer = 'mathml'


class Function(PyFunction):
    "A function's entry begins with `def`, as a class's begins with `class`"

    def get_signature_prefix(self, sig):
        from sphinx import addnodes
        from docutils import nodes

        before = super().get_signature_prefix(sig)
        return [*before, addnodes.desc_sig_keyword('', 'def'), nodes.Text(' ')]


class Method(PyMethod):
    def get_signature_prefix(self, sig):
        from sphinx import addnodes
        from docutils import nodes

        before = super().get_signature_prefix(sig)
        return [*before, addnodes.desc_sig_keyword('', 'def'), nodes.Text(' ')]


_classes = {}  # Short name -> full names


def own_types(app, env, node, contnode):
    "A type in a signature is written by its short name; find the module that defines it"
    if node.get('refdomain') != 'py' or '.' in node.get('reftarget', ''):
        return None
    objects = env.get_domain('py').objects
    if not _classes:  # asked for when all pages were read
        for f, o in objects.items():
            if o.objtype == 'class':
                _classes.setdefault(f.rpartition('.')[2], []).append(f)
    found = _classes.get(node['reftarget'], [])
    if len(found) != 1:
        return None
    o = objects[found[0]]
    from sphinx.util.nodes import make_refnode

    return make_refnode(app.builder, node['refdoc'], o.docname, o.node_id, contnode, found[0])


def setup(app):
    app.add_html_math_renderer('mathml', (math_inline, None), (math_block, None))
    app.add_directive_to_domain('py', 'function', Function, override=True)
    app.add_directive_to_domain('py', 'method', Method, override=True)
    app.connect('missing-reference', own_types, priority=400)
