"""The picture is well-formed and has a panel for each model and format, a curve for each server."""

from dataclasses import replace
from xml.etree import ElementTree

from bench.serving import plot
from bench.serving.rows import Sample, summarise
from bench.serving.servers import CONTAINER, RAW

SVG = "{http://www.w3.org/2000/svg}"


def test_every_panel_shows_every_server() -> None:
    taken = [Sample(rps=1234.0, p50_s=1e-3, p99_s=2e-3, ratio_to_raw=0.5, cpu_s=1e-4, generator_busy=0.1)]
    row = summarise(taken, server=CONTAINER, model="tiny", format_="json", clients=1, cold_s=1.0, rss_bytes=1)
    rows = [
        replace(row, server=server, format=format_, clients=clients)
        for server in (CONTAINER, RAW, "a <peer>")
        for format_ in ("json", "npy")
        for clients in (1, 64)
    ]
    drawn = ElementTree.fromstring(plot.draw(rows))
    curves = [each for each in drawn.iter(f"{SVG}path") if "L" in each.attrib["d"]]
    assert len(curves) == 3 * 2
    texts = [each.text for each in drawn.iter(f"{SVG}text")]
    assert {"tiny, json: requests/s over clients", "tiny, npy: requests/s over clients", "a <peer>"} <= set(texts)
