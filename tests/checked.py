"""How annotations are checked while the tests run; see conftest.py."""

from beartype import BeartypeConf, beartype

# a whole number will do where a float is asked for, as type checkers have it
checked = beartype(conf=BeartypeConf(is_pep484_tower=True))
