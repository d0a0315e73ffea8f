"""Predictions for the records of a Kinesis stream, written to another.

Each record is answered at least once: after a fault the stream is read again from the first record that was not, and
records behind it may have been answered already. Its `id` is made of the shard and the record's sequence number, so
that whoever reads the answers knows which are the same. Of records with one partition key, answers come in the order
of the records (an answer that comes again comes after what followed it the first time).

A record that can never be answered does not hold up those behind it: its answer is an error with the reason. An
endpoint in trouble does hold them up, because later they can be answered. A record on which the model itself fails,
while it answers others, is given back at once with those behind it, and comes again alone, until its tries are used up.
"""
