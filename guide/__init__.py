"""The build of the user guide: pages of docs/ and the contract become files that the service shows at /docs/guide.

Make and the Dockerfile run it. The service only has the files: see `backend/api/openapi/user_guide.py`.
"""
