"""Tasks in files: import and export.

Reading rows, deciding what each does and reporting on it belongs here.
The formats do not: they are in `backend/formats/`.
"""
