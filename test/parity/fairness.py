"""Fairness as aif360, fairlearn, scipy and statsmodels compute it.

In:  {"cases": [{"predicted": [0, 1], "actual": [0, 1], "group": ["a", "b"],
                 "of": "a", "against": "b"}],
      "proportions": [[x1, n1, x2, n2]], "pvalues": [..]}
Out: for each case {"aif360": {name: value}, "fairlearn": {name: value}}, for
     each pair of proportions Newcombe's and Wilson's limits and the z test, and
     Holm's adjusted p-values.
"""

import json
import logging
import sys

logging.disable(logging.WARNING)

import numpy as np
import pandas as pd
from aif360.datasets import BinaryLabelDataset
from aif360.metrics import ClassificationMetric
from fairlearn.metrics import (
    MetricFrame,
    demographic_parity_difference,
    demographic_parity_ratio,
    equal_opportunity_difference,
    equalized_odds_difference,
)
from scipy.stats import binomtest
from sklearn.metrics import accuracy_score, precision_score
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import confint_proportions_2indep, proportions_ztest


def by_aif360(predicted, actual, group, of, against):
    frame = pd.DataFrame({"y": actual, "g": [1.0 if g == against else 0.0 for g in group]}).astype(float)
    frame = frame[[g in (of, against) for g in group]]
    guesses = frame.copy()
    guesses["y"] = np.asarray(predicted, dtype=float)[[g in (of, against) for g in group]]
    data = [
        BinaryLabelDataset(
            df=f, label_names=["y"], protected_attribute_names=["g"], favorable_label=1.0, unfavorable_label=0.0
        )
        for f in (frame, guesses)
    ]
    m = ClassificationMetric(*data, unprivileged_groups=[{"g": 0.0}], privileged_groups=[{"g": 1.0}])
    return {
        "statistical_parity_difference": m.statistical_parity_difference(),
        "disparate_impact": m.disparate_impact(),
        "equal_opportunity_difference": m.equal_opportunity_difference(),
        "average_odds_difference": m.average_odds_difference(),
        "equalized_odds": m.equalized_odds_difference(),
        "fnr_difference": m.false_negative_rate_difference(),
        "fpr_difference": m.false_positive_rate_difference(),
        "for_difference": m.false_omission_rate_difference(),
        "fdr_difference": m.false_discovery_rate_difference(),
        "accuracy_difference": -m.error_rate_difference(),
        "predictive_parity_difference": m.difference(m.positive_predictive_value),
    }


def by_fairlearn(predicted, actual, group, of, against):
    rows = {"y_true": actual, "y_pred": predicted, "sensitive_features": group}
    two = [g in (of, against) for g in group]
    pair = {
        "y_true": np.asarray(actual)[two],
        "y_pred": np.asarray(predicted)[two],
        "sensitive_features": np.asarray(group)[two],
    }
    frame = MetricFrame(metrics={"ppv": precision_score, "accuracy": accuracy_score}, **pair)
    spread = frame.difference(method="between_groups")
    return {
        "statistical_parity_difference": demographic_parity_difference(**pair),
        "equal_opportunity_difference": equal_opportunity_difference(**pair),
        "equalized_odds": equalized_odds_difference(**pair),
        "average_odds_difference": equalized_odds_difference(**pair, agg="mean"),
        "predictive_parity_difference": spread["ppv"],
        "accuracy_difference": spread["accuracy"],
        "impact_ratio_min_max": demographic_parity_ratio(**rows),
    }


def intervals(x1, n1, x2, n2):
    lower, upper = confint_proportions_2indep(x1, n1, x2, n2, method="newcomb", compare="diff", alpha=0.05)
    wilson = binomtest(x1, n1).proportion_ci(0.95, "wilson")
    return {
        "newcombe": [lower, upper],
        "wilson": [wilson.low, wilson.high],
        "ztest": proportions_ztest([x1, x2], [n1, n2])[1],
    }


def main():
    given = json.load(sys.stdin)
    out = {"cases": [], "proportions": [intervals(*p) for p in given["proportions"]]}
    for c in given["cases"]:
        out["cases"].append({"aif360": by_aif360(**c), "fairlearn": by_fairlearn(**c)})
    out["holm"] = list(multipletests(given["pvalues"], method="holm")[1])
    json.dump(out, sys.stdout, default=float)


main()
