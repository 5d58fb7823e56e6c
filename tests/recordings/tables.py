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


def payments(folder: Path) -> Path:
    """Write card payments, a few of them fraud: far from home, at night, and much more than the card usually pays."""
    rng = np.random.default_rng(21)
    rows = 3000
    usual = rng.lognormal(3.2, 0.6, rows)
    fraud = rng.random(rows) < 0.07
    amount = usual * np.where(fraud, rng.lognormal(1.1, 0.7, rows), rng.lognormal(0.0, 0.5, rows))
    hour = np.where(fraud & (rng.random(rows) < 0.6), rng.integers(0, 6, rows), rng.integers(6, 24, rows))
    distance = rng.exponential(np.where(fraud, 60.0, 12.0))
    table = pd.DataFrame(
        {
            "amount": amount.round(2),
            "usual_amount": usual.round(2),
            "hour": hour,
            "km_from_home": distance.round(1),
            "channel": rng.choice(["chip", "contactless", "online"], rows, p=[0.4, 0.35, 0.25]),
            "fraud": np.where(fraud, "yes", "no"),
        }
    )
    path = folder / "payments.csv"
    table.to_csv(path, index=False)
    return path


def reviews(folder: Path) -> Path:
    """Write short reviews: words that are good or bad, which "not" turns around, and the stars of some."""
    rng = np.random.default_rng(31)
    good = ["excellent", "great", "lovely", "fast", "sturdy", "cheap"]
    bad = ["awful", "broken", "slow", "flimsy", "late", "expensive"]
    plain = ["the", "parcel", "arrived", "box", "and", "colour", "shop", "again", "it", "was", "very", "product"]
    lines, happy = [], []
    for _ in range(1400):
        liked, words = 0, list(rng.choice(plain, rng.integers(4, 10)))
        for _ in range(rng.integers(1, 4)):
            positive, turned = rng.random() < 0.5, rng.random() < 0.35
            liked += 1 if positive != turned else -1
            word = str(rng.choice(good if positive else bad))
            place = int(rng.integers(0, len(words) + 1))
            words[place:place] = ["not", word] if turned else [word]
        lines.append(" ".join(words))
        happy.append(liked + rng.normal(0, 0.5) > 0)
    table = pd.DataFrame(
        {"review": lines, "length": [len(line) for line in lines], "recommends": np.where(happy, "yes", "no")}
    )
    path = folder / "reviews.csv"
    table.to_csv(path, index=False)
    return path


def machines(folder: Path) -> Path:
    """Write readings of machines, many of each: the wear of a machine that was never seen is to be told from vibration and heat."""
    rng = np.random.default_rng(41)
    count, each = 60, 25
    machine = np.repeat([f"M{number:03d}" for number in range(count)], each)
    offset = np.repeat(rng.normal(0, 1.2, count), each)
    load, wear = rng.uniform(20, 100, count * each), rng.gamma(2.0, 2.0, count * each)
    vibration = 0.4 * wear + 0.02 * load + offset + rng.normal(0, 0.3, count * each)
    heat = 20 + 0.35 * load + 1.8 * np.sqrt(wear) * (load > 60) + rng.normal(0, 0.8, count * each)
    noise = 40 + 0.1 * load + 2.0 * wear + rng.normal(0, 2.5, count * each)
    table = pd.DataFrame(
        {
            "machine": machine, "load": load.round(1), "vibration": vibration.round(2), "heat": heat.round(1), "noise_db": noise.round(1),
            "wear": wear.round(2),
        }
    )  # fmt: skip
    path = folder / "machines.csv"
    table.sample(frac=1.0, random_state=0).to_csv(path, index=False)
    return path


def sales(folder: Path) -> Path:
    """Write what a shop sold on each of a thousand days: week, season, price, promotions and a slow growth multiply."""
    rng = np.random.default_rng(51)
    days = 1000
    date = pd.date_range("2022-01-03", periods=days, freq="D")
    price = rng.choice([1.9, 2.1, 2.4, 2.9], days)
    promotion = rng.random(days) < 0.15
    week = np.array([0.9, 0.85, 0.9, 1.0, 1.3, 1.6, 0.6])[date.day_of_week]
    season = 1 + 0.3 * np.sin(2 * np.pi * (date.day_of_year - 80) / 365)
    mean = 90 * week * season * (price / 2.2) ** -1.4 * (1 + 0.5 * promotion) * np.linspace(1.0, 1.4, days)
    table = pd.DataFrame(
        {
            "date": date.strftime("%Y-%m-%d"),
            "price": price,
            "promotion": np.where(promotion, "yes", "no"),
            "sold": rng.poisson(mean),
        }
    )
    path = folder / "sales.csv"
    table.to_csv(path, index=False)
    return path
