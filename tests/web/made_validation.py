"""A made-up result of a validation: what held, what failed, what was tested too little."""

from __future__ import annotations

from porewatch_worker.validation.requirements import requirements
from porewatch_worker.validation.result import ClassResult, SetResult, Validation
from porewatch_worker.validation.score import limit, series, share
from tests.web.made_up import DAWN


def made_validation() -> Validation:
    points = series((1.2**i, i + j > 15) for i in range(30) for j in range(4))
    few, many = share(3, 3), share(2000, 2000)
    sets = tuple(
        SetResult(
            name=name, about=about, runs=1, samples=1200, positive=few, negative=many,
            false_calls=wrong, false_alarms=len(wrong),
        )
        for name, about, wrong in (
            ("near relatives", "relatives 12 to 25 % away from a member", ()),
            ("host only", "host reads and spike-in", ("CSFV", "JEV")),
        )
    )  # fmt: skip
    classes = tuple(
        ClassResult(
            name=name, agents=("PCV2", "PCMV"), series=some, limit=limit(some, "copies"),
            agreement=few, negative=many,
        )
        for name, some in (("DNA virus", points), ("RNA virus", points[:6]), ("parasite", ()))
    )  # fmt: skip
    return Validation(
        size="small", seed=1, version="0.1.0", parameters_sha256="ab" * 32, finished_at=DAWN,
        seconds=12, positive=few, at_limit=many, stated_limit_reads=7.2, negative=many,
        limit=limit(points, "reads"), series=points, classes=classes, sets=sets,
        requirements=requirements(few, many, many, sets, 7.2),
    )  # fmt: skip
