"""How sure a model is of each score: estimators for networks and for scikit-learn's classifiers."""
