"""The tables that recordings are about: an example, and made ones."""

from pathlib import Path

import numpy as np
import pandas as pd

TITANIC = Path(__file__).parents[2] / "examples" / "titanic.csv"


def titanic(folder: Path) -> Path:
    """Return the passengers of the Titanic: who survived."""
    return TITANIC


def deliveries(folder: Path) -> Path:
    """Write deliveries in a city: how long each took follows from distance, vehicle, traffic and rain, which multiply."""
    rng = np.random.default_rng(11)
    rows = 1500
    distance = rng.gamma(2.0, 2.5, rows).round(2)
    hour = rng.integers(7, 23, rows)
    vehicle = rng.choice(["bicycle", "scooter", "van"], rows, p=[0.4, 0.4, 0.2])
    rain = rng.random(rows) < 0.2
    speed = np.select([vehicle == "bicycle", vehicle == "scooter"], [14.0, 24.0], 28.0)
    traffic = 1 + 0.5 * np.exp(-((hour - 8) ** 2) / 3) + 0.7 * np.exp(-((hour - 18) ** 2) / 5)
    jam = np.where(vehicle == "bicycle", 1 + 0.2 * (traffic - 1), traffic)
    minutes = 6 + 60 * distance / speed * jam * (1 + 0.25 * rain) * rng.lognormal(0, 0.12, rows)
    minutes += 2.5 * rng.integers(0, 6, rows) * (vehicle != "van")
    table = pd.DataFrame(
        {
            "distance_km": np.where(rng.random(rows) < 0.05, np.nan, distance),
            "hour": hour,
            "vehicle": vehicle,
            "rain": np.where(rain, "yes", "no"),
            "weight_kg": rng.gamma(2.0, 1.5, rows).round(1),
            "minutes": minutes.round(1),
        }
    )
    path = folder / "deliveries.csv"
    table.to_csv(path, index=False)
    return path


def orchids(folder: Path) -> Path:
    """Write flowers of three kinds, told apart by proportions rather than by sizes, under Chinese names."""
    rng = np.random.default_rng(5)
    rows = 900
    kind = rng.choice(3, rows, p=[0.5, 0.3, 0.2])
    size = rng.lognormal(1.0, 0.45, rows)
    length = size * np.array([2.0, 2.3, 2.1])[kind] * rng.lognormal(0, 0.08, rows)
    width = size * np.array([0.8, 0.8, 1.1])[kind] * rng.lognormal(0, 0.08, rows)
    soil = np.where(
        rng.random(rows) < 0.7, np.array(["沙土", "黏土", "腐殖土"])[kind], rng.choice(["沙土", "黏土", "腐殖土"], rows)
    )
    table = pd.DataFrame(
        {
            "花瓣长": length.round(2),
            "花瓣宽": np.where(rng.random(rows) < 0.06, np.nan, width.round(2)),
            "株高": (size * 9 * rng.lognormal(0, 0.2, rows)).round(1),
            "土壤": soil,
            "品种": np.array(["春兰", "蕙兰", "建兰"])[kind],
        }
    )
    path = folder / "orchids.csv"
    table.to_csv(path, index=False)
    return path
