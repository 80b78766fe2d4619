"""Metrics as text: OpenMetrics, within what the Prometheus text format 0.0.4 reads too, as node_exporter does."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

Labels = tuple[tuple[str, str], ...]
END: Final = b"# EOF\n"
_SAMPLE: Final = re.compile(r"(?P<name>[a-z_]+)\{(?P<labels>.*)\} (?P<value>\S+)")
_LABEL: Final = re.compile(r'(?P<name>[a-z_]+)="(?P<value>(?:[^"\\]|\\.)*)"')
_ESCAPES: Final = {"\\": r"\\", '"': r"\"", "\n": r"\n"}
_UNESCAPES: Final = {escape: character for character, escape in _ESCAPES.items()}


@dataclass(frozen=True)
class Family:
    """A metric with its samples.

    Attributes:
        name: without the suffix `_total` of a counter.
        help: one line.
        is_counter: it only grows; else it is a gauge. Other types node_exporter does not read.
    """

    name: str
    help: str
    is_counter: bool = False

    @property
    def sample_name(self) -> str:
        """Return the name of its samples."""
        return f"{self.name}_total" if self.is_counter else self.name


# The value of each sample, by its name and labels.
Samples = dict[tuple[str, Labels], float]


def write_openmetrics(families: Iterable[Family], samples: Samples) -> str:
    """Return samples as text, family by family; samples of other families are left out."""
    lines = []
    for family in families:
        of_family = sorted((labels, value) for (name, labels), value in samples.items() if name == family.sample_name)
        if of_family:
            lines.append(f"# TYPE {family.name} {'counter' if family.is_counter else 'gauge'}")
            lines.append(f"# HELP {family.name} {family.help}")
        lines += [f"{family.sample_name}{{{_labels_text(labels)}}} {_number(value)}" for labels, value in of_family]
    return "".join(f"{line}\n" for line in lines) + END.decode()


def read_openmetrics(text: str) -> Samples:
    """Return the samples of a text that `write_openmetrics` wrote; other lines are ignored."""
    samples: Samples = {}
    for line in text.split("\n"):
        if found := _SAMPLE.fullmatch(line):
            labels = tuple((label["name"], _unescaped(label["value"])) for label in _LABEL.finditer(found["labels"]))
            try:
                samples[found["name"], labels] = float(found["value"])
            except ValueError:
                continue
    return samples


def _labels_text(labels: Labels) -> str:
    return ",".join(f'{name}="{_escaped(value)}"' for name, value in labels)


def _escaped(text: str) -> str:
    return "".join(_ESCAPES.get(character, character) for character in text)


def _unescaped(text: str) -> str:
    return re.sub(r"\\.", lambda found: _UNESCAPES.get(found[0], found[0]), text)


def _number(value: float) -> str:
    return str(int(value)) if value == int(value) else repr(round(value, 3))
