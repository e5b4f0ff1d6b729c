"""The benchmark of ./dev bench: servers on one core, canang-load on the other."""
