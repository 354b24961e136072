"""Reference values of the sequential, multivariate and quality measures.

JSON on standard input and output: for each key of the input, the result of its
entry in REFERENCES under the same key.
"""

import json
import sys
import unicodedata

import numpy as np
from river import drift
from scipy.optimize import brentq
from scipy.special import gammaln, logsumexp
from scipy.stats import binomtest, chi2_contingency, wasserstein_distance
from sklearn.decomposition import PCA
from sklearn.metrics.pairwise import rbf_kernel


def detections(detector, values):
    at = []
    for i, x in enumerate(values):
        detector.update(x)
        if detector.drift_detected:
            at.append(i)
    return at


def ball_maximum(counts, reference, radius):
    """The largest log-likelihood over KL(r || p) <= radius, by the multiplier."""
    m = counts.sum()

    def shares(mu):
        return (counts + mu * reference) / (m + mu)

    def excess(log_mu):
        return np.sum(reference * np.log(reference / shares(np.exp(log_mu)))) - radius

    if np.all(counts > 0) and excess(-700) <= 0:
        p = counts / m
    else:
        p = shares(np.exp(brentq(excess, -50, 50, xtol=1e-14)))
    seen = counts > 0
    return np.sum(counts[seen] * np.log(p[seen]))


def dirichlet_multinomial(counts, weights):
    return (
        gammaln(weights.sum())
        - gammaln(weights.sum() + counts.sum())
        + np.sum(gammaln(weights + counts) - gammaln(weights))
    )


def evidence(reference, windows, tolerance, miss, phi):
    reference, n = np.array(reference, float), sum(reference)
    cells = len(reference) - 1
    k = brentq(lambda k: cells * (1 + np.log(k / cells)) - k - np.log(miss), cells, 1000 * cells, xtol=1e-12)
    radius = max(tolerance, phi * k / n)
    earlier, log_r, out = np.zeros(len(reference)), -np.inf, []
    for w, window in enumerate(windows, start=1):
        counts = np.array(window, float) / phi
        bet = logsumexp(
            [dirichlet_multinomial(counts, 0.5 + 0 * earlier), dirichlet_multinomial(counts, 0.5 + earlier)]
        ) - np.log(2)
        e = bet - ball_maximum(counts, reference / n, radius)
        log_r = e + np.logaddexp(log_r, -np.log(w * (w + 1)))
        out.append(np.logaddexp(log_r, -np.log(w + 1)))
        earlier = 0.9 * earlier + counts
    return out


def deflation(windows):
    found = chi2_contingency(np.array(windows), correction=False)
    return max(1.0, found.statistic / found.dof)


def unbiased_mmd2(reference, current, bandwidth):
    x, y = np.array(reference), np.array(current)
    mean, deviation = x.mean(0), x.std(0, ddof=1)
    x, y = (x - mean) / deviation, (y - mean) / deviation
    gamma = 1 / (2 * bandwidth**2)
    n, m = len(x), len(y)
    xx, yy, xy = rbf_kernel(x, x, gamma), rbf_kernel(y, y, gamma), rbf_kernel(x, y, gamma)
    return (xx.sum() - n) / (n * (n - 1)) + (yy.sum() - m) / (m * (m - 1)) - 2 * xy.mean()


def explained(rows, axes):
    rows = np.array(rows)
    rows = (rows - rows.mean(0)) / rows.std(0, ddof=1)
    return PCA(axes).fit(rows).explained_variance_.tolist()


def sliced_wasserstein(reference, current):
    return float(np.mean([wasserstein_distance(r, c) / np.std(r) for r, c in zip(reference, current)]))


def describe(text):
    solid = [c for c in text if not c.isspace()]
    letters = sum(unicodedata.category(c)[0] in "LM" for c in solid)
    names = [unicodedata.name(c).split()[0].title() for c in solid if unicodedata.category(c)[0] == "L"]
    return {
        "length": len(text),
        "tokens": len(text.split()),
        "non_letters": 1 - letters / len(solid),
        "script": max(sorted(set(names)), key=names.count),
    }


def wilson(faults, values):
    limits = binomtest(faults, values).proportion_ci(0.95, "wilson")
    return [limits.low, limits.high]


REFERENCES = {
    "streams": lambda streams: [
        {"adwin": detections(drift.ADWIN(), s), "page_hinkley": detections(drift.PageHinkley(), s)} for s in streams
    ],
    "evidence": lambda cases: [evidence(**case) for case in cases],
    "deflation": deflation,
    "mmd": lambda samples: unbiased_mmd2(**samples),
    "principal": lambda sample: explained(**sample),
    "sliced": lambda samples: sliced_wasserstein(**samples),
    "texts": lambda texts: [describe(t) for t in texts],
    "wilson": lambda counts: [wilson(*c) for c in counts],
    "rows": lambda rows: len({tuple(r) for r in rows}),
}

json.dump({key: REFERENCES[key](value) for key, value in json.load(sys.stdin).items()}, sys.stdout)
