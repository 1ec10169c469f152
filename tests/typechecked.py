"""How annotations are checked in tests: beartype, an int where a float is asked for (as type checkers have it)."""

from __future__ import annotations

from beartype import BeartypeConf, beartype

typechecked = beartype(conf=BeartypeConf(is_pep484_tower=True))
