"""What clusters of many nodes cost: measured unit costs, replays on a real Redis, and a model made of both."""
