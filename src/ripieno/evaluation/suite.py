"""The experiments of the evaluation.  (Paper 6)"""

from __future__ import annotations

from ripieno.evaluation.chorales import CHORALES
from ripieno.evaluation.framewise import FRAMEWISE
from ripieno.evaluation.likelihood import LIKELIHOOD
from ripieno.evaluation.repair import REPAIR
from ripieno.evaluation.stabilisation import STABILISATION
from ripieno.evaluation.tables import TABLES

EXPERIMENTS = (FRAMEWISE, LIKELIHOOD, REPAIR, STABILISATION, CHORALES, TABLES)  # as they are run
IN_PRINT = (LIKELIHOOD, TABLES, CHORALES, REPAIR, STABILISATION, FRAMEWISE)  # as they are read
PARTS = tuple(experiment.name for experiment in EXPERIMENTS)
