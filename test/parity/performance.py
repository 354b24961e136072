"""Performance as scikit-learn and nannyml compute it.

In:  {"cases": [{"score": [..], "predicted": [0, 1], "actual": [0, 1]}],
      "regression": {"predicted": [..], "actual": [..]},
      "calibrator": {"score": [..], "actual": [0, 1], "at": [..]},
      "california": {"reference": {column: [..]}, "analysis": {column: [..]},
                     "chunk_size": n}}
Out: the same keys with the values by name; for california nannyml's estimated
     and realised values of each chunk.
"""

import json
import logging
import sys

logging.disable(logging.WARNING)

import numpy as np
import pandas as pd
from sklearn import metrics as sk
from sklearn.calibration import calibration_curve
from sklearn.isotonic import IsotonicRegression

import nannyml
from nannyml.calibration import _calculate_expected_calibration_error, _get_bin_index_edges


def classification(score, predicted, actual):
    score, predicted, actual = np.asarray(score), np.asarray(predicted), np.asarray(actual)
    out = {
        "accuracy": sk.accuracy_score(actual, predicted),
        "precision": sk.precision_score(actual, predicted),
        "recall": sk.recall_score(actual, predicted),
        "specificity": sk.recall_score(actual, predicted, pos_label=0),
        "f1": sk.f1_score(actual, predicted),
        "mcc": sk.matthews_corrcoef(actual, predicted),
        "auc": sk.roc_auc_score(actual, score),
        "log_loss": sk.log_loss(actual, score),
        "brier": sk.brier_score_loss(actual, score),
        "ece_nannyml": _calculate_expected_calibration_error(actual, score, _get_bin_index_edges(len(score), 10)),
    }
    if len(np.unique(score)) == len(score) and len(score) % 10 == 0:
        share, mean = calibration_curve(actual, score, n_bins=10, strategy="quantile")
        out["ece_sklearn"] = np.mean(np.abs(share - mean))
    return out


def regression(predicted, actual):
    return {
        "mae": sk.mean_absolute_error(actual, predicted),
        "rmse": sk.root_mean_squared_error(actual, predicted),
        "r2": sk.r2_score(actual, predicted),
    }


def calibrator(score, actual, at):
    fitted = IsotonicRegression(out_of_bounds="clip", increasing=True).fit(score, actual)
    return list(fitted.predict(at))


def california(reference, analysis, chunk_size):
    names = ["accuracy", "precision", "recall", "f1", "roc_auc"]
    estimator = nannyml.CBPE(
        y_pred_proba="score",
        y_pred="predicted",
        y_true="actual",
        metrics=names,
        problem_type="classification_binary",
        chunk_size=chunk_size,
    )
    estimator.fit(pd.DataFrame(reference))
    result = estimator.estimate(pd.DataFrame(analysis)).filter(period="analysis").to_df()
    out = {"needs_calibration": bool(estimator.needs_calibration), "estimated": {}, "realized": {}}
    for name in names:
        for ours, theirs in (("estimated", "value"), ("realized", "realized")):
            out[ours][name] = [None if np.isnan(v) else v for v in result[(name, theirs)]]
    return out


def main():
    given = json.load(sys.stdin)
    out = {
        "cases": [classification(**c) for c in given["cases"]],
        "regression": regression(**given["regression"]),
        "calibrator": calibrator(**given["calibrator"]),
    }
    if given.get("california"):
        out["california"] = california(**given["california"])
    json.dump(out, sys.stdout, default=float)


main()
