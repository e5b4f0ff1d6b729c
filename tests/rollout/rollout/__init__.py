"""Rolls, shrinks and grows a cluster behind a real load balancer, and judges what clients saw."""
