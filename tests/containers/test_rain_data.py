"""The data set that is shipped, what is said about it, and the traffic made of it."""

import gzip

import numpy as np
import pytest

from model_containers.training import dataset, make_dataset, replay, smoke_body

CONSTANTS = np.array([make_dataset.STANDARDISATION[name] for name in dataset.FEATURES])


def column(measurements, name):
    return measurements[:, dataset.FEATURES.index(name)]


def is_possible_weather(measurements):
    """Whether on (nearly) every day the maximum is above the minimum and the strongest wind above the average."""
    by_temperature = column(measurements, "maximum_temperature") >= column(measurements, "minimum_temperature")
    by_wind = column(measurements, "max_sustained_wind_speed") >= column(measurements, "average_wind_speed") - 0.1
    return (by_temperature & by_wind).mean() > 0.995


def test_data_set_is_complete():
    days = dataset.load()

    assert len(days) == 18_159
    assert days.measurements.shape == (18_159, 8)
    assert set(np.unique(days.rain)) == {0, 1}
    assert len(days.measured()) == 18_157


def test_from_row_12000_every_column_holds_its_right_neighbour():
    drifted = dataset.load().measurements[dataset.DRIFT_START :]
    standardised = (drifted - CONSTANTS[:, 0]) / CONSTANTS[:, 1]
    undone = np.roll(standardised, 1, axis=1) * CONSTANTS[:, 1] + CONSTANTS[:, 0]

    assert is_possible_weather(dataset.load().measurements[: dataset.DRIFT_START])
    assert not is_possible_weather(drifted)
    assert is_possible_weather(undone)


def test_seasons_follow_from_the_row():
    days = dataset.load().between(range(dataset.DRIFT_START))
    july = (days.day_of_year() > 181) & (days.day_of_year() < 212)

    assert column(days.measurements[july], "temperature").min() > 50


def standardised_csv(measurements):
    values = (measurements - CONSTANTS[:, 0]) / CONSTANTS[:, 1]
    lines = [",".join([str(number), *map(repr, row), "1"]) for number, row in enumerate(values.tolist())]
    return "\n".join(["header", *lines])


def test_recorded_values_are_recovered_from_standardised_ones():
    recorded = dataset.load().measurements[:50]

    measurements, rain = make_dataset.recorded(standardised_csv(recorded))

    np.testing.assert_array_equal(measurements, recorded)
    assert rain.tolist() == [1] * 50


def test_other_data_than_this_is_not_taken_for_it():
    with pytest.raises(ValueError, match="not this data set"):
        make_dataset.recorded(standardised_csv(dataset.load().measurements[:50] * 1.001))


def test_data_set_is_written_the_same_each_time():
    days = dataset.load()

    shipped = gzip.decompress(dataset.PATH.read_bytes())

    assert gzip.decompress(make_dataset.compressed(days.measurements, days.rain)) == shipped


def test_replayed_rows_are_csv_of_the_data():
    lines = replay.rows(8_000, 8_002)

    assert lines == ["33.6,28.7,1023.8,5.3,5.7,10.1,34,32", "40.2,32.5,1016.7,5.3,5.5,12,60.1,30.9"]
    assert replay.labels(8_000, 8_002) == [0, 1]
    assert (replay.REPLAY.start, replay.REPLAY.stop) == (8_000, 12_000)


def test_smoke_body_is_three_replayed_days():
    assert smoke_body.smoke_body().splitlines() == replay.rows(8_000, 8_003)
