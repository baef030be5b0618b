"""The words of invented tasks. A name in braces is replaced by a word from the list of that name."""

from __future__ import annotations

TITLES = (
    "Buy {groceries}",
    "Buy {groceries} and {groceries}",
    "Call {person} about {matter}",
    "Ask {person} about {matter}",
    "Answer {person}'s mail about {matter}",
    "Thank {person} for {favour}",
    "Pay the {bill} bill",
    "Check the {bill} bill",
    "Book {booking}",
    "Cancel {booking}",
    "Write {document}",
    "Finish {document} by Friday",
    "Send {document} to {person}",
    "Review {document} with {person}",
    "Fix the {broken}",
    "Order parts for the {broken}",
    "Clean the {room}",
    "Paint the {room}",
    "Read “{book}”",
    "Return “{book}” to the library",
    "Plan {event}",
    "Find a present for {event}",
    "Renew the {paper}",
    "Look for the {paper}",
    "Dinner with {person}?",
    "Water the plants 🌱",
)

DESCRIPTIONS = (
    "Ask {person} first.",
    "Before {event}, if possible.",
    "Last time it took two hours, so start early.",
    "See the notes from {day}.",
    "{person} said that {day} would be best.",
    "Compare at least three offers.",
    "The number is in the blue folder.",
    "Not urgent, but do not forget it again!",
    "Bring {groceries} on the way back.",
    "Needs to be done by {day}; remind {person}.",
    "What is left:\n- {document}\n- {matter}\n- a date with {person}",
    "1. measure\n2. buy what is missing\n3. call {person}",
    "Costs about {price}.",
    "Maybe together with {person}, who wanted to see the {room} anyway.",
)

LISTS = ("Home", "Work", "Groceries", "Summer in Lisboa ☀️")

COLORS = ("#3c9a57", "#3b78d8", "#d97a1c", "#8c5bc9")  # of these lists
SHARED = "Groceries"

LABELS = ("home", "errand", "work", "family", "Büro", "買い物", "waiting for somebody")

WORDS = {
    "groceries": (
        "milk", "bread", "eggs", "rice", "oat milk", "coffee beans", "olive oil", "apples", "crème fraîche",
        "jalapeños", "green tea (緑茶)", "Gruyère", "flour", "basil", "lemons", "dishwasher tablets", "cat food",
    ),
    "person": (
        "Anna", "Zoë", "Łukasz", "José", "Mr. Okafor", "the landlord", "Grandma", "Søren", "Mei (美)", "Dr. Nguyễn",
        "the neighbours", "Fatima", "Юля", "Tom", "the tax office", "Priya", "Ayşe", "the whole team",
    ),
    "matter": (
        "the heating", "next week's shift", "the lease", "the school trip", "holidays in July", "the new contract",
        "the keys", "the noise", "the budget for autumn", "moving day", "the vaccination", "his old bicycle",
    ),
    "favour": ("the flowers", "the lift to the airport", "dinner on Sunday", "looking after the cat", "the tip"),
    "bill": ("electricity", "water", "phone", "internet", "dentist's", "insurance", "kindergarten"),
    "booking": (
        "a table at Café Amélie", "train tickets to Kraków", "the dentist", "a haircut", "the meeting room",
        "a hotel in Lyon", "seats for Saturday's concert 🎻", "the ferry", "the car wash",
    ),
    "document": (
        "the quarterly report", "the minutes", "an invoice", "the slides", "a letter of recommendation",
        "the test plan", "the release notes", "the rental agreement", "the travel expenses", "a speech for the wedding",
    ),
    "broken": (
        "kitchen tap", "bicycle lamp", "printer", "door bell", "rear brake", "login page", "roller blind",
        "backup script", "washing machine", "squeaking drawer",
    ),
    "room": ("kitchen", "cellar", "balcony", "garage", "guest room", "bathroom", "attic"),
    "book": (
        "Die Verwandlung", "Cien años de soledad", "雪国", "Middlemarch", "Le Petit Prince", "Dune",
        "Преступление и наказание", "The Left Hand of Darkness", "Pippi Långstrump",
    ),
    "event": (
        "Anna's birthday 🎂", "the summer party", "the offsite", "Grandpa's 80th", "the move", "New Year's Eve",
        "Diwali", "the school play", "the weekend in Zürich",
    ),
    "paper": ("passport", "library card", "parking permit", "gym membership", "domain example.org", "certificate"),
    "day": ("Monday", "Tuesday", "the 15th", "the end of the month", "the weekend", "Thursday evening"),
    "price": ("20 €", "£45", "$120", "1 200 zł", "¥8,000"),
}  # fmt: skip
