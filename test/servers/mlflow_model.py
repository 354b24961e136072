"""Trains a model and saves it as MLflow does.

    mlflow_model.py FOLDER
"""

import sys

import mlflow.sklearn
import pandas

from kserve_server import train

if __name__ == "__main__":
    model, x = train()
    mlflow.sklearn.save_model(model.fit(pandas.DataFrame(x, columns=["income", "age"]), x[:, 0] > 40_000), sys.argv[1])
