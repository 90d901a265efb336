"""`python -m unlearn_nb.cli`, the same as `unlearn-nb`"""

from . import app

if __name__ == '__main__':
    app()
