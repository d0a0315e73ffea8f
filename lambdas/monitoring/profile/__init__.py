"""What was counted: of the data a model was trained on (the baseline), and of a window of live traffic."""
