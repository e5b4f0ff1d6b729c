"""The cluster: its namespaces (sandbox), its programs and images, its control plane, its nodes.

Needs Python's own modules only.
"""
