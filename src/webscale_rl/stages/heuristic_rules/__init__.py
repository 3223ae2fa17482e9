"""What the heuristics stage is made of: a text's statistics, and the rules that are more than a comparison of one."""
