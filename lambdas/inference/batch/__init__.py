"""Files of rows that are answered as a whole, by SageMaker's Batch Transform."""
