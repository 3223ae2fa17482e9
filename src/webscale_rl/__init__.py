"""webscale-rl: a pretraining corpus in, verified question-answer data for reinforcement learning out."""
