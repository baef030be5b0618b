"""Pure helpers: tokens, field types, cursors. They know no database and no HTTP."""
