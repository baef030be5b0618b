"""Values with a syntax of their own, in requests and answers: cursors, entity tags, sync tokens, search text.

Reading and writing them belongs here. What fields a request or an answer has does not.
"""
