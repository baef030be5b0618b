"""A Telegram bot for your own tasks: BOT_TOKEN=… TASK_API=… TASK_API_TOKEN=… python telegram_bot.py.

A text becomes a task, /list shows what is open, and /done 2 completes the second.
"""

from __future__ import annotations

import os

from telegram import Update
from telegram.ext import Application, ContextTypes, MessageHandler, filters

from task_api_client import AsyncClient, TaskApiError


async def answer(tasks: AsyncClient, text: str) -> str:
    """Do what a message says, and say what was done."""
    try:
        found = (await tasks.list(status="pending", sort="created_at", limit=50)).tasks
        if text == "/list":
            return "\n".join(f"{number}. {task.title}" for number, task in enumerate(found, 1)) or "All done."
        word, _, number = text.partition(" ")
        if word == "/done" and number.isdigit() and 0 < int(number) <= len(found):
            return f"Done: {(await tasks.complete(found[int(number) - 1].id)).title}"
        return "There is none." if word == "/done" else f"Noted: {(await tasks.create(text)).title}"
    except TaskApiError as problem:
        return f"{problem} ({problem.code})"


async def on_message(update: Update, context: ContextTypes.DEFAULT_TYPE) -> None:
    """Answer a message."""
    if update.message and update.message.text:
        await update.message.reply_text(await answer(context.bot_data["tasks"], update.message.text))


if __name__ == "__main__":
    bot = Application.builder().token(os.environ["BOT_TOKEN"]).build()
    bot.bot_data["tasks"] = AsyncClient(os.environ["TASK_API"], os.environ["TASK_API_TOKEN"])
    bot.add_handler(MessageHandler(filters.TEXT, on_message))
    bot.run_polling()
