"""What is in the image `load:lab`: clients, and a Python that probes what they can reach.

Paths are relative to the repository where they do not begin with a slash. Libraries that a program
loads come along; a tree is copied with all its files but caches.
"""

NAME = "load:lab"
USER = "65532:65532"
# Where it comes from -> where it is in the image.
PROGRAMS = {
    "build/release/canang-load": "/usr/bin/canang-load",
    "/usr/bin/python3": "/usr/bin/python3",
}
# Python's own modules, as Debian's libpython3-stdlib has them.
TREES = {"/usr/lib/python3.11": "/usr/lib/python3.11"}
LEFT_OUT = ("__pycache__", "config-3.11-x86_64-linux-gnu", "test", "idlelib", "lib2to3", "tkinter")
