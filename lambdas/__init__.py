"""What runs on AWS Lambda, shipped under the same import path as it is developed."""
