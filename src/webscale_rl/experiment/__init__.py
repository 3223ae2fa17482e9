"""The experiment on token efficiency: does a model learn more from few documents by reinforcement than by reading many?

Documents of a small made-up world become pairs by `webscale-rl run`, refined documents and rationales; models of less
than a million parameters learn from them in eight ways, at four sizes of the corpus, and are asked for a skill that
they can sample already and for facts that they cannot (docs/experiment.md).

    world.py wording.py      towns and sums; how they are told and asked, and read back
    corpus.py                documents, the text of the base models, the questions of the panels
    answering.py             a backend of rules that reads such documents
    vocabulary.py base.py    a tokenizer of characters; a model from scratch
    recipe.py arms.py        what is compared, and with which settings
    material.py jobs.py      the data of an arm; its training and its panels
    workers.py efficiency.py processes that share the jobs; all of it
    statistics.py table.py figure.py    what comes out
"""
