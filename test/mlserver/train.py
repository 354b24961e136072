"""Trains a model for loans and writes all that MLServer and the test need.

    train.py FOLDER HTTP-PORT GRPC-PORT METRICS-PORT

FOLDER gets model.joblib, MLServer's settings, and reference.csv: other rows
than those that the model has seen, with what it answers.
"""

import json
import pathlib
import sys

import joblib
import numpy
import pandas
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

FEATURES = ["income", "age", "region"]


def applicants(rng, rows, richer=0.0):
    """Rows of income, age and region; richer moves the incomes, in standard deviations."""
    return numpy.column_stack([
        rng.normal(40_000 + 9_000 * richer, 9_000, rows),
        rng.normal(45, 12, rows),
        rng.integers(0, 4, rows),
    ])


def main(folder, http_port, grpc_port, metrics_port):
    folder, rng = pathlib.Path(folder), numpy.random.default_rng(7)
    folder.mkdir()
    x = applicants(rng, 4_000)
    granted = x[:, 0] / 9_000 + x[:, 1] / 24 + rng.normal(0, 1, len(x)) > 6.2
    model = make_pipeline(StandardScaler(), LogisticRegression()).fit(x, granted.astype(int))
    joblib.dump(model, folder / "model.joblib")

    known = applicants(rng, 4_000)
    reference = pandas.DataFrame(known, columns=FEATURES).astype({"region": int})
    reference["predict"] = model.predict(known)
    reference["approve"] = model.predict_proba(known)[:, 1]
    reference.to_csv(folder / "reference.csv", index=False)

    (folder / "model-settings.json").write_text(json.dumps({
        "name": "loan",
        "implementation": "mlserver_sklearn.SKLearnModel",
        "parameters": {"uri": "./model.joblib", "version": "v1"},
    }))
    (folder / "settings.json").write_text(json.dumps({
        "host": "127.0.0.1",
        "http_port": int(http_port),
        "grpc_port": int(grpc_port),
        "metrics_port": int(metrics_port),
        "parallel_workers": 0,
        "debug": False,
    }))


if __name__ == "__main__":
    main(*sys.argv[1:])
