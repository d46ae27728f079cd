"""Training: what each player minimises, the steps, the state of a run, checkpoints, hooks and the trainer."""
