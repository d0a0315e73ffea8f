"""A strict reader of Prometheus' text format: it refuses what a lenient server would let pass."""

import math
import re

NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
LABEL = r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"'
SAMPLE = re.compile(rf"({NAME})(?:\{{({LABEL}(?:,{LABEL})*)\}})? (\S+)")
HELP = re.compile(rf"# HELP ({NAME}) (.+)")
TYPE = re.compile(rf"# TYPE ({NAME}) (counter|gauge|histogram)")
SUFFIXES = {"counter": ("",), "gauge": ("",), "histogram": ("_bucket", "_sum", "_count")}


def parse(body):
    """Return {family: (type, {(sample name, labels as sorted pairs): value})}."""
    text = body.decode()
    assert text.endswith("\n")
    families, lines, at = {}, text.splitlines(), 0
    while at < len(lines):
        name, kind = _header(lines[at], lines[at + 1])
        assert name not in families, f"{name} comes twice"
        at += 2
        samples = {}
        while at < len(lines) and not lines[at].startswith("#"):
            key, value = _sample(lines[at])
            assert key not in samples, f"{lines[at]} comes twice"
            assert key[0] in {name + suffix for suffix in SUFFIXES[kind]}, lines[at]
            samples[key] = value
            at += 1
        _check(name, kind, samples)
        families[name] = (kind, samples)
    return families


def value(families, name, **labels):
    """Return one sample's value."""
    _, samples = next(found for family, found in families.items() if name in _names(family, found[0]))
    return samples[name, tuple(sorted(labels.items()))]


def _names(family, kind):
    return {family + suffix for suffix in SUFFIXES[kind]}


def _header(first, second):
    described, typed = HELP.fullmatch(first), TYPE.fullmatch(second)
    assert described, first
    assert typed, second
    assert described[1] == typed[1]
    return typed[1], typed[2]


def _sample(line):
    match = SAMPLE.fullmatch(line)
    assert match, line
    pairs = re.findall(LABEL, match[2] or "")
    assert len({key for key, _ in pairs}) == len(pairs), line
    unescape = {'\\"': '"', "\\\\": "\\", "\\n": "\n"}
    labels = tuple(sorted((key, re.sub(r'\\["\\n]', lambda m: unescape[m[0]], text)) for key, text in pairs))
    return (match[1], labels), float(match[match.re.groups])


def _check(name, kind, samples):
    assert samples, f"{name} has no samples"
    if kind == "counter":
        assert name.endswith("_total"), name
        assert all(value >= 0 for value in samples.values()), name
    if kind == "histogram":
        _check_histogram(name, samples)


def _check_histogram(name, samples):
    series = {}
    for (sample, labels), value in samples.items():
        rest = tuple(pair for pair in labels if pair[0] != "le")
        edge = dict(labels).get("le")
        series.setdefault(rest, {"buckets": []})
        if sample == f"{name}_bucket":
            series[rest]["buckets"].append((float(edge), value))
        else:
            assert edge is None, sample
            series[rest][sample.removeprefix(name)] = value
    for found in series.values():
        edges, counts = zip(*found["buckets"], strict=True)
        assert list(edges) == sorted(set(edges)), f"{name}: edges out of order"
        assert math.isinf(edges[-1]), f"{name}: no +Inf"
        assert list(counts) == sorted(counts), f"{name}: buckets shrink"
        assert found["_count"] == counts[-1], f"{name}: count is not the last bucket"
        assert "_sum" in found, name
