"""How good a model is, with standard errors: the paper's table 5 over lm-eval and EvalPlus, and suites of one's own."""
