"""The operator's side: the command line and the demo.

Everything here speaks to AWS through boto3 alone, so that it works the same against an account and against the local
cloud; only `tidegate.local` knows that the local cloud exists.
"""
