"""The metrics file is valid OpenMetrics, and valid Prometheus text with the same samples, which is what node_exporter reads."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_prometheus

from emr_usage.monitoring.openmetrics import Family, Samples, read_openmetrics, write_openmetrics

FAMILIES = (Family("emr_usage_a_seconds", "A gauge."), Family("emr_usage_b", "A counter.", is_counter=True))
HOSTILE = 'a"b\\c\nd\\n{}=,# EOF\r\u2028杭州'
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
SAMPLES = st.dictionaries(
    st.tuples(st.sampled_from(["emr_usage_a_seconds", "emr_usage_b_total"]), st.tuples(st.tuples(st.just("database"), TEXTS))),
    st.integers(0, 10**12).map(lambda thousandths: thousandths / 1000),
    max_size=6,
)


def parsed(samples: Samples) -> Samples:
    """Return what the two parsers of Prometheus' own library read, which has to be the same."""
    text = write_openmetrics(FAMILIES, samples)
    read = [
        {(sample.name, tuple(sample.labels.items())): float(sample.value) for family in parse(text) for sample in family.samples}
        for parse in (parse_openmetrics, parse_prometheus)
    ]
    assert read[0] == read[1]
    return read[0]


@given(SAMPLES)
def test_metrics_are_readable_by_prometheus_and_by_the_status_command(samples: Samples) -> None:
    assert parsed(samples) == samples
    assert read_openmetrics(write_openmetrics(FAMILIES, samples)) == samples


def test_hostile_labels_are_escaped() -> None:
    samples: Samples = {("emr_usage_a_seconds", (("database", HOSTILE),)): 1}
    assert parsed(samples) == samples


def test_unknown_metric_families_and_invalid_lines_are_left_out() -> None:
    samples: Samples = {("emr_usage_other", (("database", "a"),)): 1}
    assert write_openmetrics(FAMILIES, samples) == "# EOF\n"
    assert read_openmetrics('junk\nemr_usage_a{database="x"} many\nemr_usage_a 1\n\x00') == {}


@pytest.mark.parametrize(("value", "text"), [(0, "0"), (3.0, "3"), (0.5, "0.5"), (1793498400.1234, "1793498400.123")])
def test_numbers_have_no_exponent(value: float, text: str) -> None:
    assert write_openmetrics(FAMILIES, {("emr_usage_b_total", ()): value}).splitlines()[2] == f"emr_usage_b_total{{}} {text}"
