"""What a real cluster does with k8s/: each scenario is played, measured and judged.

    build/venv/bin/python k8s/lab/scenarios [--short] [SCENARIO...]

plays them on the cluster that `k8s/lab/lab up` has started (`./dev kubernetes test` does both).
Figures go to build/kubernetes/results/, a file a scenario; `--report` makes docs/kubernetes.md's
table and its plot of them, and `--machines` tells how many machines the chosen ones need.

Clients are pods with `canang-load resume` that come in through DNS and the Service (load.py). What
they went through is judged by tests/support and tests/rollout, as a rollout outside of Kubernetes
is. What pods do is seen by a `kubectl get --watch` (watch.py), what nodes count by a pod that may
scrape them (scraper.py).
"""
