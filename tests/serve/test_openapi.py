"""The service against its own description: whatever fits it, and whatever does not, gets a sentence."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import content_type_conformance, status_code_conformance

from tagdb.serve.options import Options
from tests.support.postgres import Postgres
from tests.support.programs import SOAK
from tests.support.served import Served, serving

CASES = 10 * SOAK
"""Requests per call, as many again of those that do not fit its description."""
LEFT_OUT = ("POST /v1/jobs",)
"""Which takes a minute of both cores."""


@pytest.fixture
def changeable(gallery: str, postgres: Postgres, run_folder: Path) -> Iterator[Served]:
    """A service whose database may be changed."""
    with postgres.database(gallery) as url, serving(url, run_folder, Options(port=0, workers=1)) as served:
        yield served


@pytest.mark.long
def test_every_call(changeable: Served) -> None:
    token = changeable.token("writer")
    document = schemathesis.openapi.from_url(f"{changeable.url}/v1/openapi.json")
    statuses = Counter[int]()
    operations = [each.ok() for each in document.get_all_operations()]
    assert len(operations) > 30
    for operation in operations:
        if operation.label in LEFT_OUT:
            continue
        for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):

            @given(case=operation.as_strategy(generation_mode=mode))
            @settings(
                max_examples=CASES, deadline=None, derandomize=True, database=None,
                phases=[Phase.generate], suppress_health_check=list(HealthCheck),
            )  # fmt: skip
            def ask(case: schemathesis.Case) -> None:
                headers = {"Authorization": f"Bearer {token}"}
                if len(str(case.query)) > 10_000:
                    return  # no server takes addresses of any length
                response = case.call(headers=headers)
                statuses[response.status_code] += 1
                checks = [not_a_server_error, status_code_conformance, content_type_conformance]
                case.validate_response(response, checks=checks)

            with suppress(Unsatisfiable):  # a call without parameters, which nothing can fail to fit
                ask()
    print(f"{sum(statuses.values())} requests to {len(operations)} calls: {dict(sorted(statuses.items()))}")
    assert statuses[200] > CASES
    assert statuses[422] > CASES
    assert not {status for status in statuses if status >= 500}
