"""Computes every candidate of replay.toml a second time, by quadrature of the
equations as they stand, and compares: python3 check.py runs/replay/candidates.csv

The constants are those of the preset hmn-core with w_max = 1."""
import csv, math, os, sys

here = os.path.dirname(os.path.abspath(__file__))
rows = lambda name: list(csv.DictReader(open(os.path.join(here, name))))
pre, post, edges, rewards = rows("pre.csv"), rows("post.csv"), rows("edges.csv"), rows("rewards.csv")
W = 2 * math.pi * 8 / 1000                                     # Omega, rad/ms
X = [0.1834346424956498, 0.5255324099163290, 0.7966664774136267, 0.9602898564975363]
H = [0.3626837833783620, 0.3137066458778873, 0.2223810344533745, 0.1012285362903763]

def candidate(e, k):
    phi, axonal, dendritic = float(e["phase"]), float(e["axonal_delay_ms"]), float(e["dendritic_delay_ms"])
    # What the synapse sees: arrivals before post spikes of the same time.
    a = [float(r["time_ms"]) + axonal for r in pre if r["neuron"] == e["source"]]
    p = [float(r["time_ms"]) + dendritic for r in post if r["neuron"] == e["target"]]
    jumps = [(t, sum(math.exp(-(t - u) / 20) for u in a if u <= t)) for t in p]
    jumps += [(t, -1.5 * sum(math.exp(-(t - u) / 20) for u in p if u < t)) for t in a]
    reward = [(float(r["time_ms"]), float(r["jump"])) for r in rewards]

    def integrand(t):
        trace = sum(j * (math.exp(-(t - u) / 50) + math.exp(-(t - u) / 1000)) for u, j in jumps if u < t)
        g = sum(j * math.exp(-(t - u) / 200) for u, j in reward if u < t)
        return math.pi * max(0, math.cos(W * t - phi)) * (5e-6 + 2.5e-3 * g) * trace

    centre = (phi + 2 * math.pi * k) / W
    lo, hi = max(0, centre - 31.25), centre + 31.25
    cuts = sorted({lo, hi} | {t for t in a + p + [u for u, _ in reward] if lo < t < hi})
    total = 0
    for x, y in zip(cuts, cuts[1:]):                           # Gauss-Legendre, 20 x 8 points
        h = (y - x) / 40
        for n in range(20):
            m = x + (2 * n + 1) * h
            total += h * sum(w * (integrand(m - h * q) + integrand(m + h * q)) for q, w in zip(X, H))
    return total

worst = n = 0
for r in csv.DictReader(open(sys.argv[1])):
    e = next(e for e in edges if (e["source"], e["target"]) == (r["source"], r["target"]))
    worst, n = max(worst, abs(candidate(e, int(r["k"])) - float(r["candidate"]))), n + 1
print("%d candidates, largest difference %.1e" % (n, worst))
