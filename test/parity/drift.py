"""Reference values of the drift measures: JSON on standard input and output.

Input: counts, a list of {name, reference, current} tables; samples, a list of
{name, reference, current} raw values; p_values; shares and shifts for power.
"""

import json
import sys

import numpy as np
import pandas as pd
from nannyml.drift.univariate import methods
from scipy import optimize, special, stats
from scipy.spatial.distance import jensenshannon
from statsmodels.stats.proportion import power_proportions_2indep

from evidently.legacy.calculations.stattests import tvd_stattest
from evidently.legacy.calculations.stattests import (
    chi_stat_test,
    hellinger_stat_test,
    jensenshannon_stat_test,
    ks_stat_test,
    psi_stat_test,
    wasserstein_stat_test,
)
from evidently.legacy.core import ColumnType


def evidently(test, reference, current, kind):
    # Some tests change the series that they are given.
    return float(test.func(reference.copy(), current.copy(), kind, 0.1)[0])


def nannyml(method, reference, current):
    m = method(chunker=None, threshold=None)
    m._fit(reference)
    return float(m._calculate(current))


def counts(case):
    r, c = np.array(case["reference"], float), np.array(case["current"], float)
    rows = [pd.Series(np.repeat([f"{i:03}" for i in range(len(t))], t.astype(int))) for t in (r, c)]
    occupied = (r + c) > 0
    table = np.array([r[occupied], c[occupied]])
    test = stats.chi2_contingency(table, correction=False)
    text = ColumnType.Categorical
    return {
        "js": jensenshannon(r, c),
        "js_bits": jensenshannon(r, c, base=2),
        "js_nannyml": nannyml(methods.CategoricalJensenShannonDistance, *rows),
        "js_evidently": evidently(jensenshannon_stat_test, *rows, text),
        "hellinger_nannyml": nannyml(methods.CategoricalHellingerDistance, *rows),
        "hellinger_evidently": evidently(hellinger_stat_test, *rows, text),
        "linf_nannyml": nannyml(methods.LInfinityDistance, *rows),
        "tvd_evidently": float(tvd_stattest._total_variation_distance(rows[1], rows[0])),
        "psi_evidently": evidently(psi_stat_test, *rows, text),
        "chi2": test.statistic,
        "chi2_p": test.pvalue,
        "chi2_expected": float(test.expected_freq.min()),
        "chi2_nannyml": nannyml(methods.Chi2Statistic, *rows),
        "cramers_v": stats.contingency.association(table.astype(int), method="cramer"),
        "goodness_of_fit_p": evidently(chi_stat_test, *rows, text),
    }


def deciles(reference, current):
    edges = np.unique(np.quantile(reference, np.arange(1, 10) / 10))
    cells = [np.bincount(np.searchsorted(edges, x, side="left"), minlength=len(edges) + 1) for x in (reference, current)]
    r, c = (x / x.sum() for x in cells)
    r, c = r + 1e-10, c + 1e-10
    return {
        "edges": edges.tolist(),
        "psi": float(((c - r) * np.log(c / r)).sum()),
        "ks": float(np.abs(np.cumsum(r) - np.cumsum(c)).max()),
    }


def samples(case):
    r, c = np.array(case["reference"], float), np.array(case["current"], float)
    rows = (pd.Series(r), pd.Series(c))
    number = ColumnType.Numerical
    ks = stats.ks_2samp(r, c, method="asymp")
    n, m = len(r), len(c)
    welch = stats.ttest_ind(c, r, equal_var=False)
    limits = welch.confidence_interval(0.95)
    ratio = c.var(ddof=1) / r.var(ddof=1)
    width = np.histogram_bin_edges(np.concatenate([r, c]), bins="sturges")
    return {
        "deciles": deciles(r, c),
        "grid": np.unique(np.quantile(r, np.arange(1, 40) / 40)).tolist(),
        "deviation": float(r.std()),
        "ks": ks.statistic,
        "ks_kolmogorov": special.kolmogorov(np.sqrt(n * m / (n + m)) * ks.statistic),
        "ks_p": ks.pvalue,
        "ks_p_evidently": evidently(ks_stat_test, *rows, number),
        "wasserstein": stats.wasserstein_distance(r, c),
        "wasserstein_evidently": evidently(wasserstein_stat_test, *rows, number),
        "psi_evidently": evidently(psi_stat_test, *rows, number),
        "js_evidently": evidently(jensenshannon_stat_test, *rows, number),
        "equal_width": [np.histogram(x, width)[0].tolist() for x in (r, c)],
        "mean_shift": [float(c.mean() - r.mean()), limits.low, limits.high],
        "mean_shift_p": welch.pvalue,
        "variance_ratio": float(ratio),
        "variance_ratio_p": min(1.0, 2 * min(stats.f.cdf(ratio, m - 1, n - 1), stats.f.sf(ratio, m - 1, n - 1))),
    }


def smallest_psi(case):
    df = case["cells"] - 1
    critical = stats.chi2.ppf(case["confidence"], df)
    needed = optimize.brentq(lambda l: stats.ncx2.sf(critical, df, l) - case["power"], 1e-9, 1e4, xtol=1e-12)
    return needed * (1 / case["n"] + 1 / case["m"])


def power(case):
    # The two-sided test's power on the side of the change: half of alpha there.
    return power_proportions_2indep(
        case["difference"],
        case["share"],
        case["m"],
        ratio=case["n"] / case["m"],
        alpha=(1 - case["confidence"]) / 2,
        alternative="larger",
        return_results=False,
    )


def main():
    given = json.load(sys.stdin)
    json.dump(
        {
            "counts": [counts(c) for c in given["counts"]],
            "samples": [samples(c) for c in given["samples"]],
            "adjusted": stats.false_discovery_control(given["p_values"], method="bh").tolist(),
            "smallest_psi": [smallest_psi(c) for c in given["smallest_psi"]],
            "power": [float(power(c)) for c in given["power"]],
        },
        sys.stdout,
        default=float,
    )


if __name__ == "__main__":
    main()
